"""The first sync of an account with every data set, as a command in a fresh process."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from benchmarks.fewest import fewest_requests
from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import home
from benchmarks.running import BenchmarkFailed, Finished, Scale, in_turns
from benchmarks.stand_in import StandIn, stand_in
from watchbook.clock import counted

_SIZES = (10_000, 35_000, 100_000)
_LATENCIES = (0.0, 0.1)
_SECONDS, _MEGABYTES = 15, 150
"""The aims, set for 50,000 plays without latency."""


def measure(scale: Scale) -> Result:
    """Sync accounts of three sizes, at two latencies, by turns."""
    sizes = sorted({scale.plays(size) for size in _SIZES})
    with ExitStack() as stack:
        running = {size: stack.enter_context(stand_in(size)) for size in sizes}
        cases = {
            f"{counted(size, 'play')}, {latency * 1000:.0f} ms": partial(_first, trakt, latency)
            for size, trakt in running.items()
            for latency in _LATENCIES
        }
        found = in_turns(cases, scale.rounds(3))
        fewest = {counted(size, "play"): _fewest(trakt) for size, trakt in running.items()}
    figures = []
    for name, runs in found.items():
        figures += _figures(name, fewest[name.rpartition(", ")[0]], runs)
    return Result(
        "First sync, every data set",
        figures,
        [
            (
                "The milliseconds are added to every answer of the stand-in. The budget of reads "
                "is lifted; kept, it makes everything beyond 450 requests wait."
            ),
            (
                "The fewest possible requests are those that any reader needs who takes the "
                "largest pages: see `benchmarks/fewest.py`."
            ),
        ],
    )


Run = tuple[Finished, int]


def _first(trakt: StandIn, latency: float) -> Run:
    """One first sync: what it took, and the requests by the stand-in's log."""
    with home(trakt) as made:
        trakt.control.set_latency(latency)
        try:
            finished, _ = made.sync()
        finally:
            trakt.control.set_latency(0)
        return finished, len(trakt.asked())


def _fewest(trakt: StandIn) -> int:
    with home(trakt) as made, made.opened() as book:
        book.sync()
        return fewest_requests(trakt, book)


def _figures(name: str, fewest: int, runs: list[Run]) -> list[Figure]:
    requests = {asked for _, asked in runs}
    if len(requests) > 1:
        raise BenchmarkFailed(f"{name}: the number of requests varies: {sorted(requests)}")
    (asked,) = requests
    aim = _SECONDS if name.endswith(", 0 ms") else None
    return [
        Figure(f"{name}: requests", asked),
        Figure(f"{name}: against the fewest possible ({fewest})", asked / fewest, "x"),
        of_runs(f"{name}: wall", [run.spent.wall for run, _ in runs], "s", aim),
        of_runs(f"{name}: CPU", [run.spent.cpu for run, _ in runs], "s"),
        of_runs(f"{name}: peak memory", [run.peak for run, _ in runs], "MB", _MEGABYTES),
    ]
