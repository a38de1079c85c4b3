"""What all readings of a sync share: lanes, pages, positions and how a reading is written down.

A page is committed together with the position of its reading, so an interrupted one goes on.
What only one data set suffers from ends in that data set's state; what stops everything is
raised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec
import sqlalchemy as sa

from watchbook.clock import counted, now, to_millis
from watchbook.errors import (
    NotOffered,
    RateLimited,
    RemoteChanged,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.http import Answer
from watchbook.steps import step
from watchbook.store import datasets, items
from watchbook.store.database import Database
from watchbook.store.datasets import COMPLETE, INCOMPLETE, UNAVAILABLE, DataSetState
from watchbook.store.leases import Holding
from watchbook.store.titles import TitleWriter
from watchbook.trakt.client import TraktClient
from watchbook.trakt.datasets import DataSet, Shape
from watchbook.trakt.paging import Page, PageReader, read_page
from watchbook.trakt.parse import Reject, object_row, redact, split_rows
from watchbook.waits import result_of

_KEPT_OF_A_BAD_BODY = 65_536


class Listener(Protocol):
    """Told how far things are; for a progress bar or a log."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """``page`` of at least ``pages`` pages of a data set have been kept."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing goes on for that long."""


@dataclass(frozen=True)
class Reading:
    """One data set of one account that is to be read, and what is known of it so far."""

    data_set: DataSet
    name: str
    path: str
    before: DataSetState
    guard: str | None = None
    promised: int | None = None
    """How many rows its parent says there are."""

    @property
    def params(self) -> dict[str, str]:
        """The query of its requests, but for the page."""
        return dict(self.data_set.params)


@dataclass
class Outcome:
    """What reading one data set came to; counts of rows."""

    name: str
    state: str = COMPLETE
    words: str = ""
    kept: int = 0
    claimed: int | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    held: int = 0
    missing: int = 0
    """Rows that the reading lacks, and that the next one decides about."""
    gone: int = 0
    """Rows that were taken in though Trakt no longer has them, and marked so."""
    rejected: int = 0
    holes: list[str] = field(default_factory=list)
    new_plays: list[int] = field(default_factory=list)
    failed: bool = field(default=False)

    def add_words(self, words: str) -> None:
        """Say one more thing about it."""
        self.words = f"{self.words}; {words}" if self.words else words


@dataclass(frozen=True)
class Position:
    """Where a reading stands: which guard it was begun for, and which pages are kept."""

    guard: str | None
    done: tuple[int, ...] = ()
    extra: str | None = None


@dataclass
class Desk:
    """What all readings of one run share."""

    database: Database
    account_id: int
    client: TraktClient
    executor: Executor
    lanes: int
    listener: Listener
    accept_removals: bool = False
    lease: Holding | None = None
    titles: TitleWriter = field(default_factory=TitleWriter)

    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that writes; raises TakenOver when the account is another's by now."""
        return self.database.write() if self.lease is None else self.lease.write()

    def fetch(self, reading: Reading, page: int, **extra: str) -> Page:
        """Read one page; a body of another shape is asked for once more.

        An object counts as a page with one row.
        """
        params: dict[str, str | int] = {**reading.params, **extra}
        split = split_rows
        if reading.data_set.shape is Shape.OBJECT:
            split = object_row
        else:
            params |= {"page": page, "limit": reading.data_set.limit}
        answer = self.client.get(reading.path, params)
        try:
            return read_page(answer, page, split)
        except RemoteChanged:
            answer = self.client.get(reading.path, params)
            return self._page_or_keep(reading, answer, page, split)

    def _page_or_keep(
        self, reading: Reading, answer: Answer, page: int, split: Callable[[bytes], list[bytes]]
    ) -> Page:
        try:
            return read_page(answer, page, split)
        except RemoteChanged as reason:
            body, _ = redact(answer.body, reading.data_set.secrets)
            text = body[:_KEPT_OF_A_BAD_BODY].decode("utf-8", "replace")
            bad = Reject(reason.message, text.replace("\0", "\\u0000"))
            with self.write() as conn:
                save_rejects(conn, self.account_id, reading, [bad], reading.before.generation)
            raise

    def first_page(self, reading: Reading) -> Future[Page]:
        """Begin to read the first page of a reading."""
        return self.executor.submit(self.fetch, reading, 1)


def settled(desk: Desk, reading: Reading, read: Callable[[Outcome], None]) -> Outcome:
    """Do a reading and write its state down, also when it fails.

    ``read`` fills in the outcome, of which a failure keeps what was counted until then.
    """
    outcome = Outcome(reading.name)
    try:
        read(outcome)
    except NotOffered as reason:
        _leave_unavailable(reading, outcome, reason)
    except (RemoteRejected, RemoteChanged) as reason:
        _leave_unread(reading, outcome, reason.message)
    except RemoteUnavailable as reason:
        if not of_one_answer(reason):
            raise
        _leave_unread(reading, outcome, reason.message)
    write_state(desk, reading, outcome)
    return outcome


def of_one_answer(reason: RemoteUnavailable) -> bool:
    """Whether a failure is that of one address; otherwise asking for others makes no sense."""
    return reason.status is not None and not isinstance(reason, RateLimited)


def _leave_unavailable(reading: Reading, outcome: Outcome, reason: NotOffered) -> None:
    outcome.state = UNAVAILABLE
    outcome.kept, outcome.claimed = reading.before.kept or 0, None
    outcome.words = f"unavailable, because {reason.message}"
    if outcome.kept:
        outcome.add_words(f"{counted(outcome.kept, 'row')} from before stay")
    outcome.failed = reason.status == 403  # several in a row: the app is gone


def _leave_unread(reading: Reading, outcome: Outcome, message: str) -> None:
    outcome.state, outcome.failed = INCOMPLETE, True
    outcome.words = f"could not be read: {message}"
    outcome.kept, outcome.claimed = reading.before.kept or 0, reading.before.claimed


def write_state(desk: Desk, reading: Reading, outcome: Outcome) -> None:
    """Write down how a reading ended; a whole one gives up its position."""
    moment = to_millis(now())
    whole = outcome.state == COMPLETE
    with desk.write() as conn:
        before = datasets.find(conn, desk.account_id, reading.name)
        state = DataSetState(
            name=reading.name,
            state=outcome.state,
            words=outcome.words or None,
            guard=before.guard if outcome.failed and before.state != UNAVAILABLE else reading.guard,
            kept=outcome.kept,
            claimed=outcome.claimed,
            held=outcome.held,
            generation=before.generation,
            position=before.position if outcome.failed else None,
            read_at=moment if whole or outcome.state == UNAVAILABLE else before.read_at,
            tried_at=moment,
        )
        datasets.save(conn, desk.account_id, state)
    step("sync.data_set.done")


def begin(desk: Desk, reading: Reading, extra: str | None = None) -> tuple[int, Position]:
    """The generation of a reading and where it stands: a new one, or one that goes on.

    An interrupted reading goes on when nothing moved at Trakt since it began, as far as a
    timestamp can tell.
    """
    position = load_position(reading)
    unguarded = reading.data_set.unguarded
    if position is not None and position.guard == reading.guard and not unguarded:
        return reading.before.generation, position
    position = Position(reading.guard, extra=extra)
    generation = reading.before.generation + 1
    with desk.write() as conn:
        state = datasets.find(conn, desk.account_id, reading.name)
        state = replace(state, generation=generation, position=_dump(position))
        datasets.save(conn, desk.account_id, state)
    return generation, position


def load_position(reading: Reading) -> Position | None:
    """Where an interrupted reading stopped."""
    text = reading.before.position
    return msgspec.json.decode(text, type=Position) if text else None


def _dump(position: Position) -> str:
    return msgspec.json.encode(position).decode()


def save_position(conn: sa.Connection, desk: Desk, reading: Reading, position: Position) -> None:
    """Write down which pages of a reading are kept; within the transaction that kept them."""
    datasets.change(conn, desk.account_id, reading.name, {"position": _dump(position)})


def save_rejects(
    conn: sa.Connection,
    account_id: int,
    reading: Reading,
    found: Iterable[Reject],
    generation: int,
) -> None:
    """Keep rows that could not be read, with the reason."""
    rows = [(hashlib.sha256(bad.raw.encode()).hexdigest(), bad.reason, bad.raw) for bad in found]
    items.save_rejects(conn, account_id, reading.name, rows, generation, to_millis(now()))


def read_pages(
    desk: Desk,
    reading: Reading,
    outcome: Outcome,
    position: Position,
    keep: Callable[[sa.Connection, Page], None],
    first: Future[Page] | None = None,
    **params: str,
) -> None:
    """Read pages in parallel lanes and keep each together with the position.

    A page that cannot be read leaves a hole, which the next reading asks for again.
    """
    holes: set[int] = set()

    def fetch(number: int) -> Page:
        try:
            return desk.fetch(reading, number, **params)
        except RemoteUnavailable as reason:
            if number == 1 or not of_one_answer(reason):
                raise
            holes.add(number)
            outcome.holes.append(f"page {number} could not be read (status {reason.status})")
            return Page(number, [], None, None, None)

    reader = PageReader(
        fetch,
        desk.executor,
        lanes=desk.lanes,
        paged=reading.data_set.paged,
        done=frozenset(position.done),
    )
    done = set(position.done)
    for page in reader.pages(result_of(first) if first else None):
        done |= {page.number} - holes
        with desk.write() as conn:
            keep(conn, page)
            save_position(conn, desk, reading, replace(position, done=tuple(sorted(done))))
        step("sync.page.committed")
        desk.listener.reading(reading.name, len(done), reader.total)
    outcome.claimed = reader.claimed if reader.claimed is not None else reading.promised
