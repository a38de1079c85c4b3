"""Draw the example cards of the documentation into docs/images; the same every time.

Titles and posters are invented here, so nobody's pictures are shown.
"""

# ruff: noqa: INP001 - a folder of programs, no package

from __future__ import annotations

import io
import random
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

from watchbook.clock import to_millis
from watchbook.render.cards.canvas import Look
from watchbook.render.cards.facts import (
    Calendar,
    Favourite,
    Last,
    Now,
    Picture,
    Shot,
    YearInReview,
)
from watchbook.render.cards.heatmap import heatmap_card
from watchbook.render.cards.languages import words_of
from watchbook.render.cards.letters import Name
from watchbook.render.cards.png import look_of_png, png_of
from watchbook.render.cards.shot import last_card, now_card
from watchbook.render.cards.year import year_card
from watchbook.render.columns import Plays, Title
from watchbook.render.statistics import heatmap_of, year_of

IMAGES = Path(__file__).parent.parent / "docs" / "images"
WHO = "ann"
MOMENT = datetime.fromisoformat("2026-11-20T21:57:00+00:00")
TITLES = (
    ("The Lighthouse Keeper\u2019s Winter", False),
    ("Seven Ferries", False),
    ("Night Trains of Europe", False),
    ("A Small Orchestra", True),
    ("Salt and Copper", False),
    ("The Last Telegram", True),
)


def poster(number: int) -> Picture:
    """An invented poster: hills under a sky."""
    chance = random.Random(number)  # noqa: S311 - the same hills every time
    hue = chance.randrange(360)
    size = (240, 360)
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(size[1]):
        colour = f"hsl({(hue + y // 9) % 360}, 55%, {68 - y // 9}%)"
        draw.line([(0, y), (size[0], y)], fill=colour)
    x, y = chance.randrange(50, 190), chance.randrange(60, 130)
    draw.ellipse([x - 26, y - 26, x + 26, y + 26], fill=f"hsl({(hue + 40) % 360}, 90%, 88%)")
    for layer in range(4):
        base = 190 + layer * 45
        points = [(i, base + chance.randrange(-28, 28)) for i in range(0, size[0] + 61, 60)]
        shade = f"hsl({(hue + 190) % 360}, 35%, {34 - layer * 8}%)"
        draw.polygon([(0, size[1]), *points, (size[0], size[1])], fill=shade)
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=80)
    return Picture("data:image/jpeg;base64," + b64encode(kept.getvalue()).decode())


def shot(*, pictured: bool = True) -> Shot:
    """An episode."""
    return Shot(
        Name(TITLES[0][0]),
        film=False,
        code="S2 E7",
        subtitle=Name("What the Fog Left Behind"),
        poster=poster(1) if pictured else None,
        at=MOMENT,
        rating=9,
    )


def plays() -> Plays:
    """Plays of two years, more of them in winter and at weekends."""
    chance = random.Random(7)  # noqa: S311 - the same plays every time
    titles, moments, keys = {}, [], []
    for number, (_, film) in enumerate(TITLES):
        titles[f"t{number}"] = Title(f"t{number}", not film, 112 if film else 47)
    day = MOMENT.replace(hour=20) - timedelta(days=700)
    while day <= MOMENT:
        winter = abs(day.month - 7) / 6
        likely = 0.25 + 0.4 * winter + (0.2 if day.weekday() > 3 else 0)
        for _ in range(chance.randrange(1, 5) if chance.random() < likely else 0):
            moments.append(to_millis(day))
            keys.append(f"t{min(chance.randrange(8), chance.randrange(8), 5)}")
        day += timedelta(days=1)
    return Plays(moments, keys, titles)


def favourites() -> list[Favourite]:
    """What was watched most."""
    counts = (84, 61, 40, 22, 17, 9)
    return [
        Favourite(Name(name), film, count, poster(number + 1))
        for number, ((name, film), count) in enumerate(zip(TITLES, counts, strict=True))
    ]


def cards(theme: str, locale: str = "en", width: int | None = None) -> dict[str, tuple[str, str]]:
    """Each card as SVG, and as the SVG that the PNG is drawn from."""
    seen, today = plays(), MOMENT.date()
    ends = MOMENT + timedelta(minutes=19)
    span = (today - timedelta(days=364), today)
    review = YearInReview(WHO, year_of(seen, 2026), favourites())
    calendar = Calendar(WHO, heatmap_of(seen, *span), None, today)
    whole = Calendar(WHO, heatmap_of(seen, date(2025, 1, 1), date(2025, 12, 31)), 2025, today)
    drawn: dict[str, tuple[int, Callable[[Look], str]]] = {
        "last": (440, lambda look: last_card(Last(WHO, shot()), look)),
        "now": (440, lambda look: now_card(Now(WHO, shot(), 0.62, ends), look)),
        "year": (800, lambda look: year_card(review, look)),
        "heatmap": (800, lambda look: heatmap_card(calendar, look)),
        "nothing": (440, lambda look: now_card(Now(WHO, None, before=shot()), look)),
        "heatmap-2025": (800, lambda look: heatmap_card(whole, look)),
    }
    found = {}
    for name, (usual, draw) in drawn.items():
        look = Look(width or usual, words_of(locale), theme)
        found[name] = (draw(look), draw(look_of_png(look)))
    return found


def main() -> None:
    """Write the pictures."""
    for name in ("last", "now", "year", "heatmap"):
        (IMAGES / f"card-{name}.svg").write_text(cards("auto")[name][0], "utf-8")
    for theme in ("dark", "cinema", "contrast"):
        drawn = cards(theme)["last"][1]
        (IMAGES / f"card-last-{theme}.png").write_bytes(png_of(drawn))
    sys.stdout.write(f"The cards are in {IMAGES}.\n")


if __name__ == "__main__":
    main()
