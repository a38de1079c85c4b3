"""Waits that a signal ends: Ctrl-C, or being asked to stop.

Python runs the handler of a signal between two steps of the main thread. One that arrives after
the last step before a wait is heard when the wait is over, and be it in ten minutes: so the main
thread never waits longer than a moment at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from threading import Event
from typing import TypeVar

from watchbook.clock import monotonic

Result = TypeVar("Result")

_MOMENT = 1.0
"""Seconds that one wait takes at most."""


def wait_for(event: Event, seconds: float = float("inf")) -> bool:
    """Wait until ``event`` is set, or for ``seconds``; returns whether it is set."""
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0:
        if event.wait(min(left, _MOMENT)):
            return True
    return event.is_set()


def first_done(futures: Collection[Future[Result]]) -> set[Future[Result]]:
    """Those of ``futures`` that have ended, as soon as one has."""
    done: set[Future[Result]] = set()
    while not done:
        done, _ = wait(futures, _MOMENT, FIRST_COMPLETED)
    return done


def result_of(future: Future[Result]) -> Result:
    """What ``future`` ends with; raises what it raised."""
    return first_done([future]).pop().result()


class Sleep:
    """Sleeps until another thread calls it off: for work in several threads."""

    def __init__(self) -> None:
        self._called_off = Event()

    def __call__(self, seconds: float) -> None:
        """Wait for ``seconds``; raises CalledOff in every thread that waits or will wait."""
        if wait_for(self._called_off, seconds):
            raise CalledOff

    def call_off(self) -> None:
        """End all waits, now and later."""
        self._called_off.set()


class CalledOff(Exception):
    """Nobody needs any more what a thread was waiting to do."""
