"""A card as PNG, drawn in a process of its own.

The library that draws holds the interpreter's lock for a tenth of a second, reads whatever
file an image names, and a fault in it would take the service along. So each picture is drawn
by a small program that lives as long as that: ``press.py``, which imports nothing of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from watchbook.errors import WatchbookError
from watchbook.render.cards import fonts, letters
from watchbook.render.cards.canvas import OURS, Look
from watchbook.render.cards.words import Words, words_of

SCALE = 2
"""Pixels of the picture for each of the card, for sharp screens."""
_AT_ONCE = 2
_PATIENCE = 30.0
"""Seconds after which a drawing will never be done."""
_PRESS = Path(__file__).with_name("press.py")
_free = threading.BoundedSemaphore(_AT_ONCE)


class NotDrawn(WatchbookError):
    """A card could not be made a PNG; the SVG of the same card is not concerned."""


def look_of_png(look: Look) -> Look:
    """``look`` as a PNG can have it: with fonts of this machine, ours first, and one theme."""
    theme = "light" if look.other else look.theme
    words = look.words if not letters.missing(_all(look.words)) else words_of("en")
    choose = letters.as_writable
    return replace(look, theme=theme, words=words, choose=choose, family=OURS)


def _all(words: Words) -> str:
    return "".join(value for value in vars(words).values() if isinstance(value, str))


def png_of(svg: str) -> bytes:
    """``svg`` as PNG, twice as wide; it must not name anything but ``data:`` addresses.

    Raises NotDrawn.
    """
    asked = {
        "svg": svg,
        "zoom": SCALE,
        "family": OURS,
        "fonts": [str(path) for path in _needed(svg)],
    }
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
    found = (letters.font_of(char) for char in dict.fromkeys(text))
    return dict.fromkeys([*known, *(font.path for font in found if font is not None)])
