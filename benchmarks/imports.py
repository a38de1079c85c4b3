"""Imports into an empty home: seconds, and memory that does not grow with the history."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Home, home
from benchmarks.running import Finished, Scale, in_turns, ratio
from benchmarks.stand_in import StandIn, stand_in
from watchbook.clock import counted

_SECONDS = 20
_MEGABYTES = 300

Make = Callable[[StandIn, Path], Path]


def measure_archive(scale: Scale) -> Result:
    """Read archives of a small and a big account back in, by turns, as commands."""
    return _measured(scale, "An account's archive", _archive)


def measure_zip(scale: Scale) -> Result:
    """Take in Trakt's exports of a small and a big account, by turns, as commands."""
    return _measured(scale, "Trakt's export", _export)


def _archive(trakt: StandIn, folder: Path) -> Path:
    with home(trakt) as made:
        made.sync()
        made.command("backup", "create", "--no-sync")
        (written,) = (made.folder / "home" / "backups").glob("*.tar.gz")
        return written.rename(folder / written.name)


def _export(trakt: StandIn, folder: Path) -> Path:
    return trakt.control.export_zip(folder / "trakt-export.zip", numbered=True)


def _measured(scale: Scale, what: str, make: Make) -> Result:
    sizes = {"small": scale.plays(10_000), "big": scale.plays(100_000)}
    with ExitStack() as stack:
        files = {name: _made(stack, plays, make) for name, plays in sizes.items()}
        cases = {name: partial(_import, file) for name, file in files.items()}
        found = in_turns(cases, scale.rounds(3))
        size = files["big"].stat().st_size / 1e6
    big = counted(sizes["big"], "play")
    remark = f"Whole commands, each into a home of its own. The file of {big} has {size:.1f} MB."
    return Result(f"{what} of {big}, imported", _figures(sizes["small"], found), [remark])


def _made(stack: ExitStack, plays: int, make: Make) -> Path:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchbook-bench-")))
    with stand_in(plays) as trakt:
        return make(trakt, folder)


def _import(file: Path) -> Finished:
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name:
        folder = Path(name)
        return Home(folder, {"home": str(folder / "home")}).command("import", str(file))


def _figures(small: int, found: dict[str, list[Finished]]) -> list[Figure]:
    peaks = {name: [one.peak for one in runs] for name, runs in found.items()}
    flat = ratio(peaks["big"], peaks["small"])
    return [
        of_runs("wall", [one.spent.wall for one in found["big"]], "s", _SECONDS),
        of_runs("CPU", [one.spent.cpu for one in found["big"]], "s"),
        of_runs("peak memory", peaks["big"], "MB", _MEGABYTES),
        Figure(f"peak memory against {small:,} plays", flat, "x"),
    ]
