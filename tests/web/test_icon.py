"""Our icon: at the address where browsers look for it, and named by every page of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.web.elsewhere import visiting
from tests.web.showroom import served
from tests.web.test_embeds import sqlite_store, watched
from watchbook.sharing import Part
from watchbook.web.static_files import ICON, content

__all__ = ["browser"]

_DRAWN = """() => new Promise((draw, fail) => {
    const icon = new Image();
    [icon.onload, icon.onerror] = [() => draw(icon.naturalWidth), () => fail(Error("not allowed"))];
    icon.src = document.querySelector("link[rel=icon]").href;
})"""
"""Loads the icon that a page names, as far as the page's own policy lets it."""


def test_browsers_find_it_by_themselves(tmp_path: Path) -> None:
    """It is one drawn picture, kept for a day."""
    with sqlite_store(tmp_path) as store, served(store) as stranger:
        told = stranger.ask("/favicon.ico")
        assert (told.status, told.body) == (200, content(ICON))
        assert told.headers["content-type"].startswith("image/svg+xml")
        assert "max-age=86400" in told.headers["cache-control"]
        kept = stranger.ask("/favicon.ico", if_none_match=told.headers["etag"])
        assert kept.status == 304


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/docs", "/@sandra", "/@sandra/1"])
def test_every_page_names_it(browser: Browser, tmp_path: Path, path: str) -> None:
    """Nothing is refused or missing: the page's policy allows the icon, and it is a picture."""
    with sqlite_store(tmp_path) as store:
        watched(store).share(Part.LAST, Part.HISTORY)
        with (
            served(store, None) as stranger,
            visiting(browser, stranger.address, excused="404") as page,
        ):
            page.goto(stranger.address + path)
            assert page.evaluate(_DRAWN) > 0
