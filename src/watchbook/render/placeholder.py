"""A drawn picture for a title that has none: its name on a colour of its own.

It is SVG without any font file, style or script, so it stands anywhere a picture may.
"""

from __future__ import annotations

import colorsys
from hashlib import blake2b
from html import escape

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
_WIDE = 0x2E80
"""From here on characters (CJK and the like) are about as wide as they are high."""
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


def colour_of(title_key: str | None) -> str:
    """The title's colour, ``#rrggbb``: always the same, dark enough for white words (WCAG AA)."""
    digest = blake2b((title_key or UNKNOWN).encode(), digest_size=2).digest()
    hue, shade = digest[0] / 256, 0.26 + digest[1] / 256 * 0.06
    rgb = colorsys.hls_to_rgb(hue, shade, 0.42)
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def placeholder(
    name: str | None, title_key: str | None, kind: Kind = Kind.POSTER, under: str = ""
) -> str:
    """The picture as SVG; ``under`` is said below the name, smaller."""
    wide, high = SIZES[kind]
    told = plain(name or "") or UNTITLED
    lines = _lines(told)
    size = min(wide // 9, round(wide * 0.84 / max(map(_ems, lines))))
    first = high / 2 - (len(lines) - 1) * size * 0.6
    words = "".join(
        f'<text x="{wide // 2}" y="{first + place * size * 1.2:.0f}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    below = first + len(lines) * size * 1.2
    small = (
        f'<text x="{wide // 2}" y="{below:.0f}" font-size="{round(size * 0.6)}" '
        f'font-weight="400">{escape(plain(under)[:40])}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img"><title>{escape(told[:200])}</title>'
        f'<rect width="100%" height="100%" fill="{colour_of(title_key)}"/>'
        f'<rect x="{wide // 25}" y="{wide // 25}" width="{wide - 2 * (wide // 25)}" '
        f'height="{high - 2 * (wide // 25)}" fill="none" stroke="#fff" stroke-opacity=".35" '
        f'stroke-width="{max(2, wide // 130)}"/><g fill="#fff" text-anchor="middle" '
        f'font-family="{_FONT}" font-weight="600" font-size="{size}">{words}'
        f"{small if under else ''}</g></svg>"
    )


def address_of(title_key: str | None, base_url: str = "") -> str:
    """Where the drawn picture of a title is, below the base URL."""
    return f"{base_url}/images/title/{(title_key or UNKNOWN).replace(':', '-')}.svg"


def key_in(name: str) -> str:
    """The title's key in such an address."""
    return name.replace("-", ":", 1)


def _ems(line: str) -> float:
    """About how wide a line is, in heights of its letters."""
    return sum(1.0 if ord(letter) >= _WIDE else 0.66 for letter in line) or 1.0


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
