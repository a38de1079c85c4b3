"""A poster on a card, or what stands in for one."""

from __future__ import annotations

import zlib

from watchbook.render.cards.canvas import Canvas
from watchbook.render.cards.facts import Picture

RATIO = 1.5
"""Height of a poster over its width."""
_SHADES = ("#35507a", "#5b4a86", "#7a3f5d", "#8a4b2f", "#6a6a2c", "#2f6b4f", "#2c6672", "#55606c")


def draw_poster(
    canvas: Canvas, x: float, y: float, width: float, *, title: str, picture: Picture | None
) -> None:
    """A poster of ``width``; without a picture, a sheet in a colour of the title's own."""
    height, radius = width * RATIO, max(4.0, width / 14)
    if picture is not None:
        canvas.picture(x, y, width, height, picture.data, radius)
    else:
        shade = _SHADES[zlib.crc32(title.encode("utf-8", "replace")) % len(_SHADES)]
        canvas.box(x, y, width, height, shade, radius)
        _draw_frames(canvas, x, y, width, height)
        _draw_play(canvas, x + width / 2, y + height / 2, width / 4.2)
    canvas.frame(x, y, width, height, radius)


def _draw_frames(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """The holes along both edges of a film."""
    hole, count = width / 13, 9
    step = (height - 2 * hole) / count
    for number in range(count):
        top = y + hole + number * step + (step - hole) / 2
        for left in (x + hole * 0.8, x + width - hole * 1.8):
            canvas.box(left, top, hole, hole, _HOLE, hole / 4)


_HOLE = "#f6f3ec"


def _draw_play(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A triangle, centred by its weight."""
    left, right = x - size / 2, x + size
    points = f"M{left:.1f} {y - size * 0.9:.1f}L{right:.1f} {y:.1f}L{left:.1f} {y + size * 0.9:.1f}"
    canvas.path(points + "Z", _HOLE)
