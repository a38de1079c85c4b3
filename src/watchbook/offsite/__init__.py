"""Copies of archives elsewhere: folders, buckets, and whatever a command of the person does."""
