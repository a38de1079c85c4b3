"""The demo's third part: the last watch on a page of somebody else's, with a card and a feed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchbook.clock import counted

if TYPE_CHECKING:
    import socket

    from watchbook.cli.demo import Demo
    from watchbook.http import HttpClient

_LAST = "/api/trakt/last"
_SCRIPT = "/widget.js"
_FEED = "/feeds/plays.json"
_PUBLIC = (
    _LAST,
    _FEED,
    "/feeds/plays.atom",
    "/feeds/plays.rss",
    "/feeds/calendar.ics",
    "/embed/last",
    "/card/last.svg",
    "/card/last.png",
    "/card/heatmap.svg",
    "/card/year.svg",
)


@contextmanager
def shown(demo: Demo, listener: socket.socket) -> Iterator[ShowingDemo]:
    """Serve the book at ``listener`` and somebody's page elsewhere while the block runs."""
    import msgspec

    from watchbook.cli.demo_page import portfolio
    from watchbook.jobs import health
    from watchbook.jobs.service import public
    from watchbook.values import Listen
    from watchbook.web.app import make_app
    from watchbook.web.server import WebServer, listening

    book, name = demo.context.settings.base_url, demo.context.account().name
    somebody = portfolio(book, name, demo.sandbox.add_plays)

    def standing() -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(health.known(demo.context.store.database))
        return told

    elsewhere = listening(Listen("127.0.0.1", 0))
    near = demo.context.settings.metrics_for
    with (
        public(demo.context.installation) as front,
        WebServer(make_app(standing, front=front, metrics_for=near), listener),
        WebServer(somebody, elsewhere) as page,
    ):
        yield ShowingDemo(demo, book, f"http://{page.address}/")


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

    @contextmanager
    def kept_up_to_date(self, abandon: Callable[[], None]) -> Iterator[None]:
        """Sync, publish and back up as `watchbook serve` does, while the block runs.

        ``abandon`` is called when a job does not come to its end after that.
        """
        from watchbook.cli.serve import CONCURRENCY
        from watchbook.jobs.service import alone, working

        installation = self.demo.context.installation
        stop = threading.Event()
        with alone(installation), working(installation, CONCURRENCY, stop, abandon=abandon):
            yield

    def run(self) -> None:
        """Do all steps."""
        self._share()
        self._fetch_pictures()
        self._look()

    def _share(self) -> None:
        """Nothing is public before it is switched on, then the chosen parts are at once."""
        from watchbook import sharing
        from watchbook.sharing import Part

        hidden = [path for path in self._public() if self._status(path) == 404]
        self.demo.expect(hidden == self._public(), f"only {hidden} were hidden at first")
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
        missing = [path for path in self._public() if self._status(path) != 200]
        self.demo.expect(not missing, f"{missing} did not answer")
        last = self._json(_LAST)
        entries = self._json(_FEED)["items"]
        told = f"{last['title']} {last['subtitle']}"
        same = entries[0]["date_published"][:16] == last["watched_at"][:16]
        self.demo.expect(last["ok"] and not last["stale"] and same, f"{told} is not the last watch")
        self.demo.line("show elsewhere", f"the widget, a card and a feed say: {told}")

    def _public(self) -> list[str]:
        """Everything that the page shows or links to, and a stranger may see once it is shared."""
        return [*_PUBLIC, f"/@{self.demo.context.account().name}"]

    def _status(self, path: str) -> int:
        return self.http.request("GET", f"{self.book}{path}").status

    def _text(self, address: str) -> str:
        return self.http.request("GET", address).body.decode()

    def _json(self, path: str) -> Any:
        return json.loads(self._text(f"{self.book}{path}"))
