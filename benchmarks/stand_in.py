"""A stand-in for Trakt in a process of its own, so that it costs the measured one nothing.

``watchbook sandbox trakt`` limits reads as Trakt does; here that can be lifted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchbook.sandbox.trakt import SandboxOptions, serve
from watchbook.sandbox.trakt.client import SandboxControl

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: its control routes, what it said of itself, and its process."""

    control: SandboxControl
    facts: dict[str, Any]
    pid: int

    def asked(self) -> list[dict[str, Any]]:
        """Every request since the last reset, oldest first."""
        found: list[dict[str, Any]] = self.control.requests()["requests"]
        return found


@contextmanager
def stand_in(plays: int, *, rate_limit: bool = False) -> Iterator[StandIn]:
    """Run a stand-in with an account of so many plays."""
    with crowd([(1, plays)], rate_limit=rate_limit) as made:
        yield made


@contextmanager
def crowd(sizes: Iterable[tuple[int, int]], *, rate_limit: bool) -> Iterator[StandIn]:
    """Run a stand-in with accounts of several sizes: how many, with how many plays."""
    command = [sys.executable, "-m", "benchmarks.stand_in"]
    command += [f"{count}x{plays}" for count, plays in sizes]
    command += ["--rate-limit"] if rate_limit else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT)
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        control = SandboxControl(facts["url"])
        for account in facts.get("accounts", [{"slug": None}]):
            control.issue_tokens(account["slug"])  # a library is made at the first look at it
        yield StandIn(control, facts, process.pid)
    finally:
        process.terminate()
        process.communicate()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="+", metavar="COUNTxPLAYS")
    parser.add_argument("--rate-limit", action="store_true")
    chosen = parser.parse_args()
    sizes = [size.split("x") for size in chosen.sizes]
    crowd = tuple((int(count), int(plays)) for count, plays in sizes)
    options = SandboxOptions(crowd=crowd, rate_limit=chosen.rate_limit)
    serve(options, lambda line: print(line, flush=True))


if __name__ == "__main__":
    _main()
