"""What the benchmark of many accounts is made of; the whole of it takes a quarter of an hour."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.__main__ import BENCHMARKS, BY_NAME_ONLY
from benchmarks.going_on import OTHERS, Between, Process, going_on
from benchmarks.reading import newest_plays
from benchmarks.running import BenchmarkFailed
from benchmarks.stand_in import crowd
from watchbook.store import accounts
from watchbook.store.database import Database
from watchbook.store.schema import plays, titles

BUSY = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
WAIT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
signal.pause()
"""


def test_the_long_one_runs_only_when_it_is_named() -> None:
    """`make bench` leaves it out."""
    assert set(BENCHMARKS) > BY_NAME_ONLY == {"accounts"}


def test_a_crowd_has_its_accounts_in_order() -> None:
    """A stand-in of its own process tells everybody's tokens."""
    with crowd([(3, 20), (1, 60)], rate_limit=True) as trakt:
        slugs = [account["slug"] for account in trakt.facts["accounts"]]
        sizes = [len(trakt.control.truth(slug)["plays"]) for slug in slugs]
        assert Process("stand-in", trakt.pid).cpu() > 0
    assert sizes == [20, 20, 20, 60]


def test_what_a_process_spends_is_seen_while_it_goes_on(tmp_path: Path) -> None:
    """Its processor time and its memory, and that it was ended politely."""
    script = BUSY + WAIT
    with going_on("busy", [sys.executable, "-u", "-c", script], os.environ, tmp_path) as process:
        between = Between.begin([process])
        while "ready" not in (tmp_path / "busy.log").read_text():
            pass
        assert process.cpu() >= 0.19
        assert process.memory() > 1
        took = between.end()
    assert set(took.cpu) == set(took.shares()) == {"busy", OTHERS}
    assert took.wall > 0


def test_with_its_children_a_process_counts_as_one() -> None:
    """What this process started, dead or alive, is in its sum."""
    alone, together = (Process("me", os.getpid(), with_children=both) for both in (False, True))
    assert together.cpu() >= alone.cpu() > 0
    assert (alone.kind_of_memory, together.kind_of_memory) == ("peak memory", "memory")


def test_a_process_that_ends_by_itself_is_a_failure(tmp_path: Path) -> None:
    """Its last words are told."""
    with pytest.raises(BenchmarkFailed, match=r"luckless ended with 3: out of luck"):
        _watch_it_end(tmp_path)


def _watch_it_end(folder: Path) -> None:
    command = [sys.executable, "-c", "print('out of luck'); raise SystemExit(3)"]
    with going_on("luckless", command, os.environ, folder) as process:
        state = Path(f"/proc/{process.pid}/stat")
        while state.read_text().rpartition(")")[2].split()[0] != "Z":
            pass


def test_a_read_is_of_the_newest_plays_of_one_account(database: Database) -> None:
    """Fifty at most, newest first, with the titles of episode and show; removed ones are left."""
    with database.write() as conn:
        mine, other = (accounts.add(conn, name).id for name in ("sandra", "tom"))
        for key, show in (("show:1", None), ("episode:2", "show:1")):
            row = {"key": key, "type": key[:4], "show_key": show, "title": key}
            conn.execute(sa.insert(titles).values(row))
        for number in range(1, 71):
            whose = other if number % 7 == 0 else mine
            conn.execute(sa.insert(plays).values(_play(whose, number)))
    with database.read() as conn:
        rows = conn.execute(newest_plays(mine)).all()
    wanted = [n for n in range(69, 0, -1) if n % 7 and n != 69][:50]
    assert [row[0] for row in rows] == wanted
    assert (rows[0][4], rows[0][8]) == ("episode:2", "show:1")


def _play(account_id: int, number: int) -> dict[str, object]:
    return {
        "account_id": account_id,
        "history_id": number,
        "type": "episode",
        "title_key": "episode:2",
        "watched_at": number,
        "action": "watch",
        "raw": "{}",
        "discovered_at": 0,
        "removed_at": 1 if number == 69 else None,
    }
