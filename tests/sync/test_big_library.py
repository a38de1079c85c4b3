"""A large library goes the whole way once: sync, changes, archive, verification, export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.conftest import MakeBook
from watchbook.archive.verify import verify_archive
from watchbook.archive.write import write_archive


@pytest.mark.long
def test_fifty_thousand_plays_go_the_whole_way(make_book: MakeBook, tmp_path: Path) -> None:
    """50,000 plays are kept, followed through changes, archived and verified, each counted once."""
    book = make_book(plays=50_000)
    first = book.sync()
    assert first.complete, first.words
    book.check_plays()
    book.sandbox.add_plays(30)
    book.sandbox.backdate(5, days=1500)
    gone = {play["id"] for play in book.sandbox.delete_plays(12)}
    assert book.requests(book.sync) < first.requests / 2
    book.check_plays()
    assert set(book.kept(removed=True)) == gone
    written = write_archive(book.store, book.account, tmp_path / "backups")
    assert written.complete
    found = verify_archive(written.path)
    rows = {"data": 0, "removed": 0}
    for file in found.manifest.files:
        if file.data_set == "history":
            rows[file.kind] += file.rows or 0
    assert rows == {"data": len(book.kept()), "removed": len(gone)}
