"""What the API answers: one module for each part of a person's data.

Importing this package fills the table of routes.
"""

from watchbook.sandbox.trakt.answers import (
    catalogue,
    collected,
    lists,
    person,
    plays,
    social,
    texts,
    watched,
)

__all__ = ["catalogue", "collected", "lists", "person", "plays", "social", "texts", "watched"]
