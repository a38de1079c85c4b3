"""The budget of reads that an account has, shared by all processes that work for it.

A row per account counts the reads of the last minutes in slots of ten seconds: no window of
the budget's length ever holds more reads than allowed. Reads are taken from the row in small
blocks, so that parallel lanes do not queue at the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from watchbook import clock
from watchbook.settings import Rate
from watchbook.store.database import Database, upsert
from watchbook.store.schema import budgets

SLOT = 10
"""Seconds that one slot counts."""

MAX_BLOCK = 10


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
        self._block = 1

    def spend(self) -> None:
        """Take one read, waiting until the budget has one."""
        while True:
            with self._lock:
                if self._left == 0:
                    wait = self._take_block()
                if self._left > 0:
                    self._left -= 1
                    return
            self._on_wait(wait)
            self._sleep(wait)

    def block_for(self, seconds: float) -> None:
        """Let no process read for ``seconds``, because Trakt said so."""
        until = clock.to_millis(clock.now()) + int(seconds * 1000)
        with self._lock, self._database.write() as conn:
            used, blocked = self._load(conn)
            self._left = 0
            self._save(conn, used, max(until, blocked or 0))

    def give_back(self) -> None:
        """Return the reads that were taken and not spent."""
        with self._lock:
            if self._left == 0:
                return
            with self._database.write() as conn:
                used, blocked = self._load(conn)
                newest = max(used, default=None, key=int)
                if newest is not None:
                    used[newest] = max(0, used[newest] - self._left)
                self._save(conn, used, blocked)
            self._left = 0

    def _take_block(self) -> float:
        """Take some reads from the row; else the seconds until it is worth asking again."""
        moment = clock.to_millis(clock.now())
        with self._database.write() as conn:
            used, blocked = self._load(conn)
            if blocked is not None and blocked > moment:
                return (blocked - moment) / 1000
            slot = moment // 1000 // SLOT
            oldest = slot - (self._rate.seconds + SLOT - 1) // SLOT
            used = {key: n for key, n in used.items() if int(key) >= oldest}
            free = self._rate.count - sum(used.values())
            if free <= 0:
                first = min(map(int, used))
                return max(0.1, (first - oldest + 1) * SLOT - moment / 1000 % SLOT)
            self._left = min(free, self._block)
            self._block = min(MAX_BLOCK, self._block * 2)
            used[str(slot)] = used.get(str(slot), 0) + self._left
            self._save(conn, used, None)
        return 0.0

    def _load(self, conn: sa.Connection) -> tuple[dict[str, int], int | None]:
        ours = budgets.c.account_id == self._account_id
        query = sa.select(budgets.c.used, budgets.c.blocked_until).where(ours)
        row = conn.execute(query.with_for_update()).one_or_none()
        if row is None:
            return {}, None
        return msgspec.json.decode(row[0], type=dict[str, int]), row[1]

    def _save(self, conn: sa.Connection, used: dict[str, int], blocked: int | None) -> None:
        row = {
            "account_id": self._account_id,
            "used": msgspec.json.encode(used).decode(),
            "blocked_until": blocked,
        }
        upsert(conn, budgets, [row], update=("used", "blocked_until"))
