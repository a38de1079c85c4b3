"""`/widget.js`, `/embed/last` and `/oembed`, from the real server."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import etree, html  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from tests.browser import PHONE, browser, violations
from tests.conftest import TEST_KEY
from tests.hostile import MARK, STORABLE
from tests.web.elsewhere import Origin, Said, element, in_state, label, visiting
from tests.web.showroom import Owner, served
from watchbook.clock import now
from watchbook.render import embed
from watchbook.render.attribution import SHORT, TMDB
from watchbook.render.embed import LAYOUTS, Room, Wish
from watchbook.render.entries import Home
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.showing import Shown
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.pictures import Kind, Picture, PictureFile
from watchbook.store.watched import WatchedPlay

__all__ = ["browser"]

BASE = "https://watch.example"
YESTERDAY = timedelta(hours=30)


@pytest.fixture
def owner(store: Store) -> Owner:
    """Somebody who has watched an episode yesterday and shows it to everybody."""
    return watched(store)


def watched(store: Store) -> Owner:
    """The same, in a store of one's own."""
    owner = Owner(store)
    owner.watch(1, now() - timedelta(days=3))
    owner.watch(2, now() - YESTERDAY, episode=True)
    owner.share(Part.LAST)
    owner.grant()
    owner.ran()
    return owner


@contextmanager
def sqlite_store(folder: Path) -> Iterator[Store]:
    """A store on SQLite, for tests whose point is the browser."""
    database = Database(f"sqlite:///{folder / 'home' / 'watchbook.db'}")
    try:
        migrate(database)
        yield Store(database, Sealer([TEST_KEY]), folder / "home")
    finally:
        database.close()


def about(url: str, **others: str) -> str:
    """The question to oEmbed about ``url``."""
    return "/oembed?" + urlencode({"url": url, **others})


def test_the_script_is_for_every_page(owner: Owner) -> None:
    """Any origin may load it, it is kept for a day, and asked for again it costs nothing."""
    with served(owner.store) as stranger:
        told = stranger.ask("/widget.js")
        assert told.status == 200
        assert told.headers["content-type"].startswith("text/javascript")
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "max-age=86400" in told.headers["cache-control"]
        assert "stale-while-revalidate=" in told.headers["cache-control"]
        assert len(gzip.compress(told.body, 6)) <= 8_000
        assert stranger.ask("/widget.js", If_None_Match=told.headers["etag"]).status == 304


def test_the_page_says_it_without_a_script(owner: Owner) -> None:
    """What was watched stands in the page itself, with a link and the day."""
    with served(owner.store, BASE) as stranger:
        told = stranger.ask("/embed/last")
    page = html.document_fromstring(told.body.decode())
    inside = page.find(".//watchbook-last")
    assert inside.get("account") == "sandra"
    assert inside.get("layout") == "card"
    words = " ".join(inside.text_content().split())
    assert words.startswith("SeveranceS2 E7 · Chikhai Bardo")
    link = "https://app.trakt.tv/shows/severance/seasons/2/episodes/7"
    assert inside.find(".//a").get("href") == link
    assert inside.find(".//time").get("datetime").endswith("Z")
    graph = {one.get("property"): one.get("content") for one in page.iter("meta")}
    assert graph["og:title"] == "Last watched by sandra"
    assert graph["og:description"] == "Severance S2 E7 · Chikhai Bardo"
    assert graph["og:image"] == f"{BASE}/card/last.png?account=sandra"


@pytest.mark.parametrize("layout", ["card", "line", "wall"])
def test_the_page_says_whose_pictures_it_shows(owner: Owner, layout: str) -> None:
    """Also where scripts are off; a wall has room for all that TMDB asks for."""
    owner.share(Part.HISTORY)
    with served(owner.store, BASE) as stranger:
        page = stranger.ask(f"/embed/last?layout={layout}").body.decode()
    assert SHORT in page
    assert (TMDB.notice in page) == (layout == "wall")


def test_everybody_may_frame_it_and_nothing_else_runs(owner: Owner) -> None:
    """Its policy lets every page show it, and only its own script and style run."""
    with served(owner.store, BASE) as stranger:
        told = stranger.ask("/embed/last")
        policy = told.headers["content-security-policy"]
        assert "frame-ancestors *" in policy
        assert f"script-src 'self' {BASE};" in policy
        assert "unsafe" not in policy
        assert "x-frame-options" not in told.headers
        assert stranger.ask("/embed/last", If_None_Match=told.headers["etag"]).status == 304


@pytest.mark.parametrize("path", ["/embed/last", "/embed/last?account=nobody"])
def test_not_public_looks_empty(store: Store, path: str) -> None:
    """What is not public is a 404 that looks as if there were nothing, in any frame."""
    owner = watched(store)
    if "account" not in path:
        owner.share(Part.LAST, on=False)
    with served(store) as stranger:
        told = stranger.ask(path)
        assert told.status == 404
        assert told.headers["content-type"].startswith("text/html")
        assert b"Nothing to show yet." in told.body
        assert b"Severance" not in told.body
        assert b"sandra" not in told.body
        assert "frame-ancestors *" in told.headers["content-security-policy"]


@pytest.mark.parametrize(
    "query",
    ["layout=nonsense", "theme=%22%3E%3Cscript%3E", "locale=%22%20onload%3Dx", "x=1", "layout="],
)
def test_odd_wishes_are_as_if_not_said(owner: Owner, query: str) -> None:
    """A frame is never broken, nor written into, by what stands in its address."""
    with served(owner.store) as stranger:
        assert stranger.ask(f"/embed/last?{query}").body == stranger.ask("/embed/last").body


def test_wishes_reach_the_component(owner: Owner) -> None:
    """Layout, theme and locale of the address are those of the component."""
    with served(owner.store) as stranger:
        page = stranger.ask("/embed/last?layout=line&theme=dark&locale=pt-BR").body.decode()
    inside = html.document_fromstring(page).find(".//watchbook-last")
    assert (inside.get("layout"), inside.get("theme"), inside.get("locale")) == (
        "line",
        "dark",
        "pt-BR",
    )


def test_a_wall_needs_the_history(owner: Owner) -> None:
    """Who shows the last play only is not shown with more; with the history there is a wall."""
    with served(owner.store) as stranger:
        told = stranger.ask("/embed/last?layout=wall")
        assert told.headers["x-robots-tag"] == "noindex"
        page = told.body.decode()
        assert 'layout="card"' in page
        assert "Aftersun" not in page
        owner.share(Part.LAST, Part.HISTORY)
        stranger.look()
        page = stranger.ask("/embed/last?layout=wall").body.decode()
        assert 'layout="wall"' in page
        assert "Aftersun" in page


def test_a_delay_counts_here_too(owner: Owner) -> None:
    """What is younger than the delay is in no frame and in no card."""
    owner.share(Part.LAST, after="2d")
    with served(owner.store, BASE) as stranger:
        assert b"Severance" not in stranger.ask("/embed/last").body
        assert b"Severance" not in stranger.ask(about(f"{BASE}/embed/last")).body
        assert b"Aftersun" in stranger.ask("/embed/last").body


def test_nothing_watched_yet(store: Store) -> None:
    """An account without plays has a page that says so."""
    owner = Owner(store)
    owner.share(Part.LAST)
    with served(store, BASE) as stranger:
        assert b"Nothing to show yet." in stranger.ask("/embed/last").body
        told = stranger.ask(about(f"{BASE}/embed/last")).json
        assert told["title"] == "Last watched by sandra"


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}/@sandra",
        f"{BASE}/@sandra/",
        f"{BASE}/embed/last",
        f"{BASE}/embed/last?account=sandra&theme=dark",
    ],
)
def test_oembed_of_our_pages(owner: Owner, url: str) -> None:
    """Each of our pages has a card: rich, with a frame of a stated size that is public."""
    with served(owner.store, BASE) as stranger:
        told = stranger.ask(about(url))
        assert told.status == 200
        assert told.headers["content-type"] == "application/json"
        assert told.headers["access-control-allow-origin"] == "*"
        card = told.json
        assert (card["version"], card["type"]) == ("1.0", "rich")
        assert card["provider_name"] == "Watchbook"
        assert card["provider_url"] == BASE
        assert card["title"] == "Last watched by sandra: Severance S2 E7 · Chikhai Bardo"
        assert card["author_url"] == f"{BASE}/@sandra"
        assert card["cache_age"] == 300
        frame = html.fragment_fromstring(card["html"])
        assert frame.tag == "iframe"
        assert (frame.get("width"), frame.get("height")) == ("416", "206")
        assert frame.get("title") == "Last watched by sandra"
        source = urlsplit(frame.get("src"))
        assert f"{source.scheme}://{source.netloc}" == BASE
        assert stranger.ask(f"{source.path}?{source.query}").status == 200
        if "theme" in url:
            assert parse_qs(source.query)["theme"] == ["dark"]


def test_oembed_as_xml(owner: Owner) -> None:
    """XML says the same as JSON."""
    with served(owner.store, BASE) as stranger:
        url = f"{BASE}/@sandra"
        told = stranger.ask(about(url, format="xml"))
        same = stranger.ask(about(url, format="json")).json
    assert told.headers["content-type"].startswith("text/xml")
    root = etree.fromstring(told.body)
    assert root.tag == "oembed"
    assert {one.tag: one.text for one in root} == {k: str(v) for k, v in same.items()}


@pytest.mark.parametrize(
    ("room", "size"),
    [
        ({"maxwidth": "300"}, (300, 206)),
        ({"maxwidth": "5000", "maxheight": "100"}, (416, 100)),
        ({"maxwidth": "0"}, (416, 206)),
        ({"maxwidth": "-5", "maxheight": "x"}, (416, 206)),
    ],
)
def test_oembed_fits_into_the_room(
    owner: Owner, room: dict[str, str], size: tuple[int, int]
) -> None:
    """The frame is never larger than the other page has room for."""
    with served(owner.store, BASE) as stranger:
        card = stranger.ask(about(f"{BASE}/@sandra", **room)).json
    assert (card["width"], card["height"]) == size
    frame = html.fragment_fromstring(card["html"])
    assert (frame.get("width"), frame.get("height")) == tuple(map(str, size))


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (about(f"{BASE}/@sandra", format="yaml"), 501),
        ("/oembed", 404),
        (about(""), 404),
        (about("https://elsewhere.example/@sandra"), 404),
        (about("https://watch.example.evil.example/@sandra"), 404),
        (about(f"{BASE}/@nobody"), 404),
        (about(f"{BASE}/history"), 404),
        (about(f"{BASE}/@sandra/11"), 404),
        (about(f"{BASE}/@"), 404),
        (about("http://[bad"), 404),
        (about(f"{BASE}//[x"), 404),
        (about(f"{BASE}/embed/last?account=nobody"), 404),
    ],
)
def test_oembed_refuses(owner: Owner, question: str, status: int) -> None:
    """Other addresses, other people and other formats are refused as the specification says."""
    with served(owner.store, BASE) as stranger:
        told = stranger.ask(question)
    assert told.status == status
    assert told.json["ok"] is False


def test_oembed_of_what_is_not_public(owner: Owner) -> None:
    """Of an account that does not show it, nothing is told."""
    owner.share(Part.LAST, on=False)
    with served(owner.store, BASE) as stranger:
        told = stranger.ask(about(f"{BASE}/@sandra"))
    assert (told.status, told.json) == (404, {"ok": False, "reason": "not public"})


def test_discovery(owner: Owner) -> None:
    """The page names both forms of its card, and the addresses work."""
    with served(owner.store, BASE) as stranger:
        page = html.document_fromstring(stranger.ask("/embed/last").body.decode())
        links = {
            one.get("type"): one.get("href")
            for one in page.iter("link")
            if one.get("rel") == "alternate"
        }
        assert set(links) == {"application/json+oembed", "text/xml+oembed"}
        for media_type, address in links.items():
            told = stranger.ask(address.removeprefix(BASE))
            assert told.status == 200
            assert told.headers["content-type"].startswith(media_type.split("+")[0])


class Reader(HTMLParser):
    """Reads a page as a browser would, and remembers elements and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write an element down."""
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def shape(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page and the names of their attributes, in order."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.seen


def shown(title: str, *, poster: bool = True) -> Shown:
    """A film called ``title``."""
    fields = dict.fromkeys(WatchedPlay._fields)
    told: dict[str, Any] = {
        **fields,
        "history_id": 1,
        "type": "movie",
        "title_key": "movie:1",
        "watched_at": 1_700_000_000_000,
        "title": title,
        "year": 2022,
        "slug": "x",
        "trakt": 1,
    }
    file = PictureFile("abc", "image/jpeg", 342, 513)
    picture = Picture("movie:1", Kind.POSTER, "#112233", "data:image/png;base64,AA==", (file,))
    return Shown(WatchedPlay(**told), picture if poster else None, None)


def test_hostile_titles_change_no_element() -> None:
    """Four hundred titles: page, card and XML keep their shape, and hold no mark as markup."""
    for title in filter(str.strip, STORABLE):
        for name in ("sandra", title):
            home = Home(BASE, name, None)
            page = embed.page(home, [shown(title)], Wish())
            assert shape(page) == shape(embed.page(Home(BASE, "x", None), [shown("x")], Wish()))
            told = embed.oembed(home, shown(title), Wish(), Room())
            assert shape(told["html"]) == [
                ("iframe", ("src", "width", "height", "title", "loading", "style"))
            ]
            root = etree.fromstring(embed.as_xml(told).encode())
            assert [one.tag for one in root] == list(told)
            assert MARK not in " ".join(tag for tag, _ in shape(page))
            assert json.loads(json.dumps(told)) == told


def test_a_card_has_the_poster_as_thumbnail() -> None:
    """With a poster there is a thumbnail, with its size; without one there is none of the three."""
    home = Home(BASE, "sandra", None)
    told = embed.oembed(home, shown("Heat"), Wish(), Room())
    assert told["thumbnail_url"] == f"{BASE}/images/abc"
    assert (told["thumbnail_width"], told["thumbnail_height"]) == (342, 513)
    bare = embed.oembed(home, shown("Heat", poster=False), Wish(), Room())
    assert {name for name in bare if name.startswith("thumbnail")} == set()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_in_a_frame_on_another_site(
    browser: Browser, tmp_path: Path, layout: str, size: Any
) -> None:
    """In a frame on a page of another origin the component takes over, and axe is content."""
    with sqlite_store(tmp_path) as store, Origin().serving() as site:
        watched(store).share(Part.LAST, Part.HISTORY)
        with (
            served(store, None) as stranger,
            visiting(browser, stranger.address, site, viewport=size) as page,
        ):
            room = LAYOUTS[layout]
            address = f"{stranger.address}/embed/last?layout={layout}"
            site.says["/"] = Said(
                '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>'
                f'<iframe src="{address}" title="Last watched" width="{room.width}" '
                f'height="{room.height}" style="max-width:100%;border:0"></iframe></main>'
            )
            site.says["/favicon.ico"] = Said("", "image/x-icon")
            page.goto(site.url)
            frame = page.frame_locator("iframe")
            title = frame.locator("watchbook-last .title").first
            expect(title).to_have_text("Severance")
            expect(title).to_be_visible()
            page.goto(address)
            in_state(page, "loaded")
            assert violations(page) == []
            height = page.evaluate("document.documentElement.scrollHeight")
            assert layout == "wall" or height <= max(room.height, size["height"])


@pytest.mark.parametrize("width", [280, 320, 416])
def test_a_card_fills_its_frame_however_narrow(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """Its words wrap on a small phone; nothing of them is cut off, and no gap is left when wide."""
    room = LAYOUTS["card"]
    size: Any = {"width": width, "height": room.height}
    with sqlite_store(tmp_path) as store:
        watched(store)
        with (
            served(store, None) as stranger,
            visiting(browser, stranger.address, viewport=size) as page,
        ):
            page.goto(f"{stranger.address}/embed/last")
            in_state(page, "loaded")
            assert page.evaluate("document.documentElement.scrollHeight") == room.height
            card = page.locator("watchbook-last .card").bounding_box()
            assert card is not None
            assert card["height"] == room.height


def test_without_a_script_it_reads_well(browser: Browser, tmp_path: Path) -> None:
    """With scripts switched off the page shows the same, and so does a page that is not public."""
    with sqlite_store(tmp_path) as store:
        owner = watched(store)
        with (
            served(store, None) as stranger,
            visiting(browser, stranger.address, excused="404", java_script_enabled=False) as page,
        ):
            page.goto(stranger.address + "/embed/last")
            expect(page.get_by_role("link", name="Severance")).to_be_visible()
            owner.share(Part.LAST, on=False)
            stranger.look()
            page.goto(stranger.address + "/embed/last?theme=dark")
            expect(page.get_by_text("Nothing to show yet.")).to_be_visible()


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("card", "Last watched: Severance, season 2 episode 7, Chikhai Bardo,"),
        ("line", "Last watched: Severance, season 2 episode 7, Chikhai Bardo,"),
        ("wall", "Recently watched"),
    ],
)
def test_the_component_reads_what_the_server_says(
    browser: Browser, tmp_path: Path, layout: str, name: str
) -> None:
    """On a page elsewhere, with nothing but the script's address: the real data arrives."""
    with sqlite_store(tmp_path) as store, Origin().serving() as site:
        watched(store).share(Part.LAST, Part.HISTORY)
        with served(store, None) as stranger, visiting(browser, stranger.address, site) as page:
            site.says["/"] = Said(
                '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>'
                f'{element(layout=layout)}</main><script src="{stranger.address}/widget.js">'
                "</script>"
            )
            site.says["/favicon.ico"] = Said("", "image/x-icon")
            page.goto(site.url)
            in_state(page, "loaded")
            assert (label(page) or "").startswith(name)
            both = ["Severance", "Aftersun"]
            titles = page.locator("watchbook-last .title").all_text_contents()
            assert titles == (both if layout == "wall" else both[:1])


def test_the_component_shows_its_empty_state_for_what_is_not_public(
    browser: Browser, tmp_path: Path
) -> None:
    """The real 404 is an empty component, in every layout."""
    with sqlite_store(tmp_path) as store, Origin().serving() as site:
        watched(store).share(Part.LAST, on=False)
        with (
            served(store, None) as stranger,
            visiting(browser, stranger.address, site, excused="404") as page,
        ):
            for layout in LAYOUTS:
                script = f'<script src="{stranger.address}/widget.js"></script>'
                site.says["/"] = Said(element(layout=layout, account="sandra") + script)
                site.says["/favicon.ico"] = Said("", "image/x-icon")
                page.goto(site.url)
                in_state(page, "empty")
