"""Searching a long history: pages of plays for words that many, some, few and no titles have."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.home import Home, home
from benchmarks.postgres import postgres
from benchmarks.running import BenchmarkFailed, Scale
from benchmarks.stand_in import stand_in
from watchbook.clock import counted
from watchbook.store import accounts
from watchbook.store.opening import open_store
from watchbook.store.schema import titles
from watchbook.store.watched import Place, Wanted, newest

_PLAYS = 100_000
_PAGE = 50
_AIM = 30
"""Milliseconds within which a page should be found."""
_SHARES = {"the most common word": 1.0, "a word of 1 title in 50": 0.02, "a rare word": 0.0}
_NOWHERE = "nothingiscalledso"


def measure(scale: Scale) -> Result:
    """Search the same library on SQLite and on PostgreSQL."""
    count = scale.plays(_PLAYS)
    remarks = ["The far page begins behind nine tenths of all plays."]
    figures: list[Figure] = []
    with (
        tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name,
        stand_in(count) as trakt,
        postgres(Path(name)) as server,
    ):
        with home(trakt) as here:
            figures += _searched(here, "SQLite", scale.rounds(20))
        if server is None:
            remarks.append("PostgreSQL could not be started here, so it was left out.")
        else:
            with home(trakt, database_url=server) as here:
                figures += _searched(here, "PostgreSQL", scale.rounds(20))
    return Result(f"Searching {counted(count, 'play')}, {_PAGE} to a page", figures, remarks)


def _searched(here: Home, where: str, rounds: int) -> Iterator[Figure]:
    """What the first and a far page take for each kind of word."""
    here.command("sync", "--json")
    store = open_store(here.settings)
    try:
        with store.database.read() as conn:
            account_id = accounts.all_accounts(conn)[0].id
            far = _far(conn, account_id)
            for what, word in _words(conn).items():
                found = len(newest(conn, account_id, _PAGE, wanted=Wanted(search=word)))
                if bool(found) is (word == _NOWHERE):
                    raise BenchmarkFailed(f"{word!r} is found {found} times.")
                for page, before in (("first", None), ("far", far)):
                    took = [_took(conn, account_id, word, before) for _ in range(rounds)]
                    yield of_runs(f"{where}: {what}, {page} page", took, "ms", _AIM)
    finally:
        store.close()


def _took(conn: sa.Connection, account_id: int, word: str, before: Place | None) -> float:
    began = time.perf_counter()
    newest(conn, account_id, _PAGE + 1, wanted=Wanted(search=word), before=before)
    return (time.perf_counter() - began) * 1000


def _far(conn: sa.Connection, account_id: int) -> Place:
    every = newest(conn, account_id, _PLAYS)
    play = every[len(every) * 9 // 10]
    return Place(play.watched_at, play.history_id)


def _words(conn: sa.Connection) -> dict[str, str]:
    """A word of each kind, by how many titles have it in their own names."""
    folded = sa.select(titles.c.folded).where(titles.c.folded.is_not(None))
    names: list[str] = list(conn.scalars(folded))
    found = Counter(word for name in names for word in set(name.split()) if word.isalpha())
    most = max(found.values())

    def nearest(share: float) -> str:
        wanted = most if share == 1 else max(5, share * len(names))
        return min(sorted(found), key=lambda word: abs(found[word] - wanted))

    words = {what: nearest(share) for what, share in _SHARES.items()}
    return {**words, "a word of no title": _NOWHERE}
