"""The shelf: public answers in memory, made anew when the store has changed.

A view is answered from the shelf without touching the store. A watcher, one thread, asks the
store each second for the numbers of the accounts whose answers stand here, so changes by other
processes are seen as well. While the store cannot be read, the last answers stand.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from watchbook.clock import monotonic
from watchbook.errors import StoreError
from watchbook.logs import logger
from watchbook.steps import hurried
from watchbook.store import changes
from watchbook.store.database import Database

LOOK_EVERY = timedelta(seconds=1)
SILENCE = 10.0
"""Seconds without an answer of the store after which it counts as gone."""
OLDEST = 60.0
"""Seconds after which a thing is made anew even without a change: days pass, delays end."""
_MOST_KEPT = 5000
_FORGOTTEN = 600.0
_log = logger("web")

Thing = TypeVar("Thing")
Key = tuple[object, ...]


class Offline(Exception):
    """The store cannot be read, and nothing was kept from before; the text says why."""


@dataclass
class _Kept(Generic[Thing]):
    thing: Thing
    numbers: tuple[int, ...]
    made_at: float


class Watcher:
    """Knows the numbers of the topics that were asked for lately, and whether the store answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._asked_at: dict[str, float] = {}
        self._answered_at = monotonic()
        self._trouble: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join(1)

    @property
    def offline(self) -> str | None:
        """Why the store cannot be read, in words; None while it can."""
        if self._trouble is None and monotonic() - self._answered_at > SILENCE:
            return "The database does not answer."
        return self._trouble

    def numbers(self, topics: Collection[str]) -> tuple[int, ...]:
        """The last known numbers of ``topics``, which are watched from now on; -1 before a look."""
        moment = monotonic()
        for topic in topics:
            self._asked_at[topic] = moment
        return tuple(self._numbers.get(topic, -1) for topic in topics)

    def _run(self) -> None:
        while not self._stopped.wait(hurried(LOOK_EVERY).total_seconds()):
            self.look()

    def look(self) -> None:
        """Ask the store once."""
        moment = monotonic()
        topics = [one for one, at in list(self._asked_at.items()) if moment - at < _FORGOTTEN]
        try:
            with self._database.read() as conn:
                found = changes.numbers(conn, topics)
        except StoreError as reason:
            if self._trouble is None:
                _log.error(f"Views show the last known state. {reason.message}", hint=reason.hint)
            self._trouble = reason.message
            return
        if self._trouble is not None:
            _log.info("The database answers again.")
        self._trouble, self._answered_at = None, monotonic()
        self._numbers = found
        for topic in self._asked_at.keys() - found.keys():
            if self._asked_at[topic] < moment:
                del self._asked_at[topic]


class Shelf(Generic[Thing]):
    """Things by key, each made by one maker at a time, the most recently asked for kept longest.

    One that is younger than ``give_old`` seconds is still given after a change, while its
    successor is made; older ones, of pages that are asked for now and then, are waited for.
    """

    def __init__(self, watcher: Watcher, *, give_old: float = OLDEST) -> None:
        self.watcher = watcher
        self._give_old = give_old
        self._kept: OrderedDict[Key, _Kept[Thing]] = OrderedDict()
        self._making: dict[Key, asyncio.Task[Thing]] = {}

    def at_hand(self, key: Key, topics: Collection[str]) -> Thing | None:
        """What stands here for ``key``, if it is as new as the store; costs next to nothing."""
        kept = self._kept.get(key)
        if kept is None or self.watcher.offline is not None:
            return None
        fresh = kept.numbers == self.watcher.numbers(topics)
        return kept.thing if fresh and monotonic() - kept.made_at < OLDEST else None

    async def get(self, key: Key, topics: Collection[str], make: Callable[[], Thing]) -> Thing:
        """The thing for ``key``, made by ``make`` in a thread when there is none that is new.

        Raises Offline when the store cannot be read and nothing was kept, and what ``make`` raises.
        """
        found = self.at_hand(key, topics)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        kept = self._kept.get(key)
        if (trouble := self.watcher.offline) is not None:
            return _kept_or_offline(kept, trouble)
        making = self._make(key, topics, make)
        if kept is not None and monotonic() - kept.made_at < self._give_old:
            return kept.thing
        try:
            return await asyncio.wait_for(asyncio.shield(making), SILENCE)
        except StoreError as reason:
            return _kept_or_offline(kept, reason.message)
        except TimeoutError:
            return _kept_or_offline(kept, "The database does not answer.")

    def _make(
        self, key: Key, topics: Collection[str], make: Callable[[], Thing]
    ) -> asyncio.Task[Thing]:
        """The making of ``key`` that is under way, or a new one."""
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, self.watcher.numbers(topics), make))
            self._making[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _made(self, key: Key, numbers: tuple[int, ...], make: Callable[[], Thing]) -> Thing:
        thing = await run_in_threadpool(make)
        self._kept[key] = _Kept(thing, numbers, monotonic())
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return thing

    def _ended(self, key: Key, task: asyncio.Task[Thing]) -> None:
        self._making.pop(key, None)
        if not task.cancelled() and (reason := task.exception()) is not None:
            _log.warning("A view could not be made.", reason=str(reason))


def _kept_or_offline(kept: _Kept[Thing] | None, trouble: str) -> Thing:
    if kept is None:
        raise Offline(trouble)
    return kept.thing
