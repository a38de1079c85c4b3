"""A stand-in for Trakt in a process of its own, so that it costs the measured one nothing.

``watchbook sandbox trakt`` limits reads as Trakt does; here that can be lifted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchbook.sandbox.trakt import SandboxOptions, serve
from watchbook.sandbox.trakt.client import SandboxControl

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: its control routes and what it said of itself."""

    control: SandboxControl
    facts: dict[str, Any]

    def asked(self) -> list[dict[str, Any]]:
        """Every request since the last reset, oldest first."""
        found: list[dict[str, Any]] = self.control.requests()["requests"]
        return found


@contextmanager
def stand_in(plays: int, *, rate_limit: bool = False) -> Iterator[StandIn]:
    """Run a stand-in with an account of so many plays."""
    command = [sys.executable, "-m", "benchmarks.stand_in", "--plays", str(plays)]
    command += ["--rate-limit"] if rate_limit else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT)
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        control = SandboxControl(facts["url"])
        control.truth()  # the library is made at the first look at it
        yield StandIn(control, facts)
    finally:
        process.terminate()
        process.communicate()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plays", type=int, required=True)
    parser.add_argument("--rate-limit", action="store_true")
    chosen = parser.parse_args()
    options = SandboxOptions(plays=chosen.plays, rate_limit=chosen.rate_limit)
    serve(options, lambda line: print(line, flush=True))


if __name__ == "__main__":
    _main()
