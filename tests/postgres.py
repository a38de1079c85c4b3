"""Databases on PostgreSQL for one test after the other.

They are emptied, which takes a hundredth of the time that making one does, and made anew where a
test has left more than rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

_FORM = """
SELECT array(
    SELECT (c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull)::text
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1
) || array(SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1)
  || array(SELECT conname::text FROM pg_constraint ORDER BY 1)
  || array(SELECT setconfig::text FROM pg_db_role_setting ORDER BY 1)
  || array(SELECT version_num::text FROM alembic_version)
"""
"""Tables, columns, indexes, constraints, schemas, settings and the version: all but the rows."""

_EMPTY = """
DO $$
DECLARE one record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- in any order, whatever refers to it
    FOR one IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', one.tablename);
    END LOOP;
    FOR one IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        PERFORM setval(one.sequencename::regclass, 1, false);
    END LOOP;
END $$
"""

_PART = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def named(server: str, name: str) -> str:
    """The address of a database at a server."""
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def driven(url: str) -> str:
    """An address as SQLAlchemy takes it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def one_of_its_own(server: str, origin: str = "template1") -> Iterator[str]:
    """The address of a copy of ``origin`` that is gone after the block."""
    name = "test_" + uuid.uuid4().hex[:12]
    _make(server, name, origin)
    yield named(server, name)
    _drop(server, name)


class Emptied:
    """A copy of ``origin`` that is used again and again."""

    def __init__(self, server: str, origin: str) -> None:
        self._server = server
        self._origin = origin
        self._name = ""
        self._form: object = None

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Its address; without rows at the begin of the block."""
        if not self._name:
            self._name = "test_" + uuid.uuid4().hex[:12]
            _make(self._server, self._name, self._origin)
            with psycopg.connect(named(self._server, self._name)) as conn:
                self._form = conn.execute(_FORM).fetchone()
        yield named(self._server, self._name)
        if not self._is_emptied():
            _drop(self._server, self._name)
            self._name = ""

    def _is_emptied(self) -> bool:
        """Whether nothing is left of a test; False when it has changed more than rows."""
        try:
            with psycopg.connect(named(self._server, self._name), autocommit=True) as conn:
                conn.execute("SET lock_timeout = '5s'")
                conn.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
                if conn.execute(_FORM).fetchone() != self._form:
                    return False
                conn.execute(_PART)
                conn.execute(_EMPTY)
        except psycopg.Error:
            return False
        return True


def _make(server: str, name: str, origin: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(statement.format(sql.Identifier(name), sql.Identifier(origin)))


def _drop(server: str, name: str) -> None:
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(statement.format(sql.Identifier(name)))
