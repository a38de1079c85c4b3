"""From Trakt into the store, one data set at a time.

A page is committed together with the position of the reading, so an interrupted one goes on.
Each reading is a generation: rows that it did not show are missing, and only a second look
that misses them too marks them removed; when many vanish at once, that waits for a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

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
from watchbook.store import datasets, items, plays
from watchbook.store.database import Database
from watchbook.store.datasets import COMPLETE, INCOMPLETE, UNAVAILABLE, DataSetState
from watchbook.store.titles import TitleWriter
from watchbook.trakt.client import TraktClient
from watchbook.trakt.datasets import DataSet, Shape
from watchbook.trakt.paging import Page, PageReader, read_page
from watchbook.trakt.parse import (
    ParsedItem,
    Reject,
    object_row,
    parse_item,
    redact,
    split_rows,
)

TRIPWIRE_SHARE = 0.05
TRIPWIRE_ROWS = 20
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
    titles: TitleWriter = field(default_factory=TitleWriter)

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
            text = answer.body[:_KEPT_OF_A_BAD_BODY].decode("utf-8", "replace")
            bad = Reject(reason.message, text.replace("\0", "\\u0000"))
            with self.database.write() as conn:
                save_rejects(conn, self.account_id, reading, [bad], reading.before.generation)
            raise

    def first_page(self, reading: Reading) -> Future[Page]:
        """Begin to read the first page of a reading."""
        return self.executor.submit(self.fetch, reading, 1)


def read_data_set(desk: Desk, reading: Reading, first: Future[Page] | None = None) -> Outcome:
    """Read one data set other than history and write down what came of it.

    What only this data set suffers from ends in its state; whatever stops everything (no
    authorisation, a locked account, no network, no store) is raised.
    """
    readers = {Shape.OBJECT: _read_object, Shape.LATEST: _read_latest, Shape.ROWS: _read_rows}
    return settled(desk, reading, lambda: readers[reading.data_set.shape](desk, reading, first))


def settled(desk: Desk, reading: Reading, read: Callable[[], Outcome]) -> Outcome:
    """Do a reading and write its state down, also when it fails."""
    try:
        outcome = read()
    except NotOffered as reason:
        outcome = _unavailable(desk, reading, reason)
    except (RemoteRejected, RemoteChanged) as reason:
        outcome = _unread(reading, reason.message)
    except RemoteUnavailable as reason:
        if not _of_one_answer(reason):
            raise
        outcome = _unread(reading, reason.message)
    write_state(desk, reading, outcome)
    return outcome


def _of_one_answer(reason: RemoteUnavailable) -> bool:
    """Whether a failure is that of one address; otherwise asking for others makes no sense."""
    return reason.status is not None and not isinstance(reason, RateLimited)


def _unavailable(desk: Desk, reading: Reading, reason: NotOffered) -> Outcome:
    with desk.database.read() as conn:
        kept = items.count(conn, desk.account_id, reading.name)
    words = f"unavailable, because {reason.message}"
    outcome = Outcome(reading.name, UNAVAILABLE, words, kept=kept)
    if kept:
        outcome.add_words(f"{counted(kept, 'row')} from before stay")
    outcome.failed = reason.status == 403  # noqa: PLR2004 - several in a row: the app is gone
    return outcome


def _unread(reading: Reading, message: str) -> Outcome:
    words = f"could not be read: {message}"
    kept, claimed = reading.before.kept or 0, reading.before.claimed
    return Outcome(reading.name, INCOMPLETE, words, kept=kept, claimed=claimed, failed=True)


def write_state(desk: Desk, reading: Reading, outcome: Outcome) -> None:
    """Write down how a reading ended; a whole one gives up its position."""
    moment = to_millis(now())
    whole = outcome.state == COMPLETE
    with desk.database.write() as conn:
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

    An interrupted reading goes on when nothing moved at Trakt since it began.
    """
    position = _load_position(reading.before.position)
    if position is not None and position.guard == reading.guard and position.extra == extra:
        return reading.before.generation, position
    position = Position(reading.guard, extra=extra)
    generation = reading.before.generation + 1
    with desk.database.write() as conn:
        state = datasets.find(conn, desk.account_id, reading.name)
        state = replace(state, generation=generation, position=_dump(position))
        datasets.save(conn, desk.account_id, state)
    return generation, position


def _load_position(text: str | None) -> Position | None:
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


def _read_object(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    page = first.result() if first else desk.fetch(reading, 1)
    body = page.rows[0] if page.rows else b"null"
    return keep_object(desk, reading, body)


def keep_object(desk: Desk, reading: Reading, body: bytes) -> Outcome:
    """Store a data set that is one object (``null`` for nothing)."""
    raw, _ = redact(body, reading.data_set.secrets)
    row = items.ItemRow("", None, None, 0, raw.decode("utf-8", "replace"))
    with desk.database.write() as conn:
        saved = items.save(conn, desk.account_id, reading.name, [row], 1, to_millis(now()))
    return Outcome(
        reading.name,
        words="" if body != b"null" else "nothing at present",
        kept=1,
        claimed=1,
        added=saved.added,
        changed=saved.changed,
    )


def _read_latest(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    outcome, generation = _read_generation(desk, reading, first)
    with desk.database.write() as conn:
        if not outcome.holes:
            items.drop_unseen(conn, desk.account_id, reading.name, generation)
        outcome.kept = items.count(conn, desk.account_id, reading.name)
    return _judged(outcome)


def _read_rows(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    outcome, generation = _read_generation(desk, reading, first)
    unseen = _unseen(desk, reading, generation)
    unexplained = _without_plays_left_out(desk, reading, unseen)
    if unexplained or _short(desk, reading, outcome, generation):
        _read_again(desk, reading, outcome)
        unseen = _unseen(desk, reading, generation)
    _settle_removals(desk, reading, outcome, unseen, generation)
    return _judged(outcome)


def _read_generation(
    desk: Desk, reading: Reading, first: Future[Page] | None
) -> tuple[Outcome, int]:
    """Read every page once, as one generation."""
    generation, position = begin(desk, reading)
    outcome = Outcome(reading.name)

    def keep(conn: sa.Connection, page: Page) -> None:
        _keep_items(conn, desk, reading, page, generation, outcome)

    read_pages(desk, reading, outcome, position, keep, first)
    return outcome, generation


def read_pages(
    desk: Desk,
    reading: Reading,
    outcome: Outcome,
    position: Position,
    keep: Callable[[sa.Connection, Page], None],
    first: Future[Page] | None = None,
    **params: str,
) -> None:
    """Read pages in parallel lanes and keep each together with the position."""

    def fetch(number: int) -> Page:
        try:
            return desk.fetch(reading, number, **params)
        except RemoteUnavailable as reason:
            if number == 1 or not _of_one_answer(reason):
                raise
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
    for page in reader.pages(first.result() if first else None):
        done.add(page.number)
        with desk.database.write() as conn:
            keep(conn, page)
            save_position(conn, desk, reading, replace(position, done=tuple(sorted(done))))
        step("sync.page.committed")
        desk.listener.reading(reading.name, len(done), reader.total)
    outcome.claimed = reader.claimed if reader.claimed is not None else reading.promised


def _keep_items(
    conn: sa.Connection,
    desk: Desk,
    reading: Reading,
    page: Page,
    generation: int,
    outcome: Outcome,
) -> None:
    start = (page.number - 1) * (page.limit or reading.data_set.limit)
    rows: list[items.ItemRow] = []
    bad: list[Reject] = []
    titles: list[dict[str, Any]] = []
    for offset, original in enumerate(page.rows):
        raw, _ = redact(original, reading.data_set.secrets)
        parsed = parse_item(raw, reading.data_set, start + offset)
        if isinstance(parsed, ParsedItem):
            rows.append(
                items.ItemRow(parsed.key, parsed.type, parsed.title_key, start + offset, parsed.raw)
            )
            titles += parsed.titles
        else:
            bad.append(parsed)
    moment = to_millis(now())
    desk.titles.save(conn, titles)
    saved = items.save(conn, desk.account_id, reading.name, rows, generation, moment)
    save_rejects(conn, desk.account_id, reading, bad, generation)
    outcome.added += saved.added
    outcome.changed += saved.changed


def _unseen(desk: Desk, reading: Reading, generation: int) -> dict[str, str | None]:
    with desk.database.read() as conn:
        return items.unseen(conn, desk.account_id, reading.name, generation)


def _without_plays_left_out(
    desk: Desk, reading: Reading, unseen: dict[str, str | None]
) -> dict[str, str | None]:
    """Those of the vanished rows that the plays, settled before, do not explain."""
    if not reading.data_set.derived_from_plays:
        return unseen
    with desk.database.read() as conn:
        return {
            key: title
            for key, title in unseen.items()
            if title is None or plays.has_plays(conn, desk.account_id, title)
        }


def _seen(desk: Desk, reading: Reading, generation: int) -> int:
    with desk.database.read() as conn:
        return items.count_seen(conn, desk.account_id, reading.name, generation)


def _short(desk: Desk, reading: Reading, outcome: Outcome, generation: int) -> bool:
    """Whether fewer rows came than the source says there are."""
    outcome.kept = _seen(desk, reading, generation)
    return outcome.claimed is not None and outcome.kept < outcome.claimed


def _read_again(desk: Desk, reading: Reading, outcome: Outcome) -> None:
    """The second look: every page once more, into the same generation."""
    second = Outcome(reading.name)
    with desk.database.read() as conn:
        state = datasets.find(conn, desk.account_id, reading.name)

    def keep(conn: sa.Connection, page: Page) -> None:
        _keep_items(conn, desk, reading, page, state.generation, second)

    read_pages(desk, reading, second, Position(reading.guard), keep)
    outcome.added += second.added
    outcome.holes = second.holes
    outcome.claimed = second.claimed


def _settle_removals(
    desk: Desk,
    reading: Reading,
    outcome: Outcome,
    unseen: dict[str, str | None],
    generation: int,
) -> None:
    """Mark what two looks missed, unless the reading has holes or too much is gone at once."""
    account, name, moment = desk.account_id, reading.name, to_millis(now())
    outcome.kept = _seen(desk, reading, generation)
    with desk.database.write() as conn:
        items.mark(conn, account, name, unseen, column="missing_at", moment=moment)
        if not outcome.holes:
            items.forget_rejects(conn, account, name, generation)
        if unseen and not outcome.holes:
            before = outcome.kept + len(unseen)
            if trips_wire(len(unseen), before) and not desk.accept_removals:
                outcome.held = len(unseen)
            else:
                items.mark(conn, account, name, unseen, column="removed_at", moment=moment)
                outcome.removed = len(unseen)
        outcome.rejected = items.count_rejects(conn, account, name)


def trips_wire(gone: int, before: int) -> bool:
    """Whether so much is gone at once that a person should look (5 % and 20 rows)."""
    return gone > TRIPWIRE_ROWS and gone > before * TRIPWIRE_SHARE


def _judged(outcome: Outcome) -> Outcome:
    """Give the verdict of a reading, in words."""
    short = (outcome.claimed or 0) - outcome.kept
    if outcome.holes:
        outcome.state = INCOMPLETE
        outcome.add_words(", ".join(outcome.holes))
    if outcome.held:
        outcome.state = INCOMPLETE
        outcome.add_words(held_words(outcome.held))
    elif short > 0:
        outcome.state = INCOMPLETE
        outcome.add_words(f"{short:,} fewer than the {outcome.claimed:,} that Trakt claims")
    if outcome.rejected:
        outcome.add_words(f"{counted(outcome.rejected, 'row')} kept raw, since unreadable")
    return outcome


def held_words(held: int) -> str:
    """What is said while vanished rows wait for a person's word."""
    return (
        f"{counted(held, 'row')} vanished at once and are kept until you run "
        "`watchbook sync --accept-removals`"
    )
