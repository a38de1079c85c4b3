"""A home of Watchbook that is connected with a stand-in, for commands and from inside."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.running import BenchmarkFailed, Finished, program, run
from benchmarks.stand_in import StandIn
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.clock import from_iso
from watchbook.http import Exchange, HttpClient
from watchbook.settings import Settings, load
from watchbook.store import accounts
from watchbook.store.accounts import Account
from watchbook.store.opening import open_store
from watchbook.sync import SyncOptions, client_of, sync_account
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair
from watchbook.trakt.client import Patience
from watchbook.verdict import SyncReport

UNLIMITED = "100000/300s"


class Quiet:
    """A listener to whom progress means nothing."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """Do nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Book:
    """An opened home: everything that a sync inside of this process needs."""

    installation: connecting.Installation
    account: Account

    def sync(self, patience: Patience | None = None) -> SyncReport:
        """Bring the copy up to date; raises BenchmarkFailed unless it is complete then."""
        database = self.installation.store.database
        with client_of(self.installation, self.account, patience) as client:
            report = sync_account(database, self.account, client, Quiet(), SyncOptions())
        if not report.complete:
            raise BenchmarkFailed(f"The sync is not complete: {report.words}")
        return report


@dataclass(frozen=True)
class Home:
    """A folder with a database whose one account is signed in at a stand-in."""

    folder: Path
    values: dict[str, str]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return load({}, self.folder, self.values)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this home finds in its environment."""
        env = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder)}
        return env | {f"WATCHBOOK_{name.upper()}": value for name, value in self.values.items()}

    def command(self, *arguments: str) -> Finished:
        """Run ``watchbook`` with these arguments on this home, in a fresh process."""
        return run([program("watchbook"), *arguments], self.environment, self.folder)

    def sync(self) -> tuple[Finished, int]:
        """Run ``watchbook sync``: what it took, and its requests by its own count."""
        finished = self.command("sync", "--json")
        report = msgspec.json.decode(finished.out)
        if report["outcome"] != "complete":
            raise BenchmarkFailed(f"The sync is not complete: {report['words']}")
        return finished, int(report["requests"])

    @contextmanager
    def opened(self, on_request: Callable[[Exchange], None] | None = None) -> Iterator[Book]:
        """Open it in this process; ``on_request`` is told of every request."""
        settings = self.settings
        store = open_store(settings)
        rule = AddressRule(settings.allowed_hosts)
        try:
            with HttpClient(rule, service="Trakt", on_request=on_request) as http:
                installation = connecting.Installation(store, settings, http)
                with store.database.read() as conn:
                    account = accounts.choose(conn, None)
                yield Book(installation, account)
        finally:
            store.close()


@contextmanager
def home(trakt: StandIn, budget: str = UNLIMITED, **values: str) -> Iterator[Home]:
    """A new home in a folder that goes away, signed in with a new pair of tokens."""
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name:
        folder = Path(name)
        made = Home(folder, _values(trakt, folder) | {"trakt_budget": budget} | values)
        sign_in(made, trakt)
        trakt.control.reset_requests()
        yield made


def _values(trakt: StandIn, folder: Path) -> dict[str, str]:
    names = {
        "trakt_api_url": "url",
        "trakt_auth_url": "auth_url",
        "trakt_client_id": "client_id",
        "trakt_client_secret": "client_secret",
    }
    return {"home": str(folder / "home")} | {
        setting: str(trakt.facts[name]) for setting, name in names.items()
    }


def sign_in(made: Home, trakt: StandIn, slug: str | None = None) -> None:
    """Connect an account of the home with the stand-in's first person, or the one called so."""
    settings = made.settings
    issued = trakt.control.issue_tokens(slug)
    moment = int(from_iso(trakt.control.truth()["now"]).timestamp())
    pair = TokenPair(issued["access_token"], issued["refresh_token"], 604_800, moment)
    app = App(trakt.facts["client_id"], trakt.facts["client_secret"])
    store = open_store(settings)
    try:
        with HttpClient(AddressRule(settings.allowed_hosts), service="Trakt") as http:
            installation = connecting.Installation(store, settings, http)
            issue = connecting.issue_of(pair, app, PIN_REDIRECT, "benchmark")
            connecting.connect(installation, slug, app, issue)
    finally:
        store.close()
