"""Two origins on loopback: one has the script and the data, the other has the page around them."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, Request

from tests.browser import DESK, PATIENCE, Troubles

SCRIPT = files("watchbook.web") / "static" / "widget.js"
EVERYBODY = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
HTML = "text/html; charset=utf-8"
JSON = "application/json"
JAVASCRIPT = "text/javascript; charset=utf-8"


@dataclass(frozen=True)
class Said:
    """What a server says at one path."""

    body: str | bytes
    media_type: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    held: threading.Event | None = None
    """It is said only when this is set."""


class Origin:
    """A server on loopback that says what the test wants, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.says: dict[str, Said] = {}
        self._is_away = False
        self.asked: Counter[str] = Counter()
        self.unchanged: Counter[str] = Counter()
        """Answers without a body, to those who had it already."""
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if origin._is_away:
                    self.close_connection = True
                    return
                path = urlsplit(self.path).path
                origin.asked[self.path] += 1
                said = origin.says.get(path) or Said("Not found", status=404)
                if said.held is not None:
                    said.held.wait(PATIENCE / 1000)
                # A page that was closed does not wait for its answer.
                with suppress(ConnectionError):
                    self._say(said)

            def _say(self, said: Said) -> None:
                body = said.body.encode() if isinstance(said.body, str) else said.body
                etag = said.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    origin.unchanged[self.path] += 1
                    body, said = b"", replace(said, status=304)
                self.send_response(said.status)
                self.send_header("Content-Type", said.media_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[Origin]:
        """Answer until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            for said in self.says.values():
                if said.held is not None:
                    said.held.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def tells(self, path: str, told: Any, **others: Any) -> None:
        """Say ``told`` as JSON at ``path``, to pages of any origin."""
        self.says[path] = Said(json.dumps(told), JSON, headers=EVERYBODY, **others)

    def leave(self) -> None:
        """Answer no more: every connection ends without a word."""
        self._is_away = True

    def total(self, path: str) -> int:
        """How often ``path`` was asked for, whatever the query."""
        return sum(times for asked, times in self.asked.items() if urlsplit(asked).path == path)


class Watched(Troubles):
    """Troubles of a page that may talk to those origins."""

    def __init__(self, *origins: str, excused: str = "") -> None:
        super().__init__()
        self._origins = (*origins, "data:")
        self._excused = excused

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._origins):
            super()._request(request)

    def _console(self, kind: str, text: str) -> None:
        if not (self._excused and self._excused in text):
            super()._console(kind, text)


@contextmanager
def visiting(
    browser: Browser, *origins: Origin | str, excused: str = "", **options: Any
) -> Iterator[Page]:
    """An empty page that may talk to ``origins`` and must do nothing forbidden.

    ``excused`` is a piece of what the browser writes to its console when that is expected.
    """
    context = browser.new_context(**{"viewport": DESK, "timezone_id": "UTC", **options})
    context.set_default_timeout(PATIENCE)
    urls = [one.url if isinstance(one, Origin) else one for one in origins]
    troubles = Watched(*urls, excused=excused)
    page = context.new_page()
    troubles.watch(page)
    yield page
    context.close()
    assert troubles.seen == [], troubles.seen


LAST = "/api/trakt/last"
WALL = "/api/v1/accounts/alex/last"
WATCHED_AT = "2026-11-20T20:15:00.000Z"
NOW = "2026-11-21T09:00:00Z"
"""What the clock of a browser shows in tests: the morning after."""


@dataclass
class Places:
    """A Watchbook's origin, and that of somebody's own page."""

    watchbook: Origin
    site: Origin

    def page(self, *elements: str, head: str = "", lang: str = "en", **headers: str) -> str:
        """Somebody's page with those elements in it; its address."""
        body = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Somebody's page</title>{head}</head><body><main><h1>Hello</h1>"
            f'{"".join(elements)}</main><script src="{self.watchbook.url}/widget.js"></script>'
            "</body></html>"
        )
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.site.says["/"] = Said(body, headers=told)
        return self.site.url + "/"


@contextmanager
def places() -> Iterator[Places]:
    """Both origins; the Watchbook tells of an episode, and has its poster."""
    with Origin().serving() as watchbook, Origin().serving() as site:
        script = SCRIPT.read_text("utf-8")
        watchbook.says["/widget.js"] = Said(script, JAVASCRIPT, headers=EVERYBODY)
        watchbook.says["/images/p"] = Said(POSTER, "image/png", headers=EVERYBODY)
        watchbook.tells(LAST, episode(watchbook))
        watchbook.tells(WALL, wall(watchbook))
        site.says["/favicon.ico"] = Said("", "image/x-icon")
        yield Places(watchbook, site)


def _png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "PNG")
    return out.getvalue()


POSTER = _png(342, 513)
TINY = "data:image/png;base64," + base64.b64encode(_png(6, 9)).decode()


def episode(watchbook: Origin, **others: Any) -> dict[str, Any]:
    """An episode as `/api/trakt/last` tells it."""
    return {
        "ok": True,
        "type": "episode",
        "title": "Severance",
        "subtitle": "S2 E7 · Chikhai Bardo",
        "year": 2022,
        "season": 2,
        "episode": 7,
        "watched_at": WATCHED_AT,
        "url": "https://trakt.tv/shows/severance/seasons/2/episodes/7",
        "poster": f"{watchbook.url}/images/p",
        "as_of": "2026-11-21T08:55:00.000Z",
        "stale": False,
        "reason": None,
        "account": "alex",
        "rating": None,
        "colour": "#1d4f6e",
        "tiny": TINY,
        "poster_sizes": [],
        "alt": "Poster of Severance",
        "now": None,
        "attribution": "Titles by Trakt; pictures by TMDB and Trakt.",
        **others,
    }


def film(watchbook: Origin, **others: Any) -> dict[str, Any]:
    """A film as `/api/trakt/last` tells it."""
    told = {"type": "movie", "title": "Perfect Days", "subtitle": "2023", "year": 2023}
    place = {"season": None, "episode": None, "url": "https://trakt.tv/movies/perfect-days-2023"}
    return episode(watchbook, **{**told, **place, **others})


def going_on(watchbook: Origin, **others: Any) -> dict[str, Any]:
    """What is being watched right now, as `/api/trakt/last` tells it."""
    return {
        "type": "episode",
        "title": "Severance",
        "subtitle": "S2 E8 · Sweet Vitriol",
        "year": 2022,
        "season": 2,
        "episode": 8,
        "url": "https://trakt.tv/shows/severance/seasons/2/episodes/8",
        "started_at": "2026-11-21T08:40:00.000Z",
        "expires_at": "2026-11-21T09:20:00.000Z",
        "progress": 0.5,
        "poster": f"{watchbook.url}/images/p",
        "colour": "#1d4f6e",
        "tiny": TINY,
        "poster_sizes": [],
        "alt": "Poster of Severance",
        **others,
    }


def wall(watchbook: Origin, plays: int = 8) -> dict[str, Any]:
    """The last plays as the API tells them: films and episodes, some without a poster."""
    items = []
    for number in range(plays):
        made = (film if number % 2 else episode)(watchbook)
        items.append({**made, "title": f"{made['title']} {number}"})
    items[0] |= {"poster": None, "tiny": None, "colour": "#7a1f2b"}
    return {"ok": True, "items": items, "as_of": None, "stale": False, "reason": None}


AWAY = {"reason": "The database does not answer at the moment.", "as_of": None, "stale": True}
"""What a Watchbook says that can read nothing, beside ``ok`` and, for a wall, ``items``."""
NOTHING = {
    "ok": False,
    "reason": "Nothing watched yet that could be shown.",
    "as_of": None,
    "stale": False,
    "account": "alex",
    "now": None,
    "attribution": "Titles by Trakt; pictures by TMDB and Trakt.",
}
NOT_PUBLIC = {"ok": False, "reason": "not public"}


def element(**attributes: str) -> str:
    """The component in a page."""
    told = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<watchbook-last{told}></watchbook-last>"


def in_state(page: Page, state: str) -> None:
    """Wait until the first component on ``page`` is in that state."""
    page.wait_for_function(
        "state => document.querySelector('watchbook-last')?.matches(`:state(${state})`)", arg=state
    )


def asked_again(page: Page, origin: Origin, path: str = LAST) -> None:
    """Let time pass until the component asks again, and wait for the answer."""
    page.evaluate(
        """() => { window.answers = 0; for (const name of ['loaded', 'failed'])
            addEventListener(`watchbook:${name}`, () => { window.answers += 1 }); }"""
    )
    until_asked(page, origin, path)
    page.wait_for_function("() => window.answers > 0")


def until_asked(page: Page, origin: Origin, path: str = LAST) -> None:
    """Let time pass until ``origin`` is asked again.

    Time goes by in steps shorter than the patience with an answer, which takes time of another
    kind.
    """
    before = origin.total(path)
    while origin.total(path) == before:
        page.clock.run_for(5_000)
        page.evaluate("fetch('/favicon.ico')")


def label(page: Page) -> str | None:
    """The accessible name of the first component's content."""
    return page.locator("watchbook-last [role=group]").first.get_attribute("aria-label")
