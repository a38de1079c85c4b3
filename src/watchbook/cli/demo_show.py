"""The demo's third part: the last watch on a page of somebody else's, with a card and a feed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchbook.clock import counted

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from watchbook.cli.demo import Demo
    from watchbook.http import HttpClient

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Somebody's portfolio</title>
<link rel="stylesheet" href="/style.css">
<link rel="alternate" type="application/atom+xml" href="{book}/feeds/plays.atom">
<script type="module" src="{book}/widget.js"></script>
</head>
<body>
<main>
<h1>Somebody's portfolio</h1>
<p>This page lies at another address than Watchbook does, as yours would. All of it is live.</p>
<h2>A line</h2>
<watchbook-last layout="line"></watchbook-last>
<h2>A card</h2>
<watchbook-last layout="card"></watchbook-last>
<h2>Pictures, for places that take nothing else</h2>
<p><img src="{book}/card/last.svg" alt="The last watch, as a picture"></p>
<p><img src="{book}/card/heatmap.svg" alt="A year of watching, as a picture"></p>
<h2>A wall</h2>
<watchbook-last layout="wall"></watchbook-last>
<h2>And more</h2>
<p><a href="{book}/@{name}">The public page</a>,
<a href="{book}/feeds/plays.atom">a feed</a>,
<a href="{book}/api/docs">the API</a>.</p>
</main>
</body>
</html>
"""
_STYLE = """:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1rem; margin: 2rem 0 0.5rem; }
img { max-width: 100%; height: auto; }
"""
_LAST = "/api/trakt/last"
_SCRIPT = "/widget.js"
_PUBLIC = (_LAST, "/embed/last", "/card/last.svg", "/card/last.png", "/card/heatmap.svg")
_FEED = "/feeds/plays.json"


@contextmanager
def shown(demo: Demo, listener: socket.socket) -> Iterator[ShowingDemo]:
    """Serve the book at ``listener`` and somebody's page elsewhere while the block runs."""
    import msgspec

    from watchbook.jobs import health
    from watchbook.jobs.service import public
    from watchbook.values import Listen
    from watchbook.web.app import make_app
    from watchbook.web.server import WebServer, listening

    book, name = demo.context.settings.base_url, demo.context.account().name

    def standing() -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(health.look(demo.context.store.database))
        return told

    elsewhere = listening(Listen("127.0.0.1", 0))
    near = demo.context.settings.metrics_for
    with (
        public(demo.context.installation) as front,
        WebServer(make_app(standing, front=front, metrics_for=near), listener),
        WebServer(_portfolio(book, name), elsewhere) as page,
    ):
        yield ShowingDemo(demo, book, f"http://{page.address}/")


def _portfolio(book: str, name: str) -> Starlette:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def page(_request: Request) -> Response:
        return Response(_PAGE.format(book=book, name=name), media_type="text/html")

    def style(_request: Request) -> Response:
        return Response(_STYLE, media_type="text/css")

    return Starlette(routes=[Route("/", page), Route("/style.css", style)])


@dataclass
class ShowingDemo:
    """The steps; each looks at what a visitor gets."""

    demo: Demo
    book: str
    """Where Watchbook answers."""
    page: str
    """Where the page is that shows it."""
    http: HttpClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.demo.context.installation.http

    def run(self) -> None:
        """Do all steps."""
        self._share()
        self._fetch_pictures()
        self._look()

    def _share(self) -> None:
        """Nothing is public before it is switched on, then the chosen parts are at once."""
        from watchbook import sharing
        from watchbook.sharing import Part

        hidden = [path for path in (*_PUBLIC, _FEED) if self._status(path) == 404]
        self.demo.expect(len(hidden) == len(_PUBLIC) + 1, f"only {hidden} were hidden at first")
        parts = [part for part in Part if part not in {Part.NOW, Part.SEARCH_ENGINES}]
        with self.demo.context.store.database.write() as conn:
            sharing.switch_on(conn, self.demo.context.account().id, parts)
        self.demo.line("share", f"nothing was public; now {counted(len(parts), 'part')} are")

    def _fetch_pictures(self) -> None:
        from watchbook.pictures import desk

        came = desk.fetch(self.demo.context.installation, self.demo.context.account())
        self.demo.expect(bool(came.counts), "no pictures were fetched")
        self.demo.line("fetch posters", came.words.removeprefix("pictures: "))

    def _look(self) -> None:
        """Every piece of the page is there, and says what was watched last."""
        self.demo.expect(f'src="{self.book}{_SCRIPT}"' in self._text(self.page), "no widget")
        self.demo.expect(self._status(_SCRIPT) == 200, "the widget's script is missing")
        missing = [path for path in _PUBLIC if self._status(path) != 200]
        self.demo.expect(not missing, f"{missing} did not answer")
        last = self._json(_LAST)
        entries = self._json(_FEED)["items"]
        told = f"{last['title']} {last['subtitle']}"
        same = entries[0]["date_published"][:16] == last["watched_at"][:16]
        self.demo.expect(last["ok"] and not last["stale"] and same, f"{told} is not the last watch")
        self.demo.line("show elsewhere", f"the widget, a card and a feed say: {told}")

    def _status(self, path: str) -> int:
        return self.http.request("GET", f"{self.book}{path}").status

    def _text(self, address: str) -> str:
        return self.http.request("GET", address).body.decode()

    def _json(self, path: str) -> Any:
        return json.loads(self._text(f"{self.book}{path}"))
