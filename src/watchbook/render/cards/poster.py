"""A poster on a card, or the drawn one that stands in for it wherever the title is shown."""

from __future__ import annotations

from watchbook.render.cards.canvas import Canvas
from watchbook.render.cards.facts import Picture
from watchbook.render.placeholder import EDGE, INK, INSET, STROKE, colour_of, lettering

RATIO = 1.5
"""Height of a poster over its width."""


def draw_poster(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    *,
    title: str,
    key: str | None,
    picture: Picture | None,
) -> None:
    """A poster of ``width``; without a picture, the title's name on the colour of its ``key``."""
    height, radius = width * RATIO, max(4.0, width / 14)
    if picture is not None:
        canvas.picture(x, y, width, height, picture.data, radius)
        canvas.owe(picture.source)
    else:
        canvas.box(x, y, width, height, colour_of(key), radius)
        inset = width * INSET
        inside = (x + inset, y + inset, width - 2 * inset, height - 2 * inset)
        canvas.outline(*inside, INK, thick=width * STROKE, opacity=EDGE)
        _draw_name(canvas, x, y, width, title)
    canvas.frame(x, y, width, height, radius)


def _draw_name(canvas: Canvas, x: float, y: float, width: float, title: str) -> None:
    found = lettering(title, width, width * RATIO)
    for line, below in zip(found.lines, found.baselines, strict=True):
        middle = x + width / 2
        canvas.text(middle, y + below, line, found.size, INK, bold=True, anchor="middle")
