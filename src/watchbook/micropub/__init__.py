"""Micropub, as a client: making, changing and deleting posts on a person's own website."""
