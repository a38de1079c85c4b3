"""A book whose plays become posts, a blog that takes them, and a way to let time pass."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from tests.conftest import TEST_KEY
from tests.exporting.conftest import Filled, filled
from tests.websites import Asked, Said, Website, as_json, html, local_client, serving
from watchbook.clock import now, to_iso, to_millis
from watchbook.connecting import Installation
from watchbook.history import play_row
from watchbook.http import HttpClient
from watchbook.indieauth.endpoints import SignIn
from watchbook.indieauth.tokens import SiteToken
from watchbook.micropub.lookup import CANNOT_TELL, Lookup
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.parts import File
from watchbook.micropub.post import Post as Entry
from watchbook.publish import news
from watchbook.publish.sending import Pass, Sent
from watchbook.settings import load
from watchbook.store import leases, outbox, plays, runs, sites
from watchbook.store.opening import Store
from watchbook.store.outbox import Post, PostState
from watchbook.store.schema import attempts
from watchbook.store.schema import outbox as outbox_table
from watchbook.store.schema import sites as sites_table
from watchbook.store.sites import Site
from watchbook.store.titles import TitleWriter
from watchbook.trakt.parse import ParsedPlay, parse_play

TOKEN = "the-access-token"
SOON = {"delay": "0s"}
"""Rules that let a post go out at once."""


def ago(**span: float) -> str:
    """A moment that is so long past, as Trakt writes it."""
    return to_iso(now() - timedelta(**span))


@dataclass
class Book:
    """Sandra's book with a site; what is watched gets into the outbox as in a sync."""

    filled: Filled
    site: Site

    @property
    def store(self) -> Store:
        return self.filled.store

    def watch(self, *rows: dict[str, Any]) -> None:
        """Keep rows of history, in the transaction that offers them to the sites."""
        found = [parse_play(json.dumps(row).encode()) for row in rows]
        good = [play for play in found if isinstance(play, ParsedPlay)]
        with self.store.database.write() as conn:
            TitleWriter().save(conn, [title for play in good for title in play.titles])
            told, moment = [play_row(play) for play in good], to_millis(now())
            account_id = self.filled.account.id
            new, _ = plays.save(conn, account_id, told, 1, moment)
            news.offer(conn, account_id, told, new, moment)

    def rules(self, **texts: str) -> None:
        """Set rules of the site; those that let posts go out at once hold, too."""
        kept = SOON | {name.replace("_", "-"): text for name, text in texts.items()}
        with self.store.database.write() as conn:
            sites.set_rules(conn, self.site.id, kept)

    def stands(self) -> Site:
        """The site as it is by now."""
        with self.store.database.read() as conn:
            return sites.get(conn, self.site.id)

    def posts(self) -> list[Post]:
        """Every row of the outbox, in order of making."""
        with self.store.database.read() as conn:
            found = outbox.find(conn, self.site.id, list(PostState))
        return sorted(found, key=lambda post: post.id)

    def post(self) -> Post:
        """The only row of the outbox."""
        (found,) = self.posts()
        return found

    def states(self) -> list[str]:
        """How the rows stand."""
        return [post.state for post in self.posts()]

    def pass_time(self, **span: float) -> None:
        """Let so much time pass for the outbox: everything in it is that much older."""
        millis = timedelta(**span) // timedelta(milliseconds=1)
        changes = {
            outbox_table: ("due_at", "settled_at", "made_at"),
            attempts: ("began_at", "ended_at"),
            sites_table: ("retry_at",),
        }
        with self.store.database.write() as conn:
            for table, names in changes.items():
                moved = {name: table.c[name] - millis for name in names}
                conn.execute(sa.update(table).values(moved))

    def run(self, outlet: Scripted) -> Sent:
        """One pass over the site."""
        with leases.holding(self.store.database, f"site:{self.site.id}", "a test") as lease:
            return Pass(lease, self.filled.account, self.stands(), outlet).run()


@dataclass
class Scripted:
    """An outlet in memory: answers as it is told to, and publishes when nothing is left to say."""

    script: deque[Kind] = field(default_factory=deque)
    sights: deque[Lookup] = field(default_factory=deque)
    created: list[Entry] = field(default_factory=list)
    updated: list[tuple[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    uploaded: list[File] = field(default_factory=list)
    looks: int = 0
    open: Kind = Kind.DONE
    meanwhile: deque[Callable[[], object]] = field(default_factory=deque)
    """What others do while this is asked for something, each time one thing."""

    def _pass(self) -> None:
        if self.meanwhile:
            self.meanwhile.popleft()()

    def _next(self, good: Kind, url: str) -> Outcome:
        self._pass()
        kind = self.script.popleft() if self.script else good
        return Outcome(kind, url if kind is good else None, words=f"said {kind.value}")

    def create(self, post: Entry) -> Outcome:
        self.created.append(post)
        return self._next(Kind.PUBLISHED, f"https://blog.example/{post.slug}")

    def update(self, url: str, replace: Any, _post: Entry) -> Outcome:
        self.updated.append((url, replace))
        return self._next(Kind.DONE, url)

    def delete(self, url: str) -> Outcome:
        self.deleted.append(url)
        return self._next(Kind.DONE, url)

    def look(self, post: Entry, expected: str | None = None) -> Lookup:
        self.looks += 1
        self._pass()
        return self.sights.popleft() if self.sights else CANNOT_TELL

    def appeared(self, post: Entry, _url: str) -> Lookup:
        return self.look(post)

    def upload(self, file: File) -> Outcome:
        self.uploaded.append(file)
        return self._next(Kind.PUBLISHED, f"https://blog.example/{file.name}")

    def check(self) -> Outcome:
        return Outcome(self.open)

    def finish(self) -> Outcome | None:
        return None


def connected(book: Filled, **values: Any) -> Book:
    """A book with a site, connected a month ago; its history was read whole."""
    book.read("watched_history")
    begin = to_millis(now() - timedelta(days=30))
    told = {"me": None, "rules": msgspec.json.encode(SOON).decode(), "connected_at": begin}
    endpoint = values.pop("endpoint", "https://blog.example/micropub")
    with book.store.database.write() as conn:
        run = runs.start(conn, book.account.id, "sync")
        runs.finish(conn, run, runs.COMPLETE, "complete")
        site = sites.add(conn, book.account, "blog", sites.Kind.MICROPUB, endpoint, **told | values)
    return Book(book, site)


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Book:
    """Sandra's book with a site, once on each database."""
    return connected(filled(store, tmp_path / "out"))


@pytest.fixture
def outlet() -> Scripted:
    """An outlet that publishes everything."""
    return Scripted()


# --- A real server -----------------------------------------------------------------------------

Trick = Callable[["Blog", Asked], Said]


@dataclass
class Blog:
    """A Micropub server: keeps posts, lists them, and plays tricks when it is told to.

    A trick answers the next request that makes or changes something in the place of the blog.
    """

    site: Website
    listing: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    tricks: deque[Trick] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.site.pages["/"] = html('<link rel="micropub" href="/micropub">')
        self.site.pages["/micropub"] = self.answer

    def answer(self, asked: Asked) -> Said:
        if (asked.headers.get("authorization") or "").removeprefix("Bearer ") not in self.tokens:
            return as_json({"error": "unauthorized"}, 401)
        if asked.method == "GET":
            return self.query(asked)
        return self.tricks.popleft()(self, asked) if self.tricks else self.obey(asked)

    def query(self, asked: Asked) -> Said:
        query = {name: values[0] for name, values in asked.query.items()}
        if query.get("q") == "config":
            return as_json(self.config)
        if query.get("q") != "source" or not self.listing:
            return as_json({"error": "invalid_request"}, 400)
        if "url" in query:
            found = self.posts.get(query["url"])
            return as_json({"properties": found}) if found else as_json({}, 404)
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        newest = list(reversed(self.posts.items()))[offset : offset + limit]
        items = [{"properties": {**found, "url": [url]}} for url, found in newest]
        return as_json({"items": items})

    def obey(self, asked: Asked) -> Said:
        """Do what a request asks for."""
        if asked.headers.get_content_type() != "application/json":
            return self.make({n.removesuffix("[]"): v for n, v in asked.form.items()})
        body = asked.json
        if body.get("action") == "delete":
            del self.posts[body["url"]]
        elif body.get("action") == "update":
            self.posts[body["url"]] |= body["replace"]
        else:
            return self.make(body["properties"])
        return Said(204)

    def make(self, found: dict[str, Any]) -> Said:
        """Make a post."""
        slug = found["mp-slug"][0]
        self.made.append(slug)
        url = self.site.url(f"/{slug}" if self.made.count(slug) == 1 else f"/{slug}-again")
        self.posts[url] = found
        return Said(201, b"", [("Location", url)])


@pytest.fixture
def blog() -> Iterator[Blog]:
    """A blog that takes posts."""
    with serving(Website()) as website:
        yield Blog(website)


@dataclass
class Home:
    """A book and an installation that publishes to the blog over HTTP."""

    book: Book
    installation: Installation

    @property
    def http(self) -> HttpClient:
        return self.installation.http


def token_of(**values: Any) -> SiteToken:
    """A token of the blog."""
    told = {"access": TOKEN, "scope": "create update delete", "issued": now(), **values}
    return SiteToken(**told)


def give_token(book: Book, token: SiteToken, sign_in: SignIn | None = None) -> None:
    """Let the site have a token."""
    text = msgspec.json.encode(sign_in).decode() if sign_in else None
    with book.store.database.write() as conn:
        kept = msgspec.json.encode(token).decode()
        sites.change(conn, book.site.id, sign_in=text)
        sites.seal_token(conn, book.store.sealer, book.site.id, kept)


@pytest.fixture
def home(store: Store, tmp_path: Path, blog: Blog) -> Iterator[Home]:
    """Sandra's book, connected with the blog."""
    with ExitStack() as stack:
        http = stack.enter_context(local_client())
        book = connected(
            filled(store, tmp_path / "out"),
            me=blog.site.url("/"),
            endpoint=blog.site.url("/micropub"),
        )
        give_token(book, token_of())
        settings = load({}, tmp_path, {"home": str(tmp_path / "home")})
        yield Home(book, Installation(store, settings, http))


def moment_of(post: Post) -> datetime:
    """When a row of the outbox is due."""
    from watchbook.clock import from_millis  # noqa: PLC0415 - of this helper only

    return from_millis(post.due_at)


def environment(home: Path, database_url: str) -> dict[str, str]:
    """The environment of processes that publish from that home and database."""
    plain = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    ours = {
        "WATCHBOOK_HOME": str(home),
        "WATCHBOOK_DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
        "WATCHBOOK_SECRET_KEY": TEST_KEY,
        "WATCHBOOK_ALLOW_HOSTS": "127.0.0.0/8,::1",
    }
    return plain | ours
