"""What is shown: how often a second, how soon, also while a sync writes, and beside Express."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import load
from benchmarks.figures import Figure, Result, of_runs
from benchmarks.going_on import going_on
from benchmarks.home import Home, home, sign_in
from benchmarks.load import Load
from benchmarks.running import BenchmarkFailed, Scale, in_turns, program, ratio
from benchmarks.stand_in import StandIn, crowd
from watchbook.clock import now, to_millis
from watchbook.store import accounts, due
from watchbook.store.opening import Store, open_store
from watchbook.web.front import Front
from watchbook.web.last import LAST

JSON, CARD = "/api/trakt/last", "/card/last.svg"
_EXPRESS = Path(__file__).with_name("express")
_SERVES = re.compile(r"serves on (http://\S+?);")
_OWN_HEADERS = {"date", "content-length", "connection", "transfer-encoding"}
_PATIENCE = 60.0
_VISITORS = 100
_SPEED = 60
_FAR = 20 * 3600 * 1000
"""Milliseconds until the schedule's next work, so that nothing of it falls into a measurement."""


@dataclass(frozen=True)
class Stage:
    """The servers that are asked: ours, and Express if there is one, by their addresses."""

    here: Home
    ours: str
    express: str | None
    paths: tuple[str, ...]
    """What both of them answer."""


def measure(scale: Scale) -> Result:
    """Measure one account that shows its last play, and another whose sync writes meanwhile."""
    plays = scale.plays(50_000)
    figures: list[Figure] = []
    remarks: list[str] = []
    with crowd([(1, 500), (1, plays)], rate_limit=False) as trakt, _ready(trakt) as here:
        figures += _made_and_kept(here, 20 if scale.quick else 200)
        with _serving(here) as ours, _beside(here, ours, remarks) as stage:
            figures += _at_full_speed(stage, scale)
            figures += _at_a_pace(stage, scale)
            figures += _while_a_sync_writes(stage, scale)
        with _serving(here, _WATCHBOOK_SPEED=str(_SPEED)) as ours:
            figures += _an_hour_of_visitors(trakt, ours, scale)
    return Result("What is shown, warm, one process", figures, remarks + _REMARKS)


_REMARKS = [
    (
        "Watchbook and Express give the same bytes with the same headers from memory, each in "
        "one process, and are asked by turns by a third one, over 16 connections of loopback. Each "
        "ratio is the median of those of neighbouring runs. Loopback has no limit of questions; "
        "who asks is looked at all the same."
    ),
    (
        "While a sync writes: `watchbook sync` of another account, a process of its own, reads "
        "from a stand-in on this machine and writes to the database that the views are made of. "
        "All of these share the processors, so the ratio says more than the figures."
    ),
    (
        "500 questions a second are asked at moments fixed beforehand, and an answer's time "
        "counts from the moment at which its question was due."
    ),
    (
        f"The hour: the service's schedule runs {_SPEED} times as fast (its looks at what is due "
        f"included), and {_VISITORS} visitors ask once a minute of that clock. So questions and "
        "the schedule's steps are as many as in an hour; what a view in memory lasts (a minute) is "
        "not shortened. The next sync lies outside, since it comes with or without visitors."
    ),
]


# --- The stage -----------------------------------------------------------------------------


@contextmanager
def _ready(trakt: StandIn) -> Iterator[Home]:
    """A home whose owner shows the last play; the other account has not been read yet."""
    big = trakt.facts["accounts"][-1]
    with home(trakt, listen="127.0.0.1:0", sync_every="1d", backup_every="1d") as here:
        here.command("sync", "--json")
        here.command("share", "on", "last")
        sign_in(here, trakt, big["slug"])
        with _store(here) as store, store.database.write() as conn:
            later = to_millis(now()) + _FAR
            rows = [
                due.Due(account.id, kind, later, None)
                for account in accounts.all_accounts(conn)
                for kind in ("sync", "backup")
            ]
            due.add(conn, rows)
        yield here


@contextmanager
def _store(here: Home) -> Iterator[Store]:
    store = open_store(here.settings)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _serving(here: Home, **more: str) -> Iterator[str]:
    """``watchbook serve``; its address, when it answers from memory."""
    env = {**here.environment, **more}
    with going_on("serve", [program("watchbook"), "serve"], env, here.folder):
        ours = _address(here.folder / "serve.log")
        _until_warm(ours)
        yield ours


@contextmanager
def _beside(here: Home, ours: str, remarks: list[str]) -> Iterator[Stage]:
    """Express with the answers that ours gives; without Node, ours alone, and a remark."""
    answers = [found for path in (JSON, CARD) if (found := _answer(ours, path))]
    paths = tuple(str(answer["path"]) for answer in answers)
    why_not = _install()
    if why_not:
        remarks.append(why_not)
        yield Stage(here, ours, None, paths)
        return
    told = here.folder / "answers.json"
    told.write_text(json.dumps(answers), "utf-8")
    command: list[str | Path] = ["node", _EXPRESS / "server.mjs", told]
    with going_on("express", command, {**here.environment, "NODE_ENV": "production"}, here.folder):
        yield Stage(here, ours, _address(here.folder / "express.log"), paths)


def _install() -> str | None:
    """Install Express where it is missing; why it cannot be done, else None."""
    if (_EXPRESS / "node_modules" / "express").is_dir():
        return None
    command = ["npm", "ci", "--silent"]
    try:
        done = subprocess.run(command, cwd=_EXPRESS, capture_output=True, check=False)
    except FileNotFoundError:
        return "Not compared with Express: there is no Node.js with npm on this machine."
    words = done.stderr.decode("utf-8", "replace").strip()[-300:]
    return f"Not compared with Express, npm could not install it: {words}" if words else None


def _answer(ours: str, path: str) -> dict[str, object] | None:
    """What ours says at ``path``, for the other server to repeat."""
    try:
        with urllib.request.urlopen(ours + path, timeout=30) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            own = {name: value for name, value in headers.items() if name not in _OWN_HEADERS}
            return {"path": path, "headers": own, "body": answer.read().decode()}
    except urllib.error.HTTPError as refused:
        refused.close()
        return None


def _address(log: Path) -> str:
    return str(_until(lambda: _SERVES.search(log.read_text("utf-8")))[1])


def _until_warm(ours: str) -> None:
    """Ask until the answers come from memory, which is after the first look for changes."""
    for _ in range(20):
        for path in (JSON, CARD):
            _answer(ours, path)
        time.sleep(0.1)


def _until(holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + _PATIENCE
    while not (found := holds()):
        if time.monotonic() > end:
            raise BenchmarkFailed("What was waited for did not happen.")
        time.sleep(0.05)
    return found


# --- The figures ---------------------------------------------------------------------------


def _made_and_kept(here: Home, times: int) -> list[Figure]:
    """What an answer takes inside the process: from the store, and from memory."""
    with _store(here) as store:

        async def once() -> tuple[float, float]:
            front = Front(store, "http://localhost:8420")
            made = await _took(front)
            front.watcher.look()
            await _took(front)  # is given what was made before the look
            await asyncio.sleep(0.01)
            return made, await _took(front)

        found = [asyncio.run(once()) for _ in range(times)]
    made, kept = (median(values) * 1000 for values in zip(*found, strict=True))
    return [
        Figure("made from the store, without HTTP", made, "ms"),
        Figure("given from memory, without HTTP", kept, "ms"),
        Figure("from memory, against made", made / kept, "times as fast"),
    ]


async def _took(front: Front) -> float:
    began = time.perf_counter()
    await front.answer(LAST, {}, {})
    return time.perf_counter() - began


def _at_full_speed(stage: Stage, scale: Scale) -> list[Figure]:
    seconds = 0.5 if scale.quick else 4
    figures = []
    for path in stage.paths:
        in_turns(_cases(stage, path, seconds / 2), 1)  # Node translates what it runs often
        runs = in_turns(_cases(stage, path, seconds), scale.rounds(7))
        figures += _compared(path, runs, aim=1.5)
    return figures


def _cases(
    stage: Stage, path: str, seconds: float, rate: float = 0
) -> dict[str, Callable[[], Load]]:
    """The same questions to each server."""
    servers = {"Watchbook": stage.ours} | ({"Express": stage.express} if stage.express else {})
    return {
        name: partial(_asked, address + path, seconds, rate=rate)
        for name, address in servers.items()
    }


def _asked(url: str, seconds: float, rate: float = 0) -> Load:
    found = load.ask(url, seconds, rate=rate)
    if found.others:
        raise BenchmarkFailed(f"{url}: {found.others} answers were not 200.")
    return found


def _compared(what: str, runs: dict[str, list[Load]], aim: float) -> list[Figure]:
    speeds = {name: [one.per_second for one in found] for name, found in runs.items()}
    figures = [of_runs(f"{what}: {name}", found, "per s") for name, found in speeds.items()]
    if "Express" in speeds:
        found = ratio(speeds["Watchbook"], speeds["Express"])
        figures.append(Figure(f"{what}: against Express", found, "times", at_least=aim))
    return figures


def _at_a_pace(stage: Stage, scale: Scale) -> list[Figure]:
    seconds = 1 if scale.quick else 10
    runs = in_turns(_cases(stage, JSON, seconds, rate=500), scale.rounds(3))
    figures = []
    for name, found in runs.items():
        half = of_runs(f"{JSON}: {name}, half of 500 a second within", [r.p50 for r in found], "ms")
        aim = 10 if name == "Watchbook" else None
        slow = of_runs(f"{JSON}: {name}, 99 of 100 within", [r.p99 for r in found], "ms", aim)
        figures += [half, slow]
    return figures


def _while_a_sync_writes(stage: Stage, scale: Scale) -> list[Figure]:
    """Runs by turns for as long as another process reads and writes a whole history."""
    seconds = 0.3 if scale.quick else 1.5
    cases = _cases(stage, JSON, seconds)
    cases["pace"] = partial(_asked, stage.ours + JSON, seconds, rate=500)
    runs: dict[str, list[Load]] = {name: [] for name in cases}
    name = _others_name(stage.here)
    command = [str(program("watchbook")), "sync", "--json", "--account", name]
    with (stage.here.folder / "sync.json").open("wb") as out:
        sync = subprocess.Popen(command, env=stage.here.environment, stdout=out, stderr=out)
        try:
            while sync.poll() is None or not runs["pace"]:
                for case, found in in_turns(cases, 1).items():
                    runs[case] += found
        finally:
            sync.kill()
            sync.wait()
    told = json.loads((stage.here.folder / "sync.json").read_text("utf-8"))
    if told["outcome"] != "complete":
        raise BenchmarkFailed(f"The sync is not complete: {told['words']}")
    paced = [one.p99 for one in runs.pop("pace")]
    within = "while a sync writes: 99 of 100 of 500 a second within"
    return [*_compared("while a sync writes", runs, aim=1.5), of_runs(within, paced, "ms")]


def _others_name(here: Home) -> str:
    with _store(here) as store, store.database.read() as conn:
        return accounts.all_accounts(conn)[-1].name


def _an_hour_of_visitors(trakt: StandIn, ours: str, scale: Scale) -> list[Figure]:
    """How often Trakt was asked while visitors asked us once a minute each."""
    minutes = 2 if scale.quick else 60
    seconds = minutes * 60 / _SPEED
    trakt.control.reset_requests()
    found = _asked(ours + JSON, seconds, rate=_VISITORS * _SPEED / 60)
    return [
        Figure(f"{_VISITORS} visitors in {minutes} minutes: questions answered", found.answers),
        Figure("requests to Trakt meanwhile", len(trakt.asked()), at_most=0),
    ]
