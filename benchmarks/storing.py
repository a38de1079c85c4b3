"""Storing pages of history as a sync does, against bare ``executemany`` of the same rows."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa

from benchmarks.figures import Figure, Result, of_runs
from benchmarks.pages import history_pages
from benchmarks.postgres import postgres
from benchmarks.running import Scale, Spent, in_turns, ratio, timed
from watchbook.clock import counted
from watchbook.desk import Desk, Outcome, Position, Reading, begin, save_position
from watchbook.history import keep_plays
from watchbook.store import accounts
from watchbook.store.database import Database
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import migrate
from watchbook.store.schema import metadata, plays, titles
from watchbook.trakt.datasets import of
from watchbook.trakt.paging import Page
from watchbook.trakt.parse import parse_play, split_rows

_PAGE = 250
_AIM = 2
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class Bare:
    """The rows that storing the pages comes to, without anything that made them."""

    titles: Rows
    plays: Rows


def measure(scale: Scale) -> Result:
    """Store the same pages and rows by turns, on SQLite and on PostgreSQL."""
    bodies = history_pages(scale.plays(100_000))
    with tempfile.TemporaryDirectory(prefix="watchbook-bench-") as name:
        figures = _on_sqlite(bodies, Path(name), scale.rounds(5))
        with postgres(Path(name)) as server:
            remark = "PostgreSQL runs on this machine, from its Python package."
            if server is None:
                remark = "PostgreSQL could not be started here, so it was left out."
            else:
                figures += _on_postgres(bodies, server, scale.rounds(3))
    rows = sum(len(split_rows(body)) for body in bodies)
    return Result(
        f"Storing {counted(rows, 'play')}, page by page",
        figures,
        [
            (
                "Watchbook's side takes apart and checks each answer, saves titles and plays, "
                "looks for what changed, and commits each page with its position. The bare side "
                "is handed finished rows: first all titles, then plays."
            ),
            remark,
        ],
    )


def _on_sqlite(bodies: list[bytes], folder: Path, rounds: int) -> list[Figure]:
    template = folder / "template.db"
    database = Database(f"sqlite:///{template}")
    migrate(database)
    _account(database)
    database.close()
    numbers = count()

    def fresh() -> Path:
        return Path(shutil.copy(template, folder / f"{next(numbers)}.db"))

    full = fresh()
    _store(f"sqlite:///{full}", bodies)
    rows = _stored_rows(f"sqlite:///{full}")
    cases: dict[str, Callable[[], Spent]] = {
        "ours": lambda: _timed_on(f"sqlite:///{fresh()}", bodies),
        "pages": lambda: timed(partial(_bare_sqlite, fresh(), rows, _PAGE)),
        "at once": lambda: timed(partial(_bare_sqlite, fresh(), rows, len(rows.plays))),
        "parsing": lambda: timed(partial(_parse, bodies)),
    }
    return _figures("SQLite", in_turns(cases, rounds), _AIM)


def _figures(where: str, found: dict[str, list[Spent]], aim: float | None) -> list[Figure]:
    walls = {name: [one.wall for one in runs] for name, runs in found.items()}
    cpus = {name: [one.cpu for one in runs] for name, runs in found.items()}
    ours, pages = walls["ours"], walls["pages"]
    parsing = [one.cpu for one in found.get("parsing", [])]
    figures = [
        Figure(f"{where}: wall against bare, a commit per page", ratio(ours, pages), "x"),
        Figure(f"{where}: CPU against bare, a commit per page", ratio(cpus["ours"], cpus["pages"]),
               "x"),
        Figure(f"{where}: wall against bare, one commit", ratio(ours, walls["at once"]), "x"),
        of_runs(f"{where}: Watchbook, wall", ours, "s"),
        of_runs(f"{where}: Watchbook, CPU of this process", cpus["ours"], "s"),
        of_runs(f"{where}: bare, a commit per page, wall", pages, "s"),
        of_runs(f"{where}: bare, one commit, wall", walls["at once"], "s"),
    ]  # fmt: skip
    if parsing:
        stored = [cpu - parsed for cpu, parsed in zip(cpus["ours"], parsing, strict=True)]
        figures.insert(
            0,
            Figure(
                f"{where}: storing alone, CPU against bare",
                ratio(stored, cpus["pages"]),
                "x",
                aim,
            ),
        )
        figures.append(of_runs("of it taking answers apart, CPU", cpus["parsing"], "s"))
    return figures


def _account(database: Database) -> int:
    with database.write() as conn:
        return accounts.add(conn, "benchmark").id


def _timed_on(url: str, bodies: list[bytes]) -> Spent:
    return timed(partial(_store, url, bodies))


def _store(url: str, bodies: list[bytes]) -> None:
    """Store the pages as :func:`watchbook.history.read_all` does."""
    database = Database(url)
    try:
        _keep_all(database, bodies)
    finally:
        database.close()


def _keep_all(database: Database, bodies: list[bytes]) -> None:
    nothing = cast("Any", None)  # no request is made, so nobody asks for these
    desk = Desk(database, 1, nothing, nothing, 1, nothing)
    reading = Reading(of("history"), "history", "/users/me/history", DataSetState("history"))
    outcome = Outcome("history")
    generation, _ = begin(desk, reading)
    done: list[int] = []
    for number, body in enumerate(bodies, 1):
        page = Page(number, split_rows(body), _PAGE, len(bodies), None)
        done.append(number)
        with database.write() as conn:
            keep_plays(conn, desk, reading, page, generation, outcome)
            save_position(conn, desk, reading, Position(None, tuple(done)))


def _parse(bodies: list[bytes]) -> None:
    for body in bodies:
        for row in split_rows(body):
            parse_play(row)


def _stored_rows(url: str) -> Bare:
    database = Database(url)
    try:
        with database.read() as conn:
            parents_first = titles.c.show_key.is_not(None)
            found = conn.execute(sa.select(titles).order_by(parents_first)).all()
            watched = conn.execute(sa.select(plays).order_by(plays.c.watched_at.desc())).all()
    finally:
        database.close()
    return Bare([tuple(row) for row in found], [tuple(row) for row in watched])


def _insert(table: sa.Table, mark: str) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([mark] * len(table.columns))})"


def _bare_sqlite(path: Path, rows: Bare, size: int) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
        conn.execute(f"PRAGMA {pragma}")
    _bare(conn, rows, size, "?")
    conn.close()


def _bare(conn: Any, rows: Bare, size: int, mark: str) -> None:
    """Insert all rows through a DB-API connection in autocommit, ``size`` plays a commit."""
    cursor = conn.cursor()
    cursor.execute("BEGIN")
    cursor.executemany(_insert(titles, mark), rows.titles)
    cursor.execute("COMMIT")
    for start in range(0, len(rows.plays), size):
        cursor.execute("BEGIN")
        cursor.executemany(_insert(plays, mark), rows.plays[start : start + size])
        cursor.execute("COMMIT")


def _on_postgres(bodies: list[bytes], server: str, rounds: int) -> list[Figure]:
    url = server.replace("postgresql://", "postgresql+psycopg://", 1)
    database = Database(url)
    migrate(database)
    _account(database)
    _keep_all(database, bodies)
    database.close()
    rows = _stored_rows(url)

    def emptied() -> str:
        with psycopg.connect(server, autocommit=True) as conn:
            kept = {"accounts", "meta"}
            names = ", ".join(t.name for t in metadata.sorted_tables if t.name not in kept)
            conn.execute(f"TRUNCATE {names}".encode())
        return url

    cases: dict[str, Callable[[], Spent]] = {
        "ours": lambda: _timed_on(emptied(), bodies),
        "pages": lambda: _bare_postgres(emptied(), rows, _PAGE),
        "at once": lambda: _bare_postgres(emptied(), rows, len(rows.plays)),
    }
    return _figures("PostgreSQL", in_turns(cases, rounds), None)


def _bare_postgres(url: str, rows: Bare, size: int) -> Spent:
    address = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as conn:
        return timed(partial(_bare, conn, rows, size, "%s"))
