"""Every data set is in the archive with the right count, whatever the source does with pages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sync.conftest import MakeBook
from tests.sync.test_sync import COUNTED
from watchbook.archive.write import write_archive

QUIRKS = [
    "page-count-low",
    "page-count-low:3",
    "page-headers-missing",
    "page-short@5",
    "page-short/users/me/history@2",
    "page-empty/users/me/history@2",
    "page-twice@12",
    "page-drift-insert/users/me/history@2-3",
    "page-drift-delete/users/me/history@2-3",
    "limit-clamped:7",
    "seasons-missing",
]


@pytest.mark.daily(4)
@pytest.mark.parametrize("quirk", QUIRKS)
def test_archive_holds_all_of_every_data_set(
    make_book: MakeBook, tmp_path: Path, quirk: str
) -> None:
    """The rows of each data set in the archive are as many as the source has."""
    book = make_book()
    book.sandbox.set_faults(quirk)
    assert book.sync().complete
    book.sandbox.clear_faults()
    assert book.sync().complete
    written = write_archive(book.store, book.account, tmp_path / "backups")
    assert written.complete
    rows: Counter[str] = Counter()
    for file in written.manifest.files:
        if file.kind == "data" and file.data_set is not None:
            rows[file.data_set] += file.rows or 0
    for name, count in book.sandbox.truth()["counts"].items():
        ours = f"list_items/{name[5:]}" if name[5:].isdigit() else COUNTED.get(name, name)
        assert rows[ours] == count, name
