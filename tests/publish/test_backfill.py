"""A thousand older plays, in the face of limits: paced, in either order, paused and resumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.conftest import TEST_KEY
from tests.exporting.conftest import filled, film_play
from tests.publish.conftest import Book, Scripted, connected
from watchbook.clock import from_millis, now, to_iso, to_millis
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.post import Post
from watchbook.publish import desk
from watchbook.seal import Sealer
from watchbook.store import attempts, outbox, sites
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.outbox import PostState

BEGIN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
FIRST_PLAY = datetime(2020, 1, 1, tzinfo=UTC)
PACE = 10
"""Posts in a minute, which is the rule's default."""


@dataclass
class Limited(Scripted):
    """A server that takes so many requests in a quarter of an hour, and says 429 after that."""

    most: int = 10**9
    told: bool = True
    asked: deque[datetime] = field(default_factory=deque)
    refused: int = 0

    def create(self, post: Post) -> Outcome:
        """Take a post, or ask for patience."""
        moment, quarter = now(), timedelta(minutes=15)
        while self.asked and moment - self.asked[0] >= quarter:
            self.asked.popleft()
        if len(self.asked) >= self.most:
            self.refused += 1
            wait = (self.asked[0] + quarter - moment).total_seconds() if self.told else None
            return Outcome(Kind.SLOW_DOWN, wait=wait, status=429)
        self.asked.append(moment)
        return super().create(post)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved."""
    with time_machine.travel(BEGIN, tick=False) as clock:
        yield clock


def backfill(folder: Path, number: int, **rules: str) -> Book:
    """A book with so many older plays, all of which are to go out."""
    database = Database(f"sqlite:///{folder / 'home' / 'watchbook.db'}")
    migrate(database)
    book = connected(filled(Store(database, Sealer([TEST_KEY]), folder / "home"), folder / "out"))
    book.rules(**rules)
    book.filled.plays(
        *(film_play(n, n, to_iso(FIRST_PLAY + timedelta(hours=n))) for n in range(1, number + 1))
    )
    with book.store.database.write() as conn:
        assert desk.take_older(conn, book.stands(), desk.EVERYTHING) == number
    return book


def minutes_until_done(book: Book, outlet: Limited, clock: time_machine.Traveller) -> int:
    """Minutes, with a pass in each, until nothing waits."""
    for minute in range(2_000):
        book.run(outlet)
        with book.store.database.read() as conn:
            if not outbox.find(conn, book.site.id, [PostState.WAITING], limit=1):
                return minute
        clock.shift(timedelta(minutes=1))
    raise AssertionError("It does not come to an end.")


def told(outlet: Limited) -> list[int]:
    """The plays in the order in which they were posted."""
    return [one.history_id for post in outlet.created for one in post.watched]


@pytest.mark.parametrize("number", [60, pytest.param(1_000, marks=pytest.mark.long)])
def test_older_plays_are_paced(tmp_path: Path, clock: time_machine.Traveller, number: int) -> None:
    """Ten a minute, oldest first, each once: a thousand are done in a hundred minutes."""
    book, outlet = backfill(tmp_path, number), Limited()
    assert minutes_until_done(book, outlet, clock) == number // PACE - 1
    assert told(outlet) == list(range(1, number + 1))
    assert set(book.states()) == {"published"}
    book.store.database.close()


@pytest.mark.parametrize("tells", [True, False])
def test_a_limit_is_lived_with(
    tmp_path: Path, clock: time_machine.Traveller, *, tells: bool
) -> None:
    """A server that takes 40 in a quarter of an hour: nothing is lost, and nothing is doubled."""
    book, outlet = backfill(tmp_path, 120), Limited(most=40, told=tells)
    minutes = minutes_until_done(book, outlet, clock)
    assert told(outlet) == list(range(1, 121))
    assert outlet.refused <= (2 if tells else 6)
    assert 30 <= minutes <= 60
    assert book.stands().state == "working"
    book.store.database.close()


def test_the_newest_may_go_first_and_news_with_them(
    tmp_path: Path, clock: time_machine.Traveller
) -> None:
    """What is watched meanwhile does not wait for the end of the backfill."""
    book, outlet = backfill(tmp_path, 100, order="newest-first"), Limited()
    book.run(outlet)
    assert told(outlet) == list(range(100, 90, -1))
    book.watch(film_play(500, 500, to_iso(now())))
    clock.shift(timedelta(minutes=1))
    book.run(outlet)
    assert told(outlet)[10:12] == [500, 90]
    book.store.database.close()


def test_a_backfill_can_be_paused(tmp_path: Path, clock: time_machine.Traveller) -> None:
    """Nothing goes out meanwhile; afterwards it goes on where it was."""
    book, outlet = backfill(tmp_path, 50), Limited()
    book.run(outlet)
    with book.store.database.write() as conn:
        sites.set_state(conn, book.site.id, sites.SiteState.PAUSED, "Paused by its owner.")
    for _ in range(10):
        clock.shift(timedelta(minutes=1))
        book.run(outlet)
    assert len(outlet.created) == PACE
    with book.store.database.write() as conn:
        sites.set_state(conn, book.site.id, sites.SiteState.WORKING)
    assert minutes_until_done(book, outlet, clock) == 3
    assert told(outlet) == list(range(1, 51))
    book.store.database.close()


def test_the_pace_counts_what_other_processes_sent(
    tmp_path: Path, clock: time_machine.Traveller
) -> None:
    """It is read from what was written down, so a restart does not begin it anew."""
    book, outlet = backfill(tmp_path, 50), Limited()
    for _ in range(3):
        book.run(outlet)
    assert len(outlet.created) == PACE
    with book.store.database.read() as conn:
        sent = attempts.sent_since(conn, book.site.id, to_millis(BEGIN) - 60_000)
    assert [from_millis(moment) for moment in sent] == [BEGIN] * PACE
    book.store.database.close()
