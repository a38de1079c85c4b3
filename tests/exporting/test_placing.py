"""Where files go, and what never goes into them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TEST_KEY
from tests.exporting.conftest import Filled, out
from tests.sync.conftest import Book
from watchbook.errors import InputError, StoreError
from watchbook.exporting.formats import FORMATS
from watchbook.exporting.selection import Selection
from watchbook.exporting.written import Written
from watchbook.store.accounts import Account
from watchbook.store.opening import Store

MADE = sorted(FORMATS)


@pytest.mark.parametrize("name", MADE)
def test_files_are_private_and_nothing_else_stays(small: Filled, name: str) -> None:
    """Mode 0600 in folders of 0700, and no temporary file."""
    written = small.export(name, to=f"new/folder/file{FORMATS[name].suffix}")
    folder = small.folder / "new" / "folder"
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(written.paths)
    assert {path.stat().st_mode & 0o777 for path in written.paths} == {0o600}


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_overwritten_unless_told_so(small: Filled, name: str) -> None:
    """Not even one of several files."""
    first = small.export(name, to="file")
    for path in first.paths:
        path.write_bytes(b"precious")
        for other in first.paths:
            if other != path:
                other.unlink(missing_ok=True)
        with pytest.raises(InputError, match="is there already"):
            small.export(name, to="file")
        assert path.read_bytes() == b"precious"
        assert not [p for p in first.paths if p != path and p.exists()]
    small.export(name, to="file", force=True)
    assert all(path.read_bytes() != b"precious" for path in first.paths)


def test_what_is_no_file_is_never_replaced(small: Filled) -> None:
    """A pipe or a device stays what it is, whatever was said."""
    pipe = small.folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is no file"):
        small.export("csv", to="pipe", force=True)
    assert pipe.is_fifo()
    assert list(small.folder.iterdir()) == [pipe]


class Fell(Exception):
    """The process ended here."""


def test_a_writer_that_fails_leaves_nothing(small: Filled) -> None:
    """The folder is as it was."""

    def fail(_s: Store, _a: Account, _w: Selection, target: Path) -> Written:
        target.write_text("half")
        raise Fell

    from watchbook.exporting.placing import export  # noqa: PLC0415 - only here

    with pytest.raises(Fell):
        export(fail, small.store, small.account, Selection(), small.folder / "file")
    assert list(small.folder.iterdir()) == []


def test_a_folder_that_is_a_file_is_said(small: Filled) -> None:
    """The error names the place."""
    (small.folder / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        small.export("csv", to="file/plays.csv")


def texts(paths: list[Path]) -> Iterator[bytes]:
    """What is in the files, and in files that are packed into them."""
    for path in paths:
        yield path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                yield from (packed.read(name) for name in packed.namelist())


def test_no_secret_goes_out(synced: Book, tmp_path: Path) -> None:
    """Neither tokens nor links that open something, in any format."""
    with synced.store.database.read() as conn:
        sealed = conn.exec_driver_sql("select access_sealed, refresh_sealed from grants").one()
    sandbox = synced.sandbox
    secrets = [sandbox.access_token, sandbox.refresh_token, sandbox.client_secret, TEST_KEY]
    secrets += [*sealed, "/share/", "access_sealed"]
    for name in MADE:
        target = tmp_path / name / f"file{FORMATS[name].suffix}"
        written = out(synced.store, synced.account, name, target, Selection(removed=True))
        for content in texts(written.paths):
            assert [secret for secret in secrets if secret.encode() in content] == [], name


@pytest.mark.parametrize("name", MADE)
def test_an_account_without_a_row_can_be_exported(empty: Filled, name: str) -> None:
    """There is a file, and it holds no rows."""
    written = empty.export(name)
    assert written.paths
    assert sum(written.counts.values()) == 0
