"""Drawing pictures: posters and stills that look the same each time, and different for each title.

They are real pictures in every size that is asked for; nobody's artwork is in them.
"""

from __future__ import annotations

import colorsys
import struct
import zlib
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from watchbook.sandbox.tmdb.world import Subject

POSTER = 1000, 1500
"""Width and height in pixels of the original of a poster; those of a still are below."""
STILL = 1920, 1080
_HUGE = 30_000


@lru_cache(maxsize=256)
def drawn(subject: Subject, language: str, edition: int, width: int, form: str) -> bytes:
    """A picture of `width` pixels as JPEG, WebP or PNG; `language` `xx` has no words in it."""
    wide, high = STILL if subject.episode is not None else POSTER
    size = width, round(width * high / wide)
    seed = sha256(f"{subject.name}:{subject.title}:{edition}".encode()).digest()
    picture = _ground(size, seed)
    _shapes(picture, seed)
    if language != "xx":
        _words(picture, subject, language)
    out = BytesIO()
    picture.save(out, form, quality=85)
    return out.getvalue()


def _ground(size: tuple[int, int], seed: bytes) -> Image.Image:
    """Two colours that run into each other."""
    top = Image.new("RGB", size, _colour(seed[0] / 255, 0.55))
    bottom = Image.new("RGB", size, _colour(seed[0] / 255 + 0.08, 0.2))
    return Image.composite(bottom, top, Image.linear_gradient("L").resize(size))


def _colour(hue: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, 0.65, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _shapes(picture: Image.Image, seed: bytes) -> None:
    """A few discs in the colours of the title."""
    pen = ImageDraw.Draw(picture)
    wide, high = picture.size
    for at in range(1, 16, 3):
        across, down, big = (seed[at + n] / 255 for n in range(3))
        radius = (0.05 + 0.2 * big) * min(wide, high)
        middle = across * wide, down * high * 0.6
        box = [middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius]
        pen.ellipse(box, fill=_colour(seed[0] / 255 + 0.5 * big, 0.35 + 0.4 * across))


def _words(picture: Image.Image, subject: Subject, language: str) -> None:
    """The title in the lower part, and below it the year or the place, and the language."""
    pen = ImageDraw.Draw(picture)
    wide, high = picture.size
    line = wide // 10
    font, small = ImageFont.load_default(line), ImageFont.load_default(line // 2)
    at = high * 0.66
    for words in _wrapped(subject.title) if _has_letters_for(subject.title) else ():
        pen.text((wide / 2, at), words, fill="white", font=font, anchor="ma")
        at += line * 1.2
    told = f"{subject.under}  {language}"
    pen.text((wide / 2, at + line / 3), told, fill="#dddddd", font=small, anchor="ma")


def _has_letters_for(title: str) -> bool:
    """Whether the font can write it: Pillow's own knows Latin letters alone."""
    return all(ord(letter) < 0x250 or not letter.isalpha() for letter in title)


def _wrapped(title: str, most: int = 16) -> list[str]:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:4]


def huge() -> bytes:
    """A PNG of a few bytes that says it is 30,000 pixels wide and high."""
    head = struct.pack(">IIBBBBB", _HUGE, _HUGE, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    parts = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    sum_ = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + sum_


def dot() -> bytes:
    """A picture of one pixel."""
    out = BytesIO()
    Image.new("RGB", (1, 1), "red").save(out, "png")
    return out.getvalue()
