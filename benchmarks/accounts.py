"""Many accounts on one installation: everybody's first sync, then all of them on schedule.

``serve`` and ``worker`` are real processes on a real PostgreSQL, and so is whoever reads
meanwhile. The stand-in limits each user's reads as Trakt does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles

from benchmarks.figures import Figure, Result
from benchmarks.going_on import Between, Process, Took, going_on
from benchmarks.hosted import Hosted, Waiting, hosted
from benchmarks.reading import EVERY
from benchmarks.running import BenchmarkFailed, Scale, program
from benchmarks.stand_in import StandIn, crowd
from watchbook.clock import counted

_ROOT = str(Path(__file__).parent.parent)
_SMALL, _BIG = 100, 50_000
_NEWS = 0.2
"""The share of accounts of which a play is added in each period."""
_BACKLOG, _READS = 60, 50
_CALM = 15
"""Seconds of backlog at most when the schedule begins to be watched."""
_PATIENCE = 180
"""Seconds without a run that ends after which the benchmark gives up."""


def measure(scale: Scale) -> Result:
    """Let two processes sync everybody, first in one go, then every five minutes."""
    small, big = (20, 1) if scale.quick else (scale.accounts, scale.big)
    period, periods = (60, 1) if scale.quick else (scale.period, scale.periods)
    sizes = [(small, _SMALL), (big, scale.plays(_BIG))]
    with ExitStack() as stack:
        trakt = stack.enter_context(crowd(sizes, rate_limit=True))
        here = stack.enter_context(hosted(trakt, sync_every=f"{period}s", backup_every="7d"))
        processes = [Process("stand-in", trakt.pid), here.server]
        for name in ("serve", "worker"):
            command = [program("watchbook"), name]
            processes.append(stack.enter_context(going_on(name, command, here.env, here.folder)))
        watch = _Watch(here, processes, small + big)
        first = _first_syncs(watch)
        steady = _on_schedule(watch, trakt, period, periods)
        trouble = here.bad()
    figures = [*first, *steady, Figure("runs that failed or left something out", len(trouble))]
    return Result(
        f"{small:,} accounts of {_SMALL} plays and {big:,} of {sizes[1][1]:,}, two workers on "
        "PostgreSQL",
        figures,
        [*_remarks(period, periods), *dict.fromkeys(trouble[:5])],
    )


def _remarks(period: int, periods: int) -> list[str]:
    often = f"every account is due each {period} s, {counted(periods, 'period')} long"
    reads = f"{1 / EVERY:.0f} times a second"
    return [
        (
            "`serve` and `worker` work on 8 accounts each at once. They, PostgreSQL (as it is "
            "set up, durable), the stand-in and the reader share the processors of this machine "
            "with everything else that runs on it."
        ),
        (
            f"On schedule: {often}. In each, {_NEWS:.0%} of the small accounts and all the big "
            "ones have a new play. The backlog is the age of the oldest sync that is due and not "
            "begun, looked at each second."
        ),
        (
            f"Reading, {reads} from a process of its own, takes the newest 50 plays of one "
            "account with their titles."
        ),
    ]


@dataclass
class _Watch:
    """Looks at the installation each second, and does what is to be done meanwhile."""

    here: Hosted
    processes: Sequence[Process]
    everybody: int
    waiting: list[Waiting] = field(default_factory=list)

    def until(self, done: Callable[[], bool], meanwhile: Callable[[], object]) -> float:
        """Look until it is done; returns the seconds it took.

        Raises BenchmarkFailed when nothing goes on any more.
        """
        began = moved_at = time.monotonic()
        moved, self.waiting = -1, []
        while not done():
            if (ended := self.here.ended()) != moved:
                moved, moved_at = ended, time.monotonic()
            if time.monotonic() - moved_at > _PATIENCE:
                raise BenchmarkFailed(f"No run ended for {_PATIENCE} s; {ended:,} had.")
            self.waiting.append(self.here.waiting())
            meanwhile()
            time.sleep(1 - (time.monotonic() - began) % 1)
        return time.monotonic() - began

    def peaks(self) -> list[Figure]:
        """How much memory each process needed at most so far, or holds now."""
        return [
            Figure(f"{one.name}: {one.kind_of_memory}", one.memory(), "MB")
            for one in self.processes
        ]


def _first_syncs(watch: _Watch) -> list[Figure]:
    here, all_of_them = watch.here, watch.everybody
    between = Between.begin(watch.processes)
    with _reader(here) as reads:
        synced = watch.until(lambda: here.reached("sync") >= all_of_them, lambda: None)
        saved = watch.until(lambda: here.reached("backup") >= all_of_them, lambda: None)
    return [
        Figure("first sync of all", synced, "s"),
        Figure("first sync of all: accounts", all_of_them / synced, "per s"),
        Figure("... and the first backup of all", synced + saved, "s"),
        *_percentiles("reads meanwhile", reads, None),
        *_cpu("meanwhile", between.end(), "account", all_of_them),
    ]


def _on_schedule(watch: _Watch, trakt: StandIn, period: int, periods: int) -> list[Figure]:
    here = watch.here
    # What piled up during the first syncs is not the schedule's doing.
    watch.until(lambda: here.waiting().seconds < _CALM, lambda: None)
    before, between = here.ended(), Between.begin(watch.processes)
    ends, news = time.monotonic() + periods * period, _news(trakt, watch.everybody, period)
    with _reader(here) as reads:
        seconds = watch.until(lambda: time.monotonic() >= ends, lambda: next(news))
    jobs, took = here.ended() - before, between.end()
    ages = [look.seconds for look in watch.waiting]
    return [
        Figure("on schedule: jobs", jobs / seconds, "per s"),
        Figure("on schedule: backlog, median", median(ages), "s"),
        Figure("on schedule: backlog, 99 of 100", _percentile(ages, 99), "s"),
        Figure("on schedule: backlog, longest", max(ages), "s", _BACKLOG),
        Figure("on schedule: syncs waiting, most", max(look.count for look in watch.waiting)),
        *_percentiles("reads on schedule", reads, _READS),
        *_cpu("on schedule", took, "job", jobs),
        *watch.peaks(),
    ]


def _news(trakt: StandIn, everybody: int, period: int) -> Iterator[int]:
    """Adds plays when their time has come, evenly over each period; yields how many so far."""
    slugs = [account["slug"] for account in trakt.facts["accounts"]]
    step = round(1 / _NEWS)
    with_news = cycle([*slugs[:-5:step], *slugs[-5:]])
    each = period / (everybody * _NEWS + 5)
    began, added = time.monotonic(), 0
    while True:
        while added * each < time.monotonic() - began:
            trakt.control.add_plays(1, account=next(with_news))
            added += 1
        yield added


@contextmanager
def _reader(here: Hosted) -> Iterator[list[float]]:
    """Reads go on during the block; afterwards the list holds their milliseconds."""
    taken: list[float] = []
    url = here.values["database_url"].replace("postgresql://", "postgresql+psycopg://", 1)
    command = [sys.executable, "-m", "benchmarks.reading", url]
    with going_on("reader", command, dict(here.env) | {"PYTHONPATH": _ROOT}, here.folder):
        yield taken
    taken += json.loads((here.folder / "reader.log").read_text())


def _percentiles(what: str, taken: Sequence[float], aim: float | None) -> list[Figure]:
    return [
        Figure(f"{what}, median", median(taken), "ms"),
        Figure(f"{what}, 99 of 100", _percentile(taken, 99), "ms", aim),
        Figure(f"{what}, longest", max(taken), "ms"),
    ]


def _percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _cpu(what: str, took: Took, each: str, count: int) -> list[Figure]:
    ours = sum(took.cpu[name] for name in ("serve", "worker", "PostgreSQL"))
    return [
        Figure(f"processor time {what}, for each {each}", ours / count, "s"),
        *(
            Figure(f"{name}: share of a processor {what}", share, "%")
            for name, share in took.shares().items()
        ),
    ]
