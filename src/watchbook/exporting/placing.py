"""Putting exported files where they were asked for: whole, private, and over nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from watchbook.clock import now
from watchbook.errors import InputError
from watchbook.exporting.formats import Write
from watchbook.exporting.selection import Selection
from watchbook.exporting.written import Written
from watchbook.files import file_errors, make_private_folder, sync_folder
from watchbook.steps import step
from watchbook.store.accounts import Account
from watchbook.store.opening import Store

_PASSING = ".export-"
_DEAD_AFTER = timedelta(days=1)


def export(
    write: Write,
    store: Store,
    account: Account,
    selection: Selection,
    target: Path,
    *,
    force: bool = False,
    **options: object,
) -> Written:
    """Write an export to ``target`` and give the files' final paths.

    Nothing is there before everything is written. Raises InputError when a file is there already
    and ``force`` is not given, or something that is no file, StoreFull and StoreError; then
    nothing has changed.
    """
    _refuse_devices(target)
    if not force:
        _refuse_existing([target])
    make_private_folder(target.parent)
    with _workshop(target) as folder:
        written = write(store, account, selection, folder / target.name, **options)
        final = [target.parent / path.relative_to(folder) for path in written.paths]
        if not force:
            _refuse_existing(final)
        for source, place in zip(written.paths, final, strict=True):
            _move(source, place)
        written.paths = final
    return written


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """A private folder on the same file system, gone afterwards."""
    with file_errors(target):
        folder = Path(
            tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        )
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def passing_folder(home: Path) -> Iterator[Path]:
    """A private folder in ``home``, gone afterwards; what killed runs left goes a day later."""
    make_private_folder(home)
    dead = (now() - _DEAD_AFTER).timestamp()
    with file_errors(home):
        for left in home.glob(f"{_PASSING}*"):
            if left.lstat().st_mtime < dead:
                shutil.rmtree(left, ignore_errors=True)
        folder = tempfile.TemporaryDirectory(prefix=_PASSING, dir=home)
    with folder as path:
        yield Path(path)


def _refuse_devices(target: Path) -> None:
    """Nobody wants ``/dev/stdout`` replaced by a file."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise InputError(
            f"{target} is no file. Nothing was written.",
            hint="Choose a file with -o; -o - is standard output.",
        )


def _refuse_existing(paths: list[Path]) -> None:
    there = next((path for path in paths if path.exists() and not path.is_dir()), None)
    if there is not None:
        raise InputError(
            f"{there} is there already. Nothing was written.",
            hint="Choose another name with -o, or let --force replace it.",
        )


def _move(source: Path, place: Path) -> None:
    with file_errors(place):
        make_private_folder(place.parent)
        source.chmod(0o600)
        handle = os.open(source, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        step("export.written")
        source.replace(place)
        sync_folder(place.parent)
