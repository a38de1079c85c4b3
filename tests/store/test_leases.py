"""Leases keep two processes from working on one account."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import StoreBusy
from watchbook.store import leases
from watchbook.store.database import Database
from watchbook.store.schema import leases as table


def test_second_holder_is_told_what_the_first_does(database: Database) -> None:
    """While a lease is held, another taker learns what it is held for."""
    with (
        leases.holding(database, "account:1", "a sync of sandra"),
        pytest.raises(StoreBusy, match="a sync of sandra"),
        leases.holding(database, "account:1", "a backup of sandra"),
    ):
        pass


def test_given_back_after_the_block(database: Database) -> None:
    """A lease is free again once its holder is done, and other names never were taken."""
    with leases.holding(database, "account:1", "one"), leases.holding(database, "account:2", "two"):
        pass
    with leases.holding(database, "account:1", "three"):
        pass


def test_dead_process_loses_its_lease_at_once(database: Database) -> None:
    """A lease of a process of this machine that was killed is taken over without waiting."""
    child = subprocess.run(
        [sys.executable, "-c", "import os, socket; print(socket.gethostname(), os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    moment = to_millis(now())
    row = {
        "name": "account:1",
        "holder": f"{child.stdout.strip()} 1@{leases.machine_mark()} a sync",
        "taken_at": moment,
        "expires_at": moment + 60_000,
    }
    with database.write() as conn:
        conn.execute(sa.insert(table).values(row))
    with leases.holding(database, "account:1", "a sync"):
        pass


def test_vanished_machine_keeps_its_lease_until_it_ends(database: Database) -> None:
    """A lease of another machine holds until its end and no longer."""
    moment = to_millis(now())
    row = {"name": "a", "holder": "elsewhere 1 1 a sync", "taken_at": 0, "expires_at": moment - 1}
    with database.write() as conn:
        conn.execute(sa.insert(table).values(row | {"name": "b", "expires_at": moment + 60_000}))
        conn.execute(sa.insert(table).values(row))
    with leases.holding(database, "a", "a sync"):
        pass
    with pytest.raises(StoreBusy), leases.holding(database, "b", "a sync"):
        pass


def test_machine_of_the_same_name_is_another(database: Database) -> None:
    """A lease of a process of another machine with our host name counts as held."""
    moment = to_millis(now())
    row = {
        "name": "account:1",
        "holder": f"{socket.gethostname()} 999999999 1@elsewhere a sync",
        "taken_at": moment,
        "expires_at": moment + 60_000,
    }
    with database.write() as conn:
        conn.execute(sa.insert(table).values(row))
    with pytest.raises(StoreBusy), leases.holding(database, "account:1", "a sync"):
        pass


def test_heir_with_the_same_number_keeps_its_leases(database: Database) -> None:
    """In a container that was started again the dead and the living are both process 1."""
    ours = leases.holder_name("a sync")
    turn, mark = ours.split(" ")[2].split("@")
    dead = ours.replace(f"{turn}@{mark}", f"{turn.partition('.')[0]}.0badcafe@{mark}")
    moment = to_millis(now())
    row = {"taken_at": moment, "expires_at": moment + 60_000}
    with database.write() as conn:
        conn.execute(
            sa.insert(table),
            [{"name": "a", "holder": ours, **row}, {"name": "b", "holder": dead, **row}],
        )
        leases.break_those_of(conn, dead)
        assert list(conn.scalars(sa.select(table.c.name))) == ["a"]
