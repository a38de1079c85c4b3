"""From the bytes of a stranger's picture to our own: checked, in a few sizes, with its colour.

What comes in is held to be hostile: only three formats are opened, and none whose header says
that it is larger than a picture may be. Nothing of its metadata is kept.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from watchbook.errors import RemoteChanged
from watchbook.store.pictures import Kind

WIDTHS = {Kind.POSTER: (200, 400, 780), Kind.STILL: (300, 780)}
"""Pixels; none is made wider than it came."""

LONGEST_TINY = 600
"""Bytes that the tiny form may have at most, as a ``data:`` address."""

_ENCODERS = (
    ("image/jpeg", "JPEG", {"quality": 82, "progressive": True, "optimize": True}),
    ("image/webp", "WEBP", {"quality": 80, "method": 4}),
)
_MOST_PIXELS = 16_000_000
_FEWEST_PIXELS = 60
"""In width and in height."""
_SLIMMEST = 10
"""How many times longer one side may be than the other; WebP has an end at 16,383 pixels."""
_BROKEN = (OSError, ValueError, SyntaxError, MemoryError)


class BadPicture(RemoteChanged):
    """What came is no picture that can be shown."""


@dataclass(frozen=True)
class Form:
    """One size and format."""

    media_type: str
    width: int
    height: int
    body: bytes


@dataclass(frozen=True)
class Made:
    """A picture in all its forms; ``tiny`` is a ``data:`` address."""

    colour: str
    tiny: str
    forms: tuple[Form, ...]


def made(body: bytes, kind: Kind, origin: str) -> Made:
    """Make everything of ``body``; raises BadPicture, naming ``origin`` (a host)."""
    picture = _opened(body, kind, origin)
    return Made(_colour(picture), _tiny(picture), tuple(_forms(picture, kind)))


def _opened(body: bytes, kind: Kind, origin: str) -> Image.Image:
    try:
        with Image.open(BytesIO(body), formats=("JPEG", "PNG", "WEBP")) as found:
            wide, high = found.size
            if wide * high > _MOST_PIXELS or not _is_shapely(wide, high):
                raise BadPicture(f"{origin} sent a picture of {wide} by {high} pixels.")
            most = max(WIDTHS[kind])
            found.draft("RGB", (most, most))  # a JPEG is decoded no larger than it is wanted
            return _plain(found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(f"{origin} sent a picture that would fill the memory.") from None
    except _BROKEN:
        raise BadPicture(f"{origin} sent something that is no whole picture.") from None


def _is_shapely(wide: int, high: int) -> bool:
    """Whether a picture is large enough, and no strip."""
    return min(wide, high) >= max(_FEWEST_PIXELS, max(wide, high) / _SLIMMEST)


def _plain(found: Image.Image) -> Image.Image:
    """The picture as it is meant to be seen: upright, without transparency."""
    upright = ImageOps.exif_transpose(found)
    if upright.mode in {"RGB", "L"}:
        return upright.convert("RGB")
    clear = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")


def _forms(picture: Image.Image, kind: Kind) -> Iterator[Form]:
    wide, high = picture.size
    for width in sorted({min(one, wide) for one in WIDTHS[kind]}):
        size = width, max(1, round(high * width / wide))
        smaller = picture.resize(size, Image.Resampling.LANCZOS)
        for media_type, name, how in _ENCODERS:
            yield Form(media_type, *size, _encoded(smaller, name, **how))


def _encoded(picture: Image.Image, name: str, **how: int | bool) -> bytes:
    out = BytesIO()
    picture.save(out, name, **how)
    return out.getvalue()


def _colour(picture: Image.Image) -> str:
    """The colour that most of the picture has, a vivid one before a grey one."""
    few = picture.resize((48, 48)).quantize(8, Image.Quantize.MEDIANCUT)
    palette = few.getpalette() or []
    found = []
    for count, place in few.getcolors() or []:
        assert isinstance(place, int)
        colour = palette[3 * place : 3 * place + 3]
        found.append((count * (1 + (max(colour) - min(colour)) / 64), colour))
    red, green, blue = max(found)[1]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _tiny(picture: Image.Image) -> str:
    """A few pixels as a ``data:`` address, which a browser smooths into a blur."""
    wide, high = picture.size
    width = 16
    while True:
        small = picture.resize((width, max(1, round(high * width / wide))))
        body = base64.b64encode(_encoded(small, "WEBP", quality=30, method=6)).decode()
        address = f"data:image/webp;base64,{body}"
        if len(address) < LONGEST_TINY or width == 1:
            return address
        width //= 2
