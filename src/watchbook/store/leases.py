"""Leases: who works on an account now, across all processes and machines.

A lease is a row with an end; its holder renews it while it works. A holder that died on this
machine gives its lease up at once, one that vanished elsewhere when the lease ends.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import StoreBusy, StoreError, TakenOver
from watchbook.steps import hurried
from watchbook.store.database import Database, upsert
from watchbook.store.schema import leases

LEASE = hurried(timedelta(seconds=60))
RENEW_EVERY = LEASE.total_seconds() / 4
"""Seconds between renewals: three may fail before the lease ends."""

_held_here: set[str] = set()
"""Holders that work in this process; one that is not here could not give its lease back."""

_turns = count(1)
"""A number for each holding, since one thread may do the same thing a second time."""

_process = secrets.token_hex(4)
"""Tells this process from a former one with the same number: in containers all have number 1."""


class Holding:
    """A lease that this process holds, for as long as nobody takes it over."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self.database = database
        self._ours = (leases.c.name == name) & (leases.c.holder == holder)
        self._until = now() + LEASE
        self._lost = False

    def renew(self) -> None:
        """Put off the end of the lease; raises StoreError."""
        until = now() + LEASE
        renewed = sa.update(leases).where(self._ours).values(expires_at=to_millis(until))
        with self.database.write() as conn:
            self._lost = conn.execute(renewed).rowcount == 0
        self._until = until

    def check(self) -> None:
        """Raise TakenOver when somebody has taken the lease over.

        That happens to a process that stood still, on a machine that slept, beyond its end.
        """
        if now() >= self._until:
            self.renew()
        if self._lost:
            raise _taken_over()

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sa.Connection]:
        """A transaction that commits only while the lease is ours; raises TakenOver.

        Whoever takes it over waits for the transaction's end, so nothing of ours comes later.
        ``durable`` is that of :meth:`Database.write`.
        """
        self.check()
        query = sa.select(leases.c.name).where(self._ours)
        with self.database.write(durable=durable) as conn:
            if conn.scalar(query.with_for_update(read=True)) is None:
                self._lost = True
                raise _taken_over()
            yield conn


@contextmanager
def holding(database: Database, name: str, purpose: str) -> Iterator[Holding]:
    """Hold the lease ``name`` during the block; raises StoreBusy while somebody else holds it.

    ``purpose`` is said to whoever comes second ("a sync of sandra").
    """
    holder = holder_name(purpose)
    _held_here.add(holder)
    try:
        with database.write() as conn:
            _take(conn, name, holder)
    except BaseException:
        _held_here.discard(holder)
        raise
    held, stop = Holding(database, name, holder), threading.Event()
    keeper = threading.Thread(target=_keep, args=(held, stop), name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        stop.set()
        keeper.join()
        _held_here.discard(holder)
        with suppress(StoreError), database.write() as conn:
            _give_back(conn, name, holder)


@dataclass(frozen=True)
class Lease:
    """Who works: on which machine, in which process, what for, since when."""

    host: str
    pid: int
    purpose: str
    taken_at: int


def living(conn: sa.Connection, names: Collection[str]) -> list[Lease]:
    """The leases called one of ``names`` that a living process holds, oldest first."""
    query = (
        sa.select(leases.c.holder, leases.c.taken_at)
        .where(leases.c.name.in_(names), leases.c.expires_at > to_millis(now()))
        .order_by(leases.c.taken_at)
    )
    found = []
    for holder, taken_at in conn.execute(query):
        if not _is_dead(holder):
            host, pid, _, purpose = holder.split(" ", 3)
            found.append(Lease(host, int(pid), purpose, taken_at))
    return found


def _taken_over() -> TakenOver:
    return TakenOver(
        "Another Watchbook process has taken over while this one stood still.",
        hint="Run the command again; what was kept so far stays.",
    )


def break_those_of(conn: sa.Connection, holder: str) -> None:
    """End all leases of the process that ``holder`` names, of which is known that it is dead."""
    host, pid, turn = holder.split(" ", 3)[:3]
    process = turn.partition(".")[2]
    same = leases.c.holder.startswith(f"{host} {pid} ", autoescape=True)
    conn.execute(
        sa.delete(leases).where(same, leases.c.holder.contains(f".{process} ", autoescape=True))
    )


def holder_name(purpose: str) -> str:
    """Machine, process and turn, so that anybody can tell whether it is still being held."""
    turn = f"{next(_turns)}.{_process}@{machine_mark()}"
    return f"{socket.gethostname()} {os.getpid()} {turn} {purpose}"


@cache
def machine_mark() -> str:
    """What tells this machine, since it was started, from others with the same name.

    Two containers may be called alike, and each has a process 1: the space in which process
    numbers count belongs to the mark.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _take(conn: sa.Connection, name: str, holder: str) -> None:
    moment = now()
    query = sa.select(leases.c.holder).where(
        leases.c.name == name, leases.c.expires_at > to_millis(moment)
    )
    held_by = conn.scalar(query.with_for_update())
    if held_by is not None and not _is_dead(held_by):
        purpose = held_by.split(" ", 3)[3]
        raise StoreBusy(
            f"Another Watchbook process is busy with {purpose}.",
            hint="Wait until it is done; `watchbook status` shows what runs.",
        )
    row = {
        "name": name,
        "holder": holder,
        "taken_at": to_millis(moment),
        "expires_at": to_millis(moment + LEASE),
    }
    free = leases.c.holder == held_by if held_by else leases.c.expires_at <= to_millis(moment)
    upsert(conn, leases, [row], update=["holder", "taken_at", "expires_at"], where=lambda _: free)
    if conn.scalar(sa.select(leases.c.holder).where(leases.c.name == name)) != holder:
        raise StoreBusy("Another Watchbook process was quicker.", hint="Run the command again.")


def _is_dead(holder: str) -> bool:
    """Whether ``holder`` was a process of this machine that is gone, or is done in this one."""
    return process_is_gone(holder) or (_is_of_this(holder) and holder not in _held_here)


def _is_of_this(holder: str) -> bool:
    """Whether ``holder`` names this very process, not a former one with its number."""
    _host, pid, turn = holder.split(" ", 3)[:3]
    return int(pid) == os.getpid() and turn.partition(".")[2] == f"{_process}@{machine_mark()}"


def process_is_gone(holder: str) -> bool:
    """Whether ``holder`` was a process of this machine, and no longer is one."""
    _host, pid, turn = holder.split(" ", 3)[:3]
    if turn.partition("@")[2] != machine_mark():
        return False
    if int(pid) == os.getpid():
        return not _is_of_this(holder)
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _keep(held: Holding, stop: threading.Event) -> None:
    while not stop.wait(RENEW_EVERY):
        with suppress(StoreError):
            held.renew()


def _give_back(conn: sa.Connection, name: str, holder: str) -> None:
    conn.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))
