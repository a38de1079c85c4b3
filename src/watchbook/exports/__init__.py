"""Other people's files: reading what Trakt and other services let a person take away."""
