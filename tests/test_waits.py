"""Waits of the main thread end soon after a signal, also one that woke somebody else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from watchbook.waits import CalledOff, Sleep, result_of, wait_for

LONG = 60.0


class Heard(Exception):
    """The handler of the signal ran."""


@pytest.fixture
def unheard() -> Iterator[None]:
    """A signal that another thread receives while we wait: nothing interrupts our wait."""

    def hear(_number: int, _frame: object) -> None:
        raise Heard

    def receive() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, hear)
    timer = threading.Timer(0.2, receive)
    timer.start()
    yield
    timer.join()
    signal.signal(signal.SIGUSR1, before)


def wait_for_event() -> None:
    """Wait for what does not happen."""
    assert wait_for(threading.Event(), LONG)


def wait_for_result() -> None:
    """Wait for a result that comes too late."""
    late: Future[None] = Future()
    timer = threading.Timer(LONG, late.set_result, (None,))
    timer.start()
    try:
        result_of(late)
    finally:
        timer.cancel()


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize("wait", [wait_for_event, wait_for_result, lambda: Sleep()(LONG)])
def test_a_signal_is_heard_soon(wait: Callable[[], None]) -> None:
    """Its handler runs within a moment, however long the wait was meant to be."""
    with pytest.raises(Heard):
        wait()


def test_an_event_and_its_absence() -> None:
    """Whether it is set is what a wait tells."""
    event = threading.Event()
    assert not wait_for(event, 0.01)
    threading.Timer(0.05, event.set).start()
    assert wait_for(event)
    assert wait_for(event, 0)


def test_a_result_and_an_error() -> None:
    """A future's end is ours, an error of its own included."""
    well: Future[int] = Future()
    well.set_result(7)
    badly: Future[int] = Future()
    badly.set_exception(TimeoutError("its own"))
    assert result_of(well) == 7
    with pytest.raises(TimeoutError, match="its own"):
        result_of(badly)


def test_a_sleep_is_called_off() -> None:
    """In those that sleep, and in those that would."""
    sleep = Sleep()
    threading.Timer(0.05, sleep.call_off).start()
    with pytest.raises(CalledOff):
        sleep(LONG)
    with pytest.raises(CalledOff):
        sleep(0)
