from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from tests.browser import DESK, PATIENCE, PHONE, Troubles, browser, violations
from tests.conftest import TEST_KEY
from tests.hostile import STORABLE
from tests.web.open_book import OpenBook, a_film, ago, an_episode, hang_poster
from tests.web.open_book import open_book as opening
from watchbook.clock import from_iso, to_millis
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

__all__ = ["browser"]

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBook]:
    """An open book with a year of plays, and with every hostile title long ago."""
    folder = tmp_path_factory.mktemp("page", numbered=True)
    database = Database(f"sqlite:///{folder / 'home' / 'watchbook.db'}")
    migrate(database)
    store = Store(database, Sealer([TEST_KEY]), folder / "home")
    with opening(store, folder / "out") as opened:
        opened.share(Part.HISTORY, Part.FEEDS, Part.RATINGS, Part.STATISTICS)
        opened.book.plays(
            *(an_episode(1000 + n, ago(days=n * 3)) for n in range(60)),
            *(a_film(2000 + n, ago(days=n * 5)) for n in range(60)),
            *(a_film(n, ago(days=900, minutes=n), t, n) for n, t in enumerate(STORABLE, 3000)),
        )
        row = {"rated_at": ago(hours=1), "rating": 9, "type": "movie"}
        opened.book.items("ratings_movies", row | {"movie": a_film(1, "")["movie"]})
        hang_poster(store, "movie:1")
        yield opened
    database.close()


@contextmanager
def shown(browser: Browser, book: OpenBook, path: str, **options: Any) -> Iterator[Page]:
    """A page in a browser that must do nothing forbidden, and ask nobody but us."""
    context = browser.new_context(**{"viewport": DESK, **options})
    context.set_default_timeout(PATIENCE)
    troubles = Troubles()
    page = context.new_page()
    page.on("console", lambda said: troubles.seen.append(_said(said)))
    page.on("pageerror", lambda error: troubles.seen.append(f"error: {error}"))

    def ours(route: Route) -> None:
        if "/images/" in route.request.url:
            route.fulfill(body=PIXEL, content_type="image/gif")
        elif route.request.url.startswith((book.visitor.address, "data:")):
            route.continue_()
        else:
            troubles.seen.append(f"request: {route.request.url}")
            route.abort()

    page.route("**/*", ours)
    page.goto(book.visitor.address + path)
    yield page
    context.close()
    missing = f"404: {book.visitor.address}/@nobody"  # the browser's own remark on that answer
    assert [one for one in troubles.seen if one != missing] == []


def _said(message: ConsoleMessage) -> str:
    found = "404" in message.text
    return f"404: {message.location['url']}" if found else f"console: {message.text}"


YEAR = ago(days=3)[:4]
PLACES = (
    "/@sandra",
    f"/@sandra/{YEAR}",
    f"/@sandra/{ago(days=3)[:7]}",
    "/@sandra/2003",
    "/@sandra?q=nothing",
    "/@sandra?q=heat",
    "/@nobody",
)
NARROW = {"width": 320, "height": 640}
"""A desk at four times its size, which nobody has to scroll sideways (WCAG 1.4.10)."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, PHONE, DESK], ids=["narrow", "phone", "desk"])
def test_pages_are_for_everybody(
    browser: Browser, book: OpenBook, viewport: dict[str, int], scheme: str
) -> None:
    """No rule of axe is broken and nothing sticks out, in windows of any size, by day and night."""
    for path in PLACES:
        with shown(browser, book, path, viewport=viewport, color_scheme=scheme) as page:
            assert violations(page) == [], path
            assert _sticks_out(page) == 0, path


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_hostile_titles_do_nothing(
    browser: Browser, book: OpenBook, viewport: dict[str, int]
) -> None:
    """All of them are shown, nothing runs, nothing is fetched, nothing sticks out."""
    path, pages = "/@sandra?before=" + _first_hostile(book), 0
    while path:
        with shown(browser, book, path, viewport=viewport) as page:
            assert _sticks_out(page) == 0, path
            older = page.locator(".turn a[rel=next]")
            address = older.get_attribute("href") if older.count() else None
        path = "/@sandra" + address.partition("/@sandra")[2] if address else ""
        pages += 1
    assert pages >= len(STORABLE) // 50


def _first_hostile(book: OpenBook) -> str:
    """The place behind the plays with ordinary titles."""
    return f"{to_millis(from_iso(ago(days=800)))}_1"


def _sticks_out(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return max(found, 0)


def test_a_keyboard_is_enough(browser: Browser, book: OpenBook) -> None:
    """The first stop leads past the head; the search is asked with the keyboard, without script."""
    with shown(browser, book, "/@sandra", java_script_enabled=False) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the plays")).to_be_focused()
        page.get_by_role("searchbox").press_sequentially("bardo")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Titles with “bardo”")
        expect(page.get_by_role("article").first).to_contain_text("Chikhai Bardo")


def test_pages_are_turned(browser: Browser, book: OpenBook) -> None:
    """Older and newer lead forth and back; a year leads to its months, and a month to the next."""
    with shown(browser, book, "/@sandra") as page:
        first = page.get_by_role("article").first.inner_text()
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(" to ")
        page.get_by_role("link", name="Newer").click()
        expect(page.get_by_role("article").first).to_have_text(first, use_inner_text=True)
        page.get_by_role("navigation", name="Years").get_by_role("link", name=YEAR).click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(YEAR)
        months = page.get_by_role("navigation", name=f"Months of {YEAR}").get_by_role("link")
        newest = date.fromisoformat(str(months.last.get_attribute("href"))[-7:] + "-01")
        expect(months.last).to_have_accessible_name(re.compile(f"{newest:%B} [0-9]+ plays?"))
        months.last.click()
        expect(heading).to_have_text(f"{newest:%B} {YEAR}")
        page.locator(".turn a[rel=next]").last.click()
        before = newest - timedelta(days=1)
        expect(heading).to_have_text(f"{before:%B} {before.year}")


WIDTHS = [PHONE, {"width": 700, "height": 900}, DESK]


@pytest.mark.parametrize("viewport", WIDTHS, ids=["phone", "tablet", "desk"])
def test_cards_can_be_read(browser: Browser, book: OpenBook, viewport: dict[str, int]) -> None:
    """They are drawn for the window, as wide as the text, and nothing moves when they come."""
    for path in ("/@sandra", f"/@sandra/{YEAR}"):
        with shown(browser, book, path, viewport=viewport) as page:
            page.evaluate(_WATCH_SHIFTS)
            cards = page.locator(".cards img")
            expect(cards).to_have_count(2)
            room = page.locator(".cards").bounding_box()
            for card in cards.all():
                card.scroll_into_view_if_needed()
                page.wait_for_function("card => card.complete", arg=card.element_handle())
                drawn, seen = card.evaluate(_WIDTHS), card.bounding_box()
                assert seen is not None
                assert room is not None
                assert 0.9 < seen["width"] / drawn < 1.2
                assert 0 < room["width"] - seen["width"] < 60
            assert page.evaluate("shifts") == []


_WATCH_SHIFTS = """() => {
    window.shifts = []
    const note = seen => shifts.push(...seen.getEntries().map(one => one.value))
    new PerformanceObserver(note).observe({type: "layout-shift", buffered: true})
}"""
_WIDTHS = "card => Number(new URL(card.currentSrc).searchParams.get('width'))"


def test_a_page_on_paper(browser: Browser, book: OpenBook) -> None:
    """The plays are there; what can only be clicked is not."""
    with shown(browser, book, f"/@sandra/{YEAR}", color_scheme="dark") as page:
        page.emulate_media(media="print")
        expect(page.get_by_role("article").first).to_be_visible()
        for gone in ("form", ".pills", ".months", ".turn", ".feeds"):
            expect(page.locator(gone).first).to_be_hidden()


@pytest.mark.parametrize("path", PLACES[:4])
def test_fingers_find_the_links(browser: Browser, book: OpenBook, path: str) -> None:
    """Nothing to press is lower than 24 pixels (WCAG 2.5.8), but for words within a sentence."""
    with shown(browser, book, path, viewport=PHONE, has_touch=True) as page:
        assert page.evaluate(_TOO_LOW) == []


_TOO_LOW = """() => [...document.querySelectorAll('a:not(.skip, footer p a), button, input')]
    .filter(one => one.getBoundingClientRect().height < 24).map(one => one.outerHTML)"""


def test_the_keyboard_is_seen(browser: Browser, book: OpenBook) -> None:
    """Wherever it stops there is a line around the place."""
    with shown(browser, book, f"/@sandra/{YEAR}") as page:
        for _ in range(30):
            page.keyboard.press("Tab")
            seen = page.evaluate("getComputedStyle(document.activeElement).outline")
            assert "3px" in seen
            assert "solid" in seen


def test_posters_keep_their_place(browser: Browser, book: OpenBook) -> None:
    """They have a size, a text, and are loaded when they come into sight."""
    with shown(browser, book, "/@sandra") as page:
        poster = page.get_by_role("img", name="Poster of Heat").first
        assert poster.get_attribute("width") == "342"
        assert poster.get_attribute("loading") == "lazy"
        box = poster.bounding_box()
        assert box is not None
        assert abs(box["height"] / box["width"] - 1.5) < 0.05
