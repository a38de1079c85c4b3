"""What a check is: a name, how it came out, what it found and what to do about that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from watchbook.errors import WatchbookError
from watchbook.redaction import redact


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """What one check found; ``remedy`` says what to do unless all is well."""

    name: str
    state: State
    words: str
    remedy: str | None = None


def ok(name: str, words: str) -> Check:
    """A check that found all well."""
    return Check(name, State.OK, words)


def warning(name: str, words: str, remedy: str) -> Check:
    """A check that found what may become a problem."""
    return Check(name, State.WARNING, words, remedy)


def problem(name: str, words: str, remedy: str) -> Check:
    """A check that found what has to be put right."""
    return Check(name, State.PROBLEM, words, remedy)


def guarded(name: str, look: Callable[[], Check], remedy: str | None = None) -> Check:
    """Do one check, and turn whatever it raises into a problem, with ``remedy`` for want of one."""
    try:
        return look()
    except WatchbookError as reason:
        return Check(name, State.PROBLEM, redact(reason.message), reason.hint or remedy)
    except Exception as reason:  # noqa: BLE001 - called for when something is broken in a new way
        words = redact(f"the check itself failed: {type(reason).__name__}: {reason}")
        return problem(name, words, "Please report it.")
