"""How benchmarks are run: in turns, and commands as a person starts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TypeVar

Value = TypeVar("Value")
_LOOK_EVERY = 0.01


class BenchmarkFailed(Exception):
    """What was measured did not do its work, so its figures mean nothing."""


@dataclass(frozen=True)
class Scale:
    """How big: in full, or ``quick`` to see that a benchmark runs at all.

    ``real_time`` lets the budget's benchmark wait five minutes instead of moving the clock.
    ``accounts`` and ``big`` are how many small and big accounts a hosted installation has; each
    is checked every ``period`` seconds, and that is watched for so many ``periods``. ``posts`` is
    how many `publish` makes.
    """

    quick: bool = False
    real_time: bool = False
    accounts: int = 1_000
    big: int = 5
    period: int = 300
    periods: int = 2
    posts: int = 10_000

    def plays(self, full: int) -> int:
        """So many plays, or 500."""
        return 500 if self.quick else full

    def rounds(self, full: int) -> int:
        """So many repetitions, or one."""
        return 1 if self.quick else full


def in_turns(cases: Mapping[str, Callable[[], Value]], rounds: int) -> dict[str, list[Value]]:
    """Run every case once in each round, forwards and backwards by turns.

    So what else happens on the machine falls on all of them alike.
    """
    found: dict[str, list[Value]] = {name: [] for name in cases}
    for number in range(rounds):
        names = list(cases)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            found[name].append(cases[name]())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of runs of the same round."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


@dataclass(frozen=True)
class Spent:
    """What something took: seconds on the wall and of the processor."""

    wall: float
    cpu: float


def timed(act: Callable[[], object]) -> Spent:
    """Do something in this process and say what it took, all threads together."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


@dataclass(frozen=True)
class Finished:
    """A command that ended well: what it took, its peak memory in MB, and what it printed."""

    spent: Spent
    peak: float
    out: bytes


def run(command: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> Finished:
    """Run a command in a fresh process; raises BenchmarkFailed when it fails."""
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=stdout, stderr=stderr)
        watch = _PeakWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = watch.stop()
    if process.returncode != 0:
        words = err.read_text("utf-8", "replace").strip() or f"exit code {process.returncode}"
        raise BenchmarkFailed(f"{Path(command[0]).name}: {words[-500:]}")
    return Finished(Spent(wall, usage.ru_utime + usage.ru_stime), peak, out.read_bytes())


class _PeakWatch:
    """Follows the kernel's high-water mark of one process.

    ``ru_maxrss`` would not do: a child inherits that of the process that started it.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._ended = Event()
        self._peak = 0.0
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text("ascii", "replace"))
            except OSError:
                return
            if found:
                self._peak = max(self._peak, int(found[1]) / 1024)

    def stop(self) -> float:
        """The peak in MB; 0 where the system does not tell."""
        self._ended.set()
        self._thread.join()
        return self._peak


def program(name: str) -> Path:
    """A command of the environment that the benchmarks run in."""
    return Path(sys.executable).with_name(name)
