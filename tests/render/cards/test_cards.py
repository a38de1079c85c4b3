"""Cards: whatever the title is, a card is one well-formed picture that fetches and runs nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date
from itertools import product
from xml.etree import ElementTree as ET

import pytest

from tests.every import every
from tests.hostile import TITLES, label
from tests.render.cards.examples import (
    EVENING,
    KINDS,
    POSTER,
    WHOLE_YEAR,
    drawn,
    look,
    plays,
    this_year,
)
from watchbook.render.attribution import TMDB
from watchbook.render.cards import letters
from watchbook.render.cards.canvas import DARK_STYLE
from watchbook.render.cards.facts import Calendar, Favourite, Last, Now, Shot, YearInReview
from watchbook.render.cards.heatmap import heatmap_card
from watchbook.render.cards.languages import LANGUAGES
from watchbook.render.cards.letters import Name
from watchbook.render.cards.shot import last_card, now_card
from watchbook.render.cards.themes import NAMES, THEMES
from watchbook.render.cards.year import year_card
from watchbook.render.columns import Plays
from watchbook.render.placeholder import INK, placeholder
from watchbook.render.statistics import heatmap_of

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "desc", "style", "g", "rect", "path", "text", "image", "clipPath"}


def parsed(svg: str) -> ET.Element:
    """The card, which has nothing in it that could act."""
    root = ET.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in SHAPES
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name != "href" or value.startswith("data:image/")
            assert "url(" not in value or value.startswith("url(#wb-")
    return root


def texts(root: ET.Element) -> list[ET.Element]:
    """Its lines of text."""
    return list(root.iter(SVG + "text"))


@pytest.mark.parametrize("kind", ["last", "now", "nothing", "year"])
def test_a_hostile_title_is_only_text(kind: str) -> None:
    """In every place of a title: the same elements as for a harmless one."""

    def check(title: str) -> None:
        for width in (280, 800):
            root = parsed(drawn(kind, title, look(width), who=title))
            styles = [element.text for element in root.iter(SVG + "style")]
            assert styles == [DARK_STYLE]

    every(TITLES, check, label)


@pytest.mark.parametrize("kind", KINDS)
def test_every_width_and_theme(kind: str) -> None:
    """A card is as wide as asked, in its colours, and inside of itself."""
    widths = (280, 333, 440, 559, 560, 800, 1200)
    every(product(widths, NAMES), lambda case: _stays_inside(kind, *case))


def _stays_inside(kind: str, width: int, theme: str) -> None:
    root = parsed(drawn(kind, "Heat", look(width, theme)))
    assert root.get("width") == str(width)
    height = float(root.get("height", 0))
    for element in root.iter():
        if element.tag == SVG + "rect":
            x, y, w, h = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
            assert -0.01 <= x <= x + w <= width + 0.01
            assert -0.01 <= y <= y + h <= height + 0.5
            assert w > 0
            assert h > 0
    back = THEMES["light" if theme == "auto" else theme].back
    assert next(root.iter(SVG + "rect")).get("fill") == back
    assert ("<style>" in drawn(kind, "Heat", look(width, theme))) == (theme == "auto")


@pytest.mark.parametrize("kind", KINDS)
def test_every_language_has_room(kind: str) -> None:
    """No line leaves the card by the widths of our font, in any language."""
    every(product(LANGUAGES, (280, 440, 800)), lambda case: _has_room(kind, *case))


def _has_room(kind: str, language: str, width: int) -> None:
    for element in texts(parsed(drawn(kind, "Heat", look(width, locale=language)))):
        size, anchor = float(element.get("font-size", 0)), element.get("text-anchor", "start")
        wide = letters.width(element.text or "", size, bold=element.get("font-weight") == "700")
        x = float(element.get("x", 0)) - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        assert x >= 0, element.text
        assert x + wide <= width, element.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_screen_reader_is_told(kind: str) -> None:
    """A card is an image with a title and a description, in its language."""
    root = parsed(drawn(kind, "Heat", look(locale="de")))
    assert (root.get("role"), root.get("lang")) == ("img", "de")
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert list(named) == (root.get("aria-labelledby") or "").split()
    assert all(named.values())


def test_what_the_last_card_says() -> None:
    """Title, episode, day and time where the account lives, rating, and whose it is."""
    root = parsed(drawn("last", "Severance", look(600)))
    said = [element.text for element in texts(root)]
    when = "Fri, 20 Nov 2026, 21:57"
    assert said[:5] == ["★ 10/10", "Last watched", "Severance", "S2 E7 · Severance", when]
    assert said[5:] == ["@ann", "TMDB"]
    assert "Severance" in (root.findtext(SVG + "desc") or "")


def test_an_unknown_date_and_an_unknown_title_are_told_as_such() -> None:
    """No date is made up."""
    said = "".join(parsed(last_card(Last("ann", Shot(Name(""), film=True)), look())).itertext())
    assert "Unknown title" in said
    assert "at some time" in said
    assert "1970" not in said


def test_nothing_to_show_is_said() -> None:
    """A card is never blank; the last watch is told where it may be."""
    assert "Nothing watched yet" in drawn("empty", "", look())
    assert "Nothing on right now" in now_card(Now("ann", None), look())
    assert "Last watched: Heat S2 E7" in drawn("nothing", "Heat", look(800))


@pytest.mark.parametrize(("progress", "share"), [(-1, 0.02), (0, 0.02), (0.5, 0.5), (7, 1.0)])
def test_the_bar_stays_in_its_track(progress: float, share: float) -> None:
    """Whatever the clock says."""
    shot = Shot(Name("Heat"), film=True)
    root = parsed(now_card(Now("ann", shot, progress), look(600, "dark")))
    bars = [e for e in root.iter(SVG + "rect") if e.get("height") == "6.5"]
    track, done = (float(bar.get("width", 0)) for bar in bars)
    assert done / track == pytest.approx(share, abs=0.01)


def test_a_year_of_days_is_whole() -> None:
    """A square for each day of a leap year, none twice, darker with more plays."""
    heatmap = heatmap_of(plays(2000), *WHOLE_YEAR)
    card = heatmap_card(Calendar("ann", heatmap, 2024, EVENING.date()), look(900, "light"))
    squares = [e for e in parsed(card).iter(SVG + "rect") if 8 < float(e.get("width", 0)) < 20]
    places = {(e.get("x"), e.get("y")) for e in squares}
    assert len(places) == len(squares)
    assert len(squares) == 366 + 5, "and those of the legend"


def test_days_to_come_are_not_drawn() -> None:
    """Nobody has watched nothing tomorrow."""
    heatmap = heatmap_of(plays(), date(2026, 1, 1), date(2026, 12, 31))
    card = heatmap_card(Calendar("ann", heatmap, 2026, EVENING.date()), look(900, "light"))
    squares = [e for e in parsed(card).iter(SVG + "rect") if 8 < float(e.get("width", 0)) < 20]
    assert len(squares) == 324 + 5


@pytest.mark.parametrize("counts", [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [5] * 9, [1] * 50 + [40]])
def test_the_busiest_day_is_the_darkest_that_there_is(counts: list[int]) -> None:
    """Levels rise with plays, and a day with plays never looks like one without."""
    moments = [day * 86_400_000 for day, count in enumerate(counts, 1) for _ in range(count)]
    seen = Plays(moments, ["movie"] * len(moments), {}, UTC)
    heatmap = heatmap_of(seen, date(1970, 1, 1), date(1970, 12, 31))
    card = heatmap_card(Calendar("ann", heatmap, 1970, EVENING.date()), look(900, "light"))
    squares = [e for e in parsed(card).iter(SVG + "rect") if 8 < float(e.get("width", 0)) < 20]
    levels = [THEMES["light"].__dict__[f"level{n}"] for n in range(5)]
    fills = [levels.index(e.get("fill")) for e in squares[:365]]
    assert sum(level > 0 for level in fills) == len(counts)


def test_a_poster_is_inside_and_cut_to_its_place() -> None:
    """As data, never as an address."""
    root = parsed(drawn("last", "Heat", look()))
    (image,) = root.iter(SVG + "image")
    assert image.get("href") == POSTER.data


def test_a_title_without_a_poster_looks_as_it_does_everywhere() -> None:
    """Its name in the same lines on the same colour as on the drawn poster of its address."""
    name, key = "The Good, the Bad and the Ugly", "movie:19"
    sheet = ET.fromstring(placeholder(name, key))
    lines = [line.text for line in texts(sheet)]
    assert len(lines) > 1
    shot = Shot(Name(name), film=True, key=key, at=EVENING)
    card = parsed(last_card(Last("ann", shot), look()))
    assert list(card.iter(SVG + "image")) == []
    assert next(sheet.iter(SVG + "rect")).get("fill") in {e.get("fill") for e in card.iter()}
    assert [e.text for e in texts(card) if e.get("fill") == INK][: len(lines)] == lines


@pytest.mark.parametrize("width", [280, 800])
def test_every_favourite_in_the_strip_is_a_poster_or_a_name(width: int) -> None:
    """Also where only one of them has a poster."""
    called = ["Alien", "Brazil", "Casablanca", "Duel", "Eraserhead", "Fargo"]
    favourites = [
        Favourite(Name(one), film=True, plays=9, key=f"movie:{n}", poster=None if n else POSTER)
        for n, one in enumerate(called)
    ]
    root = parsed(year_card(YearInReview("ann", this_year(), favourites), look(width)))
    shown = len(list(root.iter(SVG + "image"))), [e.text for e in texts(root)]
    assert shown[0] == 1
    names = [text for text in shown[1] if text in called]
    assert names == called[:5] + called[1 : 4 if width == 280 else 6], "the list and the strip"


@pytest.mark.parametrize("kind", ["last", "now", "year"])
@pytest.mark.parametrize("width", [280, 440, 800])
def test_whose_picture_it_is_stands_on_the_card(kind: str, width: int) -> None:
    """Short for those who see it, and with TMDB's notice for those who hear it."""
    root = parsed(drawn(kind, "W" * 400, look(width), who="W" * 400))
    (credit,) = [element for element in texts(root) if element.text == "TMDB"]
    assert float(credit.get("font-size", 0)) >= 9
    assert (root.findtext(SVG + "desc") or "").endswith((f". {TMDB.notice}", f"… {TMDB.notice}"))


def test_only_pictures_that_are_there_are_credited() -> None:
    """Trakt's are Trakt's; a drawn poster, and a card without one, owe nobody anything."""
    shot = Shot(Name("Heat"), film=True, poster=replace(POSTER, source="trakt"))
    told = "|".join(parsed(last_card(Last("ann", shot), look())).itertext())
    assert "|Trakt" in told
    assert "TMDB" not in told
    for card in (drawn("nothing", "Heat", look()), drawn("heatmap", "Heat", look())):
        assert not {"TMDB", "Trakt"} & {element.text for element in texts(parsed(card))}
