"""Two books with something of everything, their tokens, and a real server in front of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import Filled, empty, film_play, hostile, rated, small
from tests.web.showroom import Told, Visitor, served
from watchbook import sharing
from watchbook.sharing import Part
from watchbook.store import accounts, attempts, outbox, runs, sites, tokens
from watchbook.store.outbox import PostState
from watchbook.store.schema import archives
from watchbook.store.sites import Kind

__all__ = ["empty", "small"]

SECRET = "Bearer abcdefghijklmnop"
"""What a careless site might have put into its answer."""


@dataclass
class Api:
    """A server with Sandra's book and Tom's, and a token of each."""

    sandra: Filled
    tom: Filled
    visitor: Visitor
    token: str
    other: str

    def ask(self, path: str, token: str = "", account: str = "sandra", **headers: str) -> Told:
        """Ask for ``path`` below an account."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        return self.visitor.ask(f"/api/v1/accounts/{account}{path}", **shown, **headers)

    def share(self, *parts: Part, on: bool = True) -> None:
        """Switch parts of Sandra's on or off, as the server sees at once."""
        with self.sandra.store.database.write() as conn:
            (sharing.switch_on if on else sharing.switch_off)(conn, self.sandra.account.id, parts)
        self.visitor.look()

    def delay(self, text: str | None) -> None:
        """Let Sandra's plays show later."""
        with self.sandra.store.database.write() as conn:
            accounts.change(conn, self.sandra.account.id, show_after=text)
        self.visitor.look()

    def pages(self, path: str, token: str = "", **query: object) -> Iterator[Mapping[str, Any]]:
        """Every item of a list, over all of its pages."""
        given = "&".join(f"{name}={value}" for name, value in query.items())
        told = self.ask(f"{path}?{given}", token).json
        yield from told["items"]
        while told["next"] is not None:
            told = self.ask(f"{path}?{given}&cursor={told['next']}", token).json
            yield from told["items"]


def fill_the_rest(book: Filled) -> None:
    """An archive, a run, and a site with a post that failed once, with a secret in its words."""
    row = {"written_at": 1_700_000_000_000, "bytes": 5, "sha256": "0", "content": "0"}
    with book.store.database.write() as conn:
        account = book.account
        name = f"backup-{account.name}-20261101T000000Z.tar.gz"
        told = {"account_id": account.id, "name": name, "verdict": "complete", **row}
        conn.execute(sa.insert(archives).values(told))
        run_id = runs.start(conn, account.id, "sync")
        runs.finish(conn, run_id, runs.COMPLETE, "Nothing new.", requests=1)
        site = sites.add(conn, account, "blog", Kind.MICROPUB, "https://blog.example/micropub")
        post = {"account_id": account.id, "site_id": site.id, "slug": "trakt-13", "due_at": 1}
        offered = {**post, "watched_at": 1_700_000_000_000, "state": PostState.WAITING}
        outbox.offer(conn, offered, 13)
        (made,) = outbox.page(conn, account.id, 5)
        attempt = attempts.begin(conn, made.id, "send")
        attempts.end(conn, attempt, "rejected", 403, f"It said: {SECRET}")
        outbox.settle(conn, made.id, PostState.PUBLISHED, url="https://blog.example/1")


@pytest.fixture
def api(small: Filled, tmp_path: Path) -> Iterator[Api]:
    """Both books, nothing shared, on each database."""
    tom = Filled(small.store, add(small, "tom"), tmp_path)
    tom.plays(film_play(99, 99))
    tom.items("ratings_movies", rated(99, 2))
    hostile(small)
    fill_the_rest(small)
    with small.store.database.write() as conn:
        token = tokens.add(conn, small.account, "test")
        other = tokens.add(conn, tom.account, "test")
    with served(small.store) as visitor:
        yield Api(small, tom, visitor, token, other)


def add(book: Filled, name: str) -> accounts.Account:
    """Another account in the same store."""
    with book.store.database.write() as conn:
        return accounts.add(conn, name)
