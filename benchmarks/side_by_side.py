"""The same account read by the program ``traktexport``, side by side with Watchbook.

It is installed into an environment of its own in a folder that goes away, and pointed at the
stand-in by :mod:`benchmarks.traktexport_driver`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import home
from benchmarks.running import Finished, Scale, in_turns, run
from benchmarks.stand_in import StandIn, stand_in
from watchbook.clock import counted
from watchbook.store import datasets

_PACKAGE = "traktexport==0.1.10"
_DRIVER = Path(__file__).with_name("traktexport_driver.py")
_PAUSE = 2
"""Seconds that it waits after each request, unless told otherwise."""


@dataclass(frozen=True)
class Run:
    """One reading: what it took, its requests, rows by part, and what did not answer."""

    finished: Finished
    requests: int
    rows: dict[str, int]
    refused: list[str] = field(default_factory=list)


def measure(scale: Scale) -> Result:
    """Let both read the same account by turns."""
    plays = scale.plays(10_000)
    title = f"Side by side with traktexport, {counted(plays, 'play')}"
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name:
        python = _installed(Path(name))
        if python is None:
            return Result(title, [], [f"Skipped: {_PACKAGE} could not be installed."])
        with stand_in(plays) as trakt:
            cases = {
                "Watchbook": partial(_watchbook, trakt),
                "traktexport": partial(_traktexport, trakt, python, Path(name)),
            }
            found = in_turns(cases, scale.rounds(3))
            counts = trakt.control.truth()["counts"]
    figures = [figure for case, runs in found.items() for figure in _figures(case, runs)]
    return Result(title, figures, _remarks(found["traktexport"][-1], counts))


def _installed(folder: Path) -> Path | None:
    """The Python of a new environment that has the package, or None."""
    python = folder / "env" / "bin" / "python"
    steps: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", folder / "env"],
        [python, "-m", "pip", "install", "--quiet", _PACKAGE],
    )
    for step in steps:
        if subprocess.run(step, capture_output=True, check=False).returncode != 0:
            return None
    return python


def _watchbook(trakt: StandIn) -> Run:
    with home(trakt) as made:
        finished, _ = made.sync()
        requests = len(trakt.asked())
        with made.opened() as book, book.installation.store.database.read() as conn:
            states = datasets.all_states(conn, book.account.id)
        return Run(finished, requests, {name: one.kept or 0 for name, one in states.items()})


def _traktexport(trakt: StandIn, python: Path, folder: Path) -> Run:
    """One full export without pauses; its rows by the name of each part."""
    pair = trakt.control.issue_tokens()
    config = {
        "CLIENT_ID": trakt.facts["client_id"],
        "CLIENT_SECRET": trakt.facts["client_secret"],
        "OAUTH_TOKEN": pair["access_token"],
    }
    place = folder / "traktexport.json"
    place.write_text(json.dumps(config), "utf-8")
    env = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TRAKTEXPORT_CFG": str(place),
        "TRAKTEXPORT_SLEEP_TIME": "0",
    }
    trakt.control.reset_requests()
    slug = trakt.control.truth()["account"]
    finished = run([python, "-P", _DRIVER, trakt.facts["url"], slug], env, folder)
    found = json.loads(finished.out)
    return Run(finished, len(trakt.asked()), _rows(found["export"]), found["refused"])


def _rows(export: dict[str, Any]) -> dict[str, int]:
    return {name: len(part) for name, part in export.items() if isinstance(part, list)}


def _figures(case: str, runs: list[Run]) -> list[Figure]:
    finished = [one.finished for one in runs]
    return [
        Figure(f"{case}: requests", runs[-1].requests),
        Figure(f"{case}: plays", runs[-1].rows["history"]),
        Figure(f"{case}: rows of all kinds", sum(runs[-1].rows.values())),
        of_runs(f"{case}: wall", [one.spent.wall for one in finished], "s"),
        of_runs(f"{case}: CPU", [one.spent.cpu for one in finished], "s"),
        of_runs(f"{case}: peak memory", [one.peak for one in finished], "MB"),
    ]


def _remarks(last: Run, counts: dict[str, int]) -> list[str]:
    requests, rows = last.requests, last.rows
    there = {
        "followers": counts["followers"],
        "following": counts["following"],
        "likes": counts["liked_lists"] + counts["liked_comments"],
        "comments": counts["comments"],
        "lists": counts["lists"],
        "ratings": sum(n for name, n in counts.items() if name.startswith("ratings_")),
        "watchlist": counts["watchlist"],
        "watched": counts["watched_movies"] + counts["watched_shows"],
        "collection": counts["collection_movies"] + counts["collection_shows"],
        "history": counts["history"],
    }
    parts = (f"{name} {rows.get(name, 0):,} of {number:,}" for name, number in there.items())
    return [
        (
            f"Measured without pauses. By itself traktexport waits {_PAUSE} s after each request, "
            f"which for {requests} requests are {requests * _PAUSE} s more."
        ),
        (
            "It ends at the first address that refuses; here it was made to go on without those "
            "rows. The stand-in serves what Trakt documents; old addresses that Trakt may still "
            f"answer it does not know: {', '.join(last.refused) or 'none'}."
        ),
        f"Rows it brought, of those there are: {', '.join(parts)}.",
    ]
