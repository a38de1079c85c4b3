"""The service as a process: how it starts, what it tells, how it ends."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.jobs.conftest import MakeTown, Town, until


@pytest.fixture
def sqlite_town(make_town: MakeTown, tmp_path: Path) -> Town:
    """One person's town on SQLite."""
    return make_town(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")


def ask(address: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    request = urllib.request.Request(address, method=method)
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read()
    with answer:
        return answer.status, dict(answer.headers), answer.read()


@pytest.mark.daily(1)
def test_service_tells_how_it_stands(town: Town) -> None:
    """/healthz tells numbers and moments, no names, and is not kept by anybody on the way."""
    process = town.start()
    address = process.address()

    def told() -> dict[str, object]:
        answer: dict[str, object] = json.loads(ask(f"{address}/healthz")[2])
        return answer

    until(lambda: told()["last_sync"] and told()["last_backup"])
    status, headers, body = ask(f"{address}/healthz")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert town.sandbox.accounts[0].slug not in body.decode()
    found = json.loads(body)
    assert found["status"] == "ok"
    assert (found["accounts"], found["signed_out"], found["failing"]) == (1, 0, 0)
    assert found["workers"] == 1
    assert set(found["queue"]) == {"waiting", "running", "oldest_waiting_seconds"}
    assert ask(f"{address}/healthz", "HEAD")[::2] == (200, b"")
    for path, method, code in (("/nothing", "GET", 404), ("/healthz", "POST", 405)):
        status, _, body = ask(address + path, method)
        assert status == code
        assert json.loads(body)["ok"] is False
    process.send(signal.SIGTERM)
    assert process.wait() == 0


@pytest.mark.daily(1)
def test_service_in_trouble_says_so(town: Town) -> None:
    """An account that has to sign in again is attention's, not a reason to restart the service."""
    with town.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE accounts SET locked = 'Trakt has locked it.'")
    process = town.start()
    status, _, body = ask(f"{process.address()}/healthz")
    assert status == 200
    assert json.loads(body)["status"] == "attention"
    assert json.loads(body)["signed_out"] == 1


def test_signals_end_it_at_once_and_cleanly(sqlite_town: Town) -> None:
    """A sync under way is left where it is, nobody's lease stays, and the next start goes on."""
    sqlite_town.sandbox.set_latency(1.0)
    process = sqlite_town.start()
    until(lambda: sqlite_town.rows("SELECT 1 FROM leases WHERE name LIKE 'account:%'"))
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    assert "go on at the next start" in process.log
    assert sqlite_town.rows("SELECT * FROM leases") == []
    sqlite_town.sandbox.set_latency(0)
    sqlite_town.start()
    sqlite_town.settle()
    sqlite_town.check_once()
    sqlite_town.check_plays()


def test_one_service_at_a_time_on_sqlite(sqlite_town: Town) -> None:
    """A second one names the first and leaves; when that has died, the home is free again."""
    first = sqlite_town.start()
    first.address()
    second = sqlite_town.start(log="second")
    assert second.wait() == 75
    assert f"process {first.pid}" in second.log
    first.kill()
    assert sqlite_town.start(log="third").address()


def test_worker_refuses_sqlite(sqlite_town: Town) -> None:
    """There is one machine that writes to a SQLite file; the hint says what to do."""
    worker = sqlite_town.start("worker")
    assert worker.wait() == 78
    assert "PostgreSQL" in worker.log
    assert "watchbook serve" in worker.log


def test_address_in_use_is_said(sqlite_town: Town) -> None:
    """Where somebody else listens already, the service names the address and the setting."""
    listen = sqlite_town.sandbox.url.removeprefix("http://")
    sqlite_town.environment["WATCHBOOK_LISTEN"] = listen
    process = sqlite_town.start()
    assert process.wait() == 78
    assert listen in process.log
    assert "WATCHBOOK_LISTEN" in process.log


def test_address_in_use_is_said_before_any_work(sqlite_town: Town) -> None:
    """Nor is it hidden by jobs of a predecessor, which would end the process without a word."""
    sqlite_town.sandbox.set_latency(5.0)
    first = sqlite_town.start()
    until(lambda: sqlite_town.rows("SELECT 1 FROM leases WHERE name LIKE 'account:%'"))
    first.kill()
    listen = sqlite_town.sandbox.url.removeprefix("http://")
    sqlite_town.environment["WATCHBOOK_LISTEN"] = listen
    second = sqlite_town.start(log="second")
    assert second.wait() == 78
    assert listen in second.log


def test_files_of_the_service_are_private(sqlite_town: Town) -> None:
    """The engine's file and the lock can be read by their owner alone."""
    process = sqlite_town.start()
    process.address()
    modes = {path.name: path.stat().st_mode & 0o777 for path in sqlite_town.store.home.iterdir()}
    assert modes.pop("backups", 0o700) == 0o700
    assert set(modes) >= {"jobs.db", "serve.lock", "watchbook.db"}
    assert set(modes.values()) == {0o600}


def test_environment_token_alone_is_enough(make_town: MakeTown, tmp_path: Path) -> None:
    """On a host with nothing but settings, the first account is made of its refresh token."""
    town = make_town(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
    with town.store.database.write() as conn:
        conn.exec_driver_sql("DELETE FROM accounts")
    town.environment["WATCHBOOK_TRAKT_REFRESH_TOKEN"] = town.sandbox.refresh_token
    process = town.start()
    until(lambda: "Signed in as" in process.log)
    until(town.finished)
    town.check_plays()


def test_it_keeps_itself_awake(sqlite_town: Town) -> None:
    """A host that stops whoever is not asked finds this one being asked, by itself."""
    asked = sqlite_town.sandbox.url
    sqlite_town.environment |= {"WATCHBOOK_BASE_URL": asked, "WATCHBOOK_KEEP_AWAKE": "1m"}
    sqlite_town.start()
    until(lambda: "GET /healthz" in sqlite_town.sandbox.requests()["paths"])
