#!/usr/bin/env python3
"""Check an archive of Watchbook, byte for byte. Needs Python 3.8 or newer and nothing else.

    python3 verify.py             the folder in which this file lies
    python3 verify.py PATH        another folder, or a packed .tar.gz

Ends with 0 when every file is there as it was written, with 1 when not, and with 2 when there
is nothing of that name to check.
"""

import gzip
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import zlib
from typing import (
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

MANIFEST = "manifest.json"
FORMAT_VERSION = 1
LONGEST_ROW = 64 << 20
USAGE = "usage: python3 verify.py [FOLDER or FILE.tar.gz]"
_CHUNK = 1 << 16
Manifest = Dict[str, Any]
_OWN_DIGEST = re.compile(rb'"manifest_sha256": "([0-9a-f]{64})"')
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class Damaged(Exception):
    """The archive is not what was written; the message names the place."""


class Measured(NamedTuple):
    """What was found of one file; ``rows`` only for JSON."""

    bytes: int
    sha256: str
    rows: Optional[int]


Members = Iterable[Tuple[str, BinaryIO]]
Parse = Callable[[bytes], object]


def _refuse_constant(name: str) -> None:
    raise ValueError(name + " is not JSON")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def parse_json(text: bytes) -> object:
    """Read one JSON value; raises ValueError or RecursionError."""
    return _DECODER.decode(text.decode("utf-8"))


def check(members: Members, parse: Parse = parse_json) -> Tuple[bytes, Dict[str, Measured]]:
    """Hold every member (path, stream) against the manifest among them.

    Gives the manifest's bytes and what was found of every other file; raises Damaged.
    """
    found: Dict[str, Measured] = {}
    manifest = None
    for path, stream in members:
        if path in found or (path == MANIFEST and manifest is not None):
            raise Damaged(path + " is there twice")
        if path == MANIFEST:
            manifest = _read(path, stream)
        else:
            found[path] = _measure(path, stream, parse)
    if manifest is None:
        raise Damaged("manifest.json is missing")
    try:
        _compare(_read_manifest(manifest), found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Damaged("manifest.json does not read as a manifest") from None
    return manifest, found


def _read_manifest(text: bytes) -> Manifest:
    own = _OWN_DIGEST.findall(text)
    blank = _OWN_DIGEST.sub(b'"manifest_sha256": "' + b"0" * 64 + b'"', text)
    if len(own) != 1 or hashlib.sha256(blank).hexdigest().encode() != own[0]:
        raise Damaged("manifest.json is not what was written")
    manifest: Manifest = json.loads(text.decode("utf-8"))
    if manifest["format_version"] > FORMAT_VERSION:
        raise Damaged(
            "manifest.json has format %s, newer than this program knows"
            % manifest["format_version"]
        )
    return manifest


def _compare(manifest: Manifest, found: Dict[str, Measured]) -> None:
    listed = {entry["path"]: entry for entry in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        raise Damaged("manifest.json lists a file twice")
    for path in sorted(set(listed) | set(found)):
        if path not in found:
            raise Damaged(path + " is missing")
        if path not in listed:
            raise Damaged(path + " is not in the manifest")
        for field, there in zip(Measured._fields, found[path]):
            if there != listed[path].get(field):
                raise Damaged(
                    "%s: %s is %s, written was %s" % (path, field, there, listed[path].get(field))
                )
    for kind, count in manifest["counts"].items():
        if sum(e.get("rows") or 0 for e in manifest["files"] if e["kind"] == kind) != count:
            raise Damaged("manifest.json: the number of rows (%s) does not add up" % kind)


class _Meter(io.RawIOBase):
    """Reads through, and counts and digests what passes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Union[bytearray, memoryview]) -> int:  # type: ignore[override]  # io passes these
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.digest.update(data)
        self.bytes += len(data)
        return len(data)


def _measure(path: str, stream: BinaryIO, parse: Parse) -> Measured:
    meter = _Meter(stream)
    reader = io.BufferedReader(meter, _CHUNK)
    rows = None
    if path.endswith(".json"):
        rows = sum(1 for _ in read_rows(path, reader, parse))
    while reader.read(_CHUNK):
        pass
    return Measured(meter.bytes, meter.digest.hexdigest(), rows)


def read_rows(path: str, reader: BinaryIO, parse: Parse = parse_json) -> Iterator[bytes]:
    """The rows of a JSON file as they were written, one by one; raises Damaged.

    A file is an array with a row per line, or one object, or ``null``.
    """
    first = _line(path, reader, LONGEST_ROW)
    if first == b"[\n":
        yield from _array_rows(path, reader, parse)
    elif first != b"[]\n":
        whole = first + _read(path, reader)
        _must_parse(path, whole, parse)
        if whole != b"null\n":
            yield whole[:-1]
    if reader.read(1):
        raise Damaged(path + " goes on behind its end")


def _array_rows(path: str, reader: BinaryIO, parse: Parse) -> Iterator[bytes]:
    number, more = 0, True
    while more:
        number += 1
        row, more = _row("%s, row %d" % (path, number), reader, parse)
        yield row
    if _line(path, reader, LONGEST_ROW) != b"]\n":
        raise Damaged(path + " does not end as an array does")


def _row(place: str, reader: BinaryIO, parse: Parse) -> Tuple[bytes, bool]:
    """One row, and whether another follows. A row may hold line breaks between its values."""
    text = _line(place, reader, LONGEST_ROW)
    row, more = _without_comma(text)
    try:
        parse(row)
    except (ValueError, RecursionError):
        row, more = _without_comma(_whole_row(place, text, reader))
        _must_parse(place, row, parse)
    return row, more


def _whole_row(place: str, text: bytes, reader: BinaryIO) -> bytes:
    parts, size, depth = [text], len(text), _depth(text)
    while depth > 0:
        parts.append(_line(place, reader, LONGEST_ROW - size))
        size += len(parts[-1])
        depth += _depth(parts[-1])
    return b"".join(parts)


def _depth(line: bytes) -> int:
    tokens = _BRACKETS.findall(line)
    return sum((token in b"[{") - (token in b"]}") for token in tokens)


def _without_comma(text: bytes) -> Tuple[bytes, bool]:
    row = text[:-1]
    return (row[:-1], True) if row.endswith(b",") else (row, False)


def _must_parse(place: str, text: bytes, parse: Parse) -> None:
    try:
        parse(text)
    except (ValueError, RecursionError) as reason:
        raise Damaged("%s is not JSON (%s)" % (place, reason)) from None


def _read(path: str, stream: BinaryIO) -> bytes:
    """All of a stream, piece by piece: a large read at once would take memory for nothing."""
    parts: List[bytes] = []
    for part in iter(lambda: stream.read(_CHUNK), b""):
        parts.append(part)
        if len(parts) * _CHUNK > LONGEST_ROW:
            raise Damaged(path + " is too long")
    return b"".join(parts)


def _line(place: str, reader: BinaryIO, longest: int) -> bytes:
    line = reader.readline(max(longest, 0))
    if not line.endswith(b"\n"):
        raise Damaged(place + (" is too long" if len(line) >= longest else " is cut off"))
    return line


def folder_members(folder: str) -> Iterator[Tuple[str, BinaryIO]]:
    """The files of an unpacked archive; what desktops hide in folders is passed over."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
        for name in sorted(names):
            full = os.path.join(parent, name)
            path = os.path.relpath(full, folder).replace(os.sep, "/")
            if name[0] == ".":
                continue
            if os.path.islink(full):
                raise Damaged(path + " is a link")
            with open(full, "rb") as file:
                yield path, file


def packed_members(packed: str) -> Iterator[Tuple[str, BinaryIO]]:
    """The files of a packed archive, without unpacking it."""
    with gzip.open(packed) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for entry in tar:
                path = entry.name.partition("/")[2]
                if entry.isdir():
                    continue
                if not entry.isreg() or not path:
                    raise Damaged(entry.name + " does not belong into an archive")
                content = tar.extractfile(entry)
                if content is not None:
                    yield path, content  # type: ignore[misc]  # IO[bytes] reads alike
        while stream.read(_CHUNK):
            pass  # to the end, where gzip compares its checksum


def check_beside(packed: str) -> Optional[str]:
    """Hold a packed archive against the .sha256 beside it; says so when there is none."""
    beside = packed + ".sha256"
    if not os.path.exists(beside):
        return "There is no .sha256 file beside it; its inner digests were checked."
    digest = hashlib.sha256()
    with open(packed, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    with open(beside, "rb") as file:
        said = file.read(4096)
    if said != ("%s  %s\n" % (digest.hexdigest(), os.path.basename(packed))).encode():
        raise Damaged("the file differs from what %s says" % os.path.basename(beside))
    return None


def main(arguments: List[str]) -> int:
    """Check what the command line names, and say how it stands."""
    if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
        print(USAGE)
        return 2
    path = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(path):
        print("There is no such file: %s" % path)
        print(USAGE)
        return 2
    note = None
    try:
        if os.path.isdir(path):
            text, found = check(folder_members(path))
        else:
            note = check_beside(path)
            text, found = check(packed_members(path))
    except Damaged as reason:
        print("DAMAGED: %s." % reason)
        return 1
    except (OSError, EOFError, tarfile.TarError, zlib.error) as reason:
        print("DAMAGED or not an archive: %s." % reason)
        return 1
    _report(json.loads(text.decode("utf-8")), len(found), note)
    return 0


def _report(manifest: Manifest, files: int, note: Optional[str]) -> None:
    rows = ", %d rows" % manifest["counts"]["data"] if manifest["account"] else ""
    print("OK: %s is whole: %d files%s, as written." % (manifest["name"], files + 1, rows))
    if manifest["verdict"] == "complete":
        print("It was complete when it was made, on %s." % manifest["created_at"])
    else:
        print("But it was INCOMPLETE when it was made, on %s:" % manifest["created_at"])
    for words in manifest["words"]:
        print("  " + words)
    if note:
        print(note)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
