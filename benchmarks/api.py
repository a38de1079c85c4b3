"""The JSON API: pages of a long history at a steady pace, for strangers and for a token."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from benchmarks import load
from benchmarks.figures import Figure, Result, of_runs
from benchmarks.going_on import going_on
from benchmarks.home import Home, home
from benchmarks.running import BenchmarkFailed, Scale, program
from benchmarks.stand_in import StandIn, crowd
from watchbook.clock import now, to_millis
from watchbook.store import accounts, due, plays
from watchbook.store.opening import Store, open_store
from watchbook.web.api.parameters import Page, packed

_PLAYS = 100_000
_PAGE = 50
_RATE = 100
_AIM = 30
"""Milliseconds within which 99 of 100 answers should come."""
_SERVES = re.compile(r"serves on (http://\S+?);")
_PATIENCE = 60.0
_FAR = timedelta(hours=20)
"""Until the schedule's next work, so that nothing of it falls into a measurement."""
_REMARKS = [
    (
        f"{_RATE} questions a second for {_PAGE} plays are asked by another process at moments "
        "fixed beforehand, and an answer's time counts from the moment at which its question was "
        "due. With a token each answer is made from the store; without one it comes from memory."
    ),
]


def measure(scale: Scale) -> Result:
    """Measure the first page, one in the middle and the last one of an account's history."""
    count = scale.plays(_PLAYS)
    with crowd([(1, count)], rate_limit=False) as trakt, _ready(trakt) as here:
        token = json.loads(here.command("token", "add", "benchmark", "--json").out)["token"]
        here.command("share", "on", "history")
        name, cursors = _pages(here)
        with _serving(here) as address:
            root = f"{address}/api/v1/accounts/{name}/plays?limit={_PAGE}"
            figures = [
                figure
                for what, cursor in cursors.items()
                for figure in _paced(scale, what, root + cursor, token)
            ]
    title = f"The JSON API, {_PAGE} of {count:,} plays at a time"
    return Result(title, figures, _REMARKS)


@contextmanager
def _ready(trakt: StandIn) -> Iterator[Home]:
    """A home with the whole history, whose schedule has nothing to do."""
    with home(trakt, listen="127.0.0.1:0", sync_every="1d", backup_every="1d") as here:
        here.command("sync", "--json")
        with _store(here) as store, store.database.write() as conn:
            account = accounts.all_accounts(conn)[0]
            later = to_millis(now() + _FAR)
            due.add(conn, [due.Due(account.id, kind, later, None) for kind in ("sync", "backup")])
        yield here


@contextmanager
def _store(here: Home) -> Iterator[Store]:
    store = open_store(here.settings)
    try:
        yield store
    finally:
        store.close()


def _pages(here: Home) -> tuple[str, dict[str, str]]:
    """The account's name, and the cursors of three pages."""
    with _store(here) as store, store.database.read() as conn:
        account = accounts.all_accounts(conn)[0]
        ids = plays.newest_ids(conn, account.id, plays.count(conn, account.id))
        places = {"the middle": ids[len(ids) // 2], "the last": ids[-_PAGE - 1]}
        rows = {row.history_id: row for row in plays.by_ids(conn, account.id, places.values())}
    cursors = {
        what: f"&cursor={packed(Page(rows[number].watched_at, str(number)))}"
        for what, number in places.items()
    }
    return account.name, {"the first": "", **cursors}


@contextmanager
def _serving(here: Home) -> Iterator[str]:
    """``watchbook serve``; its address."""
    with going_on("serve", [program("watchbook"), "serve"], here.environment, here.folder):
        end = time.monotonic() + _PATIENCE
        while not (found := _SERVES.search((here.folder / "serve.log").read_text("utf-8"))):
            if time.monotonic() > end:
                raise BenchmarkFailed("The service did not begin to serve.")
            time.sleep(0.05)
        yield found[1]


def _paced(scale: Scale, what: str, url: str, token: str) -> Iterator[Figure]:
    seconds = 1 if scale.quick else 10
    for who, header in (("a token", f"Authorization: Bearer {token}"), ("strangers", "")):
        _check(url, header)
        runs = [load.ask(url, seconds, rate=_RATE, header=header) for _ in range(scale.rounds(3))]
        if any(one.others for one in runs):
            raise BenchmarkFailed(f"{url}: some answers were not 200.")
        yield of_runs(f"{what} page, {who}: half within", [one.p50 for one in runs], "ms")
        slow = [one.p99 for one in runs]
        yield of_runs(f"{what} page, {who}: 99 of 100 within", slow, "ms", _AIM)


def _check(url: str, header: str) -> None:
    """Ask once: a page that is not full would be quick for nothing."""
    name, _, value = header.partition(": ")
    request = urllib.request.Request(url, headers={name: value} if name else {})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        if len(json.load(answer)["items"]) != _PAGE:
            raise BenchmarkFailed(f"{url}: the page is not full.")
