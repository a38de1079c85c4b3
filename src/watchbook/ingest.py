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
from watchbook.store import items, plays
from watchbook.store.datasets import INCOMPLETE
from watchbook.trakt.datasets import Shape
from watchbook.trakt.paging import Page
from watchbook.trakt.parse import ParsedItem, Reject, parse_item, redact
from watchbook.waits import result_of

TRIPWIRE_SHARE = 0.05
TRIPWIRE_ROWS = 20


def read_data_set(desk: Desk, reading: Reading, first: Future[Page] | None = None) -> Outcome:
    """Read one data set other than history and write down what came of it.

    What only this data set suffers from ends in its state; whatever stops everything (no
    authorisation, a locked account, no network, no store) is raised.
    """
    readers = {Shape.OBJECT: _read_object, Shape.LATEST: _read_latest, Shape.ROWS: _read_rows}
    reader = readers[reading.data_set.shape]
    return settled(desk, reading, lambda outcome: reader(desk, reading, outcome, first))


def _read_object(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None
) -> None:
    page = result_of(first) if first else desk.fetch(reading, 1)
    if page.rows:
        keep_object(desk, reading, outcome, page.rows[0])
        return
    moment = to_millis(now())
    with desk.write() as conn:
        if reading.data_set.volatile:
            items.drop(conn, desk.account_id, reading.name)
        else:
            outcome.removed = items.mark_all_removed(conn, desk.account_id, reading.name, moment)
    outcome.words, outcome.claimed = "nothing at present", 0


def keep_object(desk: Desk, reading: Reading, outcome: Outcome, body: bytes) -> None:
    """Store a data set that is one object."""
    raw, _ = redact(body, reading.data_set.secrets)
    row = items.ItemRow("", None, None, 0, raw.decode("utf-8", "replace"))
    with desk.write() as conn:
        saved = items.save(conn, desk.account_id, reading.name, [row], 1, to_millis(now()))
    outcome.kept = outcome.claimed = 1
    outcome.added, outcome.changed = saved.added, saved.changed


def _read_latest(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None
) -> None:
    generation = _read_generation(desk, reading, outcome, first)
    with desk.write() as conn:
        if not outcome.holes:
            items.drop(conn, desk.account_id, reading.name, but_of=generation)
        outcome.kept = items.count(conn, desk.account_id, reading.name)
    judge(outcome, outcome.kept)


def _read_rows(desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None) -> None:
    generation = _read_generation(desk, reading, outcome, first)
    unseen = _unseen(desk, reading, generation)
    unexplained = _without_plays_left_out(desk, reading, unseen)
    if unexplained or _is_doubtful(desk, reading, outcome, generation):
        _read_again(desk, reading, outcome, generation)
        unseen = _unseen(desk, reading, generation)
    _settle_removals(desk, reading, outcome, unseen, generation)
    judge(outcome, outcome.kept)


def _read_generation(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None
) -> int:
    """Read every page once, as one generation, and tell which."""
    generation, position = begin(desk, reading)

    def keep(conn: sa.Connection, page: Page) -> None:
        _keep_items(conn, desk, reading, page, generation, outcome)

    read_pages(desk, reading, outcome, position, keep, first)
    return generation


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


def _read_again(desk: Desk, reading: Reading, outcome: Outcome, generation: int) -> None:
    """The second look: every page once more, into the same generation."""
    with desk.write() as conn:
        items.forget_rejects(conn, desk.account_id, reading.name)

    def keep(conn: sa.Connection, page: Page) -> None:
        _keep_items(conn, desk, reading, page, generation, outcome)

    outcome.holes = []
    read_pages(desk, reading, outcome, Position(reading.guard), keep)


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
    with desk.write() as conn:
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


def judge(outcome: Outcome, seen: int) -> None:
    """Give the verdict of a reading that saw so many rows, unreadable ones included, in words."""
    short = (outcome.claimed or 0) - seen
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
        if outcome.rejected == seen:
            outcome.state = INCOMPLETE
            outcome.add_words("not one row could be read")


def held_words(held: int) -> str:
    """What is said while vanished rows wait for a person's word."""
    return (
        f"{counted(held, 'row')} vanished at once and are kept until you run "
        "`watchbook sync --accept-removals`"
    )
