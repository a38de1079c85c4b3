"""From Trakt into the store: every data set but history.

Each reading is a generation: rows that it did not show are missing, and only a second look
that misses them too marks them removed; when many vanish at once, that waits for a person.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

from watchbook.clock import counted, now, to_millis
from watchbook.desk import (
    Desk,
    Outcome,
    Position,
    Reading,
    begin,
    read_pages,
    save_rejects,
    settled,
)
from watchbook.store import datasets, items, plays
from watchbook.store.datasets import INCOMPLETE
from watchbook.trakt.datasets import Shape
from watchbook.trakt.paging import Page
from watchbook.trakt.parse import ParsedItem, Reject, parse_item, redact

TRIPWIRE_SHARE = 0.05
TRIPWIRE_ROWS = 20


def read_data_set(desk: Desk, reading: Reading, first: Future[Page] | None = None) -> Outcome:
    """Read one data set other than history and write down what came of it.

    What only this data set suffers from ends in its state; whatever stops everything (no
    authorisation, a locked account, no network, no store) is raised.
    """
    readers = {Shape.OBJECT: _read_object, Shape.LATEST: _read_latest, Shape.ROWS: _read_rows}
    return settled(desk, reading, lambda: readers[reading.data_set.shape](desk, reading, first))


def _read_object(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    page = first.result() if first else desk.fetch(reading, 1)
    body = page.rows[0] if page.rows else b"null"
    return keep_object(desk, reading, body)


def keep_object(desk: Desk, reading: Reading, body: bytes) -> Outcome:
    """Store a data set that is one object; ``null`` means that there is nothing at present."""
    account, name = desk.account_id, reading.name
    with desk.database.write() as conn:
        if body == b"null":
            items.drop(conn, account, name)
            return Outcome(name, words="nothing at present", claimed=0)
        raw, _ = redact(body, reading.data_set.secrets)
        row = items.ItemRow("", None, None, 0, raw.decode("utf-8", "replace"))
        saved = items.save(conn, account, name, [row], 1, to_millis(now()))
    return Outcome(name, kept=1, claimed=1, added=saved.added, changed=saved.changed)


def _read_latest(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    outcome, generation = _read_generation(desk, reading, first)
    with desk.database.write() as conn:
        if not outcome.holes:
            items.drop(conn, desk.account_id, reading.name, but_of=generation)
        outcome.kept = items.count(conn, desk.account_id, reading.name)
    return _judged(outcome)


def _read_rows(desk: Desk, reading: Reading, first: Future[Page] | None) -> Outcome:
    outcome, generation = _read_generation(desk, reading, first)
    unseen = _unseen(desk, reading, generation)
    unexplained = _without_plays_left_out(desk, reading, unseen)
    if unexplained or _is_doubtful(desk, reading, outcome, generation):
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


def _seen(desk: Desk, reading: Reading, generation: int) -> tuple[int, int]:
    with desk.database.read() as conn:
        return items.count_seen(conn, desk.account_id, reading.name, generation)


def _is_doubtful(desk: Desk, reading: Reading, outcome: Outcome, generation: int) -> bool:
    """Whether fewer rows came than the source says there are, or not one was readable."""
    readable, unreadable = _seen(desk, reading, generation)
    short = outcome.claimed is not None and readable + unreadable < outcome.claimed
    return short or (unreadable > 0 and not readable)


def _read_again(desk: Desk, reading: Reading, outcome: Outcome) -> None:
    """The second look: every page once more, into the same generation."""
    second = Outcome(reading.name)
    with desk.database.write() as conn:
        state = datasets.find(conn, desk.account_id, reading.name)
        items.forget_rejects(conn, desk.account_id, reading.name)

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
    outcome.kept = sum(_seen(desk, reading, generation))
    with desk.database.write() as conn:
        items.mark(conn, account, name, unseen, column="missing_at", moment=moment)
        if not outcome.holes:
            items.forget_rejects(conn, account, name, but_of=generation)
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
        if outcome.rejected == outcome.kept:
            outcome.state = INCOMPLETE
            outcome.add_words("not one row could be read")
    return outcome


def held_words(held: int) -> str:
    """What is said while vanished rows wait for a person's word."""
    return (
        f"{counted(held, 'row')} vanished at once and are kept until you run "
        "`watchbook sync --accept-removals`"
    )
