"""A running service in a browser: what the job fetched is seen, and so is what goes wrong."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import browser, violations
from tests.jobs.conftest import MakeTown, Town
from tests.web.elsewhere import Origin, Said, element, in_state, visiting
from tests.web.showroom import Visitor, until
from watchbook import sharing
from watchbook.sandbox import tmdb
from watchbook.sandbox.tmdb import TmdbOptions
from watchbook.sharing import Part

__all__ = ["browser"]

LAST = "/api/trakt/last"


@pytest.fixture
def town(make_town: MakeTown, tmp_path: Path) -> Iterator[Town]:
    """One person who shows almost everything, with pictures from TMDB's stand-in."""
    with tmdb.running(TmdbOptions(plays=50)) as pictures, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        own = {
            "base_url": f"http://{where}",
            "tmdb_token": pictures.token,
            "tmdb_api_url": pictures.api_url,
            "tmdb_image_url": pictures.image_url,
        }
        town = make_town(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}", plays=50, settings=own)
        town.environment["WATCHBOOK_LISTEN"] = where
        with town.store.database.write() as conn:
            sharing.switch_on(conn, 1, [Part.LAST, Part.HISTORY, Part.NOW])
        yield town


@contextmanager
def elsewhere(browser: Browser, town: Town) -> Iterator[tuple[Page, Visitor]]:
    """A page of another origin that shows the last watch of the service, whose poster is there."""
    town.sandbox.add_plays(1)
    visitor = Visitor(town.start().address())
    until(lambda: re.search(r"/images/[0-9a-f]{32}$", visitor.ask(LAST).json.get("poster") or ""))
    with (
        Origin().serving() as site,
        visiting(browser, visitor.address, site, excused="ERR_CONNECTION_REFUSED") as page,
    ):
        script = f'<script src="{visitor.address}/widget.js"></script>'
        site.says["/"] = Said(f"<!doctype html><title>x</title>{element()}{script}")
        site.says["/favicon.ico"] = Said("", "image/x-icon")
        page.goto(site.url)
        in_state(page, "loaded")
        yield page, visitor


def asked_anew(page: Page) -> None:
    """Let the component ask, as it does every few minutes."""
    page.evaluate("document.querySelector('watchbook-last').refresh()")


def seen(page: Page, picture: str) -> None:
    """A picture from our own store is there, and not a drawn one."""
    first = page.locator(picture).first
    first.scroll_into_view_if_needed()
    page.wait_for_function("one => one.naturalWidth > 0", arg=first.element_handle())
    assert re.search(r"/images/[0-9a-f]{32}$", first.evaluate("one => one.currentSrc"))


def test_posters_and_what_is_on(browser: Browser, town: Town) -> None:
    """What the job fetched is in the component and on the public page; so is what is on now."""
    with elsewhere(browser, town) as (page, visitor):
        seen(page, "watchbook-last .poster img")
        (film,) = town.rows("SELECT title_key FROM plays WHERE type = 'movie' LIMIT 1")
        town.sandbox.watching(movie=int(film[0].partition(":")[2]))
        until(lambda: visitor.ask(LAST).json["now"])
        asked_anew(page)
        expect(page.locator("watchbook-last .label")).to_have_text("Watching now")
        town.sandbox.watching()
        until(lambda: not visitor.ask(LAST).json["now"])
        asked_anew(page)
        expect(page.locator("watchbook-last .label")).to_have_text("Last watched")
        page.goto(f"{visitor.address}/@{visitor.ask(LAST).json['account']}")
        seen(page, ".h-entry img[src*='/images/']")
        assert violations(page) == []


def test_stale_and_down(browser: Browser, town: Town) -> None:
    """Trakt fails, then the service itself: what was there stays, and says how old it is."""
    with elsewhere(browser, town) as (page, visitor):
        title = page.locator("watchbook-last .title").text_content() or ""
        town.sandbox.set_faults("http-503:1")
        until(lambda: visitor.ask(LAST).json["stale"])
        asked_anew(page)
        in_state(page, "stale")
        expect(page.locator("watchbook-last .note")).to_contain_text("As of")
        town.sandbox.clear_faults()
        until(lambda: not visitor.ask(LAST).json["stale"])
        asked_anew(page)
        expect(page.locator("watchbook-last .note")).to_have_count(0)
        town.end()
        asked_anew(page)
        in_state(page, "stale")
        expect(page.locator("watchbook-last .title")).to_have_text(title)
        seen(page, "watchbook-last .poster img")
        page.evaluate("document.querySelector('watchbook-last').setAttribute('account', 'nobody')")
        in_state(page, "failed")
        failed = page.locator("watchbook-last .message")
        expect(failed).to_have_text("What was watched last could not be loaded.")
