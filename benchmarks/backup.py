"""Writing and verifying archives: seconds, and memory that does not grow with the history."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import msgspec

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Home, home
from benchmarks.running import Finished, Scale, in_turns, ratio
from benchmarks.stand_in import stand_in
from watchbook.clock import counted

_SECONDS = 5


def measure(scale: Scale) -> Result:
    """Back up and verify a small and a big account by turns, as commands."""
    sizes = {"small": scale.plays(10_000), "big": scale.plays(100_000)}
    with ExitStack() as stack:
        homes = {name: _synced(stack, plays) for name, plays in sizes.items()}
        cases = {
            f"{act} {name}": partial(_ACTS[act], made)
            for act in _ACTS
            for name, made in homes.items()
        }
        found = in_turns(cases, scale.rounds(3))
        size = _archive_size(homes["big"])
    figures = []
    for act in _ACTS:
        figures += _figures(act, sizes, found)
    big = counted(sizes["big"], "play")
    remark = (
        f"Whole commands: the start of the program is in the figures. The archive of {big} has "
        f"{size:.1f} MB. A backup reads every byte back before it gives the archive its name."
    )
    return Result(f"Backup and verify, {big} with every data set", figures, [remark])


def _synced(stack: ExitStack, plays: int) -> Home:
    with stand_in(plays) as trakt:
        made = stack.enter_context(home(trakt))
        made.sync()
    return made


def _back_up(made: Home) -> Finished:
    return made.command("backup", "create", "--no-sync", "--force")


def _verify(made: Home) -> Finished:
    newest = max((made.folder / "home" / "backups").glob("*.tar.gz"))
    return made.command("backup", "verify", newest.name)


_ACTS = {"backup": _back_up, "verify": _verify}


def _archive_size(made: Home) -> float:
    listed = msgspec.json.decode(made.command("backup", "list", "--json").out)
    return float(listed["archives"][0]["bytes"]) / 1e6


def _figures(act: str, sizes: dict[str, int], found: dict[str, list[Finished]]) -> list[Figure]:
    big, small = found[f"{act} big"], found[f"{act} small"]
    peaks = {"big": [one.peak for one in big], "small": [one.peak for one in small]}
    flat = ratio(peaks["big"], peaks["small"])
    return [
        of_runs(f"{act}, wall", [one.spent.wall for one in big], "s", _SECONDS),
        of_runs(f"{act}, CPU", [one.spent.cpu for one in big], "s"),
        of_runs(f"{act}, peak memory", peaks["big"], "MB"),
        Figure(f"{act}, peak memory against {sizes['small']:,} plays", flat, "x", 1.25),
    ]
