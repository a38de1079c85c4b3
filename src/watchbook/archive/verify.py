"""Verifying archives: every byte, against the manifest inside and the .sha256 beside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from watchbook.archive.manifest import COMPLETE, Manifest, decode
from watchbook.archive.read import HashingReader, Limits, Readable, SafeArchive
from watchbook.archive.spool import Copying, Spool
from watchbook.archive.standalone import verify as standalone
from watchbook.errors import ArchiveDamaged, ArchiveError
from watchbook.files import file_errors

_AGAIN = "Do not rely on it: `watchbook backup` makes a new one."


@dataclass(frozen=True)
class Verification:
    """A whole archive: what it says of itself, its size and its digest.

    ``beside`` tells whether there was a .sha256 file to hold it against.
    """

    manifest: Manifest
    bytes: int
    sha256: str
    beside: bool

    @property
    def complete(self) -> bool:
        """Whether it held everything when it was made."""
        return self.manifest.verdict == COMPLETE

    @property
    def rows(self) -> int:
        """Rows of data, those gone at Trakt not counted."""
        return self.manifest.counts.get("data", 0)


def verify_archive(
    path: Path,
    limits: Limits | None = None,
    keep: Mapping[str, Path] | None = None,
    spool: Spool | None = None,
) -> Verification:
    """Read every byte of ``path`` and hold it against its digests and the .sha256 beside it.

    ``keep`` names members that are written to files (0600) on the way, ``spool`` takes all of
    them; they may be used only when this returns. Raises ArchiveDamaged and ArchiveUnsafe, which
    name the place, and StoreError when the file cannot be read.
    """
    with file_errors(path), path.open("rb") as file:
        found = verify_stream(file, path.name, limits, keep, spool)
    return replace(found, beside=held_against_beside(path, found.sha256))


def held_against_beside(path: Path, sha256: str) -> bool:
    """Hold a file's digest against the .sha256 beside it; tells whether there is one.

    Raises ArchiveDamaged when it speaks of another file.
    """
    beside = beside_of(path)
    if not beside.exists():
        return False
    with file_errors(beside):
        said = beside.read_bytes()
    if said != beside_line(sha256, path.name):
        raise ArchiveDamaged(
            f"{path.name} is damaged: it is not the file that {beside.name} speaks of.", hint=_AGAIN
        )
    return True


def verify_stream(
    file: Readable,
    name: str,
    limits: Limits | None = None,
    keep: Mapping[str, Path] | None = None,
    spool: Spool | None = None,
) -> Verification:
    """Verify the archive called ``name`` (for words only) that ``file`` holds."""
    reader = HashingReader(file)
    archive = SafeArchive(reader, limits)
    try:
        members = _keeping(archive.members(), keep or {})
        text, _ = standalone.check(spool.keeping(members) if spool else members, parse_row)
        manifest = decode(text)
        if manifest.name != archive.folder:
            raise ArchiveDamaged(f"Its folder is {archive.folder}, its manifest {manifest.name}.")
    except standalone.Damaged as reason:
        raise ArchiveDamaged(f"{name} is damaged: {reason}.", hint=_AGAIN) from None
    except ArchiveError as reason:
        raise type(reason)(f"{name}: {reason.message}", hint=_AGAIN) from None
    return Verification(manifest, reader.bytes, reader.sha256, beside=False)


def _keeping(
    members: Iterable[tuple[str, BinaryIO]], keep: Mapping[str, Path]
) -> Iterator[tuple[str, BinaryIO]]:
    for path, stream in members:
        if path not in keep:
            yield path, stream
            continue
        with file_errors(keep[path]):
            handle = os.open(keep[path], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                yield path, cast("BinaryIO", Copying(stream, file))


def manifest_of(path: Path) -> Manifest:
    """What an archive says of itself, nothing of which is verified yet.

    Raises ArchiveDamaged, ArchiveUnsafe and StoreError.
    """
    try:
        with file_errors(path), path.open("rb") as file:
            for name, stream in SafeArchive(file).members():
                if name == standalone.MANIFEST:
                    return decode(stream.read(standalone.LONGEST_ROW))
        raise ArchiveDamaged(f"{standalone.MANIFEST} is missing.")
    except ArchiveError as reason:
        raise type(reason)(f"{path.name}: {reason.message}", hint=_AGAIN) from None


def beside_of(path: Path) -> Path:
    """The file with the digest, beside the archive ``path``."""
    return path.with_name(path.name + ".sha256")


def beside_line(sha256: str, name: str) -> bytes:
    """What ``sha256sum`` would write."""
    return f"{sha256}  {name}\n".encode()


def parse_row(text: bytes) -> object:
    """Read JSON quickly; what msgspec is stricter about than JSON gets a second hearing."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return standalone.parse_json(text)
