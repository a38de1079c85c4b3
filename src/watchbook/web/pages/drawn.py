"""The cards on a page: one drawing each for narrow, middling and wide windows.

They are drawn when the page is made, so that it says how large each will be and what it tells;
what the visitor's browser loads are the cards that everybody may ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape

import sqlalchemy as sa

from watchbook.render.cards.canvas import Look
from watchbook.render.cards.languages import words_of
from watchbook.urls import appended
from watchbook.web.cards import CARDS, Draw
from watchbook.web.front import Asked
from watchbook.web.pages.addresses import prefix_of

WIDTHS = (356, 600, 956)
"""Pixels; the style sheet says up to which window each is shown."""
_CARDS = [card for name in ("heatmap", "year") for card in CARDS if card.name == name]
_SIZE = re.compile(r' width="(\d+)" height="(\d+)"')
_SAID = re.compile(r"<(title|desc) [^>]*>([^<]*)<")


@dataclass(frozen=True)
class Size:
    """A drawing's address and its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True)
class Drawn:
    """A card in all of its sizes, and what it shows in words."""

    sizes: list[Size]
    alt: str


def cards_of(conn: sa.Connection, asked: Asked, year: int | None = None) -> Iterator[Drawn]:
    """The days and the numbers of a year; without one, the last twelve months and this year."""
    query = {} if year is None else {"year": str(year)}
    named = {"account": asked.public.account.name, **query}
    for card in _CARDS:
        draw = card.draw(conn, replace(asked, query=query))
        yield _drawn(draw, appended(f"{prefix_of(asked)}/card/{card.name}.svg", named))


def _drawn(draw: Draw, address: str) -> Drawn:
    pictures = [draw(Look(width, words_of(""))) for width in WIDTHS]
    sizes = []
    for width, picture in zip(WIDTHS, pictures, strict=True):
        size = _SIZE.search(picture)
        assert size is not None
        sizes.append(Size(appended(address, {"width": str(width)}), int(size[1]), int(size[2])))
    said = (unescape(text).strip() for _, text in _SAID.findall(pictures[-1]))
    return Drawn(sizes, ". ".join(said))
