"""Publishing: every new play as a post on the person's own site, exactly once."""
