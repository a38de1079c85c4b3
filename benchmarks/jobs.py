"""Jobs: what one costs, what waiting for the next costs, and how soon a killed one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore

import sqlalchemy as sa

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.going_on import Process, going_on
from benchmarks.home import Home, home
from benchmarks.postgres import postgres
from benchmarks.running import BenchmarkFailed, Scale, program, timed
from benchmarks.stand_in import StandIn, stand_in
from watchbook.jobs.engine import Engine
from watchbook.jobs.port import Job, Kind
from watchbook.store.database import Database

_LATENCY = 2.0
"""Seconds that the stand-in takes for an answer while a job is to be killed in its midst."""
_PATIENCE = 120
_SETTLED = 15
_IDLE = 30


def measure(scale: Scale) -> Result:
    """Measure all of it on SQLite, then on PostgreSQL."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name, postgres(Path(name)) as pg:
        urls = {"SQLite": f"sqlite:///{name}/watchbook.db"}
        if pg is not None:
            urls["PostgreSQL"] = pg
        for kind, url in urls.items():
            figures += _overhead(kind, url, Path(name), scale)
        with stand_in(scale.plays(2_000)) as trakt:
            for kind, url in urls.items():
                own = {"database_url": url} if kind == "PostgreSQL" else {}
                with home(trakt, listen="127.0.0.1:0", sync_every="1d", **own) as here:
                    figures += _idle(kind, here, scale)
                    figures.append(_recovery(kind, here, trakt, scale))
    return Result("Jobs: overhead, idling, recovery", figures, _REMARKS)


_REMARKS = [
    (
        "Overhead: jobs of as many accounts that do nothing, queued and done by one process, "
        "eight at once, which looks at the queue fifty times a second; `serve` looks once."
    ),
    "Idle: `serve` with one account whose next sync is far away.",
    (
        "Recovery: from kill -9 in the midst of a sync until the same job's next run begins. On "
        "SQLite `serve` is started again at once; on PostgreSQL a worker takes over from `serve`."
    ),
]


def _overhead(kind: str, url: str, folder: Path, scale: Scale) -> list[Figure]:
    database, done = Database(_driver(url)), Semaphore(0)
    number = 50 if scale.quick else 500
    engine = Engine(
        database, folder, lambda _: done.release(), worker="bench", concurrency=8, look_every=0.02
    )

    def all_of_them() -> None:
        for account in range(number):
            engine.enqueue(Job(Kind.SYNC, account, time.time_ns()))
        for _ in range(number):
            if not done.acquire(timeout=_PATIENCE):
                raise BenchmarkFailed(f"Not all of {number} jobs were done.")

    try:
        spent = [timed(all_of_them) for _ in range(scale.rounds(3))]
    finally:
        engine.stop(1)
        database.close()
    return [
        of_runs(f"{kind}: jobs that do nothing", [number / s.wall for s in spent], "per s"),
        of_runs(f"{kind}: CPU per job", [s.cpu / number * 1000 for s in spent], "ms"),
    ]


def _idle(kind: str, here: Home, scale: Scale) -> list[Figure]:
    with _going_on(here, "serve") as serve:
        until(
            lambda: _count(
                here, "SELECT count(*) FROM runs WHERE kind = 'sync' AND finished_at > 0"
            )
        )
        time.sleep(1 if scale.quick else _SETTLED)
        before, began = serve.cpu(), time.monotonic()
        time.sleep(2 if scale.quick else _IDLE)
        share = (serve.cpu() - before) / (time.monotonic() - began) * 100
        return [
            Figure(f"{kind}: idle, share of a processor", share, "%"),
            Figure(f"{kind}: idle, peak memory", serve.memory(), "MB"),
        ]


def _recovery(kind: str, here: Home, trakt: StandIn, scale: Scale) -> Figure:
    again = "serve" if kind == "SQLite" else "worker"
    took = [_killed(here, trakt, again) for _ in range(scale.rounds(3))]
    return of_runs(f"{kind}: from kill -9 to the job's next run", took, "s", 30)


def _killed(here: Home, trakt: StandIn, again: str) -> float:
    """Seconds from a kill in the midst of a sync until its job is begun again."""
    with _opened(here) as conn:
        conn.execute(sa.text("UPDATE due SET next_at = 1, job = NULL WHERE kind = 'sync'"))
    trakt.control.add_plays(3)
    trakt.control.set_latency(_LATENCY)
    doomed = subprocess.Popen(
        [program("watchbook"), "serve"],
        env=_env(here),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _count(here, _WORKED_ON, process=f"% {doomed.pid} %"))
        with _others(here, again):
            before = _count(here, _RUNS)
            os.kill(doomed.pid, signal.SIGKILL)
            doomed.wait()
            began = time.monotonic()
            if again == "serve":
                with _going_on(here, "serve"):
                    return _seconds_until_begun(here, trakt, before, began)
            return _seconds_until_begun(here, trakt, before, began)
    finally:
        trakt.control.set_latency(0)
        doomed.kill()
        doomed.wait()


_BACKED_UP = "SELECT count(*) FROM runs WHERE kind = 'backup' AND finished_at IS NOT NULL"
_WORKERS = "SELECT count(*) FROM leases WHERE name LIKE 'worker:%'"
_RUNS = "SELECT count(*) FROM runs WHERE kind = 'sync'"
_WORKED_ON = "SELECT count(*) FROM leases WHERE name LIKE 'account:%' AND holder LIKE :process"


def _seconds_until_begun(here: Home, trakt: StandIn, before: int, began: float) -> float:
    until(lambda: _count(here, _RUNS) > before)
    took = time.monotonic() - began
    trakt.control.set_latency(0)
    until(lambda: not _count(here, "SELECT count(*) FROM leases WHERE name LIKE 'account:%'"))
    return took


@contextmanager
def _others(here: Home, command: str) -> Iterator[None]:
    """A worker that stands by, on PostgreSQL."""
    if command == "serve":
        yield
        return
    alive = _count(here, _WORKERS)
    with _going_on(here, command):
        until(lambda: _count(here, _WORKERS) > alive)
        yield


@contextmanager
def _going_on(here: Home, command: str) -> Iterator[Process]:
    with going_on(command, [program("watchbook"), command], _env(here), here.folder) as process:
        yield process


def _env(here: Home) -> Mapping[str, str]:
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(here.folder)}
    return env | {f"WATCHBOOK_{name.upper()}": value for name, value in here.values.items()}


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; raises BenchmarkFailed when it does not in two minutes."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise BenchmarkFailed("What was waited for did not happen.")
        time.sleep(0.05)


@contextmanager
def _opened(here: Home) -> Iterator[sa.Connection]:
    database = Database(here.settings.database_url)
    try:
        with database.write() as conn:
            yield conn
    finally:
        database.close()


def _count(here: Home, query: str, **values: object) -> int:
    with _opened(here) as conn:
        return int(conn.scalar(sa.text(query), values) or 0)


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
