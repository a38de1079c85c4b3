"""How long ``watchbook --version`` takes, against a Python that does nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.figures import Result, of_runs
from benchmarks.running import Scale, in_turns, program, run


def measure(scale: Scale) -> Result:
    """Start both by turns."""
    with tempfile.TemporaryDirectory() as folder:
        start = partial(run, env=dict(os.environ), folder=Path(folder))
        cases = {
            "watchbook": partial(start, [program("watchbook"), "--version"]),
            "python": partial(start, [sys.executable, "-c", "pass"]),
        }
        found = in_turns(cases, scale.rounds(20))
    figures = []
    for name, words in (("watchbook", "`watchbook --version`"), ("python", "`python -c pass`")):
        aim = 0.2 if name == "watchbook" else None
        walls = [one.spent.wall for one in found[name]]
        figures.append(of_runs(f"{words}, wall", walls, "s", aim))
        figures.append(of_runs(f"{words}, CPU", [one.spent.cpu for one in found[name]], "s"))
    return Result("Command line start", figures)
