"""One play back-dated or deleted at Trakt: which requests find it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.figures import Result, of_runs
from benchmarks.home import Book, home
from benchmarks.running import BenchmarkFailed, Scale
from benchmarks.stand_in import StandIn, stand_in
from watchbook.clock import counted

_AIM = 25


def measure(scale: Scale) -> Result:
    """Let a play appear long ago, another vanish, then both at once, and count requests."""
    plays = scale.plays(50_000)
    with stand_in(plays) as trakt, home(trakt) as made, made.opened() as book:
        book.sync()
        counts = trakt.control.truth()["counts"]
        cases: dict[str, Callable[[int], list[str]]] = {
            "one back-dated": partial(_asked, trakt, book, added=1, deleted=0),
            "one deleted": partial(_asked, trakt, book, added=0, deleted=1),
            "one of each": partial(_asked, trakt, book, added=1, deleted=1),
        }
        numbers = range(scale.rounds(6))
        found = {name: [act(number) for number in numbers] for name, act in cases.items()}
    figures = [of_runs(name, map(len, asked), "requests", _AIM) for name, asked in found.items()]
    shows, films = counts["watched_shows"], counts["watched_movies"]
    title = f"One change among {counted(plays, 'play')} of {counted(shows + films, 'title')}"
    most = max((asked for runs in found.values() for asked in runs), key=len)
    return Result(title, figures, _remarks(shows, films, most))


def _asked(trakt: StandIn, book: Book, number: int, *, added: int, deleted: int) -> list[str]:
    """The requests of a sync after such a change; raises BenchmarkFailed if it missed it."""
    if added:
        trakt.control.backdate(added, days=400 + 100 * number)
    if deleted:
        trakt.control.delete_plays(deleted, seed=number)
    trakt.control.reset_requests()
    history = next(one for one in book.sync().data_sets if one.name == "history")
    if (history.added, history.removed) != (added, deleted):
        raise BenchmarkFailed(f"found {history.added} added and {history.removed} removed")
    return [f"{one['path']}?{one['query']}".rstrip("?") for one in trakt.asked()]


def _remarks(shows: int, films: int, asked: list[str]) -> list[str]:
    again = [one for one in asked if "extended=min" in one]
    whole = [one for one in asked if "/sync/watched/" in one and one not in again]
    return [
        (
            f"The account has {counted(films, 'film')} and {counted(shows, 'show')}. "
            "Titles come and go at random, so a show that was seen often may need several pages."
        ),
        (
            f"Of the {len(asked)} requests of the longest run {len(again)} read the totals that "
            f"plays are held against, and {len(whole)} bring watched films and shows up to date."
        ),
        "The longest run asked: " + ", ".join(f"`{one}`" for one in asked) + ".",
    ]
