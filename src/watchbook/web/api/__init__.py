"""The JSON API: one table of operations, and what is made of it."""
