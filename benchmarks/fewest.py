"""How many requests the first sync of an account takes at the very least.

Counted from the rows that the stand-in holds: a request for each page of the largest size that
Trakt allows, one more where the last page is full (only an empty page tells that it was the
last), one for what comes in one piece. The totals that plays are held against are pages too:
without them nobody knows that the history came whole.
"""

from __future__ import annotations

from typing import Any

from benchmarks.home import Book
from benchmarks.running import BenchmarkFailed
from benchmarks.stand_in import StandIn
from watchbook.store import datasets
from watchbook.trakt.datasets import Shape, of

TOTALS = ("watched_movies", "watched_shows")
_LARGEST = 250
_NAMES = {
    "comments_all": "comments",
    "data_syncs": "syncs",
    "likes_comments": "liked_comments",
    "likes_lists": "liked_lists",
    "lists_collaborations": "collaborations",
    "reactions_comments": "reactions",
    "requests_following": "pending",
}
"""Data sets that the stand-in counts under another name."""


def fewest_requests(trakt: StandIn, book: Book) -> int:
    """The fewest requests for everything that the copy of ``book`` is made of."""
    counts = trakt.control.truth()["counts"]
    with book.installation.store.database.read() as conn:
        states = datasets.all_states(conn, book.account.id)
    total = sum(_pages(counts[name], _LARGEST) for name in TOTALS)
    for name, state in states.items():
        line = of(name)
        if line.shape is Shape.OBJECT or not line.paged:
            total += 1
        else:
            total += _pages(_rows(name, state.kept or 0, counts), line.limit)
    return total


def _rows(name: str, kept: int, counts: dict[str, Any]) -> int:
    """The rows of a data set by the stand-in's own count, where it has one."""
    told = counts.get(_NAMES.get(name, name).replace("list_items/", "list_"))
    if told is not None and told != kept:
        raise BenchmarkFailed(f"{name}: {kept} rows kept, {told} are there")
    return kept


def _pages(rows: int, limit: int) -> int:
    full, rest = divmod(rows, limit)
    return max(1, full + 1) if rest or full else 1
