"""The component as people see it: layouts, states, themes, names, on a page of another origin."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, browser, violations
from tests.web.elsewhere import (
    AWAY,
    LAST,
    NOT_PUBLIC,
    NOTHING,
    NOW,
    WALL,
    Places,
    asked_again,
    element,
    episode,
    film,
    going_on,
    in_state,
    label,
    places,
    visiting,
)
from watchbook.render.attribution import TMDB

__all__ = ["browser"]

LAYOUTS = ("line", "card", "wall")
MISSING = "status of 404"
BROKEN = "status of 500"
FAINT = "one => Number(getComputedStyle(one).backgroundColor.split('/')[1]?.slice(0, -1) ?? 1)"
"""How much of the ground is covered by an element's own, from 0 to 1."""


@pytest.fixture
def two() -> Iterator[Places]:
    """A Watchbook, and somebody's page elsewhere."""
    with places() as both:
        yield both


def seen(page: Page, name: str) -> None:
    """Keep a picture of ``page`` where WIDGET_SHOTS says, for people who want to look."""
    folder = os.environ.get("WIDGET_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def open_page(page: Page, both: Places, state: str = "loaded", **attributes: str) -> None:
    """Open somebody's page with one component, the morning after."""
    page.clock.install(time=NOW)
    page.goto(both.page(element(**attributes)))
    in_state(page, state)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_layout_on_every_screen(
    browser: Browser, two: Places, layout: str, size: Any, scheme: Any
) -> None:
    """What was watched is there with title, place, time and poster, and axe finds nothing wrong."""
    with visiting(browser, two.watchbook, two.site, viewport=size, color_scheme=scheme) as page:
        page.clock.install(time=NOW)
        ground = "<style>html{color-scheme:light dark}</style>"
        page.goto(two.page(element(layout=layout), head=ground))
        in_state(page, "loaded")
        first = page.locator("watchbook-last .poster img").first
        expect(first).to_have_js_property("naturalWidth", 342)
        if layout == "wall":
            expect(page.locator("watchbook-last li")).to_have_count(8)
            assert label(page) == "Recently watched"
        else:
            expect(page.locator("watchbook-last .title")).to_have_text("Severance")
            expect(page.locator("watchbook-last .subtitle")).to_have_text("S2 E7 · Chikhai Bardo")
            expect(page.locator("watchbook-last time")).to_have_text("yesterday")
        seen(page, f"{layout}-{scheme}-{size['width']}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_the_name_says_it_all(browser: Browser, two: Places) -> None:
    """A screen reader is told in one sentence what was watched and when."""
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        assert label(page) == (
            "Last watched: Severance, season 2 episode 7, Chikhai Bardo, yesterday"
        )
        time = page.locator("watchbook-last time")
        expect(time).to_have_attribute("datetime", "2026-11-20T20:15:00.000Z")
        link = page.get_by_role("link", name="Severance")
        expect(link).to_have_attribute(
            "href", "https://trakt.tv/shows/severance/seasons/2/episodes/7"
        )


def test_a_film_shows_its_year(browser: Browser, two: Places) -> None:
    """A film has no season, and its year where an episode has its place."""
    two.watchbook.tells(LAST, film(two.watchbook))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        assert label(page) == "Last watched: Perfect Days, 2023, yesterday"


@pytest.mark.parametrize(
    ("source", "told"), [("tmdb", "TMDB"), ("trakt", "Trakt"), (None, None), ("missing", "TMDB")]
)
def test_whose_the_picture_of_a_line_is(
    browser: Browser, two: Places, source: str | None, told: str | None
) -> None:
    """A link with a name, and TMDB's notice where it is TMDB's; a drawn one is nobody's."""
    known = {} if source == "missing" else {"poster_source": source}
    two.watchbook.tells(LAST, episode(two.watchbook, **known))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, layout="line")
        credit = page.locator("watchbook-last a.source")
        expect(credit).to_have_text([told] if told else [])
        if told:
            assert credit.get_attribute("title") == (TMDB.notice if told == "TMDB" else "")
        assert violations(page) == []


def test_a_wall_has_room_for_the_notice(browser: Browser, two: Places) -> None:
    """In the words that TMDB asks for."""
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, layout="wall", account="alex")
        expect(page.locator("watchbook-last .source")).to_contain_text(TMDB.notice)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_loading_takes_the_room_of_what_comes(browser: Browser, two: Places, layout: str) -> None:
    """Before the answer there is a quiet outline, and nothing moves when it has come."""
    path = WALL if layout == "wall" else LAST
    held = threading.Event()
    two.watchbook.says[path] = replace(two.watchbook.says[path], held=held)
    with visiting(browser, two.watchbook, two.site) as page:
        page.clock.install(time=NOW)
        page.goto(two.page(element(layout=layout, account="alex", limit="8"), "<p id=after>x</p>"))
        busy = page.locator("watchbook-last [role=group]")
        expect(busy).to_have_attribute("aria-busy", "true")
        assert label(page) == "Loading what was watched last"
        assert violations(page) == []
        seen(page, f"loading-{layout}")
        before = page.locator("#after").bounding_box()
        held.set()
        in_state(page, "loaded")
        expect(busy).to_have_attribute("aria-busy", "false")
        after = page.locator("#after").bounding_box()
        assert before is not None
        assert after is not None
        assert after["y"] == pytest.approx(before["y"], abs=24)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("public", [True, False], ids=["nothing", "not-public"])
def test_nothing_to_show(browser: Browser, two: Places, layout: str, public: bool) -> None:
    """No plays, and a part that is not public, look the same: empty, and not broken."""
    for path in (LAST, WALL):
        if public:
            two.watchbook.tells(path, NOTHING)
        else:
            two.watchbook.tells(path, NOT_PUBLIC, status=404)
    with visiting(browser, two.watchbook, two.site, excused=MISSING) as page:
        open_page(page, two, "empty", layout=layout, account="alex")
        expect(page.locator("watchbook-last .message")).to_have_text("Nothing to show yet.")
        for place in page.locator("watchbook-last .poster").all():
            assert place.evaluate(FAINT) < 0.2
        assert violations(page) == []
        seen(page, f"empty-{layout}-{public}")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_failed_at_first(browser: Browser, two: Places, layout: str) -> None:
    """Without an answer it says so, and a button asks again; the keyboard keeps its place."""
    for path in (LAST, WALL):
        two.watchbook.tells(path, {}, status=500)
    with visiting(browser, two.watchbook, two.site, excused=BROKEN) as page:
        open_page(page, two, "failed", layout=layout, account="alex")
        message = page.locator("watchbook-last .message")
        expect(message).to_have_text("What was watched last could not be loaded.")
        assert violations(page) == []
        seen(page, f"failed-{layout}")
        two.watchbook.tells(LAST, episode(two.watchbook))
        two.watchbook.tells(WALL, {"ok": True, "items": [episode(two.watchbook)]})
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        in_state(page, "loaded")
        focused = "document.querySelector('watchbook-last').shadowRoot.activeElement?.tagName"
        assert page.evaluate(focused) == "A"


def test_failed_later_keeps_what_was_there(browser: Browser, two: Places) -> None:
    """When later answers fail, the last one stands, with a note of how old it is."""
    with visiting(browser, two.watchbook, two.site, excused=BROKEN) as page:
        open_page(page, two)
        two.watchbook.tells(LAST, {}, status=500)
        asked_again(page, two.watchbook)
        in_state(page, "stale")
        expect(page.locator("watchbook-last .title")).to_have_text("Severance")
        expect(page.locator("watchbook-last .note")).to_have_text(
            re.compile("As of 1[01] minutes ago")
        )
        assert violations(page) == []
        seen(page, "failed-later")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_that_knows_nothing(browser: Browser, two: Places, layout: str) -> None:
    """An answer without anything, since the database is away, is a failure and no empty book."""

    def away() -> None:
        two.watchbook.tells(LAST, {"ok": False, **AWAY})
        two.watchbook.tells(WALL, {"ok": False, "items": [], **AWAY})

    away()
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, "failed", layout=layout, account="alex")
        two.watchbook.tells(LAST, episode(two.watchbook))
        two.watchbook.tells(WALL, {"ok": True, "items": [episode(two.watchbook)]})
        page.locator("watchbook-last button").click()
        in_state(page, "loaded")
        away()
        page.evaluate("document.querySelector('watchbook-last').refresh()")
        in_state(page, "stale")
        expect(page.locator("watchbook-last .title")).to_have_text("Severance")


def test_stale_is_noted(browser: Browser, two: Places) -> None:
    """What the server itself calls stale has the note, too; fresh again, the note is gone."""
    two.watchbook.tells(
        LAST, episode(two.watchbook, stale=True, as_of="2026-11-20T09:00:00.000Z", reason="Away.")
    )
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, "stale")
        expect(page.locator("watchbook-last .note")).to_have_text("As of yesterday")
        assert violations(page) == []
        two.watchbook.tells(LAST, episode(two.watchbook))
        asked_again(page, two.watchbook)
        expect(page.locator("watchbook-last .note")).to_have_count(0)


def test_a_stale_line_keeps_its_words_apart(browser: Browser, two: Places) -> None:
    """There is a space between how old it is and whose picture it has."""
    told = episode(two.watchbook, stale=True, as_of="2026-11-20T09:00:00.000Z", reason="Away.")
    two.watchbook.tells(LAST, told)
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, "stale", layout="line")
        words = page.locator("watchbook-last .foot").evaluate("one => one.innerText")
        assert words.endswith("As of yesterday TMDB")


@pytest.mark.parametrize("layout", ["line", "card"])
def test_watching_now(browser: Browser, two: Places, layout: str) -> None:
    """What is on right now goes before what is over, with its poster."""
    two.watchbook.tells(LAST, episode(two.watchbook, now=going_on(two.watchbook)))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, layout=layout)
        assert label(page) == "Watching now: Severance, season 2 episode 8, Sweet Vitriol"
        expect(page.locator("watchbook-last .poster img")).to_have_count(1)
        assert violations(page) == []
        seen(page, f"now-{layout}")


def test_what_was_on_is_over(browser: Browser, two: Places) -> None:
    """When the time is over at which it ends, it is not being watched any more."""
    over = going_on(two.watchbook, expires_at="2026-11-21T08:59:00.000Z")
    two.watchbook.tells(LAST, episode(two.watchbook, now=over))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        expect(page.locator("watchbook-last .label")).to_have_text("Last watched")


def test_another_show_now_does_not_borrow_the_poster(browser: Browser, two: Places) -> None:
    """What is on brings its own poster; that of something else would be a lie."""
    other = going_on(two.watchbook, title="Andor", subtitle="S1 E1 · Kassa", poster=None)
    two.watchbook.tells(LAST, episode(two.watchbook, now=other))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        expect(page.locator("watchbook-last .title")).to_have_text("Andor")
        expect(page.locator("watchbook-last .poster img")).to_have_count(0)
        expect(page.locator("watchbook-last .initial")).to_have_text("A")


@pytest.mark.parametrize("poster", [None, "/images/gone"])
def test_a_missing_poster_is_drawn(browser: Browser, two: Places, poster: str | None) -> None:
    """Without a poster, or when it does not load, there is the title's initial on the colour."""
    address = poster and two.watchbook.url + poster
    two.watchbook.tells(LAST, episode(two.watchbook, poster=address, tiny=None, colour="#ff0000"))
    with visiting(browser, two.watchbook, two.site, excused=MISSING) as page:
        open_page(page, two)
        expect(page.locator("watchbook-last .initial")).to_be_visible()
        expect(page.locator("watchbook-last .poster img")).to_have_count(0)
        ground = page.locator("watchbook-last .poster").evaluate(
            "one => getComputedStyle(one).backgroundColor"
        )
        red, green, _blue = _rgb(page, ground)
        assert red > 2 * green
        assert violations(page) == []


def _rgb(page: Page, colour: str) -> list[int]:
    """Red, green and blue of any CSS colour, from 0 to 255."""
    found: list[int] = page.evaluate(
        """colour => {
            const brush = new OffscreenCanvas(1, 1).getContext('2d');
            brush.fillStyle = colour;
            brush.fillRect(0, 0, 1, 1);
            return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        colour,
    )
    return found


@pytest.mark.parametrize(("theme", "system"), [("light", "dark"), ("dark", "light")])
def test_a_theme_wins_over_the_system(
    browser: Browser, two: Places, theme: str, system: Any
) -> None:
    """`theme` says light or dark whatever the system prefers."""
    with visiting(browser, two.watchbook, two.site, color_scheme=system) as page:
        open_page(page, two, theme=theme)
        assert (_ground(page) > 200) == (theme == "light")
        page.evaluate("document.querySelector('watchbook-last').setAttribute('theme', 'auto')")
        assert (_ground(page) > 200) == (system == "light")


def _ground(page: Page) -> int:
    card = page.locator("watchbook-last .card")
    return _rgb(page, card.evaluate("one => getComputedStyle(one).backgroundColor"))[0]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(browser: Browser, two: Places, motion: Any) -> None:
    """Nothing moves for people who do not want it."""
    two.watchbook.tells(LAST, episode(two.watchbook, now=going_on(two.watchbook)))
    with visiting(browser, two.watchbook, two.site, reduced_motion=motion) as page:
        open_page(page, two)
        moving = page.evaluate("document.getAnimations().length")
        inside = page.evaluate(
            "document.querySelector('watchbook-last').shadowRoot.getAnimations().length"
        )
        assert (moving + inside > 0) == (motion == "no-preference")


def test_forced_colours(browser: Browser, two: Places) -> None:
    """With the colours of a contrast theme everything is still there to be told apart."""
    with visiting(browser, two.watchbook, two.site, forced_colors="active") as page:
        open_page(page, two)
        expect(page.locator("watchbook-last .title")).to_be_visible()
        assert violations(page) == []
        seen(page, "forced-colours")


def test_a_locale_and_texts(browser: Browser, two: Places) -> None:
    """Dates follow `locale`; the words are the page's own if it brings some."""
    words = '{"last": "Zuletzt gesehen", "season": "Staffel", "episode": "Folge"}'
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, locale="de", texts=words)
        assert label(page) == (
            "Zuletzt gesehen: Severance, Staffel 2 Folge 7, Chikhai Bardo, gestern"
        )
        assert violations(page) == []


@pytest.mark.parametrize("locale", ["no such locale", "-", "xx-yy-zz-1"])
def test_an_odd_locale_or_odd_texts_break_nothing(
    browser: Browser, two: Places, locale: str
) -> None:
    """What is not understood is as if it had not been said."""
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, locale=locale, texts="{")
        expect(page.locator("watchbook-last time")).to_have_text("yesterday")


def test_from_right_to_left(browser: Browser, two: Places) -> None:
    """On an Arabic page the poster is at the right, and dates are Arabic."""
    with visiting(browser, two.watchbook, two.site) as page:
        page.clock.install(time=NOW)
        page.goto(two.page(f'<div dir="rtl">{element(locale="ar")}</div>'))
        in_state(page, "loaded")
        expect(page.locator("watchbook-last time")).to_have_text("أمس")
        poster = page.locator("watchbook-last .poster").bounding_box()
        title = page.locator("watchbook-last .title").bounding_box()
        assert poster is not None
        assert title is not None
        assert poster["x"] > title["x"]
        assert violations(page) == []
        seen(page, "rtl")


@pytest.mark.parametrize(
    ("watched_at", "said"),
    [
        ("2026-11-21T08:59:50Z", "now"),
        ("2026-11-21T09:30:00Z", "now"),
        ("2026-11-21T08:40:00Z", "20 minutes ago"),
        ("2026-11-21T02:00:00Z", "7 hours ago"),
        ("2026-11-20T23:59:00Z", "yesterday"),
        ("2026-11-16T12:00:00Z", "5 days ago"),
        ("2026-03-02T12:00:00Z", "March 2"),
        ("2019-03-02T12:00:00Z", "March 2, 2019"),
    ],
)
def test_how_long_ago(browser: Browser, two: Places, watched_at: str, said: str) -> None:
    """A time is told the way people tell it."""
    two.watchbook.tells(LAST, episode(two.watchbook, watched_at=watched_at))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        expect(page.locator("watchbook-last time")).to_have_text(said)


@pytest.mark.parametrize("watched_at", [None, "", "no date"])
def test_an_unknown_date_is_not_told(browser: Browser, two: Places, watched_at: str | None) -> None:
    """A play without a date has none here."""
    two.watchbook.tells(LAST, episode(two.watchbook, watched_at=watched_at))
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        expect(page.locator("watchbook-last time")).to_have_count(0)
        assert label(page) == "Last watched: Severance, season 2 episode 7, Chikhai Bardo"
