"""Questions over HTTP at full speed or at a steady pace, from a process of its own.

It keeps connections open and asks one question after the other on each. Only what is needed to
tell where an answer ends is read, so that the server is the slower of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.running import BenchmarkFailed

_ROOT = Path(__file__).parent.parent
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Load:
    """What came of it: good answers in a second, and how long they took in milliseconds."""

    answers: int
    others: int
    """Answers that were not 200."""
    per_second: float
    p50: float
    p99: float
    slowest: float


def ask(
    url: str, seconds: float, *, connections: int = 16, rate: float = 0, header: str = ""
) -> Load:
    """Ask ``url`` for so long, ``rate`` times a second or as often as it answers.

    Raises BenchmarkFailed when nothing answers.
    """
    command = [sys.executable, "-m", "benchmarks.load", url, str(seconds), str(connections)]
    command += [str(rate), header]
    done = subprocess.run(command, capture_output=True, cwd=_ROOT, check=False)
    if done.returncode != 0:
        raise BenchmarkFailed(f"{url}: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    return Load(**json.loads(done.stdout))


class _Asker(asyncio.Protocol):
    """One connection. With a rate it waits for a question; without, it asks again at once."""

    def __init__(self, question: bytes, load: _Counting) -> None:
        self._question = question
        self._load = load
        self._buffer = b""
        self._due: deque[float] = deque()
        self._transport: asyncio.Transport | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own name
        self._load.lost += not self._load.over

    def ask(self, due: float) -> None:
        """Ask, or put the question behind the one under way; it counts from when it was due."""
        self._due.append(due)
        if len(self._due) == 1:
            self._write()

    def _write(self) -> None:
        assert self._transport is not None
        self._transport.write(self._question)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        size = _size(self._buffer)
        if size is None or len(self._buffer) < size:
            return
        moment = time.perf_counter()
        self._load.count(self._buffer.startswith(b"HTTP/1.1 200"), moment - self._due.popleft())
        self._buffer = self._buffer[size:]
        if self._due:
            self._write()
        elif self._load.without_rest and not self._load.over:
            self.ask(moment)


def _size(buffer: bytes) -> int | None:
    """How many bytes the answer at the beginning of ``buffer`` has; None while that is unknown."""
    end = buffer.find(_END)
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(_LENGTH)
    length = int(head[at + len(_LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0
    return end + len(_END) + length


class _Counting:
    def __init__(self, *, without_rest: bool) -> None:
        self.without_rest = without_rest
        self.over = False
        self.took: list[float] = []
        self.others = 0
        self.lost = 0

    def count(self, good: bool, seconds: float) -> None:  # noqa: FBT001 - called for each answer
        if self.over:
            return
        if good:
            self.took.append(seconds)
        else:
            self.others += 1


async def _asked(url: str, seconds: float, connections: int, rate: float, header: str) -> Load:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: */*"]
    lines += ["Accept-Encoding: gzip", "User-Agent: benchmark", *([header] if header else [])]
    question = ("\r\n".join(lines) + "\r\n\r\n").encode()
    load = _Counting(without_rest=rate == 0)
    loop = asyncio.get_running_loop()
    askers = []
    for _ in range(connections):
        made = await loop.create_connection(
            lambda: _Asker(question, load), parts.hostname or "", parts.port or 80
        )
        askers.append(made[1])
    began = time.perf_counter()
    if rate:
        await _steadily(askers, began, seconds, rate)
    else:
        for asker in askers:
            asker.ask(began)
        await asyncio.sleep(seconds)
    load.over = True
    if load.lost or not load.took:
        raise SystemExit(f"{load.lost} connections were lost, {len(load.took)} answers came")
    return _told(load, seconds)


async def _steadily(askers: list[_Asker], began: float, seconds: float, rate: float) -> None:
    """Ask at moments fixed beforehand: a server that stalls does not slow the questions down."""
    number = 0
    while (due := began + number / rate) < began + seconds:
        rest = due - time.perf_counter()
        if rest > 0:
            await asyncio.sleep(rest)
        askers[number % len(askers)].ask(due)
        number += 1
    await asyncio.sleep(1)  # for the last answers


def _told(load: _Counting, seconds: float) -> Load:
    found = sorted(load.took)

    def at(share: float) -> float:
        return found[min(len(found) - 1, int(len(found) * share))] * 1000

    return Load(len(found), load.others, len(found) / seconds, at(0.5), at(0.99), found[-1] * 1000)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("header")
    chosen = parser.parse_args()
    load = uvloop.run(
        _asked(chosen.url, chosen.seconds, chosen.connections, chosen.rate, chosen.header)
    )
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    _main()
