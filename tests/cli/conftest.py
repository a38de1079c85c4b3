"""What tests of commands share: a home of their own, a way to run, and Sandra's book."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook import clock
from watchbook.archive.backup import backups_folder
from watchbook.cli.main import main
from watchbook.settings import load
from watchbook.store import accounts, datasets, grants
from watchbook.store.accounts import Account
from watchbook.store.datasets import DataSetState
from watchbook.store.grants import Issue, Tokens
from watchbook.store.opening import Store, open_store
from watchbook.store.schema import archives, plays
from watchbook.trakt.datasets import CATALOGUE

Run = Callable[..., "Ended"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, not made yet, and no other setting."""
    for name in [name for name in os.environ if name.startswith("WATCHBOOK_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("WATCHBOOK_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return run


class Book:
    """Sandra's account in a store; what is put in is what a sync or a backup would leave."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.database.write() as conn:
            self.account = self.add(conn, "sandra")

    @staticmethod
    def add(conn: sa.Connection, name: str) -> Account:
        """An account of that name, at Trakt too."""
        return accounts.add(conn, name, trakt_slug=name, timezone="Europe/Berlin", client_id="app")

    def change(self, **values: object) -> None:
        """Set columns of the account."""
        with self.store.database.write() as conn:
            accounts.change(conn, self.account.id, **values)

    def data_set(self, name: str, state: str = datasets.COMPLETE, **more: Any) -> None:
        """A data set that was read."""
        with self.store.database.write() as conn:
            datasets.save(conn, self.account.id, DataSetState(name, state, **more))

    def read_all(self) -> None:
        """Every data set of the catalogue was read to its end."""
        for line in CATALOGUE:
            if line.parent is None:
                self.data_set(line.name)

    def play(self, history_id: int = 1) -> None:
        """A play of no title."""
        row: dict[str, Any] = {
            "account_id": self.account.id,
            "history_id": history_id,
            "type": "movie",
            "watched_at": 0,
            "action": "watch",
            "raw": "{}",
            "discovered_at": 0,
        }
        with self.store.database.write() as conn:
            conn.execute(sa.insert(plays).values(row))

    def grant(self, access: str = "access-of-sandra", *, app: str = "app") -> None:
        """A grant given just now to that app, good for a week."""
        moment = clock.now()
        end = moment + timedelta(days=7)
        tokens = Tokens(access, "refresh-of-sandra")
        issue = Issue(tokens, moment, end, app, "urn:x", "public", "device code")
        with self.store.database.write() as conn:
            grants.save(conn, self.store.sealer, self.account.id, issue)
            grants.record(conn, self.account.id, grants.Event.CONNECTED, origin="device code")

    def needs_sign_in(self, words: str = "Trakt does not accept the refresh token.") -> None:
        """The grant is dead."""
        with self.store.database.write() as conn:
            grant = grants.find(conn, self.account.id)
            assert grant is not None
            grants.settle(conn, grant, grants.State.NEEDED, words)

    def archive(self, name: str, *, written: datetime, checked: datetime, **more: Any) -> None:
        """An archive that was written, complete and whole unless told otherwise."""
        folder = backups_folder(self.store.home)
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"1")
        row = {
            "account_id": self.account.id,
            "name": name,
            "written_at": clock.to_millis(written),
            "bytes": 1,
            "sha256": "0",
            "content": "0",
            "verdict": "complete",
            "checked_at": clock.to_millis(checked),
            "check_outcome": "whole",
            **more,
        }
        with self.store.database.write() as conn:
            conn.execute(sa.insert(archives).values(row))


@pytest.fixture
def book(home: Path) -> Iterator[Book]:
    """Sandra's book, empty."""
    store = open_store(load({"WATCHBOOK_HOME": str(home)}, home))
    yield Book(store)
    store.close()
