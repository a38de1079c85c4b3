"""What differs between two archives of an account, data set by data set.

Rows are matched by their keys. Digests of all rows of one archive are held against those of the
other; only what differs is kept and read as JSON, so a history of any length costs a few bytes a
row. Keys in another order and other spaces are no difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from watchbook.archive.manifest import (
    COMPLETE,
    INCOMPLETE,
    INSTANCE_FORMAT,
    AccountEntry,
    DataSetEntry,
    FileEntry,
    Manifest,
)
from watchbook.archive.unpacked import Key, Row, Unpacked, unpacked
from watchbook.errors import InputError
from watchbook.trakt.datasets import BY_NAME, Shape
from watchbook.trakt.parse import redact


class Change(StrEnum):
    """What became of a row from one archive to the other."""

    ADDED = "added"
    """It was not there, or was gone at Trakt and is back."""
    REMOVED = "removed"
    """It is gone at Trakt now, and kept among what was removed."""
    CHANGED = "changed"
    """It says something else."""
    PASSED = "came and went"
    """It was not there yet, and is gone at Trakt already."""
    LOST = "lost"
    """It is nowhere any more, not even among what was removed. That should never happen."""


@dataclass(frozen=True)
class FieldChange:
    """A field, by its dotted path, with what it said before and after; None when absent."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """A row that differs; ``before`` and ``after`` are None where it was not."""

    change: Change
    key: Key
    before: Row | None
    after: Row | None

    @property
    def old(self) -> Any:
        """The row before, decoded."""
        return decoded(self.before.raw) if self.before else None

    @property
    def new(self) -> Any:
        """The row after, decoded."""
        return decoded(self.after.raw) if self.after else None

    @property
    def row(self) -> Any:
        """The row as it was last seen, decoded."""
        return self.new if self.after else self.old

    @property
    def again(self) -> bool:
        """Whether an added row had been there before, and was gone in between."""
        return self.change is Change.ADDED and self.before is not None

    @property
    def fields(self) -> list[FieldChange]:
        """What differs in a row that changed."""
        changed = self.change is Change.CHANGED
        return list(_field_changes("", self.old, self.new)) if changed else []


@dataclass(frozen=True)
class DataSetDiff:
    """What differs in one data set; an entry of the manifests is None where it has none."""

    name: str
    before: DataSetEntry | None
    after: DataSetEntry | None
    differences: Sequence[Difference]

    @property
    def volatile(self) -> bool:
        """Whether it changes by itself, so that a difference means nothing."""
        return any(entry.volatile for entry in (self.before, self.after) if entry)

    @property
    def single(self) -> bool:
        """Whether it is one object instead of rows."""
        line = BY_NAME.get(self.name.partition("/")[0])
        return line is not None and line.shape is Shape.OBJECT

    @property
    def proves(self) -> bool:
        """Whether an absence in the later archive means that a row was lost."""
        return self.after is None or self.after.verdict == COMPLETE

    def of(self, change: Change) -> list[Difference]:
        """The rows of which that became."""
        return [one for one in self.differences if one.change is change]

    def counts(self) -> dict[Change, int]:
        """How many rows there are of each kind of change."""
        return {change: len(self.of(change)) for change in Change}


@dataclass(frozen=True)
class ArchiveDiff:
    """Two archives, in the order in which they were named, and the data sets that differ."""

    before: Archived
    after: Archived
    data_sets: Sequence[DataSetDiff]

    @property
    def told(self) -> list[DataSetDiff]:
        """The data sets whose differences mean something."""
        return [one for one in self.data_sets if not one.volatile]

    @property
    def same(self) -> bool:
        """Whether both hold the same, but for what changes by itself."""
        return not self.told

    @property
    def backwards(self) -> bool:
        """Whether the archive named first is the newer one."""
        return self.before.manifest.created_at > self.after.manifest.created_at


@dataclass(frozen=True)
class Archived:
    """One of two archives that were compared, whole when it was read."""

    path: Path
    manifest: Manifest

    @property
    def incomplete(self) -> list[DataSetEntry]:
        """The data sets in which an absence proves nothing."""
        return [entry for entry in self.manifest.data_sets if entry.verdict == INCOMPLETE]


def compare(before: Path, after: Path, identity: Path | None = None) -> ArchiveDiff:
    """Verify two archives and tell what differs from ``before`` to ``after``.

    ``identity`` opens encrypted ones. Raises InputError when it is missing, when they are not of
    the same person, or when one is a copy of an installation; ArchiveDamaged, ArchiveUnsafe and
    StoreError when one cannot be relied on or read.
    """
    with unpacked(before, identity) as old, unpacked(after, identity) as new:
        _refuse_strangers(old, new)
        sides = (Archived(before, old.manifest), Archived(after, new.manifest))
        backwards = ArchiveDiff(*sides, ()).backwards
        found = [_compare(name, old, new, backwards=backwards) for name in _names(old, new)]
    return ArchiveDiff(*sides, [one for one in found if one.differences])


def _refuse_strangers(old: Unpacked, new: Unpacked) -> None:
    for one in (old, new):
        if one.manifest.format == INSTANCE_FORMAT or one.manifest.account is None:
            raise InputError(
                f"{one.path.name} is a copy of an installation, and only archives of accounts "
                "can be compared.",
                hint="Those are called backup-….tar.gz; `watchbook backup list` shows them.",
            )
    ours, theirs = old.manifest.account, new.manifest.account
    if ours and theirs and not _same_person(ours, theirs):
        raise InputError(
            f"{old.path.name} is of {_who(ours)}, {new.path.name} of {_who(theirs)}: they are not "
            "the same person's.",
            hint="Name two archives of one account.",
        )


def _same_person(ours: AccountEntry, theirs: AccountEntry) -> bool:
    """By what both archives know of them, the surest first."""
    if ours.trakt_uuid and theirs.trakt_uuid:
        return ours.trakt_uuid == theirs.trakt_uuid
    if ours.trakt_slug and theirs.trakt_slug:
        return ours.trakt_slug == theirs.trakt_slug
    return ours.name == theirs.name


def _who(account: AccountEntry) -> str:
    slug = account.trakt_slug
    return account.name if slug in {None, account.name} else f"{account.name} ({slug} at Trakt)"


def _names(old: Unpacked, new: Unpacked) -> list[str]:
    entries = chain(new.manifest.data_sets, old.manifest.data_sets)
    return list(dict.fromkeys(entry.name for entry in entries))


def _compare(name: str, old: Unpacked, new: Unpacked, *, backwards: bool) -> DataSetDiff:
    ours, theirs = _unlike(old.files_of(name), new.files_of(name))
    stamps = {row.key: _stamp(row) for row in _rows(old, ours)}
    after: dict[Key, Row] = {}
    for row in _rows(new, theirs):
        if stamps.get(row.key) == _stamp(row):
            del stamps[row.key]
        else:
            after[row.key] = row
    before = {row.key: row for row in _rows(old, ours if stamps else ()) if row.key in stamps}
    found = _differences(name, before, after, backwards=backwards)
    return DataSetDiff(name, _entry(old, name), _entry(new, name), list(found))


def _unlike(
    ours: Iterable[FileEntry], theirs: Iterable[FileEntry]
) -> tuple[list[FileEntry], list[FileEntry]]:
    """The files without those that both have, byte for byte; a list may have another name."""
    left = {(entry.kind, entry.sha256): entry for entry in ours}
    right = {(entry.kind, entry.sha256): entry for entry in theirs}
    return (
        [entry for mark, entry in left.items() if mark not in right],
        [entry for mark, entry in right.items() if mark not in left],
    )


def _rows(archive: Unpacked, files: Iterable[FileEntry]) -> Iterator[Row]:
    return chain.from_iterable(map(archive.rows, files))


def _stamp(row: Row) -> bytes:
    """A digest of the row, and whether it was gone: equal stamps, equal rows."""
    digest = hashlib.blake2b(row.raw, digest_size=16).digest()
    return digest + b"-" if row.removed_at else digest


def _entry(archive: Unpacked, name: str) -> DataSetEntry | None:
    return next((one for one in archive.manifest.data_sets if one.name == name), None)


def _differences(
    name: str, before: Mapping[Key, Row], after: Mapping[Key, Row], *, backwards: bool
) -> Iterator[Difference]:
    line = BY_NAME.get(name.partition("/")[0])
    secrets = line.secrets if line else ()
    for key in dict.fromkeys(chain(after, before)):
        old, new = _cleaned(before.get(key), secrets), _cleaned(after.get(key), secrets)
        change = _change(old, new, backwards=backwards)
        if change is not Change.CHANGED or (old and new and not _alike(old.raw, new.raw)):
            yield Difference(change, key, old, new)


def _cleaned(row: Row | None, secrets: Iterable[str]) -> Row | None:
    """The row without secrets: the archive may be older than what is known to be one now."""
    return row._replace(raw=redact(row.raw, secrets)[0]) if row else None


def _change(old: Row | None, new: Row | None, *, backwards: bool) -> Change:
    was, is_there = old and not old.removed_at, new and not new.removed_at
    if new is None:
        # What a newer archive holds and an older one does not had simply not happened yet.
        return Change.LOST if not backwards else Change.REMOVED if was else Change.PASSED
    if old is None:
        return Change.ADDED if is_there else Change.PASSED
    if was and not is_there:
        return Change.REMOVED
    return Change.ADDED if is_there and not was else Change.CHANGED


def _alike(old: bytes, new: bytes) -> bool:
    """Whether two texts say the same, whatever the order of their fields."""
    return _sorted(old) == _sorted(new)


def _sorted(raw: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw


def decoded(raw: bytes) -> Any:
    """A row as JSON; what cannot be read as such as the text that it is."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw.decode("utf-8", "replace")


def _field_changes(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys(chain(before, after)):
            inner = f"{path}.{name}" if path else name
            yield from _field_changes(inner, before.get(name), after.get(name))
    elif msgspec.json.encode(before) != msgspec.json.encode(after):
        yield FieldChange(path, before, after)
