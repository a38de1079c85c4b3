"""An archive laid out for a while: its rows, each with its key.

A row is named as the store names it: plays by their history id, everything else by the key that
``watchbook/rows.json`` remembers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from watchbook.archive.encryption import opened
from watchbook.archive.manifest import FileEntry, Manifest
from watchbook.archive.memories import ROWS, recall
from watchbook.archive.spool import Spool
from watchbook.archive.standalone.verify import Damaged, parse_json, read_rows
from watchbook.archive.verify import verify_archive
from watchbook.errors import ArchiveDamaged

Key = int | str
"""A play's history id, or the key of any other row."""

_ARRAY = b"[\n"
_PIECE = 1 << 18
_REMOVED_HEAD = b'{"removed_at": "'
_REMOVED_ITEM = b'", "item": '


class Row(NamedTuple):
    """A row as it was archived; ``removed_at`` (ISO 8601) when it was gone at Trakt by then."""

    key: Key
    raw: bytes
    removed_at: str | None


class _Numbered(msgspec.Struct):
    id: int


_read_number = msgspec.json.Decoder(_Numbered).decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode


class _Known(NamedTuple):
    """What ``watchbook/rows.json`` says, by file.

    The keys of its rows; of plays the history ids that they do not say themselves, by position.
    """

    keys: dict[str, list[str]]
    numbers: dict[str, dict[int, int]]


class Unpacked:
    """A verified archive whose rows can be read, file by file; see :func:`unpacked`."""

    def __init__(self, path: Path, manifest: Manifest, spool: Spool) -> None:
        self.path = path
        self.manifest = manifest
        self._spool = spool

    def files_of(self, data_set: str) -> list[FileEntry]:
        """The files that hold rows of ``data_set``, those gone at Trakt in files of their own."""
        return [entry for entry in self.manifest.files if entry.data_set == data_set]

    def rows(self, entry: FileEntry) -> Iterator[Row]:
        """The rows of one file, in its order; raises ArchiveDamaged when they have no keys."""
        keys = iter(self._known.keys.get(entry.path, ()))
        numbers = self._known.numbers.get(entry.path, {})
        plays = entry.path not in self._known.keys
        for position, line in enumerate(self._lines(entry)):
            raw, removed_at = _taken_apart(line) if entry.kind == "removed" else (line, None)
            key: Key | None
            key = numbers.get(position) or _number_of(raw) if plays else next(keys, None)
            if key is None:
                raise self._damaged(f"{entry.path}, row {position + 1} has no key")
            yield Row(key, raw, removed_at)

    @cached_property
    def _known(self) -> _Known:
        known = _Known({}, {})
        positions: dict[str, int] = {}
        for path, facts in recall(self._read_rows(ROWS)):
            position = positions.get(path, 0)
            positions[path] = position + 1
            if "key" in facts:
                known.keys.setdefault(path, []).append(facts["key"])
            elif facts["columns"]:
                known.numbers.setdefault(path, {})[position] = facts["columns"][0]
        return known

    def _lines(self, entry: FileEntry) -> Iterator[bytes]:
        """The rows of a file, fast where each is one line: the manifest says how many there are."""
        with self._spool.open(entry.path) as file:
            is_array = file.readline() == _ARRAY
            lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))
        if not is_array or lines != (entry.rows or 0) + 1:
            yield from self._read_rows(entry.path)
            return
        with self._spool.open(entry.path) as file:
            file.readline()
            for line in islice(file, entry.rows):
                yield line[:-2] if line.endswith(b",\n") else line[:-1]

    def _read_rows(self, path: str) -> Iterator[bytes]:
        if path not in self._spool:
            raise self._damaged(f"{path} is missing")
        try:
            with self._spool.open(path) as file:
                yield from read_rows(path, file, _parse)
        except Damaged as reason:
            raise self._damaged(str(reason)) from None

    def _damaged(self, what: str) -> ArchiveDamaged:
        return ArchiveDamaged(
            f"{self.path.name} is damaged: {what}.", hint="`watchbook backup` makes a new one."
        )


@contextmanager
def unpacked(path: Path, identity: Path | None = None) -> Iterator[Unpacked]:
    """Verify every byte of the archive ``path``; while it is open, its rows can be read.

    ``identity`` opens an encrypted one. Raises InputError when it is needed and missing, and
    ArchiveDamaged, ArchiveUnsafe and StoreError as :func:`verify_archive` does.
    """
    with opened(path, identity) as plain, Spool(Path(tempfile.gettempdir())) as spool:
        found = verify_archive(plain, spool=spool)
        yield Unpacked(path, found.manifest, spool)


def _parse(text: bytes) -> object:
    """See whether ``text`` is one whole value; what msgspec is too strict about gets a hearing."""
    try:
        return _skim(text)
    except (msgspec.DecodeError, RecursionError):
        return parse_json(text)


def _taken_apart(line: bytes) -> tuple[bytes, str]:
    """The row inside a line of ``removed/``, and when it was gone."""
    head, _, rest = line.partition(_REMOVED_ITEM)
    return rest[:-1], head.removeprefix(_REMOVED_HEAD).decode("ascii", "replace")


def _number_of(raw: bytes) -> int | None:
    try:
        return _read_number(raw).id
    except (msgspec.DecodeError, RecursionError):
        return None
