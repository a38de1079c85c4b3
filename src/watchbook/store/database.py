"""Connections and transactions, on SQLite and PostgreSQL alike.

``read()`` sees one moment of the database; ``write()`` holds SQLite's write lock from its first
statement (``BEGIN IMMEDIATE``), so that what was read inside it cannot change before the commit.
With ``durable=True`` a commit survives a power cut (SQLite syncs its log), which rotated tokens
need and pages of history do not.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from watchbook.clock import monotonic, sleep
from watchbook.errors import StoreError, StoreFull, StoreUnavailable, WatchbookError
from watchbook.files import make_private_folder

BUSY_SECONDS = 30
_IDLE_SECONDS = 60
"""A transaction that says nothing for so long belongs to a process that stands still."""

GONE_SECONDS = 30
"""How soon PostgreSQL ends the session of a machine that does not answer any more."""
_KEEPALIVES = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 4,
    "tcp_user_timeout": GONE_SECONDS * 1000,
}

_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": GONE_SECONDS * 1000,
}
"""The same the other way round: a server that vanished is not waited for much longer."""

_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",
)
_LOOK_AGAIN = 0.02
"""Seconds between two tries to give a new file its log."""
_BEGIN = "watchbook_begin"
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "53100")  # the second: a limit on file sizes
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002")

Excluded = Any
"""The columns of a row that met one with the same key: `excluded.NAME` is a column."""


class Database:
    """One database, opened lazily; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        if self.on_sqlite:
            self.prepare_file(Path(self.url.database or ""))
            self.engine = sa.create_engine(self.url, pool_size=16, max_overflow=16)
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(self.url, pool_size=8, pool_pre_ping=True)
            bound_sessions(self.engine, idle_seconds=_IDLE_SECONDS)

    @staticmethod
    def prepare_file(path: Path) -> None:
        """Make an empty file that nobody else may read, where there is none."""
        make_private_folder(path.parent)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)
        except OSError as reason:
            raise StoreUnavailable(
                f"The database {path} cannot be opened: {reason.strerror}.",
                hint="Check WATCHBOOK_HOME and WATCHBOOK_DATABASE_URL with `watchbook config`.",
            ) from reason

    @property
    def file(self) -> Path | None:
        """The database's file on SQLite, None on PostgreSQL."""
        return Path(self.url.database or "") if self.on_sqlite else None

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that only reads, and sees one moment."""
        return self._transaction("BEGIN", durable=False)

    def write(self, *, durable: bool = False) -> AbstractContextManager[sa.Connection]:
        """A transaction that commits when the block ends well; raises StoreError."""
        return self._transaction("BEGIN IMMEDIATE", durable=durable)

    @contextmanager
    def _transaction(self, begin: str, *, durable: bool) -> Iterator[sa.Connection]:
        with store_errors(), self.engine.connect() as plain:
            conn = plain.execution_options(**{_BEGIN: begin})
            if not self.on_sqlite and begin == "BEGIN":
                conn = conn.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            if durable and self.on_sqlite:
                _synchronous(conn, "FULL")
            try:
                with conn.begin():
                    yield conn
            finally:
                if durable and self.on_sqlite:
                    _synchronous(conn, "NORMAL")

    @contextmanager
    def outside_transaction(self) -> Iterator[sa.Connection]:
        """A connection in autocommit, for statements such as ``VACUUM INTO``."""
        with store_errors(), self.engine.connect() as plain:
            yield plain.execution_options(isolation_level="AUTOCOMMIT", **{_BEGIN: ""})


def bound_sessions(engine: sa.Engine, *, idle_seconds: int = 0) -> None:
    """Let PostgreSQL itself end sessions whose process is gone or, ``idle_seconds`` given, stuck.

    What they locked is free then, without anybody's clock. Nor do we wait for a server that is
    gone, unless the address asks for that.
    """
    wanted = {**_KEEPALIVES, "idle_in_transaction_session_timeout": idle_seconds * 1000}
    statement = "; ".join(f"SET {name} = {value}" for name, value in wanted.items())

    def set_up(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.execute(statement)
        connection.commit()  # the pool would roll it back

    def be_brief(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        options.update({**_PATIENCE, **options})

    event.listen(engine, "do_connect", be_brief)
    event.listen(engine, "connect", set_up)


def upsert(
    conn: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str],
    where: Callable[[Excluded], sa.ColumnElement[bool]] | None = None,
    values: Callable[[Excluded], Mapping[str, Any]] | None = None,
) -> None:
    """Insert ``rows``; where the primary key exists already, set the columns of ``update``.

    ``where`` limits the update and ``values`` sets columns to other expressions; both are
    called with the columns of the row that was to be inserted. All rows have the same keys,
    and values that the driver takes as they are (numbers, texts, None).

    The statement is compiled once for each pair of functions and handed to the driver, which
    for 100,000 rows takes a third of the time that SQLAlchemy's own ``executemany`` does.
    """
    if not rows:
        return
    compiled = _compiled(conn.dialect, table, tuple(rows[0]), tuple(update), where, values)
    fixed = compiled.params
    if compiled.positiontup and rows[0].keys() >= set(compiled.positiontup):
        batch: list[Any] = list(map(itemgetter(*compiled.positiontup), rows))
    elif compiled.positiontup:
        pick = [(name, fixed[name]) for name in compiled.positiontup]
        batch = [tuple(row.get(name, value) for name, value in pick) for row in rows]
    else:
        batch = [{**fixed, **row} for row in rows]
    conn.exec_driver_sql(str(compiled), batch)


@lru_cache(maxsize=64)
def _compiled(
    dialect: sa.Dialect,
    table: sa.Table,
    names: tuple[str, ...],
    update: tuple[str, ...],
    where: Callable[[Excluded], sa.ColumnElement[bool]] | None,
    values: Callable[[Excluded], Mapping[str, Any]] | None,
) -> Any:
    """The statement as text; compiling it takes longer than running it for a page of rows."""
    new: Any = (sqlite if dialect.name == "sqlite" else postgresql).insert(table)
    changes = {name: new.excluded[name] for name in update}
    changes.update(values(new.excluded) if values else {})
    statement = new.values({name: sa.bindparam(name) for name in names}).on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_=changes,
        where=where(new.excluded) if where else None,
    )
    return statement.compile(dialect=dialect)


def _set_up_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    _keep_log(connection)


def _keep_log(connection: Any) -> None:
    """Let SQLite write to a log; on a new file that other processes give theirs at this moment.

    There SQLite refuses at once, without the wait of its ``busy_timeout``.
    """
    end = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as reason:
            if reason.sqlite_errorname != "SQLITE_BUSY" or monotonic() > end:
                raise
            sleep(_LOOK_AGAIN)
        else:
            return


def _begin_sqlite(conn: sa.Connection) -> None:
    begin = conn.get_execution_options().get(_BEGIN, "BEGIN")
    if begin:
        conn.exec_driver_sql(begin)


def _synchronous(conn: sa.Connection, level: str) -> None:
    """Set how SQLite syncs; done below SQLAlchemy, which would begin a transaction for it."""
    raw = conn.connection.dbapi_connection
    if raw is not None:
        raw.cursor().execute(f"PRAGMA synchronous={level}")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the database's errors into errors of our tree."""
    try:
        yield
    except DBAPIError as reason:
        raise _in_our_words(reason) from reason
    except sa.exc.TimeoutError as reason:
        raise StoreUnavailable("All connections to the database are in use.") from reason


def _in_our_words(reason: DBAPIError) -> WatchbookError:
    text = (str(reason.orig).splitlines() or [str(reason)])[0]
    if _code(reason).startswith(_NO_ROOM):
        return StoreFull(
            "There is no room left for the database.",
            hint="Free some space and run the same command again; nothing was lost.",
        )
    if _code(reason).startswith(_DAMAGED):
        return StoreError(
            f"The database is damaged: {text}.",
            hint="Put back the latest copy made by `watchbook backup --instance`.",
        )
    if isinstance(reason, sa.exc.OperationalError | sa.exc.InterfaceError):
        return StoreUnavailable(
            f"The database does not answer: {text}.",
            hint="Check that it runs and that WATCHBOOK_DATABASE_URL is right.",
        )
    return StoreError(f"The database refused: {text}.")


def _code(reason: DBAPIError) -> str:
    """SQLite's name of an error, or PostgreSQL's number; texts may quote what was stored."""
    orig = reason.orig
    return str(getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None) or "")
