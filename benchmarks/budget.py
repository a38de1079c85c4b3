"""The budget of 450 reads in any 300 seconds, kept while a big history is read.

Time passes without waiting: whenever Watchbook would sleep, its clock and the stand-in's are
moved on. ``--real-time`` waits for real instead. The stand-in limits reads as Trakt does (500),
so that an overrun would also show in its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import time_machine

from benchmarks.figures import Figure, Result
from benchmarks.home import home
from benchmarks.running import Scale
from benchmarks.stand_in import StandIn, stand_in
from watchbook import clock
from watchbook.clock import counted
from watchbook.trakt.client import Patience

_READS, _SECONDS = 450, 300


def measure(scale: Scale) -> Result:
    """Read an account for the first time within the budget and count reads per window."""
    plays = scale.plays(100_000)
    moments: list[int] = []

    def note(_exchange: object) -> None:
        moments.append(clock.to_millis(clock.now()))

    with (
        stand_in(plays, rate_limit=True) as trakt,
        home(trakt, budget=f"{_READS}/{_SECONDS}s") as made,
        made.opened(note) as book,
        _sleeping(trakt, real=scale.real_time) as sleep,
    ):
        report = book.sync(Patience(sleep=sleep))
        statuses = trakt.control.requests()["statuses"]
    taken = (max(moments) - min(moments)) / 1000
    passing = "waiting for real" if scale.real_time else "with clocks moved on instead of waiting"
    return Result(
        f"The budget of reads, first sync of {counted(plays, 'play')}",
        [
            Figure("requests", report.requests),
            Figure(f"most requests in any {_SECONDS} s", _most_in_window(moments), at_most=_READS),
            Figure("answers with status 429", statuses.get("429", 0), at_most=0),
            Figure("from the first request to the last", taken, "s"),
        ],
        [f"Measured {passing}."],
    )


@contextmanager
def _sleeping(trakt: StandIn, *, real: bool) -> Iterator[Callable[[float], None]]:
    """What to call for sleeping: the real thing, or one that moves both clocks on."""
    if real:
        yield clock.sleep
        return
    lock = Lock()
    with time_machine.travel(clock.now(), tick=True) as traveller:

        def jump(seconds: float) -> None:
            """Sleep; lanes that sleep at the same time wake at the same time."""
            until = clock.now().timestamp() + seconds
            with lock:
                left = until - clock.now().timestamp()
                if left > 0:
                    trakt.control.advance(left)
                    traveller.shift(left)

        yield jump


def _most_in_window(moments: list[int]) -> int:
    """The largest number of moments that any window of the budget's length holds."""
    ordered, most, first = sorted(moments), 0, 0
    for number, moment in enumerate(ordered):
        while ordered[first] <= moment - _SECONDS * 1000:
            first += 1
        most = max(most, number - first + 1)
    return most
