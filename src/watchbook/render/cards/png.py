"""A card as PNG, drawn in a process of its own.

The library that draws holds the interpreter's lock for a tenth of a second, reads whatever
file an image names, and a fault in it would take the service along. So each picture is drawn
by a small program that lives as long as that: ``press.py``, which imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from watchbook.errors import WatchbookError
from watchbook.render.cards import fonts, letters
from watchbook.render.cards.canvas import OURS, Look
from watchbook.render.cards.languages import words_of
from watchbook.render.cards.themes import AUTO
from watchbook.render.cards.words import Words

SCALE = 2
"""Pixels of the picture for each of the card, for sharp screens."""
_AT_ONCE = 2
_WAITING = 6
"""Drawings that may wait for their turn: each keeps a thread that others want, too."""
_PATIENCE = 30.0
"""Seconds after which a drawing will never be done."""
_PRESS = Path(__file__).with_name("press.py")
_free = threading.BoundedSemaphore(_AT_ONCE)
_places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)


class NotDrawn(WatchbookError):
    """A card could not be made a PNG; the SVG of the same card is not concerned."""


def look_of_png(look: Look) -> Look:
    """``look`` as a PNG can have it: with fonts of this machine, ours first, and one theme."""
    theme = "light" if look.theme == AUTO else look.theme
    words = look.words if not letters.missing(_all(look.words)) else words_of("en")
    choose = letters.as_writable
    return replace(look, theme=theme, words=words, choose=choose, family=OURS)


def _all(words: Words) -> str:
    return "".join(value for value in vars(words).values() if isinstance(value, str))


_MOST_KEPT = 64
_kept: OrderedDict[bytes, bytes] = OrderedDict()
_lock = threading.Lock()


def png_of(svg: str) -> bytes:
    """``svg`` as PNG, twice as wide; it must not name anything but ``data:`` addresses.

    Raises NotDrawn. The last few are kept, since a card is made anew more often than it changes.
    """
    key = hashlib.blake2b(svg.encode()).digest()
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    if not _places.acquire(blocking=False):
        raise NotDrawn("Too many cards are drawn at once.", hint="Try again in a moment.")
    try:
        drawn = _drawn(svg)
    finally:
        _places.release()
    with _lock:
        _kept[key] = drawn
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return drawn


def _drawn(svg: str) -> bytes:
    fonts_needed = [str(path) for path in _needed(svg)]
    asked = {"svg": svg, "zoom": SCALE, "family": OURS, "fonts": fonts_needed}
    with _free:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-I", str(_PRESS)],
                input=json.dumps(asked).encode(),
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired) as reason:
            raise _not_drawn(str(reason)) from reason
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        raise _not_drawn(done.stderr.decode("utf-8", "replace").strip()[-300:])
    return done.stdout


def _not_drawn(why: str) -> NotDrawn:
    return NotDrawn(
        f"The card could not be drawn as PNG: {why or 'the program that draws ended early'}",
        hint="The same card as .svg is drawn without that program. Is there memory left?",
    )


def _needed(text: str) -> Iterable[Path]:
    """Our fonts, and behind them those of the machine for characters that ours lack."""
    known = [fonts.ours().path, fonts.ours(bold=True).path]
    found = filter(None, (letters.font_of(char) for char in dict.fromkeys(text)))
    theirs = [font.path for font in found if font.path not in known]
    return dict.fromkeys([*known, *theirs, *filter(Path.exists, map(_bold, theirs))])


def _bold(path: Path) -> Path:
    """Where the bold letters of a family lie beside its regular ones."""
    return path.with_name(path.name.replace("Regular", "Bold"))
