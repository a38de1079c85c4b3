"""A history of 100,000 plays is written and verified without holding it in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from watchbook.archive.verify import verify_archive
from watchbook.store.schema import plays

from .conftest import READ_AT, Book, film

PLAYS = 100_000
BATCH = 5_000
ROOM = 16 << 20


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that ``work`` held at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_memory_stays_flat(book: Book) -> None:
    """Writing and verifying take a few megabytes, whatever the length of the history."""
    book.run(sa.delete(plays))
    for start in range(1, PLAYS + 1, BATCH):
        rows = (film(n, discovered_at=READ_AT + n // 250) for n in range(start, start + BATCH))
        book.add(plays, *rows)
    assert peak_of(book.write) < ROOM
    path = book.write().path
    assert peak_of(lambda: verify_archive(path)) < ROOM
    assert verify_archive(path).rows > PLAYS


@pytest.mark.long
def test_every_row_differing_takes_no_memory_either(book: Book) -> None:
    """What is known of each row goes to a file when it is long, not into memory."""
    for start in range(1000, PLAYS, BATCH):
        rows = (film(n, discovered_at=n * 7919 % 100_003) for n in range(start, start + BATCH))
        book.add(plays, *rows)
    assert peak_of(book.write) < ROOM
