"""What is being watched: asked once a minute, of whoever shows it, and kept honestly."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.jobs.conftest import MakeTown, Town, until
from watchbook import sharing, showing
from watchbook.clock import now, to_millis
from watchbook.jobs import plan
from watchbook.jobs.port import Job, Kind
from watchbook.jobs.work import Worker
from watchbook.sharing import Part
from watchbook.showing import Now
from watchbook.store import accounts, changes, due, grants, watching
from watchbook.store.due import Due
from watchbook.store.grants import State
from watchbook.store.watching import LastLook

pytestmark = pytest.mark.sqlite_daily

MINUTE = 60_000
ASKED = "GET /users/me/watching"


@pytest.fixture
def town(make_town: MakeTown, database_url: str) -> Town:
    """One person who shows what is being watched, synced once; once on each database."""
    town = make_town(database_url, plays=50)
    with town.store.database.write() as conn:
        sharing.switch_on(conn, 1, [Part.NOW])
    Worker(town.installation)(Job(Kind.SYNC, 1, 0))
    return town


def ask(town: Town) -> float:
    """Do the job of a slot; returns the minutes until the next."""
    slot = to_millis(now()) - MINUTE // 2
    row = Due(1, Kind.WATCHING, slot, None)
    with town.store.database.write() as conn:
        for other in due.of_account(conn, 1):
            due.drop(conn, other)
        due.add(conn, [row])
    Worker(town.installation)(Job(Kind.WATCHING, 1, slot))
    with town.store.database.read() as conn:
        (left,) = due.of_account(conn, 1)
    return (left.next_at - to_millis(now())) / MINUTE


def look(town: Town) -> LastLook:
    """What is kept."""
    with town.store.database.read() as conn:
        found = watching.last_look(conn, 1)
    assert found is not None
    return found


def seen(town: Town) -> Now | None:
    """What everybody sees."""
    with town.store.database.read() as conn:
        return showing.now_of(conn, sharing.of_account(conn, accounts.get(conn, 1)))


def number(town: Town) -> int:
    """How often what is shown of the account has changed."""
    topic = changes.of_account(1)
    with town.store.database.read() as conn:
        return changes.numbers(conn, [topic])[topic]


def start(town: Town, kind: str = "episode") -> None:
    """Start a film or episode at Trakt."""
    query = "SELECT title_key FROM plays WHERE type = :kind AND title_key IS NOT NULL"
    seen_before = town.rows(f"{query} LIMIT 1", kind=kind)
    number = int(seen_before[0][0].rpartition(":")[2])
    if kind == "movie":
        town.sandbox.watching(movie=number)
    else:
        town.sandbox.watching(episode=number)


def test_nothing_is_one_request_a_minute(town: Town) -> None:
    """One read, counted in the budget; the next is a minute after it, however late it was."""
    town.sandbox.reset_requests()
    assert 0.9 < ask(town) <= 1
    assert town.sandbox.requests()["total"] == 1
    assert look(town).found is None
    assert seen(town) is None
    (used,) = town.rows("SELECT used FROM budgets WHERE account_id = 1")
    assert sum(json.loads(used[0]).values()) >= 1


def test_what_runs_is_kept_and_shown(town: Town) -> None:
    """An episode with its show, start and end; told as a change once, and gone when it stops."""
    start(town)
    before = number(town)
    ask(town)
    found = seen(town)
    assert found is not None
    assert found.shown.play.type == "episode"
    assert found.shown.title != "Unknown title"
    assert found.expires_at - found.started_at == timedelta(hours=2)
    assert 0 <= found.progress < 0.2
    assert number(town) == before + 1
    ask(town)
    assert number(town) == before + 1
    town.sandbox.watching()
    ask(town)
    assert seen(town) is None
    assert number(town) == before + 2


def test_trouble_is_noted_and_what_was_known_stays_for_a_while(town: Town) -> None:
    """Trakt goes down: no wait, no retry; the words are kept, and what was seen is shown on."""
    start(town, "movie")
    ask(town)
    town.sandbox.set_faults("http-503")
    town.sandbox.reset_requests()
    ask(town)
    assert town.sandbox.requests()["total"] == 1
    kept = look(town)
    assert "503" in str(kept.words)
    assert kept.found is not None
    assert seen(town) is not None
    town.sandbox.clear_faults()
    ask(town)
    assert look(town).words is None


def test_rate_limit_is_not_waited_out(town: Town) -> None:
    """While the account's reads are stopped it asks nothing, and comes back when that ends."""
    until_then = to_millis(now()) + 10 * MINUTE
    with town.store.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE budgets SET blocked_until = {until_then}")
    town.sandbox.reset_requests()
    assert 9 < ask(town) <= 10
    assert town.sandbox.requests()["total"] == 0
    assert "rate limit" in str(look(town).words)


def test_only_who_shows_it_and_can_be_asked_is_asked(town: Town) -> None:
    """A place in the schedule while the part is on, the grant is alive, and Trakt allows it."""

    def planned() -> bool:
        return Kind.WATCHING in {Kind(row.kind) for row in plan.keep_rows(town.installation)}

    database = town.store.database
    assert planned()
    with database.write() as conn:
        accounts.change(conn, 1, locked="Trakt has locked it.")
    assert not planned()
    with database.write() as conn:
        accounts.change(conn, 1, locked=None)
    assert planned()
    with database.write() as conn:
        grant = grants.find(conn, 1)
        assert grant is not None
        grants.settle(conn, grant, State.NEEDED, "words")
    assert not planned()
    with database.write() as conn:
        grants.settle(conn, grant, State.ALIVE, None)
        sharing.switch_off(conn, 1, [Part.NOW])
    assert not planned()
    assert town.rows("SELECT * FROM watching") == []


def test_nothing_is_kept_once_it_is_off(town: Town) -> None:
    """A job that was queued before the part was switched off leaves no trace of what runs."""
    start(town)
    with town.store.database.write() as conn:
        sharing.switch_off(conn, 1, [Part.NOW])
    ask(town)
    town.sandbox.set_faults("http-503")
    ask(town)
    assert town.rows("SELECT * FROM watching") == []


@pytest.mark.parametrize("fault", ["body-html", "body-object", "body-null", "body-deep"])
def test_odd_answer_is_no_film(town: Town, fault: str) -> None:
    """Trakt answers in another shape: nothing is shown, and the words say so."""
    start(town)
    town.sandbox.set_faults(fault)
    ask(town)
    assert look(town).found is None
    assert look(town).words


def test_service_asks_by_itself(make_town: MakeTown, tmp_path: Path) -> None:
    """A running service notices the part that was switched on, and what is watched then."""
    town = make_town(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}", plays=50)
    town.start()
    until(town.finished)
    start(town)
    with town.store.database.write() as conn:
        sharing.switch_on(conn, 1, [Part.NOW])
    until(lambda: seen(town))
    town.sandbox.watching()
    until(lambda: seen(town) is None)
    assert town.sandbox.requests()["paths"].get(ASKED, 0) > 1
