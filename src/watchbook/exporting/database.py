"""A SQLite database to look at: for Datasette, for SQL, for whatever opens such files.

It holds one account's data and nothing of the store's own: no keys, no tokens, no titles that
only other accounts have.
"""

# ruff: noqa: S608 - every name in a query stands in the schema

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from watchbook.clock import now, to_iso
from watchbook.errors import StoreError, StoreFull
from watchbook.exporting.database_schema import (
    APPLICATION,
    SEARCH,
    SEARCH_STATEMENT,
    TABLES,
    TITLES,
    VERSION,
    VIEWS,
)
from watchbook.exporting.moments import Wall, utc
from watchbook.exporting.selection import CHUNK, Selected, SelectedItem, Selection, selected
from watchbook.exporting.tables import ITEM_TABLES, ItemTable, Value, titles_of
from watchbook.exporting.written import Written
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.schema import items, plays, titles

_KEY = "(SELECT id FROM titles WHERE key = ?)"
_STORED = {"episode": "number", "imdb_id": "imdb", "tmdb_id": "tmdb", "tvdb_id": "tvdb"}
"""Columns of titles that the store calls otherwise."""

_TITLE_FIELDS = [field.name for field in TITLES.fields if field.name not in {"id", "show_id"}]
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE")  # the second: a limit on file sizes
_FAST = ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE")

Row = tuple[Value, ...]


def write(store: Store, account: Account, selection: Selection, target: Path) -> Written:
    """Write the database to ``target``."""
    written = Written([target])
    with (
        _errors(target),
        selected(store, account, selection) as rows,
        closing(sqlite3.connect(target, isolation_level=None)) as made,
    ):
        for pragma in _FAST:
            made.execute(f"PRAGMA {pragma}")
        made.execute("BEGIN")
        _Database(made, rows, written).fill()
        made.execute("COMMIT")
        _finish(made)
    return written


@contextmanager
def _errors(target: Path) -> Iterator[None]:
    """Turn what SQLite says about the new file into errors of our tree."""
    try:
        yield
    except sqlite3.OperationalError as reason:
        kind = StoreFull if reason.sqlite_errorname in _NO_ROOM else StoreError
        raise kind(
            f"{target.name} could not be written: {reason}.",
            hint="Free some space, or name another folder with -o.",
        ) from reason


def _finish(made: sqlite3.Connection) -> None:
    """Pack it, index its titles for searching, and leave it as a file that is whole in itself."""
    made.execute("VACUUM")
    made.execute(SEARCH_STATEMENT)
    made.execute(f"INSERT INTO {SEARCH} ({SEARCH}) VALUES ('rebuild')")
    made.execute(f"INSERT INTO {SEARCH} ({SEARCH}) VALUES ('optimize')")
    made.execute("ANALYZE")
    made.execute("PRAGMA journal_mode = DELETE")


class _Database:
    def __init__(self, made: sqlite3.Connection, rows: Selected, written: Written) -> None:
        self._made = made
        self._rows = rows
        self._written = written

    def fill(self) -> None:
        self._made.execute(f"PRAGMA user_version = {VERSION}")
        self._made.execute(f"PRAGMA application_id = {APPLICATION}")
        for table in TABLES:
            for statement in table.statements():
                self._made.execute(statement)
        self._insert("metadata", ("key", "value"), _metadata(self._rows))
        self._insert_titles(dict(row) for row in _stored_titles(self._rows))
        self._plays()
        for items_of in ITEM_TABLES:
            self._items(items_of)
        self._prune()
        for view in VIEWS:
            self._made.execute(f"CREATE VIEW {view.name} AS {' '.join(view.query.split())}")

    def _insert(
        self, table: str, columns: Iterable[str], rows: Iterable[Row], *, how: str = "INSERT"
    ) -> int:
        """Insert rows; a column that ends in title_id or show_id takes the key of a title."""
        names = list(columns)
        marks = (_KEY if name in {"title_id", "show_id"} else "?" for name in names)
        statement = f"{how} INTO {table} ({', '.join(names)}) VALUES ({', '.join(marks)})"
        return self._made.executemany(statement, rows).rowcount

    def _insert_titles(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Insert titles, rows of the store's table, a show before what belongs to it."""
        rows = (
            (*(title.get(_STORED.get(name, name)) for name in _TITLE_FIELDS), title["show_key"])
            for title in found
        )
        self._insert("titles", [*_TITLE_FIELDS, "show_id"], rows, how="INSERT OR IGNORE")

    def _plays(self) -> None:
        wall = Wall(self._rows.account)
        columns = ("history_id", "title_id", "type", "watched_at", "watched_at_local")
        rows: Iterator[Row] = (
            (
                play.history_id,
                play.title_key,
                play.type,
                utc(play.watched_at),
                wall.iso(play.watched_at),
                wall.day(play.watched_at),
                play.action,
                utc(play.removed_at),
            )
            for play in self._rows.plays()
        )
        count = self._insert("plays", (*columns, "watched_on", "action", "removed_at"), rows)
        self._written.count("plays", max(0, count))

    def _items(self, table: ItemTable) -> None:
        columns = [column.name for column in table.columns]
        head = ("title_id", "type") if table.titled else ()
        how = "INSERT" if table.titled else "INSERT OR IGNORE"
        count = self._insert(
            table.name, (*head, *columns, "removed_at"), self._item_rows(table), how=how
        )
        self._written.count(table.name, max(0, count))

    def _item_rows(self, table: ItemTable) -> Iterator[Row]:
        for item in table.items(self._rows):
            head = (self._title_of(item), item.type) if table.titled else ()
            values = (column.value(item) for column in table.columns)
            yield (*head, *values, utc(item.removed_at))

    def _title_of(self, item: SelectedItem) -> str | None:
        """The key of what a row is about; a title that the store has none of is made from it."""
        if item.title_key is not None:
            return item.title_key
        found = titles_of(item)
        self._insert_titles(found.values())
        about = found.get(item.type or "")
        return about["key"] if about else None

    def _prune(self) -> None:
        """Take titles out that nothing names, because what names them was not selected."""
        named = " UNION ALL ".join(
            f"SELECT title_id FROM {table.name} WHERE title_id IS NOT NULL"
            for table in TABLES
            if any(field.name == "title_id" for field in table.fields)
        )
        unnamed = f"DELETE FROM titles WHERE id NOT IN ({named})"
        self._made.execute(f"{unnamed} AND type <> 'show'")
        shows = "SELECT show_id FROM titles WHERE show_id IS NOT NULL"
        self._made.execute(f"{unnamed} AND id NOT IN ({shows})")


def _metadata(rows: Selected) -> Iterator[Row]:
    account, wanted = rows.account, rows.selection
    yield "account", account.name
    yield "trakt_user", account.trakt_slug
    yield "timezone", account.timezone
    yield "exported_at", to_iso(now())
    yield "watchbook", version("watchbook")
    yield "version", str(VERSION)
    yield "since", to_iso(wanted.since) if wanted.since else None
    yield "until", to_iso(wanted.until) if wanted.until else None
    yield "types", ", ".join(sorted(wanted.types)) or None
    yield "lists", ", ".join(sorted(wanted.lists)) or None
    yield "removed", "yes" if wanted.removed else None


def _stored_titles(rows: Selected) -> Iterator[sa.RowMapping]:
    """The titles that the account's rows name, and their shows, shows first."""
    mine = sa.union(
        *(sa.select(t.c.title_key).where(t.c.account_id == rows.account.id) for t in (plays, items))
    )
    shows = sa.select(titles.c.show_key).where(titles.c.key.in_(mine))
    query = sa.select(titles).where(titles.c.key.in_(mine) | titles.c.key.in_(shows))
    query = query.order_by(titles.c.show_key.is_not(None), titles.c.key)
    with rows.conn.execute(query, execution_options={"yield_per": CHUNK}) as found:
        yield from found.mappings()
