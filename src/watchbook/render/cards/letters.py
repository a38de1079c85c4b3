"""Letters: texts of other people made fit for a line of a card, and how wide they are there.

Texts are cut between what a reader takes for one character (a letter with its accents, a
family of emoji), never inside. Whatever is written from right to left is put into an isolate,
so that it turns nothing around it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from watchbook.render.cards import fonts
from watchbook.render.clusters import clusters, is_emoji, is_variant
from watchbook.render.plain import plain

ELLIPSIS = "…"
_ISOLATE, _END = "\u2068", "\u2069"
_LONGEST = 400
"""Characters of a text that are looked at; none has room for more."""
_EMOJI_WIDTH = 1.4
_RARE_MARK = 0.6
"""Ems of an accent that few fonts have: it is drawn beside its letter, not on it."""


class Name(NamedTuple):
    """What something is called, and what else it may be called where that cannot be written."""

    text: str
    others: tuple[str, ...] = ()


def fit_for_line(text: str) -> str:
    """``text`` on one line, without controls, and with few enough accents to stay in its line."""
    return "".join(clusters(plain(text[: 4 * _LONGEST])[:_LONGEST])).strip()


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide ``text`` is at most, in pixels, at a font size of ``size``."""
    return size * sum(_advance(char, bold=bold) for char in text)


@lru_cache(maxsize=50_000)
def _advance(char: str, *, bold: bool) -> float:
    """Ems that a character takes in whatever font a viewer has for it."""
    if _is_silent(char):
        rare = 0x300 <= ord(char) <= 0x20FF and unicodedata.name(char, "").startswith("COMBINING")
        return _RARE_MARK if rare and not fonts.ours().has(char) else 0.0
    if ord(char) >= 0x1F000 and is_emoji(char):
        return _EMOJI_WIDTH
    known = fonts.ours(bold=bold).advances.get(ord(char))
    if known is not None:
        return known
    return 1.05 if unicodedata.east_asian_width(char) in "WF" or ord(char) < 0x3000 else 1.2


def _is_silent(char: str) -> bool:
    """Whether a character draws nothing of its own."""
    return unicodedata.category(char) in {"Mn", "Me", "Cf"}


def shortened(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """``text``, with an ellipsis at its end when there is no room for all of it."""
    if width(text, size, bold=bold) <= room:
        return text
    left = room - width(ELLIPSIS, size, bold=bold)
    kept = ""
    for cluster in clusters(text):
        left -= width(cluster, size, bold=bold)
        if left < 0:
            break
        kept += cluster
    return kept.rstrip() + ELLIPSIS


def wrapped(text: str, room: float, size: float, lines: int, *, bold: bool = False) -> list[str]:
    """``text`` on up to ``lines`` lines, the last one with an ellipsis if need be."""
    found: list[str] = []
    rest = text
    while rest and len(found) < lines - 1:
        line = _first_line(rest, room, size, bold=bold)
        if width(line.strip(), size, bold=bold) > room:
            break
        found.append(line.strip())
        rest = rest[len(line) :].lstrip()
    if rest:
        found.append(shortened(rest, room, size, bold=bold))
    return found


def _first_line(text: str, room: float, size: float, *, bold: bool) -> str:
    """The part of ``text`` that is put on a line: up to a space if there is one in the line."""
    kept, breaks = "", 0
    for cluster in clusters(text):
        if width(kept + cluster, size, bold=bold) > room:
            return text[:breaks] if breaks else kept or cluster
        kept += cluster
        if cluster == " " or _is_wide(cluster):
            breaks = len(kept)
    return kept


def _is_wide(cluster: str) -> bool:
    """Whether a line may end behind it, as in Chinese and Japanese."""
    return (
        unicodedata.east_asian_width(cluster[0]) in "WF"
        and unicodedata.category(cluster[0]) != "Ps"
    )


def isolated(text: str) -> str:
    """``text`` so that its direction turns nothing around it."""
    turns = any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text)
    return f"{_ISOLATE}{text}{_END}" if turns else text


Choose = Callable[[Name], str]
"""Says how a name is written."""


def as_called(name: Name) -> str:
    """The name itself: whoever looks at an SVG has fonts of their own."""
    return fit_for_line(name.text)


def as_writable(name: Name) -> str:
    """The first of its names that the fonts of this machine can write.

    When there is none, the first that keeps a letter without what cannot be written.
    """
    texts = [fit_for_line(text) for text in (name.text, *name.others)]
    for text in texts:
        if not missing(text):
            return text
    for text in texts:
        left = fit_for_line("".join(c for c in clusters(text) if not missing(c)))
        if any(char.isalnum() for char in left):
            return left
    return texts[0]


def missing(text: str) -> str:
    """The characters of ``text`` that no font here can write, each once."""
    return "".join(char for char in dict.fromkeys(text) if not _is_writable(char))


@lru_cache(maxsize=50_000)
def _is_writable(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or is_variant(char) or font_of(char) is not None


@lru_cache(maxsize=50_000)
def font_of(char: str) -> fonts.Font | None:
    """The font that writes a character: ours, else the first of the machine's that can."""
    if fonts.ours().has(char):
        return fonts.ours()
    return next((font for font in fonts.installed() if font.has(char)), None)
