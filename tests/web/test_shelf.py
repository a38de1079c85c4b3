"""The shelf: one maker at a time, changes are seen, the last answers stand while we are away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from watchbook.clock import monotonic
from watchbook.errors import InputError, StoreUnavailable
from watchbook.store import changes
from watchbook.store.database import Database
from watchbook.web import shelf as module
from watchbook.web.shelf import Offline, Room, Shelf, Watcher

TOPIC = ("account:1",)
KEY = ("/last", 1)


class Maker:
    """Makes numbered things, and waits to be let on when it is held."""

    def __init__(self) -> None:
        self.made = 0
        self.fails: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def __call__(self) -> str:
        """The next thing."""
        self.made += 1
        turn = self.made
        assert self.free.wait(60)
        if self.fails is not None:
            raise self.fails
        return f"thing {turn}"


@pytest.fixture
def watcher(database: Database) -> Watcher:
    """A watcher that looks when it is told to."""
    return Watcher(database)


@pytest.fixture
def maker() -> Maker:
    """A maker of things."""
    return Maker()


@pytest.fixture
def broken(database: Database) -> Callable[[], None]:
    """Takes away the table that the watcher reads."""
    return lambda: _rename(database, "changes", "changed")


def _rename(database: Database, old: str, new: str) -> None:
    with database.write() as conn:
        conn.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def change(database: Database, topic: str = TOPIC[0]) -> None:
    """Count a change."""
    with database.write() as conn:
        changes.tell(conn, topic)


def away(watcher: Watcher) -> bool:
    """Whether it says that the store is away."""
    return watcher.offline


async def settled(shelf: Shelf[str]) -> None:
    """Wait until nothing is being made."""
    making = [one.task for one in shelf._making.values()]
    await asyncio.gather(*making, return_exceptions=True)


def test_made_once_and_given_again(watcher: Watcher, maker: Maker) -> None:
    """What stands on the shelf is given without asking anybody."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        await shelf.get(KEY, TOPIC, maker)
        watcher.look()
        await shelf.get(KEY, TOPIC, maker)  # its topics were not watched when it was made first
        await settled(shelf)
        made = maker.made
        for _ in range(5):
            assert await shelf.get(KEY, TOPIC, maker) == shelf.at_hand(KEY, TOPIC)
        assert maker.made == made == 2

    asyncio.run(story())


def test_hundred_askers_one_maker(watcher: Watcher, maker: Maker) -> None:
    """All who ask while a thing is made wait for that one."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        maker.free.clear()
        asking = [asyncio.create_task(shelf.get(KEY, TOPIC, maker)) for _ in range(100)]
        await asyncio.sleep(0.05)
        maker.free.set()
        assert set(await asyncio.gather(*asking)) == {"thing 1"}
        assert maker.made == 1

    asyncio.run(story())


async def _at_home(shelf: Shelf[str], watcher: Watcher, maker: Maker) -> None:
    """Let a thing stand there whose topics are watched."""
    watcher.numbers(TOPIC)
    watcher.look()
    await shelf.get(KEY, TOPIC, maker)


def test_old_one_is_given_while_its_successor_is_made(
    watcher: Watcher, maker: Maker, database: Database
) -> None:
    """After a change the first asker gets what was there at once, those after it the new one."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        await _at_home(shelf, watcher, maker)
        change(database)
        assert await shelf.get(KEY, TOPIC, maker) == "thing 1"
        watcher.look()
        assert shelf.at_hand(KEY, TOPIC) is None
        assert await shelf.get(KEY, TOPIC, maker) == "thing 1"
        await settled(shelf)
        assert await shelf.get(KEY, TOPIC, maker) == "thing 2"

    asyncio.run(story())


def test_old_one_is_never_given_where_that_matters(
    watcher: Watcher, maker: Maker, database: Database
) -> None:
    """Nobody who asks after a change was seen gets what was begun before it."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher, give_old=False)
        watcher.numbers(TOPIC)
        watcher.look()
        maker.free.clear()
        early = asyncio.create_task(shelf.get(KEY, TOPIC, maker))
        await asyncio.sleep(0.05)
        change(database)
        watcher.look()
        late = asyncio.create_task(shelf.get(KEY, TOPIC, maker))
        await asyncio.sleep(0.05)
        maker.free.set()
        assert await late == "thing 2"
        assert await early == "thing 1"
        assert await shelf.get(KEY, TOPIC, maker) == "thing 2"

    asyncio.run(story())


def test_changes_of_others_change_nothing(
    watcher: Watcher, maker: Maker, database: Database
) -> None:
    """A thing is made anew for its own topics alone."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        await _at_home(shelf, watcher, maker)
        change(database, "account:2")
        watcher.look()
        assert shelf.at_hand(KEY, TOPIC) == "thing 1"

    asyncio.run(story())


def test_what_grows_old_is_made_anew_before_its_end(
    watcher: Watcher, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks all the time never waits; what holds for a short time only is given to its end."""

    async def story() -> None:
        moment = monotonic()
        monkeypatch.setattr(module, "monotonic", lambda: moment)
        shelf: Shelf[str] = Shelf(watcher)
        brief: Shelf[str] = Shelf(watcher, lasts=lambda _: 30.0)
        for one in (shelf, brief):
            await _at_home(one, watcher, maker)
        moment += 29
        watcher.look()
        assert shelf.at_hand(KEY, TOPIC) == "thing 1"
        assert brief.at_hand(KEY, TOPIC) == "thing 2"
        moment += 17
        watcher.look()
        maker.free.clear()
        assert shelf.at_hand(KEY, TOPIC) is None
        assert await shelf.get(KEY, TOPIC, maker) == "thing 1"
        maker.free.set()
        await settled(shelf)
        assert shelf.at_hand(KEY, TOPIC) == "thing 3"
        assert await brief.get(KEY, TOPIC, maker) == "thing 4"

    asyncio.run(story())


def test_what_came_to_its_end_is_waited_for(watcher: Watcher, maker: Maker) -> None:
    """A thing that holds for no time is made anew for each asker, without any change."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher, lasts=lambda thing: 60.0 if thing == "thing 2" else 0.0)
        await _at_home(shelf, watcher, maker)
        assert shelf.at_hand(KEY, TOPIC) is None
        assert await shelf.get(KEY, TOPIC, maker) == "thing 2"
        assert shelf.at_hand(KEY, TOPIC) == "thing 2"

    asyncio.run(story())


def test_last_things_stand_while_the_store_is_away(
    watcher: Watcher, maker: Maker, database: Database, broken: Callable[[], None]
) -> None:
    """What was made is given, what was not is refused, and all is as before when it is back."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        await _at_home(shelf, watcher, maker)
        broken()
        watcher.look()
        assert away(watcher)
        assert shelf.at_hand(KEY, TOPIC) is None
        assert await shelf.get(KEY, TOPIC, maker) == "thing 1"
        with pytest.raises(Offline):
            await shelf.get(("/other", 1), TOPIC, maker)
        assert maker.made == 1
        _rename(database, "changed", "changes")
        watcher.look()
        assert not away(watcher)
        assert shelf.at_hand(KEY, TOPIC) == "thing 1"

    asyncio.run(story())


def test_maker_that_finds_the_store_gone(
    watcher: Watcher, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the watcher has seen it the last thing stands too; a hanging maker is left alone."""

    async def ask(shelf: Shelf[str], key: module.Key) -> str:
        return await shelf.get(key, TOPIC, maker)

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher, lasts=lambda _: 0.0)
        await _at_home(shelf, watcher, maker)
        maker.fails = StoreUnavailable("gone")
        assert await ask(shelf, KEY) == "thing 1"
        await _raises(Offline, ask(shelf, ("/other", 1)))
        maker.fails = None
        monkeypatch.setattr(module, "SILENCE", 0.05)
        maker.free.clear()
        try:
            assert await ask(shelf, KEY) == "thing 1"
        finally:
            maker.free.set()
        await settled(shelf)

    asyncio.run(story())


async def _raises(kind: type[Exception], asked: Awaitable[object]) -> None:
    with pytest.raises(kind):
        await asked


def test_silence_counts_as_absence(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that has not answered for long is away, even though no error came."""
    watcher.look()
    assert not away(watcher)
    monkeypatch.setattr(module, "SILENCE", -1.0)
    assert away(watcher)


def test_who_has_waited_long_is_told_the_truth(
    watcher: Watcher, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may be busy while the store answers: that is no reason to say that it does not."""

    async def story() -> None:
        monkeypatch.setattr(module, "SILENCE", 0.2)
        shelf: Shelf[str] = Shelf(watcher)
        maker.free.clear()
        told: list[str] = []
        for looks in (True, False):
            asking = asyncio.create_task(shelf.get(KEY, TOPIC, maker))
            while not asking.done():
                if looks:
                    watcher.look()
                await asyncio.sleep(0.01)
            reason = asking.exception()
            assert isinstance(reason, Offline)
            told.append(reason.why)
        assert told == [module.SLOW, module.SILENT]
        maker.free.set()
        await settled(shelf)

    asyncio.run(story())


def test_mistakes_of_the_asker_are_theirs(
    watcher: Watcher, maker: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    """An odd parameter is raised, kept nowhere, and no line of the log."""

    async def story() -> None:
        shelf: Shelf[str] = Shelf(watcher)
        maker.fails = InputError("odd")
        await _raises(InputError, shelf.get(KEY, TOPIC, maker))
        await settled(shelf)
        assert shelf.at_hand(KEY, TOPIC) is None

    asyncio.run(story())
    assert "could not be made" not in capsys.readouterr().err


def test_room_is_bounded_by_number_and_by_bytes(watcher: Watcher) -> None:
    """What was not asked for longest goes first; a long key takes room, too."""

    async def put(shelf: Shelf[str], *keys: str) -> None:
        for key in keys:
            await shelf.get((key,), TOPIC, lambda: "x" * 1000)

    def standing(shelf: Shelf[str], *keys: str) -> list[bool]:
        return [shelf.at_hand((key,), TOPIC) is not None for key in keys]

    async def story() -> None:
        watcher.numbers(TOPIC)
        watcher.look()
        few: Shelf[str] = Shelf(watcher, room=Room(things=2))
        await put(few, "a", "b", "a", "c")
        assert standing(few, "a", "b", "c") == [True, False, True]
        small: Shelf[str] = Shelf(watcher, weigh=len, room=Room(bytes=4000))
        await put(small, "a", "b", "c")
        assert standing(small, "a", "b", "c") == [False, True, True]
        await put(small, "d" * 2000)
        assert standing(small, "b", "c", "d" * 2000) == [False, False, True]
        await put(small, "e" * 5000)
        assert standing(small, "d" * 2000, "e" * 5000) == [False, False]
        assert small._weight == 0

    asyncio.run(story())


def test_topics_nobody_asks_for_are_forgotten(
    watcher: Watcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher asks for what is shown, and a topic that comes back begins unknown."""
    change(database)
    watcher.numbers(TOPIC)
    watcher.look()
    assert watcher.numbers(TOPIC) == (1,)
    monkeypatch.setattr(module, "_FORGOTTEN", -1.0)
    watcher.look()
    assert watcher.numbers(TOPIC) == (-1,)
