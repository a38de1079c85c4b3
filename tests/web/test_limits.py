"""Limits: who asks too much waits, and for how long is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from watchbook.web.limits import AT_ONCE, COST_OF_REFUSAL, DEPOSIT, PER_SECOND, Limits


@dataclass
class Clock:
    """A clock that goes on when it is told to."""

    seconds: float = 0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def asked(limits: Limits, client: str | None, times: int, status: int | None = None) -> int:
    """How many of so many questions may be asked; those that go the long way have a status."""
    good = 0
    for _ in range(times):
        if limits.ask(client) == 0 and (status is None or limits.begin(client) == 0):
            good += 1
            if status is not None:
                limits.charge(client, status)
    return good


def test_what_stands_in_memory_may_be_asked_often(clock: Clock) -> None:
    """Many at once, and so many in a second for ever."""
    limits = Limits(clock)
    assert asked(limits, "a", 5000) == AT_ONCE
    clock.seconds += 1
    assert asked(limits, "a", 5000) == PER_SECOND


def test_refusals_cost_more_than_answers(clock: Clock) -> None:
    """Who guesses (addresses, tokens) is slowed down first; a fault of ours counts for nobody."""
    counts = {status: asked(Limits(clock), "a", 5000, status) for status in (200, 404, 401, 500)}
    assert counts[404] == counts[401] == AT_ONCE / COST_OF_REFUSAL
    assert counts[200] == counts[500] > counts[404] * 5


def test_what_takes_long_to_make_costs_more(clock: Clock) -> None:
    """Pictures of every size that there is are no way to keep the server busy for ever."""
    limits, asked_for = Limits(clock), 0
    while limits.ask("a") == limits.begin("a") == 0:
        limits.charge("a", 200, seconds=0.2)
        asked_for += 1
    assert asked_for < asked(Limits(clock), "a", 5000, 200) / 4


def test_what_is_under_way_is_bounded(clock: Clock) -> None:
    """Before the first of them is made, one client can begin no more than a few dozen."""
    limits = Limits(clock)
    begun = 0
    while limits.ask("a") == limits.begin("a") == 0:
        begun += 1
    assert 50 < begun <= AT_ONCE / DEPOSIT
    assert limits.ask("b") == limits.begin("b") == 0
    for _ in range(begun):
        limits.charge("a", 200)
    assert asked(limits, "a", 5000, 200) > begun


def test_the_wait_that_is_told_is_long_enough(clock: Clock) -> None:
    """And not much longer."""
    limits = Limits(clock)
    asked(limits, "a", 5000, 404)
    wait = limits.ask("a")
    assert 0 < wait < 10
    clock.seconds += wait * 0.9
    assert limits.ask("a") > 0
    clock.seconds += wait * 0.11
    assert limits.ask("a") == 0


def test_clients_do_not_spend_from_each_other(clock: Clock) -> None:
    """One that asks too much keeps nobody else out."""
    limits = Limits(clock)
    asked(limits, "a", 5000)
    assert limits.ask("a") > 0
    assert limits.ask("b") == 0


def test_this_machine_has_no_limit(clock: Clock) -> None:
    """It is not counted at all."""
    limits = Limits(clock)
    assert asked(limits, None, 5000, 404) == 5000
    assert len(limits) == 0


def test_clients_are_bounded_in_number(clock: Clock) -> None:
    """The one that asked longest ago is forgotten; one that goes on asking is not."""
    limits = Limits(clock, most_clients=10)
    asked(limits, "busy", 5000)
    for number in range(100):
        limits.ask(f"passing {number}")
        assert limits.ask("busy") > 0
    assert len(limits) == 10


def test_what_was_under_way_never_makes_anybody_wait_long(clock: Clock) -> None:
    """A thousand refusals that were asked for at once are not held against a client for minutes."""
    limits = Limits(clock)
    for _ in range(1000):
        limits.charge("a", 404)
    assert limits.ask("a") < 10
