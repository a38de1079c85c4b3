"""Reading archives that may come from anywhere, without believing a byte of them.

Nothing is unpacked: members are streamed, one after the other, in the strict form that this
program writes (gzip without extras, ustar, one folder, regular files with plain names). Other
forms are refused, damage is named with its place, and sizes are limited before memory is used.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from watchbook.clock import counted
from watchbook.errors import ArchiveDamaged, ArchiveUnsafe

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
BLOCK = 512
_MAGIC = b"ustar\x0000"
_NAME = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*/?")
_KINDS = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe"}
_INPUT = 1 << 16
_OUTPUT = 1 << 18


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold; ``ratio`` is bytes unpacked per byte packed."""

    entries: int = 200_000
    member_bytes: int = 16 << 30
    total_bytes: int = 64 << 30
    ratio: int = 500
    ratio_from: int = 16 << 20


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""


class HashingReader:
    """Reads through to ``stream`` and digests what passes."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""
        data = self._stream.read(size)
        self._digest.update(data)
        self.bytes += len(data)
        return data

    @property
    def sha256(self) -> str:
        """The digest of what has passed."""
        return self._digest.hexdigest()


class SafeArchive:
    """The members of one packed archive, each to be read before the next."""

    def __init__(self, stream: Readable, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._bytes = _Inflating(stream, self._limits)
        self.folder: str | None = None

    def members(self) -> Iterator[tuple[str, BinaryIO]]:
        """Path (below the one folder) and content of every file.

        Raises ArchiveDamaged where bytes are missing or wrong, and ArchiveUnsafe for entries
        that no honest archive has.
        """
        seen: set[str] = set()
        while (header := self._next_header()) is not None:
            if header.name in seen:
                raise ArchiveUnsafe(f"{header.name} is in the archive twice.")
            seen.add(header.name)
            if len(seen) > self._limits.entries:
                raise ArchiveUnsafe(
                    f"The archive has over {counted(len(seen) - 1, 'entry', 'entries')}."
                )
            if header.is_folder:
                self._enter(header.name)
                continue
            member = _Member(self._bytes, header)
            yield self._below_folder(header.name), io.BufferedReader(member, _INPUT)
            member.skip()

    def _enter(self, name: str) -> None:
        if self.folder is None and "/" not in name:
            self.folder = name
        self._below_folder(name + "/")

    def _below_folder(self, name: str) -> str:
        folder, _, path = name.partition("/")
        if folder != self.folder:
            raise ArchiveUnsafe(f"{name} lies outside the archive's folder.")
        return path

    def _next_header(self) -> _Header | None:
        block = self._bytes.exactly(BLOCK)
        if block.strip(b"\0"):
            return _read_header(block, self._bytes.place, self._limits)
        for rest in iter(lambda: self._bytes.read(_INPUT), b""):
            if rest.strip(b"\0"):
                raise ArchiveDamaged(f"The archive goes on behind its end ({self._bytes.place}).")
        return None


@dataclass(frozen=True)
class _Header:
    name: str
    size: int
    is_folder: bool


def _read_header(block: bytes, place: str, limits: Limits) -> _Header:
    try:
        claimed = int(block[148:156].rstrip(b"\0 "), 8)
        size = int(block[124:136].rstrip(b"\0 "), 8)
    except ValueError:
        raise ArchiveDamaged(f"An entry's header is not readable ({place}).") from None
    if sum(block) - sum(block[148:156]) + 8 * 0x20 != claimed:
        raise ArchiveDamaged(f"An entry's header is not what was written ({place}).")
    name = _text(block[345:500], place) + "/" if block[345:346] != b"\0" else ""
    name += _text(block[:100], place)
    kind = block[156:157]
    if kind not in {b"0", b"5"} or block[257:265] != _MAGIC:
        raise ArchiveUnsafe(f"{name} is {_KINDS.get(kind, 'an entry of a foreign kind')}.")
    if not _NAME.fullmatch(name):
        raise ArchiveUnsafe(f"{name!r} is not a name that an archive of Watchbook has.")
    if size > limits.member_bytes or (kind == b"5" and size):
        raise ArchiveUnsafe(f"{name} claims {counted(size, 'byte')}.")
    return _Header(name.rstrip("/"), size, kind == b"5")


def _text(field: bytes, place: str) -> str:
    try:
        return field.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise ArchiveUnsafe(f"An entry has a name that is not plain ({place}).") from None


class _Member(io.RawIOBase):
    """The content of one member; it must be read before the next header is."""

    def __init__(self, source: _Inflating, header: _Header) -> None:
        self._source = source
        self._left = header.size
        self._padding = -header.size % BLOCK

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # io passes these
        data = self._source.read(min(len(buffer), self._left))
        if not data and self._left:
            raise ArchiveDamaged(f"The archive is cut off ({self._source.place}).")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def skip(self) -> None:
        """Read what was left, and the padding up to the next header."""
        while self._left:
            self._left -= len(self._source.exactly(min(self._left, _OUTPUT)))
        if self._source.exactly(self._padding).strip(b"\0"):
            raise ArchiveDamaged(f"A gap between entries is not empty ({self._source.place}).")


class _Inflating:
    """Unpacks gzip piece by piece, never holding more than one piece."""

    def __init__(self, stream: Readable, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._zlib = zlib.decompressobj(wbits=31)
        self._ready = memoryview(b"")
        self._packed = 0
        self._unpacked = 0

    @property
    def place(self) -> str:
        """Where in the packed file reading stands, roughly."""
        return f"near byte {self._packed:,} of the file"

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, at least one unless the end is reached."""
        if not self._ready and size:
            self._ready = memoryview(self._more())
        data = self._ready[:size].tobytes()
        self._ready = self._ready[size:]
        return data

    def exactly(self, size: int) -> bytes:
        """``size`` bytes; raises ArchiveDamaged when the file ends before."""
        parts = []
        while size:
            part = self.read(size)
            if not part:
                raise ArchiveDamaged(f"The archive is cut off ({self.place}).")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _more(self) -> bytes:
        data = b""
        while not data and not self._zlib.eof:
            packed = self._zlib.unconsumed_tail or self._next_input()
            data = self._inflate(packed)  # without input, zlib may still owe some output
            if not packed and not data and not self._zlib.eof:
                raise ArchiveDamaged(f"The archive is cut off ({self.place}).")
        if self._zlib.eof and (self._zlib.unused_data or self._stream.read(1)):
            raise ArchiveDamaged(f"Bytes follow behind the end of the archive ({self.place}).")
        return data

    def _next_input(self) -> bytes:
        packed = self._stream.read(_INPUT)
        if not self._packed and not packed.startswith(GZIP_HEADER):
            raise ArchiveDamaged("The file does not begin as an archive of Watchbook does.")
        self._packed += len(packed)
        return packed

    def _inflate(self, packed: bytes) -> bytes:
        try:
            data = self._zlib.decompress(packed, _OUTPUT)
        except zlib.error as reason:
            raise ArchiveDamaged(
                f"The archive's bytes are not what was written ({self.place}: {reason})."
            ) from None
        self._unpacked += len(data)
        limits = self._limits
        swollen = self._unpacked > max(limits.ratio_from, limits.ratio * self._packed)
        if swollen or self._unpacked > limits.total_bytes:
            raise ArchiveUnsafe(f"The archive unpacks to over {counted(self._unpacked, 'byte')}.")
        return data
