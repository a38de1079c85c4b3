"""A town: people with accounts at the sandbox, and real processes that work on schedule."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.sync.conftest import settings_of
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.archive.verify import verify_archive
from watchbook.clock import from_iso, to_millis
from watchbook.http import HttpClient
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running
from watchbook.settings import Settings, load
from watchbook.store import accounts
from watchbook.store.opening import Store, open_store
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair

PATIENCE = 180
"""Seconds until something that must happen counts as not happening; machines may be slow."""
SPEED = 60
"""A minute of the schedule in a second."""


class Process:
    """A ``watchbook serve`` or ``worker`` of its own, with its log in a file."""

    def __init__(self, command: str, env: dict[str, str], log: Path) -> None:
        self.log_file = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "watchbook", command],
                env=env,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        self.pid = self._popen.pid

    @property
    def log(self) -> str:
        """What it has said so far, and those before it that wrote to the same file."""
        return self.log_file.read_text("utf-8")

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    def address(self) -> str:
        """Where it serves, once it does."""
        until(lambda: re.search(r"serves on (http://\S+?);", self.log))
        found = re.findall(r"serves on (http://\S+?);", self.log)
        return str(found[-1])

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._popen.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit code, when it has ended; raises TimeoutExpired."""
        return self._popen.wait(seconds)

    def kill(self) -> None:
        """``kill -9``, also when it is frozen or has ended."""
        self._popen.kill()
        self._popen.wait()


def until(holds: Callable[[], object]) -> None:
    """Wait until ``holds`` is true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@dataclass
class Town:
    """Accounts in one store, the sandbox that they are kept from, and the processes at work."""

    sandbox: RunningSandbox
    installation: connecting.Installation
    folder: Path
    environment: dict[str, str]
    stop_trakt: Callable[[], None]
    """Lets nobody answer at the sandbox's address any more."""
    processes: list[Process] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Under which its processes work."""
        return self.installation.settings

    @property
    def store(self) -> Store:
        """What they work on."""
        return self.installation.store

    def start(
        self, command: str = "serve", *, die_at: str = "", speed: int = SPEED, log: str = "log"
    ) -> Process:
        """Start a process; its clock runs ``speed`` times as fast."""
        knobs = {"_WATCHBOOK_DIE_AT": die_at, "_WATCHBOOK_SPEED": str(speed)}
        process = Process(command, self.environment | knobs, self.folder / log)
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.processes:
            process.kill()

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The answer of a query on the store."""
        with self.store.database.read() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query), values)]

    def finished(self, kind: str = "sync") -> list[str]:
        """The jobs of which a run has come to an end, one entry for each run."""
        query = (
            "SELECT job FROM runs WHERE job IS NOT NULL AND finished_at IS NOT NULL "
            "AND outcome <> 'interrupted' AND kind = :kind AND job LIKE :jobs"
        )
        return [row[0] for row in self.rows(query, kind=kind, jobs=f"{kind}-%")]

    def jobs(self) -> dict[str, str]:
        """All jobs that the engine knows, and how it says that they stand."""
        query = "SELECT workflow_uuid, status FROM {}workflow_status"
        if self.store.database.on_sqlite:
            with closing(sqlite3.connect(self.settings.home / "jobs.db")) as conn:
                return dict(conn.execute(query.format("")))
        url = self.store.database.url.set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as conn:
            return dict(conn.execute(query.format("dbos.").encode()).fetchall())

    def waited(self) -> set[str]:
        """Jobs that found their account busy, and came again as those of a later slot."""
        logs = [path.read_text("utf-8") for path in {one.log_file for one in self.processes}]
        return {job for log in logs for job in re.findall(r" waits\. .*job=(\S+)", log)}

    def check_once(self) -> None:
        """Every job that has ended ran to its end exactly once, and none is lost."""
        done = {kind: self.finished(kind) for kind in ("sync", "backup")}
        for kind, jobs in done.items():
            assert len(jobs) == len(set(jobs)), f"a {kind} was done twice"
        known = self.jobs()
        assert set(known.values()) <= {"SUCCESS", "PENDING", "ENQUEUED"}
        ended = {job for job, stand in known.items() if stand == "SUCCESS"}
        assert ended <= {*done["sync"], *done["backup"], *self.waited()}
        assert {*done["sync"], *done["backup"]} <= set(known)

    def check_alone(self) -> None:
        """No account was worked on by two at once: its runs do not overlap."""
        query = (
            "SELECT account_id, started_at, finished_at FROM runs "
            "WHERE finished_at IS NOT NULL ORDER BY account_id, started_at, finished_at"
        )
        spans = self.rows(query)
        for (one, _, end), (other, start, _) in pairwise(spans):
            assert one != other or start >= end

    def check_plays(self) -> None:
        """Every play that the sandbox has is kept with its moment, and no other (I1)."""
        for number, account in enumerate(self.sandbox.accounts, 1):
            found = self.sandbox.truth(account.slug)["plays"]
            truth = {play["id"]: to_millis(from_iso(play["watched_at"])) for play in found}
            query = (
                "SELECT history_id, watched_at FROM plays "
                "WHERE account_id = :account AND removed_at IS NULL"
            )
            assert dict(self.rows(query, account=number)) == truth

    def check_archives(self) -> int:
        """Every archive under its final name verifies (I6); returns how many there are."""
        found = list((self.settings.home / "backups").glob("backup-*.tar.gz"))
        for path in found:
            verify_archive(path)
        return len(found)

    def settle(self) -> None:
        """Wait until every account has had a sync that began after this call."""
        moment = self.rows("SELECT max(id) FROM runs")[0][0] or 0
        query = "SELECT count(DISTINCT account_id) FROM runs WHERE id > :newest"
        both = query + " AND kind = 'sync' AND outcome = 'complete'"
        wanted = len(self.sandbox.accounts)
        until(lambda: self.rows(both, newest=moment + wanted)[0][0] == wanted)


MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[MakeTown]:
    """Makes a town on a database; its processes are gone afterwards."""
    with ExitStack() as stack:
        yield lambda database_url, **options: _town(stack, tmp_path, database_url, options)


def _town(stack: ExitStack, folder: Path, database_url: str, options: dict[str, Any]) -> Town:
    own = {"sync_every": "2m", "backup_every": "6m", **options.pop("settings", {})}
    options = {"plays": 200, "rate_limit": False, **options}
    trakt = stack.enter_context(ExitStack())
    sandbox = trakt.enter_context(running(SandboxOptions(**options)))
    plain = settings_of(sandbox, folder / "home") | own | {"listen": "127.0.0.1:0"}
    plain["database_url"] = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    settings = load({}, folder, plain)
    store = open_store(settings)
    stack.callback(store.close)
    http = stack.enter_context(HttpClient(AddressRule(settings.allowed_hosts), service="Trakt"))
    installation = connecting.Installation(store, settings, http)
    for account in sandbox.accounts:
        sign_in(installation, sandbox, account)
    inherited = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    ours = {f"WATCHBOOK_{name.upper()}": value for name, value in plain.items()}
    town = Town(sandbox, installation, folder, inherited | ours, trakt.close)
    stack.callback(town.end)
    return town


def sign_in(
    installation: connecting.Installation, sandbox: RunningSandbox, person: Any
) -> accounts.Account:
    """An account for one of the sandbox's people, with the tokens it began with."""
    app = App(sandbox.client_id, sandbox.client_secret)
    moment = int(from_iso(sandbox.truth()["now"]).timestamp())
    pair = TokenPair(person.access_token, person.refresh_token, 604_800, moment)
    issue = connecting.issue_of(pair, app, PIN_REDIRECT, "test")
    return connecting.connect(installation, person.slug, app, issue)


@pytest.fixture
def town(make_town: MakeTown, database_url: str) -> Town:
    """One person's town, once on each database."""
    return make_town(database_url)
