"""A person's book against the sandbox, with the invariants that hold after every sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import TEST_KEY
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.clock import from_iso, to_millis
from watchbook.http import HttpClient, Timeouts
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running
from watchbook.settings import load
from watchbook.store import datasets
from watchbook.store.accounts import Account, get
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store
from watchbook.store.schema import metadata, plays
from watchbook.sync import SyncOptions, client_of, sync_account
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair
from watchbook.trakt.client import Patience
from watchbook.verdict import SyncReport

NOT_DATA = {"runs", "leases", "budgets", "changes", "grants", "grant_events", "accounts"}
"""Tables that a sync may write to although nothing at Trakt has changed."""


@dataclass
class Book:
    """An account of a store, and the sandbox that it is kept from."""

    sandbox: RunningSandbox
    installation: connecting.Installation
    account_id: int
    travel: time_machine.Traveller
    waits: list[float] = field(default_factory=list)
    timeouts: Timeouts = field(default=Timeouts(connect=5, read=10, total=20))
    on_page: Callable[[], None] = field(default=lambda: None)

    @property
    def store(self) -> Store:
        """The store that the account is in."""
        return self.installation.store

    @property
    def account(self) -> Account:
        """The account as it is now."""
        with self.store.database.read() as conn:
            return get(conn, self.account_id)

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.waits.append(seconds)
        self.travel.shift(timedelta(seconds=seconds))

    def sync(
        self, *, full: bool = False, accept_removals: bool = False, schedule: bool = False
    ) -> SyncReport:
        """Sync without waiting; ``waits`` collects the seconds that it would have waited."""
        patience = Patience(sleep=self.sleep, timeouts=self.timeouts)
        options = SyncOptions(full, accept_removals, schedule)
        account = self.account
        with client_of(self.installation, account, patience) as client:
            return sync_account(self.store.database, account, client, self, options)

    def reading(self, name: str, page: int, pages: int) -> None:
        """A page was kept."""
        self.on_page()

    def waiting(self, seconds: float, why: str) -> None:
        """Neither is waiting."""

    def kept(self, *, removed: bool = False) -> dict[int, int]:
        """History id and moment of the plays that are kept (or of the removed ones)."""
        gone = plays.c.removed_at.is_not(None) if removed else plays.c.removed_at.is_(None)
        query = sa.select(plays.c.history_id, plays.c.watched_at).where(gone)
        with self.store.database.read() as conn:
            return {row[0]: row[1] for row in conn.execute(query)}

    def truth(self) -> dict[int, int]:
        """History id and moment of the plays that the sandbox has."""
        found = self.sandbox.truth()["plays"]
        return {play["id"]: to_millis(from_iso(play["watched_at"])) for play in found}

    def states(self) -> dict[str, DataSetState]:
        """What is known of each data set."""
        with self.store.database.read() as conn:
            return datasets.all_states(conn, self.account_id)

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The answer of a query on the store."""
        with self.store.database.read() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query), values)]

    def data(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that holds data."""
        with self.store.database.read() as conn:
            return {
                table.name: sorted(map(tuple, conn.execute(sa.select(table))), key=repr)
                for table in metadata.sorted_tables
                if table.name not in NOT_DATA
            }

    def requests(self, act: Callable[[], object]) -> int:
        """How many requests ``act`` makes."""
        self.sandbox.reset_requests()
        act()
        return int(self.sandbox.requests()["total"])

    def check_plays(self) -> None:
        """Every play that the sandbox shows is kept with its moment, and no other (I1, I3)."""
        assert self.kept() == self.truth()


MakeBook = Callable[..., Book]


@pytest.fixture
def make_book(tmp_path: Path) -> Iterator[MakeBook]:
    """Makes books against sandboxes of their own, on SQLite unless a store is given."""
    with ExitStack() as stack:
        yield lambda store=None, **options: _book(stack, tmp_path, store, options)


def _book(stack: ExitStack, folder: Path, store: Store | None, options: dict[str, Any]) -> Book:
    options = {"plays": 600, "rate_limit": False, **options}
    sandbox = stack.enter_context(running(SandboxOptions(**options)))
    settings = load({}, folder, settings_of(sandbox, folder / "home"))
    if store is None:
        from watchbook.store.opening import open_store  # noqa: PLC0415 - most tests want this

        store = open_store(settings)
    stack.callback(store.close)
    http = stack.enter_context(HttpClient(AddressRule(settings.allowed_hosts), service="Trakt"))
    installation = connecting.Installation(store, settings, http)
    account = signed_in(installation, sandbox)
    travel = stack.enter_context(time_machine.travel(datetime.now(UTC), tick=True))
    return Book(sandbox, installation, account.id, travel)


def settings_of(sandbox: RunningSandbox, home: Path) -> dict[str, str]:
    """Settings under which everything is read from the sandbox."""
    return {
        "home": str(home),
        "trakt_api_url": sandbox.url,
        "trakt_auth_url": sandbox.auth_url,
        "trakt_client_id": sandbox.client_id,
        "trakt_client_secret": sandbox.client_secret,
        "trakt_budget": "100000/300s",
        "secret_key": TEST_KEY,
    }


def signed_in(installation: connecting.Installation, sandbox: RunningSandbox) -> Account:
    """An account with the tokens that the sandbox began with."""
    app = App(sandbox.client_id, sandbox.client_secret)
    moment = int(from_iso(sandbox.truth()["now"]).timestamp())
    pair = TokenPair(sandbox.access_token, sandbox.refresh_token, 604_800, moment)
    issue = connecting.issue_of(pair, app, PIN_REDIRECT, "test")
    return connecting.connect(installation, None, app, issue)


@pytest.fixture
def book(make_book: MakeBook) -> Book:
    """A book of 600 plays that was never synced."""
    return make_book()


@pytest.fixture
def synced(book: Book) -> Book:
    """A book of 600 plays after its first sync."""
    assert book.sync().complete
    return book
