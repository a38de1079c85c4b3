from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
        opened.share(Part.HISTORY, Part.FEEDS, Part.RATINGS)
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


PLACES = ("/@sandra", "/@sandra/2003", "/@sandra?q=nothing", "/@sandra?q=heat", "/@nobody")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_are_for_everybody(
    browser: Browser, book: OpenBook, viewport: dict[str, int], scheme: str
) -> None:
    """No rule of axe is broken and nothing sticks out, on a phone and a desk, by day and night."""
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
    """Older and newer lead forth and back; a year leads to its newest month."""
    with shown(browser, book, "/@sandra") as page:
        first = page.get_by_role("article").first.inner_text()
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Earlier")
        page.get_by_role("link", name="Newer").click()
        expect(page.get_by_role("article").first).to_have_text(first, use_inner_text=True)
        page.get_by_role("navigation", name="Years").get_by_role("link").last.click()
        expect(page.get_by_role("navigation", name="Months of")).to_be_visible()


def test_posters_keep_their_place(browser: Browser, book: OpenBook) -> None:
    """They have a size, a text, and are loaded when they come into sight."""
    with shown(browser, book, "/@sandra") as page:
        poster = page.get_by_role("img", name="Poster of Heat").first
        assert poster.get_attribute("width") == "342"
        assert poster.get_attribute("loading") == "lazy"
        box = poster.bounding_box()
        assert box is not None
        assert abs(box["height"] / box["width"] - 1.5) < 0.05
