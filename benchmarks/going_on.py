"""Processes that go on while they are measured: what they spend, and how much they hold."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.running import BenchmarkFailed

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 20

OTHERS = "everything else on the machine"


@dataclass(frozen=True)
class Process:
    """A process and, if it is one that hands its work to others, its children."""

    name: str
    pid: int
    with_children: bool = False

    def cpu(self) -> float:
        """Seconds of the processor so far, those of children that have ended among them."""
        own = _spent(self.pid, ended_children=self.with_children)
        return own + sum(_spent(child, ended_children=True) for child in self._children())

    @property
    def kind_of_memory(self) -> str:
        """What :meth:`memory` tells of it."""
        return "memory" if self.with_children else "peak memory"

    def memory(self) -> float:
        """The most that it held so far, in MB; with its children what all hold together now."""
        if not self.with_children:
            return _high(self.pid)
        return sum(_proportional(pid) for pid in [self.pid, *self._children()])

    def _children(self) -> list[int]:
        if not self.with_children:
            return []
        listed = _text(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in listed.split()]


def _spent(pid: int, *, ended_children: bool) -> float:
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if not fields:
        return 0
    user, system, of_children, of_children_system = map(int, fields[11:15])
    ended = of_children + of_children_system if ended_children else 0
    return (user + system + ended) / _TICKS


def _proportional(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", _text(f"/proc/{pid}/smaps_rollup"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0


def _high(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", _text(f"/proc/{pid}/status"))
    return int(found[1]) / 1024 if found else 0


def _text(path: str) -> str:
    """A file of the kernel's; nothing when the process is gone."""
    try:
        return Path(path).read_text("ascii", "replace")
    except OSError:
        return ""


@contextmanager
def going_on(
    name: str, command: Sequence[str | Path], env: Mapping[str, str], folder: Path
) -> Iterator[Process]:
    """Run a command during a ``with`` block, its output in NAME.log, and end it politely.

    Raises BenchmarkFailed with its last words when it ended by itself, or badly.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=out, stderr=out)
    try:
        yield Process(name, process.pid)
        ended_alone = process.poll() is not None
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if ended_alone or process.returncode != 0:
        words = log.read_text("utf-8", "replace").strip()[-800:]
        raise BenchmarkFailed(f"{name} ended with {process.returncode}: {words}")


def _machine() -> float:
    """Seconds that all processors of the machine have worked so far."""
    fields = _text("/proc/stat").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:8])
    return (user + nice + system + sum(interrupts)) / _TICKS


@dataclass(frozen=True)
class Took:
    """Seconds of the processor by process, and of the clock on the wall."""

    wall: float
    cpu: Mapping[str, float]

    def shares(self) -> dict[str, float]:
        """Percent of one processor, by process."""
        return {name: seconds / self.wall * 100 for name, seconds in self.cpu.items()}


@dataclass(frozen=True)
class Between:
    """What some processes, and everything else on the machine, take between two looks."""

    processes: Sequence[Process]
    began: float
    before: Mapping[str, float]

    @classmethod
    def begin(cls, processes: Sequence[Process]) -> Between:
        """The first look."""
        return cls(processes, time.monotonic(), _spent_by(processes))

    def end(self) -> Took:
        """The second look."""
        after = _spent_by(self.processes)
        spent = {name: after[name] - self.before[name] for name in after}
        return Took(time.monotonic() - self.began, spent)


def _spent_by(processes: Sequence[Process]) -> dict[str, float]:
    spent = {one.name: one.cpu() for one in processes}
    return spent | {OTHERS: _machine() - sum(spent.values())}
