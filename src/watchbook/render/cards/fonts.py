"""Fonts: which characters one has, and how wide they are; read from its own tables.

Ours, DejaVu Sans, comes with the package. It is as wide as any font that a viewer's machine is
likely to take instead, so what fits in it fits everywhere.
"""

from __future__ import annotations

import mmap
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import platformdirs

_MOST_FILES = 4000
_ENDINGS = {".ttf", ".otf", ".ttc", ".otc"}
_PLAIN = ("regular", "-vf", "[wght]", "book")
Table = tuple[int, int]
"""Where a table begins and how long it is, in bytes."""


class UnfitFont(Exception):
    """A file that is not the font that its name promises."""


@dataclass(frozen=True)
class Font:
    """What one font file can write."""

    path: Path
    starts: Sequence[int]
    ends: Sequence[int]
    """Ranges of characters that it has, both ends included, in order."""
    advances: Mapping[int, float] = field(default_factory=dict, repr=False)
    """How wide each is, in ems; of our own fonts only."""

    def has(self, char: str) -> bool:
        """Whether there is a glyph for ``char``."""
        place = bisect_right(self.starts, ord(char)) - 1
        return place >= 0 and ord(char) <= self.ends[place]


@cache
def ours(*, bold: bool = False) -> Font:
    """The font that comes with the package."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    with as_file(files(__package__) / "fonts" / name) as path:
        data = path.read_bytes()
        tables = _tables(data)
        glyphs = dict(_glyphs(data, tables))
        return _font(path, glyphs, _advances(data, tables, glyphs))


@cache
def installed() -> tuple[Font, ...]:
    """The fonts of this machine, plain ones of sans-serif families first."""
    found = (path for folder in _folders() for path in _files(folder))
    paths = sorted(dict.fromkeys(found), key=_order)[:_MOST_FILES]
    return tuple(font for font in map(_read, paths) if font is not None)


def _folders() -> Iterator[Path]:
    home = Path(platformdirs.user_data_dir()) / "fonts"
    yield from (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home)
    yield Path("/Library/Fonts")
    yield Path("/System/Library/Fonts")


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(here, name) for name in names if Path(name).suffix.lower() in _ENDINGS)


def _order(path: Path) -> tuple[bool, bool, str]:
    name = path.name.lower()
    return "sans" not in name, not any(mark in name for mark in _PLAIN), str(path)


def _read(path: Path) -> Font | None:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _font(path, dict(_glyphs(data, _tables(data))))
    except (OSError, ValueError, struct.error, IndexError, UnfitFont):
        return None


def _font(path: Path, glyphs: dict[int, int], advances: Mapping[int, float] | None = None) -> Font:
    codes = sorted(glyphs)
    breaks = [at for at in range(1, len(codes)) if codes[at] != codes[at - 1] + 1]
    starts = [codes[at] for at in [0, *breaks] if codes]
    ends = [codes[at - 1] for at in [*breaks, len(codes)] if codes]
    return Font(path, starts, ends, advances or {})


def _tables(data: bytes | mmap.mmap) -> dict[bytes, Table]:
    """The tables of a font, of the first one in a collection."""
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    count = struct.unpack_from(">H", data, start + 4)[0]
    rows = (struct.unpack_from(">4sIII", data, start + 12 + 16 * row) for row in range(count))
    return {tag: (offset, length) for tag, _, offset, length in rows}


def _glyphs(data: bytes | mmap.mmap, tables: Mapping[bytes, Table]) -> Iterator[tuple[int, int]]:
    """Every character that the font has, with its glyph."""
    if b"cmap" not in tables:
        raise UnfitFont("no table of characters")
    start = tables[b"cmap"][0]
    count = struct.unpack_from(">H", data, start + 2)[0]
    rows = (struct.unpack_from(">HHI", data, start + 4 + 8 * row) for row in range(count))
    found = {struct.unpack_from(">H", data, start + at)[0]: start + at for _, _, at in rows}
    if 12 in found:
        return _of_groups(data, found[12])
    if 4 in found:
        return _of_segments(data, found[4])
    raise UnfitFont("no table of Unicode characters")


def _of_groups(data: bytes | mmap.mmap, start: int) -> Iterator[tuple[int, int]]:
    """Format 12: groups of characters with glyphs in a row."""
    count = struct.unpack_from(">I", data, start + 12)[0]
    for row in range(count):
        first, last, glyph = struct.unpack_from(">III", data, start + 16 + 12 * row)
        if last > 0x10FFFF or last < first:
            raise UnfitFont("characters beyond Unicode")
        yield from ((code, glyph + code - first) for code in range(first, last + 1))


def _of_segments(data: bytes | mmap.mmap, start: int) -> Iterator[tuple[int, int]]:
    """Format 4: segments of the Basic Multilingual Plane."""
    count = struct.unpack_from(">H", data, start + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, start + 14)
    at = start + 16 + 2 * count
    starts = struct.unpack_from(f">{count}H", data, at)
    deltas = struct.unpack_from(f">{count}H", data, at + 2 * count)
    ranges = struct.unpack_from(f">{count}H", data, at + 4 * count)
    for row, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if ranges[row]:
                place = at + 4 * count + 2 * row + ranges[row] + 2 * (code - first)
                glyph = struct.unpack_from(">H", data, place)[0]
                if not glyph:
                    continue
            if glyph := (glyph + deltas[row]) % 0x10000:
                yield code, glyph


def _advances(
    data: bytes, tables: Mapping[bytes, Table], glyphs: Mapping[int, int]
) -> dict[int, float]:
    """How wide each character is, in ems."""
    em = struct.unpack_from(">H", data, tables[b"head"][0] + 18)[0]
    count = struct.unpack_from(">H", data, tables[b"hhea"][0] + 34)[0]
    wide = struct.unpack_from(f">{2 * count}H", data, tables[b"hmtx"][0])[::2]
    return {code: wide[min(glyph, count - 1)] / em for code, glyph in glyphs.items()}
