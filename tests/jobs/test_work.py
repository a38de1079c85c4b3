"""What a job does, in this process: once, whatever happened before, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.jobs.conftest import MakeTown, Town
from watchbook.clock import now, to_millis
from watchbook.errors import TakenOver
from watchbook.jobs.port import Job, Kind
from watchbook.jobs.work import Quiet, Worker
from watchbook.store import accounts, due, leases, runs
from watchbook.store.due import Due
from watchbook.sync import SyncOptions, _sync_under, client_of

MINUTE = 60_000
SLOT = to_millis(now()) - MINUTE


@pytest.fixture
def town(make_town: MakeTown, tmp_path: Path) -> Town:
    """One person's town on SQLite, with plain periods."""
    url = f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}"
    own = {"sync_every": "5m", "backup_every": "7d", "copy_to": str(tmp_path / "elsewhere")}
    return make_town(url, plays=50, settings=own)


def do(town: Town, kind: Kind = Kind.SYNC) -> float:
    """Queue the slot's job and do it; returns the minutes until the next slot."""
    job = Job(kind, 1, SLOT)
    row = Due(1, kind, SLOT, None)
    with town.store.database.write() as conn:
        due.add(conn, [row])
        due.queued(conn, row, job.id)
    Worker(town.installation)(job)
    with town.store.database.read() as conn:
        left = next(row for row in due.of_account(conn, 1) if row.kind == kind)
    assert left.job is None
    return (left.next_at - to_millis(now())) / MINUTE


def runs_of(town: Town, kind: str) -> list[str]:
    """How the runs of a kind ended."""
    return [row[0] for row in town.rows("SELECT outcome FROM runs WHERE kind = :kind", kind=kind)]


def test_job_is_done_once(town: Town) -> None:
    """Begun again after its run had ended, it asks Trakt nothing and leaves no second run."""
    assert 0 < do(town) <= 8
    town.sandbox.reset_requests()
    Worker(town.installation)(Job(Kind.SYNC, 1, SLOT))
    assert town.sandbox.requests()["total"] == 0
    assert runs_of(town, "sync") == ["complete"]
    town.check_plays()


def test_job_that_somebody_else_has_ended_is_not_begun(town: Town) -> None:
    """Under the account's lease it is looked once more whether the job has a run."""
    do(town)
    job = Job(Kind.SYNC, 1, SLOT).id
    with pytest.raises(TakenOver), town.store.database.write() as conn:
        runs.start(conn, 1, "sync", job)
    assert runs_of(town, "sync") == ["complete"]


def test_sync_that_lost_its_account_before_it_began_interrupts_nobody(town: Town) -> None:
    """A process that stood still between lease and run leaves the run of its successor alone."""
    database = town.store.database
    with database.read() as conn:
        account = accounts.get(conn, 1)
    with leases.holding(database, "account:1", "a sync") as lease:
        with database.write() as conn:
            conn.exec_driver_sql("UPDATE leases SET holder = 'elsewhere 1 1.1@there a sync'")
            runs.start(conn, 1, "sync", Job(Kind.SYNC, 1, SLOT).id)
        with client_of(town.installation, account) as client, pytest.raises(TakenOver):
            _sync_under(lease, account, client, Quiet(), SyncOptions())
    assert runs_of(town, "sync") == ["running"]


def test_nothing_new_is_one_request(town: Town) -> None:
    """A scheduled sync of an account where nothing moved asks once."""
    do(town)
    town.sandbox.reset_requests()
    Worker(town.installation)(Job(Kind.SYNC, 1, SLOT + 1))
    assert town.sandbox.requests()["total"] == 1


def test_backup_syncs_first_and_is_handed_on(town: Town, tmp_path: Path) -> None:
    """An archive of what is at Trakt now, verified, and a copy of it elsewhere; once."""
    (tmp_path / "elsewhere").mkdir()
    assert do(town, Kind.BACKUP) > 60
    Worker(town.installation)(Job(Kind.BACKUP, 1, SLOT))
    town.check_plays()
    assert town.check_archives() == 1
    copied = {path.name for path in (tmp_path / "elsewhere").glob("*.tar.gz")}
    assert copied == {path.name for path in (town.settings.home / "backups").glob("*.tar.gz")}
    assert runs_of(town, "backup") == ["complete"]
    assert runs_of(town, "prune") == ["complete"]


def test_copy_that_failed_is_told_and_tried_again(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is not there costs no backup; when it is back, the copy goes there."""
    do(town, Kind.BACKUP)
    assert "could not be copied" in capsys.readouterr().err
    (tmp_path / "elsewhere").mkdir()
    with town.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE copies SET retry_at = 0")
    do(town, Kind.COPY)
    assert len(list((tmp_path / "elsewhere").glob("*.tar.gz"))) == 1


def test_backup_goes_without_trakt(town: Town) -> None:
    """While Trakt is away, what is here is saved all the same; the sync says what was wrong."""
    do(town)
    town.sandbox.set_faults("http-403")
    do(town, Kind.BACKUP)
    assert runs_of(town, "sync") == ["complete", "failed"]
    assert town.check_archives() == 1


def test_busy_account_comes_again_in_a_minute(town: Town) -> None:
    """A command works on it: no failed run, and the next slot is soon."""
    with leases.holding(town.store.database, "account:1", "a command"):
        assert 0.5 < do(town) <= 1
    assert runs_of(town, "sync") == []


def test_what_a_person_must_mend_is_tried_hourly(town: Town) -> None:
    """A locked account is not asked for every five minutes."""
    with town.store.database.write() as conn:
        accounts.change(conn, 1, locked="Trakt has locked it.")
    assert 59 < do(town) <= 60
    assert runs_of(town, "sync") == ["failed"]


def test_incomplete_backup_is_tried_again_tomorrow(town: Town) -> None:
    """A week is long for somebody who has no good archive."""
    with town.store.database.write() as conn:
        accounts.change(conn, 1, locked="Trakt has locked it.")
    assert do(town, Kind.BACKUP) <= timedelta(days=1) / timedelta(minutes=1)
    assert runs_of(town, "backup") == ["incomplete"]


def test_incomplete_backup_comes_again_tomorrow_after_a_kill_too(town: Town) -> None:
    """A job that was killed before it left its slot knows how its run ended."""
    job = Job(Kind.BACKUP, 1, SLOT)
    with town.store.database.write() as conn:
        run = runs.start(conn, 1, "backup", job.id)
        runs.finish(conn, run, runs.INCOMPLETE, "something is missing")
    assert do(town, Kind.BACKUP) <= timedelta(days=1) / timedelta(minutes=1)
    assert runs_of(town, "backup") == ["incomplete"]


def test_backup_that_failed_comes_again_tomorrow(town: Town) -> None:
    """A week is long for somebody whose archives could not be written."""
    folder = town.settings.home / "backups"
    folder.write_text("no folder")
    assert do(town, Kind.BACKUP) <= timedelta(days=1) / timedelta(minutes=1)
    assert "failed" in runs_of(town, "backup")


def test_job_of_a_removed_account_is_nothing(town: Town) -> None:
    """It may have been queued before the account was removed."""
    Worker(town.installation)(Job(Kind.SYNC, 77, SLOT))
    assert town.rows("SELECT * FROM runs") == []
