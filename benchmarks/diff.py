"""Telling what differs between two archives: seconds, and memory."""

from __future__ import annotations

import msgspec

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Home, home
from benchmarks.running import BenchmarkFailed, Finished, Scale, in_turns, ratio
from benchmarks.stand_in import StandIn, stand_in
from watchbook.clock import counted

_SECONDS = 5
_ADDED = 12
_REMOVED = 20
_NOTHING = "nothing differs"
_SOME = "some rows differ"


def measure(scale: Scale) -> Result:
    """Compare archives of a big account, alike and with some changes in between, as commands."""
    plays = scale.plays(100_000)
    with stand_in(plays) as trakt, home(trakt) as made:
        made.sync()
        names = [_archive(made), _archive(made)]
        _change(trakt)
        made.sync()
        names.append(_archive(made))
        cases = {
            _NOTHING: lambda: _diff(made, names[0], names[1]),
            _SOME: lambda: _diff(made, names[0], names[2]),
            "verify": lambda: made.command("backup", "verify", names[2]),
        }
        found = in_turns(cases, scale.rounds(5))
        _check(made, names)
    remark = (
        f"Whole commands, every byte of both archives verified. Between them {_ADDED} plays were "
        f"added and {_REMOVED} deleted, which also changes films and shows watched."
    )
    return Result(
        f"Difference of two archives, {counted(plays, 'play')} each with every data set",
        [*_figures(_NOTHING, found), *_figures(_SOME, found)],
        [remark],
    )


def _archive(made: Home) -> str:
    answer = made.command("backup", "create", "--no-sync", "--force", "--json")
    return str(msgspec.json.decode(answer.out)["archive"]["name"])


def _change(trakt: StandIn) -> None:
    trakt.control.add_plays(_ADDED)
    trakt.control.delete_plays(_REMOVED)


def _diff(made: Home, before: str, after: str) -> Finished:
    return made.command("backup", "diff", before, after)


def _check(made: Home, names: list[str]) -> None:
    """Nothing is measured that did not find what differs."""
    out = made.command("backup", "diff", "--json", names[0], names[2]).out
    told = {one["name"]: one for one in msgspec.json.decode(out)["data_sets"]}["history"]
    if (told["added"], told["removed"], told["lost"]) != (_ADDED, _REMOVED, 0):
        raise BenchmarkFailed(f"The difference is wrong: {told['added']}, {told['removed']}")


def _figures(case: str, found: dict[str, list[Finished]]) -> list[Figure]:
    runs = found[case]
    walls = [one.spent.wall for one in runs]
    verified = [one.spent.wall for one in found["verify"]]
    return [
        of_runs(f"{case}, wall", walls, "s", _SECONDS),
        of_runs(f"{case}, CPU", [one.spent.cpu for one in runs], "s"),
        of_runs(f"{case}, peak memory", [one.peak for one in runs], "MB"),
        Figure(f"{case}, wall against verifying one", ratio(walls, verified), "x"),
    ]
