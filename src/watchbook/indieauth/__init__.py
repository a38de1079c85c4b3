"""IndieAuth, as a client: who somebody is, proved by their own website, and leave to post there."""
