"""Copying a whole database: aside into a SQLite file, and back into an empty database.

A copy is a complete SQLite database of the same schema version, whichever database it was made
of. Which tables there are is read from the databases themselves, so that a new table needs no
word here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from watchbook.files import file_errors, sync_folder
from watchbook.steps import step
from watchbook.store.database import Database
from watchbook.store.migrating import MIGRATIONS, upgrade

_CHUNK = 1000
_VERSION_TABLE = "alembic_version"
_OF_THE_MOMENT = frozenset({_VERSION_TABLE, "changes", "due", "leases"})
"""Tables that say something about the database or its processes and are never carried over."""


def copy_database(
    database: Database, target: Path, version: str, scripts: Path = MIGRATIONS
) -> Path:
    """Write a copy of ``database``, whose schema has ``version``, to ``target`` (0600).

    The copy shows one moment, also while the database is used; it appears whole or not at all.
    """
    with _whole_file(target) as partial:
        if database.on_sqlite:
            _vacuum_into(database, partial)
        else:
            _copy_rows_into(database, partial, version, scripts)
    return target


@contextmanager
def _whole_file(target: Path) -> Iterator[Path]:
    partial = target.with_name(f".{target.name}.part")
    with file_errors(target):
        _remove(partial)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            yield partial
            _sync_file(partial)
            step("copy.written")
            partial.replace(target)
            sync_folder(target.parent)
        finally:
            _remove(partial)


def _remove(partial: Path) -> None:
    for tail in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            partial.with_name(partial.name + tail).unlink()


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _vacuum_into(database: Database, partial: Path) -> None:
    with database.outside_transaction() as conn:
        conn.execute(sa.text("VACUUM INTO :path"), {"path": str(partial)})


def _copy_rows_into(database: Database, partial: Path, version: str, scripts: Path) -> None:
    copy = Database(f"sqlite:///{partial}")
    try:
        upgrade(copy, version, scripts)
        copy_rows(database, copy)
    finally:
        copy.close()


def is_empty(database: Database) -> bool:
    """Whether nothing was stored yet: no row but those that opening a database makes."""
    with database.read() as conn:
        tables = [table for table in _tables(conn) if table.name != "meta"]
        first = (sa.select(sa.literal(1)).select_from(table).limit(1) for table in tables)
        return all(conn.scalar(query) is None for query in first)


def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Copy all rows of ``source`` into ``target``, which has the same schema and no rows.

    One transaction: all of it or nothing. Gives the number of rows per table.
    """
    with source.read() as reading, target.write(durable=True) as writing:
        if target.on_sqlite:
            writing.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        there = {table.name: table for table in _tables(reading)}
        counts = {}
        for table in _tables(writing):
            counts[table.name] = _copy_table(reading, there[table.name], writing, table)
            step("copy.table")
        if not target.on_sqlite:
            _set_sequences(writing)
    return counts


def _tables(conn: sa.Connection) -> list[sa.Table]:
    """The tables that carry over, each behind those that it refers to."""
    found = sa.MetaData()
    found.reflect(conn)
    return [table for table in found.sorted_tables if table.name not in _OF_THE_MOMENT]


def _copy_table(
    reading: sa.Connection, source: sa.Table, writing: sa.Connection, target: sa.Table
) -> int:
    writing.execute(sa.delete(target))
    names = [column.name for column in target.columns]
    query = sa.select(*(source.c[name] for name in names)).order_by(*_own_parents_first(source))
    count = 0
    with reading.execute(query, execution_options={"yield_per": _CHUNK}) as rows:
        for batch in rows.partitions():
            values = [dict(zip(names, row, strict=True)) for row in batch]
            writing.execute(sa.insert(target), values)
            count += len(batch)
    return count


def _own_parents_first(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Rows that other rows of the same table refer to come first (an episode names its show)."""
    own = [c for c in table.columns for key in c.foreign_keys if key.column.table is table]
    return [column.is_not(None) for column in own]


def _set_sequences(conn: sa.Connection) -> None:
    """Let PostgreSQL count on behind the highest number that was copied."""
    for table in _tables(conn):
        for column in table.primary_key:
            name = conn.scalar(
                sa.select(sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name))
            )
            if name is not None:
                highest = sa.select(sa.func.max(column)).scalar_subquery()
                following = sa.func.coalesce(highest + 1, 1)
                conn.execute(sa.select(sa.func.setval(name, following, False)))
