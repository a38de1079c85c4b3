"""An account with a little of everything, to be backed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.archive import ledger
from watchbook.archive.layout import Layout
from watchbook.archive.ledger import Archive
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.clock import from_iso, to_millis
from watchbook.store import accounts, datasets
from watchbook.store.accounts import Account
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store
from watchbook.store.schema import grants, items, plays, rejects

READ_AT = to_millis(from_iso("2026-11-20T08:30:00.250Z"))
LAYOUTS = (
    Layout("history", "history", split=("movies", "episodes"), plays=True),
    Layout("ratings_movies", "ratings_movies", redacted=("share_link",)),
    Layout("watchlist", "watchlist", split=("movies", "shows", "seasons", "episodes")),
    Layout("user_settings", "user_settings", single=True, redacted=("account.token",)),
    Layout("user_watching", "user_watching", single=True, volatile=True),
    Layout("calendar_shows", "calendar_shows", volatile=True),
    Layout("list_items/123", "lists/123-late-night"),
    Layout("notes_movies", "notes_movies"),
)
SECRETS = ("access-token-of-sandra", "refresh-token-of-sandra", "client-secret-of-sandra")


def film(number: int, **more: Any) -> dict[str, Any]:
    """A row of history about a film, as the store keeps it."""
    raw = (
        f'{{"id":{number},"watched_at":"2026-01-{number % 28 + 1:02}T20:15:00.000Z",'
        f'"action":"watch","type":"movie","movie":{{"title":"Film № {number}","year":2001,'
        f'"ids":{{"trakt":{number}}}}}}}'
    )
    row = {
        "history_id": number,
        "type": "movie",
        "watched_at": to_millis(from_iso(f"2026-01-{number % 28 + 1:02}T20:15:00Z")),
        "action": "watch",
        "raw": raw,
        "discovered_at": READ_AT,
        "generation": 1,
        "missing_at": None,
        "removed_at": None,
    }
    return row | more


def item(data_set: str, key: str, place: int, raw: str, **more: Any) -> dict[str, Any]:
    """A row of any other data set, as the store keeps it."""
    row = {
        "data_set": data_set,
        "key": key,
        "type": None,
        "place": place,
        "raw": raw,
        "discovered_at": READ_AT,
        "changed_at": READ_AT,
        "generation": 1,
        "missing_at": None,
        "removed_at": None,
    }
    return row | more


@dataclass
class Book:
    """A store with one account in it, and the folder of its archives."""

    store: Store
    account: Account
    folder: Path
    layouts: Sequence[Layout] = field(default=LAYOUTS)

    def add(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        """Put ``rows`` of the account into ``table``."""
        with self.store.database.write() as conn:
            conn.execute(sa.insert(table), [row | {"account_id": self.account.id} for row in rows])

    def run(self, statement: Any) -> None:
        """Change the store behind everybody's back."""
        with self.store.database.write() as conn:
            conn.execute(statement)

    def state(self, name: str, state: str, words: str | None = None, **more: Any) -> None:
        """Say how far a data set was read."""
        row = DataSetState(name, state, words, read_at=READ_AT, tried_at=READ_AT)
        with self.store.database.write() as conn:
            datasets.save(conn, self.account.id, replace(row, **more))

    def write(self, *, force: bool = False) -> WrittenArchive:
        """Back the account up."""
        return write_archive(
            self.store,
            self.account,
            self.folder,
            force=force,
            layouts=lambda _conn, _account: self.layouts,
        )


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Book:
    """Sandra's book: everything read to the end, except her notes, for which VIP is needed."""
    return fill(store, tmp_path / "home" / "backups")


def fill(store: Store, folder: Path) -> Book:
    """Make Sandra's account in ``store``."""
    seal = store.sealer.seal
    with store.database.write() as conn:
        account = accounts.add(
            conn,
            "sandra",
            trakt_slug="sandra",
            trakt_uuid="b6589fc6ab0dc82cf12099d1c2d40ab994e8410c",
            timezone="Europe/Berlin",
            client_id="client-id-of-sandra",
            client_secret_sealed=seal(SECRETS[2], "account:1:client_secret"),
        )
    book = Book(store, account, folder)
    book.add(plays, *(film(number) for number in (5, 3, 9)))
    book.add(plays, film(7, removed_at=READ_AT + 1, missing_at=READ_AT))
    book.add(plays, film(4, type="episode", raw='{"odd":\n [1,\n  2]}', discovered_at=READ_AT + 5))
    book.add(items, *_items())
    book.add(
        rejects,
        {
            "data_set": "ratings_movies",
            "digest": "d1",
            "reason": "movie is null",
            "raw": '{"movie":null}',
            "seen_at": READ_AT,
            "generation": 1,
        },
    )
    book.add(
        grants,
        {
            "client_id": "client-id-of-sandra",
            "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
            "origin": "device code",
            "access_sealed": seal(SECRETS[0], "grant:1:access"),
            "refresh_sealed": seal(SECRETS[1], "grant:1:refresh"),
            "access_fingerprint": "fingerprint-a",
            "issued_at": READ_AT,
            "expires_at": READ_AT,
            "state": "ok",
            "state_at": READ_AT,
            "open_tries": 0,
        },
    )
    for layout in LAYOUTS:
        book.state(layout.name, datasets.COMPLETE, kept=2, claimed=2)
    book.state("notes_movies", datasets.UNAVAILABLE, "unavailable, because notes need VIP")
    return book


def _items() -> list[dict[str, Any]]:
    return [
        item("ratings_movies", "movie:1", 0, '{"rating":9,"movie":{"ids":{"trakt":1}}}'),
        item("ratings_movies", "movie:2", 1, '{"rating": 1.50, "note":"\\u2603 ]}"}', changed_at=9),
        item("ratings_movies", "movie:3", 1, '{"rating":3}', removed_at=READ_AT, missing_at=5),
        item("watchlist", "11", 0, '{"id":11}', type="movie"),
        item("watchlist", "12", 1, '{"id":12}', type="show"),
        item("watchlist", "13", 2, '{"id":13}', type="movie"),
        item("watchlist", "14", 3, '{"id":14}', type="person"),
        item("user_settings", "user_settings", 0, '{"user":{"username":"sandra"}}'),
        item("calendar_shows", "77", 0, '{"first_aired":"2026-12-01T00:00:00.000Z"}'),
        item("list_items/123", "1", 0, '{"rank":1,"type":"movie"}', type="movie"),
    ]


def latest_good(store: Store, account: Account) -> Archive | None:
    """The newest archive that is complete and was whole when last looked at."""
    with store.database.read() as conn:
        return ledger.newest_good(ledger.recorded(conn, account))
