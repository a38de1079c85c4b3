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
from watchbook.errors import InputError, StoreError
from watchbook.logs import logger
from watchbook.steps import hurried
from watchbook.store import changes
from watchbook.store.database import Database

LOOK_EVERY = timedelta(seconds=1)
SILENCE = 10.0
"""Seconds without an answer of the store after which it counts as gone."""
OLDEST = 60.0
"""Seconds after which a thing is made anew even without a change: days pass, delays end."""
_AGEING = 45.0
"""Seconds after which that is begun, so that nobody waits for it who asks all the time."""
SILENT = "The database does not answer at the moment."
"""What strangers are told while the store cannot be read; the log says why."""
SLOW = "This takes longer than it should at the moment."
"""What they are told while the store answers, and yet a thing is not made in time."""
RETRY_AFTER = "30"
"""Seconds after which it is worth asking again then."""
_FORGOTTEN = 600.0
_PLACE_COSTS = 500
"""Bytes that a thing takes on the shelf besides itself, about."""
_log = logger("web")

Thing = TypeVar("Thing")
Key = tuple[object, ...]


class Offline(Exception):
    """A thing cannot be made at present, and none was kept from before; why, for strangers."""

    def __init__(self, why: str = SILENT) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class _Kept(Generic[Thing]):
    thing: Thing
    numbers: tuple[int, ...]
    renew_at: float
    """From when on (monotonic) its successor is made."""
    ends_at: float
    """Up to when it holds if nothing changes."""
    weight: int


@dataclass(frozen=True)
class _Making(Generic[Thing]):
    numbers: tuple[int, ...]
    task: asyncio.Task[Thing]


class Watcher:
    """Knows the numbers of the topics that were asked for lately, and whether the store answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._asked_at: dict[str, float] = {}
        self._answered_at = monotonic()
        self._silent = False
        self._looking = threading.Lock()
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
    def offline(self) -> bool:
        """Whether the store cannot be read at present."""
        return self._silent or monotonic() - self._answered_at > SILENCE

    def numbers(self, topics: Collection[str]) -> tuple[int, ...]:
        """The last known numbers of ``topics``, which are watched from now on; -1 before a look."""
        moment = monotonic()
        for topic in topics:
            self._asked_at[topic] = moment
        return tuple(self._numbers.get(topic, -1) for topic in topics)

    def _run(self) -> None:
        while not self._stopped.wait(hurried(LOOK_EVERY).total_seconds()):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - it would leave all views as they are for ever
                _log.exception("The watcher of changes met a fault in Watchbook.")

    def look(self) -> None:
        """Ask the store once; what was asked earlier never overwrites what was asked later."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        moment = monotonic()
        topics = [one for one, at in list(self._asked_at.items()) if moment - at < _FORGOTTEN]
        try:
            with self._database.read() as conn:
                found = changes.numbers(conn, topics)
        except StoreError as reason:
            if not self._silent:
                _log.error(f"Views show the last known state. {reason.message}", hint=reason.hint)
            self._silent = True
            return
        if self._silent:
            _log.info("The database answers again.")
        self._silent, self._answered_at = False, monotonic()
        self._numbers = found
        for topic in self._asked_at.keys() - found.keys():
            if self._asked_at[topic] < moment:
                del self._asked_at[topic]


def _nothing(_thing: object) -> int:
    return 0


def _oldest(_thing: object) -> float:
    return OLDEST


@dataclass(frozen=True)
class Room:
    """How much stands on a shelf at most: things, and bytes together with their keys."""

    things: int = 5000
    bytes: int = 64 * 1024 * 1024


class Shelf(Generic[Thing]):
    """Things by key, each made by one maker at a time, the most recently asked for kept longest.

    With ``give_old`` one that has not come to its end is still given after a change, while its
    successor is made; without it whoever asks after a change was seen gets what was made since.
    ``weigh`` says how many bytes a thing takes, ``lasts`` for how many seconds it holds at most.
    """

    def __init__(
        self,
        watcher: Watcher,
        *,
        give_old: bool = True,
        weigh: Callable[[Thing], int] = _nothing,
        lasts: Callable[[Thing], float] = _oldest,
        room: Room | None = None,
    ) -> None:
        self.watcher = watcher
        self._give_old = give_old
        self._weigh = weigh
        self._lasts = lasts
        self._room = room or Room()
        self._weight = 0
        self.given = 0
        """How often something was at hand."""
        self.made = 0
        self._kept: OrderedDict[Key, _Kept[Thing]] = OrderedDict()
        self._making: dict[Key, _Making[Thing]] = {}

    def __len__(self) -> int:
        """How many things stand here."""
        return len(self._kept)

    def at_hand(self, key: Key, topics: Collection[str]) -> Thing | None:
        """What stands here for ``key``, if it is as new as the store; costs next to nothing."""
        kept = self._kept.get(key)
        if kept is None or self.watcher.offline:
            return None
        if kept.numbers != self.watcher.numbers(topics) or monotonic() >= kept.renew_at:
            return None
        self._kept.move_to_end(key)
        self.given += 1
        return kept.thing

    async def get(self, key: Key, topics: Collection[str], make: Callable[[], Thing]) -> Thing:
        """The thing for ``key``, made by ``make`` in a thread when there is none that is new.

        Raises what ``make`` raises; Offline, as when the store cannot be read, only when nothing
        was kept.
        """
        found = self.at_hand(key, topics)
        if found is not None:
            return found
        kept = self._kept.get(key)
        if self.watcher.offline:
            return _kept_or(Offline(), kept)
        making = self._make(key, topics, make)
        if self._give_old and kept is not None and monotonic() < kept.ends_at:
            return kept.thing
        try:
            return await asyncio.wait_for(asyncio.shield(making), SILENCE)
        except StoreError:
            away = Offline()
        except TimeoutError:
            away = Offline(self._what_hinders())
        except Offline as reason:
            away = reason
        return _kept_or(away, self._kept.get(key))

    def _what_hinders(self) -> str:
        """Why a thing was not made in time."""
        return SILENT if self.watcher.offline else SLOW

    def _make(
        self, key: Key, topics: Collection[str], make: Callable[[], Thing]
    ) -> asyncio.Task[Thing]:
        """The making of ``key`` that is under way, unless it began too early; or a new one."""
        numbers = self.watcher.numbers(topics)
        under_way = self._making.get(key)
        if under_way is not None and (self._give_old or under_way.numbers == numbers):
            return under_way.task
        self.made += 1
        task = asyncio.create_task(self._made(key, numbers, make))
        self._making[key] = _Making(numbers, task)
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _made(self, key: Key, numbers: tuple[int, ...], make: Callable[[], Thing]) -> Thing:
        thing = await run_in_threadpool(make)
        if self._is_latest(key, asyncio.current_task()):
            letters = sum(len(part) for part in key if isinstance(part, str))
            weight = self._weigh(thing) + letters + _PLACE_COSTS
            lasts, moment = self._lasts(thing), monotonic()
            renew_at = moment + (min(lasts, _AGEING) if self._give_old else lasts)
            self._put(key, _Kept(thing, numbers, renew_at, moment + lasts, weight))
        return thing

    def _put(self, key: Key, kept: _Kept[Thing]) -> None:
        before = self._kept.pop(key, None)
        self._weight += kept.weight - (before.weight if before else 0)
        self._kept[key] = kept
        while len(self._kept) > self._room.things or self._weight > self._room.bytes:
            _, gone = self._kept.popitem(last=False)
            self._weight -= gone.weight

    def _is_latest(self, key: Key, task: asyncio.Task[Thing] | None) -> bool:
        making = self._making.get(key)
        return making is not None and making.task is task

    def _ended(self, key: Key, task: asyncio.Task[Thing]) -> None:
        if self._is_latest(key, task):
            del self._making[key]
        reason = None if task.cancelled() else task.exception()
        if reason is not None and not isinstance(reason, InputError | Offline):
            _log.warning("A view could not be made.", reason=str(reason))


def _kept_or(away: Offline, kept: _Kept[Thing] | None) -> Thing:
    if kept is None:
        raise away
    return kept.thing
