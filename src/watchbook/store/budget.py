"""The budget of reads that an account has, shared by all processes that work for it.

A row per account counts the reads of the last minutes in slots of ten seconds: no window of
the budget's length ever holds more reads than allowed. Reads are taken from the row in small
blocks, so that parallel lanes do not queue at the database; what is left of a block when its
slot ends goes back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook import clock
from watchbook.store.database import Database, upsert
from watchbook.store.schema import budgets
from watchbook.values import Rate

SLOT = 10
"""Seconds that one slot counts."""

MAX_BLOCK = 10

LONGEST_STOP = 3600
"""Seconds that reads may be stopped for at most: beyond that a clock or a header was wrong."""


class ReadBudget:
    """Lets reads of one account pass at ``rate``; safe to use from several threads.

    ``on_wait`` is told the seconds of a wait before it begins.
    """

    def __init__(
        self,
        database: Database,
        account_id: int,
        rate: Rate,
        *,
        sleep: Callable[[float], None] = clock.sleep,
        on_wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._account_id = account_id
        self._rate = rate
        self._sleep = sleep
        self._on_wait = on_wait
        self._lock = threading.Lock()
        self._left = 0
        self._slot = 0
        self._block = 1

    def spend(self) -> None:
        """Take one read, waiting until the budget has one."""
        while True:
            with self._lock:
                if self._left == 0 or self._slot != _slot_now():
                    wait = self._take_block()
                if self._left > 0:
                    self._left -= 1
                    return
            self._on_wait(wait)
            self._sleep(wait)

    def block_for(self, seconds: float) -> None:
        """Let no process read for ``seconds``, because Trakt said so."""
        until = clock.to_millis(clock.now()) + int(min(seconds, LONGEST_STOP) * 1000)
        with self._lock, self._database.write() as conn:
            used, blocked = self._load(conn)
            self._return_rest(used)
            self._save(conn, used, max(until, blocked or 0))

    def give_back(self) -> None:
        """Return the reads that were taken and not spent."""
        with self._lock:
            if self._left == 0:
                return
            with self._database.write() as conn:
                used, blocked = self._load(conn)
                self._return_rest(used)
                self._save(conn, used, blocked)

    def _return_rest(self, used: dict[str, int]) -> None:
        """Take what was not spent out of the slot that it was counted in."""
        slot = str(self._slot)
        if slot in used:
            used[slot] = max(0, used[slot] - self._left)
        self._left = 0

    def _take_block(self) -> float:
        """Take some reads from the row; else the seconds until it is worth asking again."""
        with self._database.write() as conn:
            used, blocked = self._load(conn)
            moment = clock.to_millis(clock.now())  # the lock may have been waited for
            self._return_rest(used)
            slot = moment // 1000 // SLOT
            window = (self._rate.seconds + SLOT - 1) // SLOT
            oldest = slot - window
            # Another machine's clock may be a little ahead; one that is more was set back since.
            used = {k: n for k, n in used.items() if n and oldest <= int(k) <= slot + window}
            free = self._rate.count - sum(used.values())
            wait = 0.0
            if blocked is not None and not moment < blocked <= moment + LONGEST_STOP * 1000:
                blocked = None
            if blocked is not None:
                wait = (blocked - moment) / 1000
            elif free <= 0:
                first = min(map(int, used))
                wait = max(0.1, (first - oldest + 1) * SLOT - moment / 1000 % SLOT)
            else:
                self._take(min(free, self._block), slot, used)
            self._save(conn, used, blocked)
        return wait

    def _take(self, count: int, slot: int, used: dict[str, int]) -> None:
        self._left, self._slot = count, slot
        self._block = min(MAX_BLOCK, self._block * 2)
        used[str(slot)] = used.get(str(slot), 0) + count

    def _load(self, conn: sa.Connection) -> tuple[dict[str, int], int | None]:
        ours = budgets.c.account_id == self._account_id
        query = sa.select(budgets.c.used, budgets.c.blocked_until).where(ours)
        row = conn.execute(query.with_for_update()).one_or_none()
        if row is None:
            # Two first readers on PostgreSQL: the later one waits here for the row of the other.
            upsert(conn, budgets, [self._row({}, None)], update=("account_id",))
            row = conn.execute(query).one()
        return msgspec.json.decode(row[0], type=dict[str, int]), row[1]

    def _save(self, conn: sa.Connection, used: dict[str, int], blocked: int | None) -> None:
        upsert(conn, budgets, [self._row(used, blocked)], update=("used", "blocked_until"))

    def _row(self, used: dict[str, int], blocked: int | None) -> dict[str, Any]:
        return {
            "account_id": self._account_id,
            "used": msgspec.json.encode(used).decode(),
            "blocked_until": blocked,
        }


def _slot_now() -> int:
    return clock.to_millis(clock.now()) // 1000 // SLOT
