"""The component among strangers: hostile titles, strict policies, servers without a browser."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import browser, violations
from tests.hostile import MARK, TITLES
from tests.web.elsewhere import (
    LAST,
    NOW,
    SCRIPT,
    Places,
    element,
    episode,
    in_state,
    places,
    visiting,
    wall,
)

__all__ = ["browser"]

LIMIT = 8_000
"""Bytes, packed as servers and proxies pack it."""
ADDRESSES = (
    f"javascript:alert('{MARK}')",
    f"JaVaScRiPt:alert('{MARK}')",
    f" javascript:alert('{MARK}')",
    f"data:text/html,<script>alert('{MARK}')</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "",
    "http://",
)
COLOURS = (f"red;background:url(http://{MARK}.invalid/)", f"url(http://{MARK}.invalid/)", "#12", "")


@pytest.fixture
def two() -> Iterator[Places]:
    """A Watchbook, and somebody's page elsewhere."""
    with places() as both:
        yield both


def test_it_is_small() -> None:
    """Packed, it has no more than 8 kB; what is served is what people can read."""
    assert len(gzip.compress(SCRIPT.read_bytes(), 6)) <= LIMIT


def texts(page: Page, part: str) -> list[str]:
    """What stands in every such part of every component, as the document has it."""
    found: list[str] = page.evaluate(
        """part => [...document.querySelectorAll('watchbook-last')].flatMap(
            one => [...one.shadowRoot.querySelectorAll(part)].map(x => x.textContent))""",
        part,
    )
    return found


@pytest.mark.parametrize("layout", ["card", "wall"])
def test_hostile_titles_are_nothing_but_text(browser: Browser, two: Places, layout: str) -> None:
    """Four hundred titles that would like to be more: each is shown as it is, and does nothing."""
    items = [
        episode(two.watchbook, title=title, subtitle=title, alt=title, poster=None)
        for title in TITLES
    ]
    # What JSON cannot carry as text never arrives; a browser reads lone surrogates as they are.
    for number, item in enumerate(items):
        two.watchbook.tells(f"/one/{number}", {**item, "now": None})
    two.watchbook.tells("/all", {"ok": True, "items": items, "as_of": None, "stale": False})
    with visiting(browser, two.watchbook, two.site) as page:
        page.clock.install(time=NOW)
        if layout == "wall":
            page.goto(two.page(element(layout="wall", src="/all")))
            in_state(page, "loaded")
        else:
            page.goto(two.page(*(element(src=f"/one/{n}") for n in range(len(items)))))
            page.wait_for_function(
                "() => [...document.querySelectorAll('watchbook-last')]"
                ".every(one => one.matches(':state(loaded)'))"
            )
        assert texts(page, ".title") == [_as_read(title) for title in TITLES]
        assert set(texts(page, ".subtitle")) == {_as_read(title) for title in TITLES if title}
        names = page.evaluate(
            """() => [...new Set([...document.querySelectorAll('watchbook-last')].flatMap(
                one => [...one.shadowRoot.querySelectorAll('*')].map(x => x.localName)))].sort()"""
        )
        assert set(names) <= {"a", "div", "li", "p", "span", "time", "ul"}


def _as_read(title: str) -> str:
    """A title as a script reads it from JSON."""
    read: str = json.loads(json.dumps(title))
    return read


@pytest.mark.parametrize("address", ADDRESSES)
def test_hostile_addresses_lead_nowhere(browser: Browser, two: Places, address: str) -> None:
    """Only the web is linked to, and only pictures of the web are loaded."""
    two.watchbook.tells(LAST, episode(two.watchbook, url=address, poster=address, tiny=address))
    with visiting(browser, two.watchbook, two.site) as page:
        page.goto(two.page(element()))
        in_state(page, "loaded")
        expect(page.locator("watchbook-last a")).to_have_count(0)
        expect(page.locator("watchbook-last img")).to_have_count(0)


@pytest.mark.parametrize("colour", COLOURS)
def test_hostile_colours_colour_nothing(browser: Browser, two: Places, colour: str) -> None:
    """What is no colour is left out; nothing is fetched for it."""
    told = episode(two.watchbook, poster=None, colour=colour, tiny=f'x"),url(//{MARK}.invalid')
    two.watchbook.tells(LAST, told)
    with visiting(browser, two.watchbook, two.site) as page:
        page.goto(two.page(element()))
        in_state(page, "loaded")
        assert MARK not in page.locator("watchbook-last .poster").evaluate("one => one.outerHTML")


@pytest.mark.parametrize(
    "odd",
    [
        {"title": {"a": 1}, "subtitle": ["x"], "url": 7, "poster": {}, "tiny": 5, "colour": []},
        {"title": None, "subtitle": None, "season": "2", "episode": {}},
        {"now": "yes"},
        {"now": {"title": "Andor", "progress": "much", "expires_at": "never"}},
        {"as_of": 1e300, "stale": True, "watched_at": -1},
        {"items": 5},
    ],
    ids=str,
)
def test_odd_values_break_nothing(browser: Browser, two: Places, odd: dict[str, Any]) -> None:
    """Values of other kinds than promised end in some state, without an error."""
    two.watchbook.tells(LAST, episode(two.watchbook, **odd))
    with visiting(browser, two.watchbook, two.site, excused="status of 404") as page:
        page.goto(two.page(element()))
        page.wait_for_function(
            "() => !document.querySelector('watchbook-last').matches(':state(loading)')"
        )


@pytest.mark.parametrize("layout", ["line", "card", "wall"])
def test_in_a_page_with_a_strict_policy(browser: Browser, two: Places, layout: str) -> None:
    """A page that names the Watchbook for scripts, data and pictures, and allows nothing else."""
    there = two.watchbook.url
    policy = (
        f"default-src 'none'; script-src {there}; connect-src {there}; img-src {there} data:; "
        "style-src 'none'; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'"
    )
    with visiting(browser, two.watchbook, two.site) as page:
        address = two.page(element(layout=layout), Content_Security_Policy=policy)
        page.goto(address)
        in_state(page, "loaded")
        box = page.locator("watchbook-last .poster").first
        assert box.evaluate("one => getComputedStyle(one).position") == "relative"
        expect(page.locator("watchbook-last img").first).to_have_js_property("naturalWidth", 342)


def test_other_styles_do_not_reach_in_but_parts_do(browser: Browser, two: Places) -> None:
    """A page's own rules leave it alone, unless they name a part or a variable."""
    style = """<style>
        * { color: lime !important } .title { font-size: 99px } p { display: none }
        watchbook-last { --watchbook-poster-width: 200px }
        watchbook-last::part(title) { font-style: italic }
    </style>"""
    with visiting(browser, two.watchbook, two.site) as page:
        page.goto(two.page(element(), head=style))
        in_state(page, "loaded")
        title = page.locator("watchbook-last .title")
        assert title.evaluate("one => getComputedStyle(one).fontSize") == "19px"
        assert title.evaluate("one => getComputedStyle(one).fontStyle") == "italic"
        box = page.locator("watchbook-last .poster").bounding_box()
        assert box is not None
        assert box["width"] == 200


def test_many_on_one_page(browser: Browser, two: Places) -> None:
    """All layouts together on one page, and axe finds nothing wrong."""
    two.watchbook.tells("/wall", wall(two.watchbook))
    elements = [element(layout=layout) for layout in ("line", "card", "card")]
    with visiting(browser, two.watchbook, two.site) as page:
        page.goto(two.page(*elements, element(layout="wall", src="/wall")))
        page.wait_for_function(
            "() => [...document.querySelectorAll('watchbook-last')]"
            ".every(one => one.matches(':state(loaded)'))"
        )
        assert violations(page) == []


def test_what_the_page_brings_stands_until_the_answer(browser: Browser, two: Places) -> None:
    """Content inside the element is shown without a script, and while it loads."""
    with visiting(browser, two.watchbook, two.site, java_script_enabled=False) as page:
        page.goto(two.page("<watchbook-last><p>Severance, by hand</p></watchbook-last>"))
        expect(page.get_by_text("Severance, by hand")).to_be_visible()
    with visiting(browser, two.watchbook, two.site) as page:
        page.goto(two.page("<watchbook-last><p>Severance, by hand</p></watchbook-last>"))
        in_state(page, "loaded")
        expect(page.get_by_text("Severance, by hand")).not_to_be_visible()


@pytest.mark.parametrize("how", ["import", "require"])
def test_a_server_that_renders_pages_may_load_it(tmp_path: Path, how: str) -> None:
    """Under Node, where there are no elements, loading it does nothing and is no error."""
    node = shutil.which("node")
    assert node is not None, "There is no node: `make setup-dev` installs it."
    copy = tmp_path / ("widget.mjs" if how == "import" else "widget.cjs")
    copy.write_bytes(SCRIPT.read_bytes())
    (tmp_path / "run.mjs").write_text(
        f"import {json.dumps('./' + copy.name)}; console.log('fine');", "utf-8"
    )
    told = subprocess.run(
        [node, "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (told.stdout.strip(), told.stderr) == ("fine", "")
