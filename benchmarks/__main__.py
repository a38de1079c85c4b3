"""The command ``python -m benchmarks``: run benchmarks and print what they showed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import (
    accounts,
    api,
    backup,
    budget,
    diff,
    export,
    first_sync,
    imports,
    jobs,
    nothing_new,
    one_change,
    publish,
    search,
    show,
    side_by_side,
    start,
    storing,
)
from benchmarks.figures import Result
from benchmarks.running import BenchmarkFailed, Scale
from watchbook.clock import now

BENCHMARKS: dict[str, Callable[[Scale], Result]] = {
    "start": start.measure,
    "first-sync": first_sync.measure,
    "budget": budget.measure,
    "nothing-new": nothing_new.measure,
    "one-change": one_change.measure,
    "storing": storing.measure,
    "backup": backup.measure,
    "import-archive": imports.measure_archive,
    "import-zip": imports.measure_zip,
    "export": export.measure,
    "diff": diff.measure,
    "jobs": jobs.measure,
    "publish": publish.measure,
    "show": show.measure,
    "api": api.measure,
    "search": search.measure,
    "side-by-side": side_by_side.measure,
    "accounts": accounts.measure,
}
"""Every benchmark, in the order in which they run."""

BY_NAME_ONLY = {"accounts"}
"""Benchmarks that take so long that they run only when they are named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen benchmarks; 1 when one of them could not do its work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all?")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument(
        "--real-time", action="store_true", help="let `budget` wait for real (six minutes)"
    )
    parser.add_argument(
        "--accounts", type=int, default=1_000, help="how many small accounts `accounts` has"
    )
    parser.add_argument("--big", type=int, default=5, help="how many big ones")
    parser.add_argument(
        "--period", type=int, default=300, metavar="SECONDS", help="how often each is checked"
    )
    parser.add_argument("--periods", type=int, default=2, help="for how long that is watched")
    parser.add_argument("--posts", type=int, default=10_000, help="how many posts `publish` makes")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    size = chosen.accounts, chosen.big, max(60, chosen.period), chosen.periods, chosen.posts
    scale = Scale(chosen.quick, chosen.real_time, *size)
    names = chosen.names or [name for name in BENCHMARKS if name not in BY_NAME_ONLY]
    results, failed = {}, 0
    for name in names:
        results[name], took, ok = _measured(name, scale)
        failed += not ok
        if not chosen.json:
            print(f"{results[name].as_markdown()}\n\n({took:.0f} s)\n", flush=True)
    if chosen.json:
        found = {name: result.as_json() for name, result in results.items()}
        print(json.dumps({"conditions": _conditions(), "benchmarks": found}, indent=2))
    else:
        print("Conditions: " + ", ".join(f"{k} {v}" for k, v in _conditions().items()))
    return min(failed, 1)


def _measured(name: str, scale: Scale) -> tuple[Result, float, bool]:
    started = time.perf_counter()
    try:
        result, ok = BENCHMARKS[name](scale), True
    except BenchmarkFailed as reason:
        result, ok = Result(name, [], [f"FAILED: {reason}"]), False
    return result, time.perf_counter() - started, ok


def _conditions() -> dict[str, str]:
    return {
        "date": now().date().isoformat(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "system": platform.system(),
        "processors": f"{os.cpu_count()} ({platform.machine()})",
    }


if __name__ == "__main__":
    sys.exit(main())
