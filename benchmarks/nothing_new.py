"""A sync when nothing moved at Trakt: one request, and hardly any work."""

from __future__ import annotations

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Book, home
from benchmarks.running import Scale, Spent, timed
from benchmarks.stand_in import stand_in
from watchbook.clock import counted


def measure(scale: Scale) -> Result:
    """Sync a copy that is up to date, inside this process and as a command."""
    plays = scale.plays(50_000)
    with stand_in(plays) as trakt, home(trakt) as made:
        with made.opened() as book:
            book.sync()
            inside = [_again(book) for _ in range(scale.rounds(20))]
        trakt.control.reset_requests()
        rounds = scale.rounds(10)
        commands = [made.sync()[0] for _ in range(rounds)]
        requests = len(trakt.asked()) / rounds
    walls, peaks = [one.spent.wall for one in commands], [one.peak for one in commands]
    return Result(
        f"Sync with nothing new, {counted(plays, 'play')} kept",
        [
            Figure("requests", requests, at_most=1),
            of_runs("CPU inside a running process", [one.cpu for one in inside], "s", 0.3),
            of_runs("wall inside a running process", [one.wall for one in inside], "s"),
            of_runs("CPU of `watchbook sync`", [one.spent.cpu for one in commands], "s"),
            of_runs("wall of `watchbook sync`", walls, "s"),
            of_runs("peak memory of `watchbook sync`", peaks, "MB"),
        ],
    )


def _again(book: Book) -> Spent:
    return timed(book.sync)
