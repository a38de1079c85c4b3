"""Jobs, and what is asked of whatever queues and runs them.

A job is named by what it does, for whom and for which slot of the schedule; queueing the same one
again changes nothing. An engine runs each at least once, and of one account never two that wait in
the same queue; of the others the account's lease lets one go on, and the other comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a job does."""

    SYNC = "sync"
    BACKUP = "backup"
    COPY = "copy"
    PUBLISH = "publish"
    WATCHING = "watching"
    PICTURES = "pictures"


@dataclass(frozen=True)
class Job:
    """One piece of work: ``slot`` is the moment (milliseconds) for which it was scheduled."""

    kind: Kind
    account_id: int
    slot: int

    @property
    def id(self) -> str:
        """``sync-3-1795263900000``; the same in all processes and databases."""
        return f"{self.kind}-{self.account_id}-{self.slot}"

    @classmethod
    def of(cls, id_: str) -> Job:
        """The job that is called ``id_``; raises ValueError for what is no job's name."""
        kind, account_id, slot = id_.split("-")
        return cls(Kind(kind), int(account_id), int(slot))


class Stand(StrEnum):
    """How a job stands with the engine."""

    OPEN = "open"
    ENDED = "ended"
    UNKNOWN = "unknown"


Work = Callable[[Job], None]
"""Does a job, and raises only when it should be written off."""


class Jobs(Protocol):
    """What the rest of the program asks of an engine. All raise StoreUnavailable."""

    def enqueue(self, job: Job) -> None:
        """Queue a job, unless it was queued before."""

    def stands(self, ids: Iterable[str]) -> Mapping[str, Stand]:
        """How each of these jobs stands."""

    def pending(self) -> Mapping[str, list[str]]:
        """The jobs that were begun and have not ended, by the worker that began them."""

    def resume(self, ids: Iterable[str]) -> None:
        """Queue jobs again whose worker is gone."""

    def forget_ended(self, before: int) -> int:
        """Forget jobs that ended before that moment (milliseconds); returns how many."""

    def running(self) -> int:
        """How many jobs this process works on."""

    def stop(self, patience: float) -> None:
        """Begin nothing any more, and give what runs ``patience`` seconds to end."""
