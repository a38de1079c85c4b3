"""A drawn picture for a title that has none: its name on a colour of its own.

It is SVG without any font file, style or script, so it stands anywhere a picture may.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from hashlib import blake2b
from html import escape

from watchbook.render.cards.letters import width
from watchbook.render.clusters import clusters
from watchbook.render.plain import plain
from watchbook.store.pictures import Kind

SIZES = {Kind.POSTER: (400, 600), Kind.STILL: (780, 439)}
"""Width and height in pixels; it is as sharp in any other size."""

MEDIA_TYPE = "image/svg+xml"
UNTITLED = "Untitled"
UNKNOWN = "unknown"
"""What is drawn for a play of which Trakt does not say what it was is called so."""
_MOST_LINES = 4
_MOST_IN_LINE = 24
_LEADING = 1.2
INK, EDGE = "#ffffff", 0.35
"""The colour of the words and of the line around them, and how opaque that line is."""
INSET, STROKE = 0.04, 1 / 130
"""How far that line is from the edge and how thick, of the width of the picture."""
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


def colour_of(title_key: str | None) -> str:
    """The title's colour, ``#rrggbb``: always the same, dark enough for white words (WCAG AA)."""
    digest = blake2b((title_key or UNKNOWN).encode(), digest_size=2).digest()
    hue, shade = digest[0] / 256, 0.26 + digest[1] / 256 * 0.06
    rgb = colorsys.hls_to_rgb(hue, shade, 0.42)
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


@dataclass(frozen=True)
class Lettering:
    """How a name stands on a picture: lines, the first of which stands at ``first``."""

    lines: list[str]
    size: float
    """Of the letters, in pixels."""
    first: float

    @property
    def baselines(self) -> list[float]:
        """Where the letters of each line stand."""
        return [self.first + number * self.size * _LEADING for number in range(len(self.lines))]


def lettering(name: str, wide: float, high: float) -> Lettering:
    """How a name is set on a picture of that size, the same in every size."""
    lines = _lines(name)
    widest = max(width(line, 1, bold=True) for line in lines)
    size = min(wide / 9, wide * 0.84 / max(widest, 1))
    return Lettering(lines, size, high / 2 - (len(lines) - 1) * size * _LEADING / 2)


def placeholder(
    name: str | None, title_key: str | None, kind: Kind = Kind.POSTER, under: str = ""
) -> str:
    """The picture as SVG; ``under`` is said below the name, smaller."""
    wide, high = SIZES[kind]
    told = plain(name or "") or UNTITLED
    set_ = lettering(told, wide, high)
    words = "".join(
        f'<text x="{wide // 2}" y="{y:.0f}">{escape(line)}</text>'
        for line, y in zip(set_.lines, set_.baselines, strict=True)
    )
    below = set_.first + len(set_.lines) * set_.size * _LEADING
    small = (
        f'<text x="{wide // 2}" y="{below:.0f}" font-size="{set_.size * 0.6:.1f}" '
        f'font-weight="400">{escape(plain(under)[:40])}</text>'
    )
    inset = wide * INSET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img"><title>{escape(told[:200])}</title>'
        f'<rect width="100%" height="100%" fill="{colour_of(title_key)}"/>'
        f'<rect x="{inset:.1f}" y="{inset:.1f}" width="{wide - 2 * inset:.1f}" '
        f'height="{high - 2 * inset:.1f}" fill="none" stroke="{INK}" '
        f'stroke-opacity="{EDGE}" stroke-width="{wide * STROKE:.1f}"/>'
        f'<g fill="{INK}" text-anchor="middle" font-family="{_FONT}" font-weight="600" '
        f'font-size="{set_.size:.1f}">{words}{small if under else ""}</g></svg>'
    )


def address_of(title_key: str | None, base_url: str = "") -> str:
    """Where the drawn picture of a title is, below the base URL."""
    return f"{base_url}/images/title/{(title_key or UNKNOWN).replace(':', '-')}.svg"


def key_in(name: str) -> str:
    """The title's key in such an address."""
    return name.replace("-", ":", 1)


def _lines(name: str) -> list[str]:
    """The name in one to four lines, the longer the name the longer the lines."""
    most = max(10, min(_MOST_IN_LINE, len(name) // 4 + 5))
    lines = [""]
    for word in _pieces(name, most):
        joined = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(joined) > most:
            lines.append(word)
        else:
            lines[-1] = joined
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1].rstrip(" .,") + "…"]
    return lines


def _pieces(name: str, most: int) -> list[str]:
    """The words of a name; those longer than a line are cut between two letters."""
    found: list[str] = []
    for word in name.split():
        letters = list(clusters(word))
        found += ("".join(letters[at : at + most]) for at in range(0, len(letters), most))
    return found
