"""The manifest: what is in an archive, by its own word, in lines that a person can read.

It lists every other file with its size, digest and rows, says per data set how complete it is,
and carries a digest of itself, so that an unpacked folder can be checked too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Literal

import msgspec

from watchbook.archive.standalone.verify import FORMAT_VERSION, MANIFEST
from watchbook.errors import ArchiveDamaged

ACCOUNT_FORMAT = "watchbook-archive"
INSTANCE_FORMAT = "watchbook-instance"
COMPLETE = "complete"
INCOMPLETE = "incomplete"
UNAVAILABLE = "unavailable"

Kind = Literal["data", "removed", "rejected", "watchbook", "document"]
KINDS_OF_ROWS: frozenset[Kind] = frozenset({"data", "removed", "rejected"})
"""Files of which ``watchbook/rows.json`` speaks, row for row."""

SITES = "watchbook/sites.json"
POSTS = "watchbook/posts.json"
POSTERS = "watchbook/posters.json"
_COUNTING = frozenset({SITES, POSTS, POSTERS})
"""Files of Watchbook's own in which nothing moves by itself."""

_OWN_DIGEST = "manifest_sha256"
_BLANK = "0" * 64
_AT_A_GLANCE = 6


class FileEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file; ``rows`` only for JSON."""

    path: str
    kind: Kind
    bytes: int
    sha256: str
    rows: int | None = None
    data_set: str | None = None


class DataSetEntry(msgspec.Struct, frozen=True):
    """How one data set stands.

    ``claimed`` is what Trakt counted, ``redacted`` the fields taken out before anything was kept.
    """

    name: str
    verdict: str
    words: str | None
    read_at: str | None
    rows: int
    removed: int
    rejected: int
    claimed: int | None
    redacted: Sequence[str]
    volatile: bool
    files: Sequence[str]


class AccountEntry(msgspec.Struct, frozen=True):
    """Whose archive it is."""

    name: str
    trakt_slug: str | None
    trakt_uuid: str | None


class Manifest(msgspec.Struct, frozen=True):
    """An archive by its own word.

    ``content`` is a digest of what it holds of Trakt's data and of what was posted: two archives
    with the same one hold the same, whenever they were made. ``schema`` is the database's version
    in a copy of an installation.
    """

    format: str
    format_version: int
    generator: str
    name: str
    created_at: str
    account: AccountEntry | None
    schema: str | None
    verdict: str
    words: Sequence[str]
    counts: dict[str, int]
    content: str
    data_sets: Sequence[DataSetEntry]
    files: Sequence[FileEntry]


def generator() -> str:
    """The program that writes, with its version."""
    return f"Watchbook {version('watchbook')}"


def current_format() -> int:
    """The version of the format that this program writes."""
    return FORMAT_VERSION


def count_rows(files: Iterable[FileEntry]) -> dict[str, int]:
    """Rows per kind of file, for the kinds that people count."""
    counts = {"data": 0, "removed": 0, "rejected": 0}
    for entry in files:
        if entry.kind in counts:
            counts[entry.kind] += entry.rows or 0
    return counts


def content_digest(files: Iterable[FileEntry], data_sets: Sequence[DataSetEntry]) -> str:
    """One digest over all rows and verdicts that do not change by themselves.

    Of Watchbook's own files only sites and posts count: when a data set was last looked at
    changes with every sync, and a new archive for that would push older, different ones out.
    """
    volatile = {entry.name for entry in data_sets if entry.volatile}
    lines = [
        f"{entry.path} {entry.sha256}"
        for entry in files
        if (entry.kind in KINDS_OF_ROWS and entry.data_set not in volatile)
        or entry.path in _COUNTING
    ]
    lines += [f"{entry.name} {entry.verdict}" for entry in data_sets if not entry.volatile]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def whole_verdict(data_sets: Iterable[DataSetEntry]) -> tuple[str, list[str]]:
    """The verdict on an archive, and in words what keeps it from holding everything.

    What Trakt does not offer to this account is said, but takes nothing from completeness.
    """
    known = list(data_sets)
    missing = _said_together(entry for entry in known if entry.verdict == INCOMPLETE)
    absent = _said_together(entry for entry in known if entry.verdict == UNAVAILABLE)
    return (INCOMPLETE if missing else COMPLETE), missing + absent


def _said_together(data_sets: Iterable[DataSetEntry]) -> list[str]:
    names: dict[str | None, list[str]] = {}
    for entry in data_sets:
        names.setdefault(entry.words, []).append(entry.name)
    return [f"{_few(those)}: {words}" for words, those in names.items()]


def _few(names: Sequence[str]) -> str:
    """The names, or how many more there are when one could not read them all at a glance."""
    if len(names) <= _AT_A_GLANCE:
        return ", ".join(names)
    shown = names[: _AT_A_GLANCE - 1]
    return f"{', '.join(shown)} and {len(names) - len(shown)} more"


def encode(manifest: Manifest) -> bytes:
    """Write ``manifest`` as JSON with one file or data set per line, and seal it."""
    fields: dict[str, Any] = msgspec.to_builtins(manifest) | {_OWN_DIGEST: _BLANK}
    lines = [f'  "{name}": {_value(value)}' for name, value in fields.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    before, after = text.rsplit(_BLANK, 1)
    return f"{before}{digest}{after}".encode()


def _value(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n    " + ",\n    ".join(map(_compact, value)) + "\n  ]"
    return _compact(value)


def _compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: bytes) -> Manifest:
    """Read a manifest whose digest was checked; raises ArchiveDamaged on another shape."""
    try:
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise ArchiveDamaged(f"{MANIFEST} has an unknown shape: {reason}.") from None
