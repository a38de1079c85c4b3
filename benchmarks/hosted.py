"""An installation of many people on PostgreSQL, and a look at its schedule from outside."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.going_on import Process
from benchmarks.postgres import postgres
from benchmarks.running import BenchmarkFailed
from benchmarks.stand_in import StandIn
from watchbook.clock import now, to_millis
from watchbook.settings import load
from watchbook.store import accounts, grants
from watchbook.store.grants import Issue, Tokens
from watchbook.store.opening import Store, open_store
from watchbook.trakt.auth import PIN_REDIRECT

_WAITING = """
    SELECT count(*), min(next_at) FROM due
    WHERE next_at <= %s AND kind = 'sync' AND NOT EXISTS (
        SELECT 1 FROM leases WHERE name = 'account:' || due.account_id AND expires_at > %s)
"""
_SYNCED = "SELECT count(DISTINCT account_id) FROM runs WHERE kind = %s AND finished_at IS NOT NULL"
_ENDED = "SELECT count(*) FROM runs WHERE finished_at IS NOT NULL"
_BAD = "SELECT outcome, words FROM runs WHERE finished_at IS NOT NULL AND outcome <> 'complete'"


@dataclass(frozen=True)
class Waiting:
    """Syncs that are due and that nobody works on: how many, and the seconds of the oldest."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Hosted:
    """A folder, a database with everybody's account in it, and settings for its processes."""

    folder: Path
    values: dict[str, str]
    server: Process
    conn: psycopg.Connection[Any]

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process of this installation."""
        env = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder)}
        return env | {f"WATCHBOOK_{name.upper()}": value for name, value in self.values.items()}

    def waiting(self) -> Waiting:
        """The backlog as it is now."""
        moment = to_millis(now())
        count, oldest = self._row(_WAITING, moment, moment)
        return Waiting(count, (moment - oldest) / 1000 if count else 0.0)

    def reached(self, kind: str) -> int:
        """How many accounts have had a run of ``kind`` that ended."""
        return int(self._row(_SYNCED, kind)[0])

    def ended(self) -> int:
        """How many runs of any kind have ended."""
        return int(self._row(_ENDED)[0])

    def bad(self) -> list[str]:
        """What was said of every run that failed or left something out."""
        with self.conn.cursor() as cursor:
            return [f"{outcome}: {words}" for outcome, words in cursor.execute(_BAD)]

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        row = self.conn.execute(query.encode(), values).fetchone()
        assert row is not None
        return tuple(row)


@contextmanager
def hosted(trakt: StandIn, **values: str) -> Iterator[Hosted]:
    """An installation with an account for everybody at a stand-in, each signed in."""
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name:
        folder = Path(name)
        with postgres(folder) as address:
            if address is None:
                raise BenchmarkFailed("PostgreSQL could not be started here.")
            settings = _settings(trakt, folder, address) | values
            _sign_everybody_in(trakt, settings, folder)
            pid = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
            with psycopg.connect(address, autocommit=True) as conn:
                yield Hosted(folder, settings, Process("PostgreSQL", pid, True), conn)


def _settings(trakt: StandIn, folder: Path, address: str) -> dict[str, str]:
    return {
        "home": str(folder / "home"),
        "database_url": address,
        "trakt_api_url": str(trakt.facts["url"]),
        "trakt_auth_url": str(trakt.facts["auth_url"]),
        "secret_key": "a key that only benchmarks use and long enough",
        "listen": "127.0.0.1:0",
    }


def _sign_everybody_in(trakt: StandIn, settings: dict[str, str], folder: Path) -> None:
    store = open_store(load({}, folder, settings))
    try:
        for member in trakt.facts["accounts"]:
            _sign_in(store, trakt, member)
    finally:
        store.close()


def _sign_in(store: Store, trakt: StandIn, member: dict[str, str]) -> None:
    """What connecting an app of one's own leaves behind."""
    app_id, secret, moment = trakt.facts["client_id"], trakt.facts["client_secret"], now()
    slug, tokens = member["slug"], Tokens(member["access_token"], member["refresh_token"])
    end = moment + timedelta(days=7)
    issue = Issue(tokens, moment, end, app_id, PIN_REDIRECT, "public", "benchmark")
    with store.database.write() as conn:
        account = accounts.add(conn, slug, trakt_slug=slug, client_id=app_id)
        sealed = store.sealer.seal(secret, account.secret_place)
        accounts.change(conn, account.id, client_secret_sealed=sealed)
        grants.save(conn, store.sealer, account.id, issue)
