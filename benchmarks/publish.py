"""Publishing: posts queued, claimed and settled at a site, by one process and by two at once."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import msgspec
import sqlalchemy as sa

from benchmarks.figures import Figure, Result
from benchmarks.postgres import postgres
from benchmarks.running import BenchmarkFailed, Finished, Scale, program, run
from watchbook.clock import from_millis, to_iso
from watchbook.history import play_row
from watchbook.indieauth.tokens import SiteToken
from watchbook.publish import desk
from watchbook.sandbox.site import SiteControl
from watchbook.settings import load
from watchbook.store import accounts, datasets, plays, sites
from watchbook.store.accounts import Account
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store, open_store
from watchbook.store.sites import Site
from watchbook.store.titles import TitleWriter
from watchbook.trakt.parse import ParsedPlay, parse_play

_NAMES = ("alice", "bob")
_UNPACED = {"pace": "1000000/1m", "delay": "0s"}
_FIRST = 1_600_000_000_000


def measure(scale: Scale) -> Result:
    """Measure all of it on SQLite, then on PostgreSQL."""
    figures: list[Figure] = []
    number = 20 if scale.quick else scale.posts
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name, postgres(Path(name)) as pg:
        for kind, url in {"SQLite": None, "PostgreSQL": pg}.items():
            if url is None and kind == "PostgreSQL":
                continue
            for workers in (1, 2):
                folder = Path(name, f"{kind}-{workers}")
                folder.mkdir()
                figures += _published(kind, _own(url, workers), folder, number, workers)
    return Result(f"Publishing {number:,} posts", figures, _REMARKS)


_REMARKS = [
    (
        "Two accounts, each with a site of its own and half of the posts: a site is worked on by "
        "one process at a time. One process publishes the two one after the other; two, at once."
    ),
    "Every post is an attempt that is committed durably, a request, and its end, committed too.",
    "The site is a stand-in in a process of its own on the same machine; the pace is lifted.",
]


def _own(url: str | None, workers: int) -> str | None:
    """A database of its own for each case."""
    if url is None:
        return None
    made = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text(f"CREATE DATABASE publish{workers}"))
    made.dispose()
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/publish{workers}" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class _Desk:
    """Two accounts with a site each, and what processes have to be told."""

    store: Store
    known: list[tuple[Account, Site]]
    env: Mapping[str, str]
    folder: Path
    site: SiteControl


def _published(
    kind: str, url: str | None, folder: Path, number: int, workers: int
) -> Iterator[Figure]:
    with _desk(url, folder, number) as here:
        began = time.perf_counter()
        for _, site in here.known:
            with here.store.database.write() as conn:
                desk.take_older(conn, site, desk.EVERYTHING)
        queued = number / (time.perf_counter() - began)
        wall, done = _sent(here, workers)
        slugs = here.site.slugs()
        if len(slugs) != number or set(slugs.values()) != {1}:
            raise BenchmarkFailed(f"{len(slugs)} of {number} posts are there, or some twice.")
    if workers == 1:
        yield Figure(f"{kind}: queued", queued, "posts/s")
    named = "one process" if workers == 1 else "two processes"
    yield Figure(f"{kind}: sent and settled, {named}", number / wall, "posts/s")
    yield Figure(f"{kind}: peak memory, {named}", max(one.peak for one in done), "MB")


def _sent(here: _Desk, workers: int) -> tuple[float, list[Finished]]:
    """Seconds until everything is out, and how each process ended."""
    done: list[Finished] = []

    def publish(name: str) -> None:
        command = [str(program("watchbook")), "--account", name, "publish"]
        own = here.folder / name
        own.mkdir()
        done.append(run(command, here.env, own))

    began = time.perf_counter()
    threads = [Thread(target=publish, args=(account.name,)) for account, _ in here.known]
    for thread in threads:
        thread.start()
        if workers == 1:
            thread.join()
    for thread in threads:
        thread.join()
    if len(done) != len(threads):
        raise BenchmarkFailed("A process did not end well.")
    return time.perf_counter() - began, done


@contextmanager
def _desk(url: str | None, folder: Path, number: int) -> Iterator[_Desk]:
    home = folder / "home"
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    env |= {"WATCHBOOK_HOME": str(home), "WATCHBOOK_ALLOW_HOSTS": "127.0.0.1"}
    env |= {"WATCHBOOK_DATABASE_URL": url} if url else {}
    with _site() as (site, people):
        store = open_store(load(env, folder))
        try:
            known = [
                _account(store, person, 1 + half * number // 2, number // 2, site)
                for half, person in enumerate(people)
            ]
            yield _Desk(store, known, env, folder, site)
        finally:
            store.close()


@contextmanager
def _site() -> Iterator[tuple[SiteControl, list[dict[str, str]]]]:
    """A stand-in for the website of two people, in a process of its own."""
    command = [str(program("watchbook")), "sandbox", "site", "--port", "0", "--people", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        yield SiteControl(facts["url"]), facts["people"]
    finally:
        process.terminate()
        process.communicate()


def _account(
    store: Store, person: Mapping[str, str], first: int, number: int, site: SiteControl
) -> tuple[Account, Site]:
    """An account with so many plays, connected with its person's site."""
    found = [parse_play(json.dumps(_film(first + n)).encode()) for n in range(number)]
    good = [play for play in found if isinstance(play, ParsedPlay)]
    token = SiteToken(person["token"], "create", desk.EVERYTHING)
    with store.database.write() as conn:
        account = accounts.add(conn, person["name"], timezone="UTC")
        TitleWriter().save(conn, [title for play in good for title in play.titles])
        plays.save(conn, account.id, map(play_row, good), 1, 0)
        datasets.save(conn, account.id, DataSetState("watched_history", datasets.COMPLETE))
        endpoint = f"{site.url}/micropub"
        made = sites.add(conn, account, "blog", sites.Kind.MICROPUB, endpoint, me=person["me"])
        sites.set_rules(conn, made.id, _UNPACED)
        sites.seal_token(conn, store.sealer, made.id, msgspec.json.encode(token).decode())
        return account, sites.get(conn, made.id)


def _film(number: int) -> dict[str, object]:
    ids = {"trakt": number, "slug": f"film-{number}", "imdb": None, "tmdb": number}
    return {
        "id": number,
        "watched_at": to_iso(from_millis(_FIRST + number * 60_000)),
        "action": "watch",
        "type": "movie",
        "movie": {"title": f"Film {number}", "year": 1990 + number % 30, "ids": ids},
    }
