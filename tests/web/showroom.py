"""A book with plays whose parts everybody may see, and the real web server in front of it."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import sqlalchemy as sa
from PIL import Image

from watchbook import sharing
from watchbook.clock import now, to_iso, to_millis
from watchbook.sharing import Part
from watchbook.store import accounts, grants, plays, runs
from watchbook.store.accounts import Account
from watchbook.store.grants import Issue, Tokens
from watchbook.store.opening import Store
from watchbook.store.plays import PlayRow
from watchbook.store.titles import TitleWriter
from watchbook.trakt.parse import ParsedPlay, parse_play
from watchbook.values import Listen
from watchbook.web.app import make_app
from watchbook.web.front import Front
from watchbook.web.server import WebServer, listening

PATIENCE = 180
"""Seconds until something that must happen counts as not happening; machines may be slow."""
FILM: dict[str, Any] = {"title": "Aftersun", "year": 2022}
FILM["ids"] = {"trakt": 11, "slug": "aftersun-2022", "imdb": "tt19770238", "tmdb": 965150}
SHOW: dict[str, Any] = {"title": "Severance", "year": 2022}
SHOW["ids"] = {"trakt": 21, "slug": "severance", "tmdb": 95396}
EPISODE: dict[str, Any] = {"season": 2, "number": 7, "title": "Chikhai Bardo"}
EPISODE["ids"] = {"trakt": 31, "tmdb": 5623456}


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


EVENING = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)
"""When she watches something."""


class Owner:
    """An account in a store; what is put in is what a sync would leave."""

    def __init__(self, store: Store, name: str = "sandra") -> None:
        self.store = store
        with store.database.write() as conn:
            self.account: Account = accounts.add(conn, name, trakt_slug=name, timezone="UTC")

    def watch(
        self, history_id: int, at: datetime, *, episode: bool = False, removed: bool = False
    ) -> None:
        """A play of the film, or of the show's episode."""
        what = {"episode": EPISODE, "show": SHOW} if episode else {"movie": FILM}
        kind = "episode" if episode else "movie"
        row = {"id": history_id, "watched_at": to_iso(at), "action": "watch", "type": kind, **what}
        parsed = parse_play(json.dumps(row).encode())
        assert isinstance(parsed, ParsedPlay)
        played = PlayRow(
            history_id, kind, parsed.title_key, parsed.watched_at, parsed.action, parsed.raw
        )
        with self.store.database.write() as conn:
            TitleWriter().save(conn, parsed.titles)
            plays.save(conn, self.account.id, [played], 1, to_millis(now()))
            if removed:
                conn.execute(
                    sa.text("UPDATE plays SET removed_at = 1 WHERE history_id = :id"),
                    {"id": history_id},
                )

    def share(self, *parts: Part, on: bool = True, after: str | None = None) -> None:
        """Switch parts on or off, and set the delay."""
        with self.store.database.write() as conn:
            (sharing.switch_on if on else sharing.switch_off)(conn, self.account.id, parts)
            accounts.change(conn, self.account.id, show_after=after)

    def ran(
        self,
        kind: str = "sync",
        outcome: str = runs.COMPLETE,
        *,
        ago: timedelta = timedelta(0),
        report: object = None,
    ) -> None:
        """A run that began and ended some time ago."""
        moment = to_millis(now() - ago)
        with self.store.database.write() as conn:
            run_id = runs.start(conn, self.account.id, kind)
            runs.finish(conn, run_id, outcome, "words of the run", report=report)
            conn.execute(
                sa.text("UPDATE runs SET started_at = :at, finished_at = :at WHERE id = :id"),
                {"at": moment, "id": run_id},
            )

    def grant(self, state: grants.State = grants.State.ALIVE) -> None:
        """A grant in that state."""
        moment = now()
        tokens = Tokens("access-token-of-sandra", "refresh-token-of-sandra")
        issue = Issue(
            tokens, moment, moment + timedelta(days=7), "app", "urn:x", "public", "device code"
        )
        with self.store.database.write() as conn:
            saved = grants.save(conn, self.store.sealer, self.account.id, issue)
            if state is not grants.State.ALIVE:
                grants.settle(conn, saved, state, "words of the grant")


def who_shows_everything(store: Store) -> Owner:
    """An owner with a film and an episode, and every part switched on."""
    owner = Owner(store)
    owner.watch(1, EVENING)
    owner.watch(2, EVENING + timedelta(hours=2), episode=True)
    owner.share(*Part)
    return owner


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of its body, read as a picture to the end."""
        if self.headers["content-type"].startswith("image/svg+xml"):
            root = ET.fromstring(self.body)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            return int(root.get("width", 0)), int(root.get("height", 0))
        with Image.open(io.BytesIO(self.body)) as found:
            found.load()
            assert Image.MIME[str(found.format)] == self.headers["content-type"]
            return found.size

    @property
    def said(self) -> str:
        """All text of its body, read as XML."""
        return "|".join(ET.fromstring(self.body).itertext())


class Visitor:
    """A stranger who asks a server."""

    def __init__(self, address: str, front: Front | None = None) -> None:
        self.address = address
        self._front = front

    def ask(self, path: str, method: str = "GET", **headers: str) -> Told:
        """Ask once; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, headers=named, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Told(answer.status, told, answer.read())

    def look(self) -> None:
        """Let the server see at once what has changed."""
        assert self._front is not None
        self._front.watcher.look()


@contextmanager
def served(store: Store, base_url: str | None = "https://watch.example") -> Iterator[Visitor]:
    """The web server on loopback, with its watcher; gone afterwards.

    Without a ``base_url`` it goes by the address that it listens at, as browsers need it.
    """
    with listening(Listen("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        front = Front(store, base_url or f"http://{host}:{port}")
        front.watcher.start()
        try:
            with WebServer(make_app(lambda: {"status": "ok"}, None, front), listener) as server:
                yield Visitor(f"http://{server.address}", front)
        finally:
            front.watcher.stop()
