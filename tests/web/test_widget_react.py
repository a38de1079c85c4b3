"""The React component, and the element inside React and Vue, built as their users build them.

All of them stand in pages of another origin.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, browser, violations
from tests.web.elsewhere import (
    AWAY,
    HTML,
    JAVASCRIPT,
    LAST,
    NOT_PUBLIC,
    NOTHING,
    NOW,
    WALL,
    Places,
    Said,
    episode,
    film,
    going_on,
    in_state,
    label,
    places,
    until_asked,
    visiting,
)
from watchbook.render.attribution import TMDB

__all__ = ["browser"]

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "integrations" / "react"
MADE = ("node_modules", "dist", "example/dist")
TYPES = {".html": HTML, ".js": JAVASCRIPT, ".css": "text/css; charset=utf-8"}


@pytest.fixture(scope="module")
def example() -> Path:
    """The folder of a built page with the built component in it.

    What it was built from stands in a stamp, so nothing is built, and nothing is fetched, twice.
    """
    stamp = ROOT / ".make" / "react"
    stamp.parent.mkdir(exist_ok=True)
    with stamp.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run tests
        wanted = _digest()
        built = all((PACKAGE / name).is_dir() for name in MADE)
        if not (built and stamp.is_file() and stamp.read_text("utf-8") == wanted):
            shutil.rmtree(PACKAGE / "dist", ignore_errors=True)
            for arguments in (["ci"], ["run", "build"], ["run", "example"]):
                _npm(*arguments)
            stamp.write_text(wanted, "utf-8")
    return PACKAGE / "example" / "dist"


def _sources() -> list[Path]:
    inside = (path for path in PACKAGE.rglob("*") if path.is_file())
    made = tuple(PACKAGE / name for name in MADE)
    return sorted(path for path in inside if not any(path.is_relative_to(one) for one in made))


def _digest() -> str:
    texts = (path.read_bytes() for path in _sources())
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _npm(*arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("There is no npm: `make setup-dev` installs it or says what to do.")
    told = subprocess.run(
        [npm, *arguments], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture
def two(example: Path) -> Iterator[Places]:
    """A Watchbook, and the built page elsewhere."""
    with places() as both:
        for path in example.rglob("*.*"):
            said = Said(path.read_bytes(), TYPES[path.suffix])
            both.site.says["/" + path.relative_to(example).as_posix()] = said
        both.site.says["/"] = both.site.says["/index.html"]
        yield both


def open_page(page: Page, both: Places, query: str = "", state: str = "loaded") -> None:
    """Open the page, the morning after."""
    page.clock.install(time=NOW)
    page.goto(f"{both.site.url}/?home={both.watchbook.url}&{query}")
    expect(page.locator(".watchbook")).to_have_attribute("data-state", state)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("layout", ["line", "card", "wall"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_layout(
    browser: Browser, two: Places, layout: str, scheme: str, size: dict[str, int]
) -> None:
    """React draws what the element draws: title, place, time and poster; axe is content."""
    with visiting(browser, two.watchbook, two.site, viewport=size, color_scheme=scheme) as page:
        open_page(page, two, f"layout={layout}&account=alex")
        expect(page.locator(".watchbook img").first).to_have_js_property("naturalWidth", 342)
        if layout == "wall":
            expect(page.get_by_role("group", name="Recently watched")).to_be_visible()
            expect(page.locator(".watchbook li")).to_have_count(8)
        else:
            name = "Last watched: Severance, season 2 episode 7, Chikhai Bardo, yesterday"
            expect(page.get_by_role("group", name=name)).to_be_visible()
            expect(page.get_by_role("link", name="Severance")).to_be_visible()
        if folder := os.environ.get("WIDGET_SHOTS"):
            name = f"react-{layout}-{scheme}-{size['width']}.png"
            page.screenshot(path=f"{folder}/{name}", full_page=True)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


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
        open_page(page, two, "layout=line")
        credit = page.locator(".watchbook a.watchbook-note")
        expect(credit).to_have_text([told] if told else [])
        if told:
            title = credit.get_attribute("title")
            assert title == (TMDB.notice if told == "TMDB" else None)


def test_a_wall_has_room_for_the_notice(browser: Browser, two: Places) -> None:
    """In the words that TMDB asks for."""
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two, "layout=wall&account=alex")
        expect(page.get_by_text(TMDB.notice)).to_be_visible()


@pytest.mark.parametrize(("told", "status"), [(NOTHING, 200), (NOT_PUBLIC, 404)])
def test_nothing_to_show(
    browser: Browser, two: Places, told: dict[str, object], status: int
) -> None:
    """No plays, and a part that is not public, are the empty state."""
    two.watchbook.tells(LAST, told, status=status)
    with visiting(browser, two.watchbook, two.site, excused="404") as page:
        open_page(page, two, state="empty")
        expect(page.get_by_text("Nothing to show yet.")).to_be_visible()
        ground = page.locator(".watchbook-poster").evaluate(
            "one => getComputedStyle(one).backgroundColor"
        )
        assert ground.endswith("/ 0.13)"), "the poster's place is a slab"
        assert "srgb 1 1 1" not in ground, "white on white"
        assert violations(page) == []


@pytest.mark.parametrize(("told", "status"), [({}, 500), ({"ok": False, **AWAY}, 200)])
def test_failed_first_and_later(
    browser: Browser, two: Places, told: dict[str, object], status: int
) -> None:
    """A failure has a button to try again; a later one keeps what was there, with its age.

    A server whose database is away, and which knows nothing, is one.
    """
    two.watchbook.tells(LAST, told, status=status)
    with visiting(browser, two.watchbook, two.site, excused="500") as page:
        open_page(page, two, state="failed")
        assert violations(page) == []
        two.watchbook.tells(LAST, film(two.watchbook))
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("link", name="Perfect Days")).to_be_visible()
        two.watchbook.tells(LAST, told, status=status)
        until_asked(page, two.watchbook)
        expect(page.locator(".watchbook")).to_contain_text("As of")
        expect(page.get_by_role("link", name="Perfect Days")).to_be_visible()


def test_it_asks_again(browser: Browser, two: Places) -> None:
    """Every five minutes what is new is shown, also what is being watched right now."""
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        two.watchbook.tells(LAST, episode(two.watchbook, now=going_on(two.watchbook)))
        until_asked(page, two.watchbook)
        name = "Watching now: Severance, season 2 episode 8, Sweet Vitriol"
        expect(page.get_by_role("group", name=name)).to_be_visible()


def test_hostile_titles_are_text(browser: Browser, two: Places) -> None:
    """Titles and addresses that would like to be more are shown, and do nothing."""
    bad = "<img src=x onerror=alert(1)>"
    told = episode(two.watchbook, title=bad, subtitle=bad, url="javascript:alert(1)")
    two.watchbook.tells(LAST, {**told, "poster": "javascript:alert(1)", "colour": "url(//x)"})
    with visiting(browser, two.watchbook, two.site) as page:
        open_page(page, two)
        expect(page.locator(".watchbook-title")).to_have_text(bad)
        expect(page.locator(".watchbook a, .watchbook img")).to_have_count(0)


def test_a_server_renders_it(example: Path, tmp_path: Path) -> None:
    """On a server it draws what it was given, without a browser's clock, and says "use client"."""
    built = (PACKAGE / "dist" / "index.js").read_text("utf-8")
    assert built.startswith('"use client";')
    script = """
        import { createElement } from "react";
        import { renderToString } from "react-dom/server";
        import { WatchbookLast } from "./dist/index.js";
        const initial = { ok: true, type: "movie", title: "Heat", subtitle: "1995", season: null,
            episode: null, url: null, poster: null, watched_at: "2026-11-20T23:30:00Z" };
        const props = { home: "https://watch.example", initial };
        console.log(JSON.stringify(renderToString(createElement(WatchbookLast, props))));
    """
    node = shutil.which("node")
    assert node is not None
    told = subprocess.run(
        [node, "--input-type=module", "-e", script],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    page = json.loads(told.stdout)
    assert "Last watched: Heat, 1995, November 20, 2026" in page


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("framework", ["element", "vue"])
def test_the_element_works_inside(
    browser: Browser, two: Places, framework: str, size: dict[str, int]
) -> None:
    """React 19 and Vue make it, hear of it, change what it is asked for, and take it away.

    Either may make the element before its script is there.
    """
    with visiting(browser, two.watchbook, two.site, viewport=size) as page:
        page.clock.install(time=NOW)
        page.goto(f"{two.site.url}/{framework}.html?home={two.watchbook.url}")
        in_state(page, "loaded")
        assert label(page) == (
            "Last watched: Severance, season 2 episode 7, Chikhai Bardo, yesterday"
        )
        expect(page.get_by_text("Answers: 1")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="As a wall").click()
        expect(page.locator("watchbook-last li")).to_have_count(8)
        assert two.watchbook.asked[f"{WALL}?limit=4"] == 1
        toggle = page.get_by_role("button", name="Hide or show")
        toggle.click()
        expect(page.locator("watchbook-last")).to_have_count(0)
        toggle.click()
        expect(page.locator("watchbook-last li")).to_have_count(8)
        assert violations(page) == []


def test_the_lock_names_no_registry() -> None:
    """The lock holds digests of everything, and no address."""
    lock = json.loads((PACKAGE / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert all("integrity" in one and "resolved" not in one for one in packages.values())
