"""The front: who may see what, and what asking leaves in memory."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.web.showroom import Owner
from watchbook.clock import now
from watchbook.errors import InputError
from watchbook.sharing import Part
from watchbook.store import accounts, changes
from watchbook.store.opening import Store
from watchbook.web.answers import Answer, as_json, kept_for
from watchbook.web.front import NOT_PUBLIC, Asked, Front, View

MINUTE = kept_for(timedelta(minutes=1))


@pytest.fixture
def sandra(store: Store) -> Owner:
    """An owner who shows the last watch."""
    owner = Owner(store)
    owner.share(Part.LAST)
    return owner


@pytest.fixture
def front(sandra: Owner) -> Front:
    """A front whose watcher looks when it is told to."""
    front = Front(sandra.store, "https://watch.example", timedelta(minutes=7))
    asyncio.run(front.person(None))
    front.watcher.numbers((changes.of_account(sandra.account.id), changes.PICTURES))
    front.watcher.look()
    return front


class Counting:
    """Makes answers that say how many there were, and waits while it is held."""

    def __init__(self) -> None:
        self.made = 0
        self.asked: list[Asked] = []
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Event()

    def __call__(self, _conn: sa.Connection, asked: Asked) -> Answer:
        """The next answer."""
        self.made += 1
        self.asked.append(asked)
        self.begun.set()
        assert self.free.wait(60)
        if asked.query.get("type") == "odd":
            raise InputError("There is no such type.", hint="Leave it out.")
        return as_json({"turn": self.made}, cache=MINUTE)


def view_of(make: Counting) -> View:
    """A view that knows one parameter."""
    return View("/thing", Part.LAST, make, query=("type",))


def test_strangers_leave_nothing_behind(front: Front) -> None:
    """Names that nobody has are looked up in memory: no query, no place, nothing to watch."""

    async def story() -> None:
        view = view_of(Counting())
        await front.answer(view, {}, {"account": "nobody"})
        watched = dict(front.watcher._asked_at)
        for number in range(300):
            query = {"account": f"nobody-{number}", "type": "x" * 200}
            assert await front.answer(view, {}, query) is NOT_PUBLIC
            assert front.at_hand(view, {"name": f"nobody-{number}"}, {}) is NOT_PUBLIC
        assert front.watcher._asked_at.keys() == watched.keys()
        assert len(front._people._kept) == 1
        assert len(front._views._kept) == 0

    asyncio.run(story())


def test_only_known_parameters_make_a_difference(front: Front) -> None:
    """One place for each view, account and parameter that the view knows; whoever is named how."""

    async def story() -> None:
        make = Counting()
        view = view_of(make)
        first = await front.answer(view, {}, {})
        for query in ({"utm_source": "x"}, {"account": "sandra"}, {"cache": "no", "x": "y"}):
            assert await front.answer(view, {}, query) is first
        assert make.made == 1
        await front.answer(view, {}, {"type": "movie"})
        assert make.asked[-1].query == {"type": "movie"}
        assert make.asked[-1].sync_every == timedelta(minutes=7)

    asyncio.run(story())


def test_own_period_is_the_accounts(front: Front, sandra: Owner) -> None:
    """A view knows how often its account is brought up to date, also when that changes."""
    make = Counting()
    with sandra.store.database.write() as conn:
        accounts.change(conn, sandra.account.id, sync_every="1h")
    front.watcher.look()
    asyncio.run(front.answer(view_of(make), {}, {}))
    assert make.asked[0].sync_every == timedelta(hours=1)


def test_part_that_was_switched_off_while_an_answer_was_made(front: Front, sandra: Owner) -> None:
    """What was begun before is never given after the change was seen, nor when it is on again."""

    async def story() -> None:
        make = Counting()
        view = view_of(make)
        sandra.share(Part.RATINGS)
        front.watcher.look()
        make.free.clear()
        early = asyncio.create_task(front.answer(view, {}, {}))
        await asyncio.to_thread(make.begun.wait, 60)
        sandra.share(Part.RATINGS, on=False)
        front.watcher.look()
        late = asyncio.create_task(front.answer(view, {}, {}))
        await asyncio.sleep(0.05)
        make.free.set()
        await early
        await late
        assert [one.public.shows(Part.RATINGS) for one in make.asked] == [True, False]
        sandra.share(Part.LAST, on=False)
        front.watcher.look()
        assert await front.answer(view, {}, {}) is NOT_PUBLIC

    asyncio.run(story())


def test_answer_that_ends_is_made_anew(front: Front) -> None:
    """An answer that says when it stops being true is not given after that."""

    async def story() -> None:
        turns = iter(range(10))

        def make(_conn: sa.Connection, _asked: Asked) -> Answer:
            return as_json({"turn": next(turns)}, cache=MINUTE, ends_at=now())

        view = View("/thing", Part.LAST, make)
        bodies = [(await front.answer(view, {}, {})).body for _ in range(3)]
        assert bodies == [b'{"turn":0}', b'{"turn":1}', b'{"turn":2}']

    asyncio.run(story())


def test_odd_parameter_is_an_answer(front: Front) -> None:
    """400 with what to do, kept by nobody."""
    answer = asyncio.run(front.answer(view_of(Counting()), {}, {"type": "odd"}))
    assert answer.status == 400
    assert b"Leave it out." in answer.body
    assert answer.cache == "no-store"


def test_an_account_that_was_removed_leaves_nothing_to_the_next_one(
    front: Front, sandra: Owner
) -> None:
    """Its number may be given again, and an old answer while the new one is made; not that."""

    async def story() -> None:
        make = Counting()
        view = view_of(make)
        first = await front.answer(view, {}, {})
        with sandra.store.database.write() as conn:
            accounts.remove(conn, sandra.account.id)
        tom = Owner(sandra.store, "tom")
        with sandra.store.database.write() as conn:
            ours = sa.text("UPDATE accounts SET id = :id WHERE name = 'tom'")
            conn.execute(ours, {"id": sandra.account.id})
        tom.account = replace(tom.account, id=sandra.account.id)
        tom.share(Part.LAST)
        front.watcher.look()
        assert await front.answer(view, {}, {}) is not first
        assert make.asked[-1].public.account.name == "tom"

    asyncio.run(story())
