"""Exports in every format: seconds, and memory that does not grow with the history."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Home, home
from benchmarks.running import Finished, Scale, in_turns, ratio
from benchmarks.stand_in import stand_in
from watchbook.clock import counted
from watchbook.exporting.formats import FORMATS

_AIMS = {"trakt-zip": 10.0}
"""Seconds, where one was set."""


def measure(scale: Scale) -> Result:
    """Export a small and a big account by turns, as commands, in every format."""
    sizes = {"small": scale.plays(10_000), "big": scale.plays(100_000)}
    with ExitStack() as stack:
        homes = {size: _synced(stack, plays) for size, plays in sizes.items()}
        cases = {
            f"{name} {size}": partial(_export, made, name)
            for name in FORMATS
            for size, made in homes.items()
        }
        found = in_turns(cases, scale.rounds(3))
        megabytes = {name: _size(homes["big"], name) for name in FORMATS}
    figures = [figure for name in FORMATS for figure in _figures(name, sizes, found)]
    big = counted(sizes["big"], "play")
    written = ", ".join(f"{name} {size:.1f} MB" for name, size in megabytes.items())
    remark = f"Whole commands: the start of the program is in the figures. Written: {written}."
    return Result(f"Export, {big} with every data set", figures, [remark])


def _synced(stack: ExitStack, plays: int) -> Home:
    with stand_in(plays) as trakt:
        made = stack.enter_context(home(trakt))
        made.sync()
    return made


def _export(made: Home, name: str) -> Finished:
    (made.folder / "out" / name).mkdir(parents=True, exist_ok=True)
    return made.command("export", name, "-o", f"out/{name}/export", "--force")


def _size(made: Home, name: str) -> float:
    files = (made.folder / "out" / name).rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def _figures(name: str, sizes: dict[str, int], found: dict[str, list[Finished]]) -> list[Figure]:
    big, small = found[f"{name} big"], found[f"{name} small"]
    peaks = [one.peak for one in big]
    flat = ratio(peaks, [one.peak for one in small])
    return [
        of_runs(f"{name}, wall", [one.spent.wall for one in big], "s", _AIMS.get(name)),
        of_runs(f"{name}, CPU", [one.spent.cpu for one in big], "s"),
        of_runs(f"{name}, peak memory", peaks, "MB"),
        Figure(f"{name}, peak memory against {sizes['small']:,} plays", flat, "x", 1.25),
    ]
