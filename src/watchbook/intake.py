"""From an export into the store: the data sets, within one transaction.

Rows get the same keys as those read from Trakt's API, so both doors fill one store. What the
API has read since, and what it knows better, stays: an export never takes anything away from a
newer or a richer reading. What a newer export lacks is marked missing; a second, later export
that lacks it too marks it removed, under the same tripwire as a sync. Plays of an older export
that a whole and newer reading did not show are gone at Trakt, and kept as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.clock import counted
from watchbook.desk import Listener, Outcome, Reading, save_rejects
from watchbook.exports.trakt_zip import BUCKETS, LIST_ITEMS, VIP_ONLY, TraktExport, row_count
from watchbook.history import play_row
from watchbook.ingest import trips_wire
from watchbook.nameless import unmatched, without_id
from watchbook.publish import news
from watchbook.richer import RICHER_BY_API, brought_up_to_date, without_plays
from watchbook.shelves import (
    ItemShelf,
    PlayShelf,
    Shelf,
    known_rejects,
    settle_held,
    settle_known,
    settle_newer,
)
from watchbook.store import datasets, items, plays, runs
from watchbook.store.datasets import COMPLETE, INCOMPLETE, NEVER, UNAVAILABLE, DataSetState
from watchbook.store.titles import TitleWriter
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape
from watchbook.trakt.parse import (
    MAX_ID,
    ParsedItem,
    ParsedPlay,
    Reject,
    decode_any,
    lookup,
    parse_item,
    parse_play,
    redact,
)

NOT_HELD = "unavailable, because Trakt's export does not hold it"
NOT_VIP = "unavailable, because Trakt's export holds it for VIP members only"
_BATCH = 1_000


class Order(Enum):
    """How an export stands to what the store knows of Trakt."""

    NEWER = "newer"
    SAME = "same"
    OLDER = "older"


@dataclass
class Intake:
    """Taking in one export, for one account, on one connection."""

    conn: sa.Connection
    account_id: int
    export: TraktExport
    order: Order
    moment: int
    listener: Listener
    accept_removals: bool = False
    titles: TitleWriter = field(default_factory=TitleWriter)
    states: Mapping[str, DataSetState] = field(default_factory=dict)

    def run(self) -> list[Outcome]:
        """Take in every data set; returns what came of those that were touched."""
        self.states = datasets.all_states(self.conn, self.account_id)
        found = [self._top(line) for line in CATALOGUE if line.parent is None]
        found += [self._part(line, row) for line, row in self._parts(shown=True)]
        self._retire_orphans()
        return [outcome for outcome in found if outcome is not None]

    def _top(self, line: DataSet) -> Outcome | None:
        activities = self.export.activities or {}
        values = [lookup(activities, path) for path in line.guard]
        guard = msgspec.json.encode(values).decode()
        return self._take(self._reading(line, line.name, guard))

    def _parts(self, *, shown: bool) -> Iterator[tuple[DataSet, Mapping[str, Any]]]:
        """Every data set that belongs to a row of another, with that row as stored now.

        With ``shown`` rows that are missing from the last reading are left out.
        """
        for line in CATALOGUE:
            if line.parent is not None:
                parent = ItemShelf(self.conn, self.account_id, line.parent.data_set, 0)
                absent = parent.missing() if shown else set()
                rows = list(items.raws(self.conn, self.account_id, line.parent.data_set))
                yield from ((line, decode_any(r.encode())) for k, r in rows if k not in absent)

    def _part(self, line: DataSet, row: Mapping[str, Any]) -> Outcome | None:
        parent = line.parent
        assert parent is not None
        number = lookup(row, parent.fields["id"])
        count = row_count(lookup(row, parent.count)) if parent.count else None
        name = f"{line.name}/{number}"
        if not _is_number(number) or (count == 0 and not parent.always and name not in self.states):
            return None
        guard = msgspec.json.encode([lookup(row, path) for path in parent.version]).decode()
        reading = replace(self._reading(line, name, guard), promised=count)
        return self._take(reading, lookup(row, "ids.slug"))

    def _reading(self, line: DataSet, name: str, guard: str) -> Reading:
        before = self.states.get(name) or DataSetState(name)
        return Reading(line, name, self.export.label, before, guard)

    def _take(self, reading: Reading, slug: str | None = None) -> Outcome | None:
        if reading.name.partition("/")[0] not in {*BUCKETS, LIST_ITEMS}:
            return self._not_held(reading, NOT_HELD)
        if reading.name in VIP_ONLY and not self.export.holds(reading.name):
            return self._not_held(reading, NOT_VIP)
        gaps = self.export.gaps(reading.name, slug)
        if self._knows_better(reading):
            return self._unknown_plays(reading) if reading.name == "history" else None
        if gaps and reading.promised == 0:
            gaps = []
        readers = {Shape.PLAYS: self._plays, Shape.OBJECT: self._object}
        return readers.get(reading.data_set.shape, self._rows)(reading, gaps)

    def _knows_better(self, reading: Reading) -> bool:
        """Whether the store has a data set from later, or from the same time through the API."""
        before = reading.before
        by_api = before.guard is not None and before.state == COMPLETE
        unmoved = before.guard == reading.guard or self.order is Order.SAME
        return self.order is Order.OLDER or (by_api and unmoved)

    def _not_held(self, reading: Reading, words: str) -> Outcome | None:
        """Say why the export has none of a data set, unless it was read another way."""
        if reading.before.state != NEVER:
            return None
        state = DataSetState(reading.name, UNAVAILABLE, words, kept=0)
        datasets.save(self.conn, self.account_id, state)
        return Outcome(reading.name, UNAVAILABLE, words)

    def _where(self, reading: Reading) -> tuple[sa.Connection, int, str]:
        return self.conn, self.account_id, reading.name

    def _generation(self, reading: Reading) -> int:
        """Of the rows to be saved: a new one, or that of the same rows taken in before."""
        return reading.before.generation + (self.order is Order.NEWER)

    def _object(self, reading: Reading, gaps: list[str]) -> Outcome:
        outcome = Outcome(reading.name, claimed=1)
        body = self.export.object(reading.name)
        if body is None:
            outcome.kept = items.count(self.conn, self.account_id, reading.name)
            return self._ended(reading, outcome, gaps or ["the export holds nothing of it"])
        raw, _ = redact(body, reading.data_set.secrets)
        row = items.ItemRow("", None, None, 0, _plain(raw))
        saved = items.save(self.conn, self.account_id, reading.name, [row], 1, self.moment)
        outcome.kept, outcome.added, outcome.changed = 1, saved.added, saved.changed
        return self._ended(reading, outcome, gaps)

    def _rows(self, reading: Reading, gaps: list[str]) -> Outcome:
        outcome = Outcome(reading.name, claimed=self._claimed(reading))
        generation = self._generation(reading)
        place = 0
        for batch in self._batches(reading):
            self._keep_items(reading, batch, place, generation, outcome)
            place += len(batch)
        self._settle(reading, ItemShelf(*self._where(reading), generation), outcome, gaps)
        return self._ended(reading, outcome, gaps, generation)

    def _batches(self, reading: Reading) -> Iterator[list[bytes]]:
        pages = self.export.pages(reading.name)
        for number, page in enumerate(pages, 1):
            self.listener.reading(reading.name, number, len(pages))
            yield from _batched(self.export.rows(page))

    def _keep_items(
        self, reading: Reading, batch: list[bytes], place: int, generation: int, outcome: Outcome
    ) -> None:
        rows: list[items.ItemRow] = []
        bad: list[Reject] = []
        titles: list[Mapping[str, Any]] = []
        for offset, original in enumerate(batch, place):
            raw, _ = redact(original, reading.data_set.secrets)
            parsed = parse_item(raw, reading.data_set, offset)
            if isinstance(parsed, Reject):
                bad.append(parsed)
                continue
            rows.append(_item_row(parsed, offset))
            titles += parsed.titles
        self.titles.save(self.conn, titles)
        rows = self._as_known(reading, rows)
        saved = items.save(self.conn, self.account_id, reading.name, rows, generation, self.moment)
        self._save_rejects(reading, bad, generation)
        outcome.added += saved.added
        outcome.changed += saved.changed

    def _as_known(self, reading: Reading, rows: list[items.ItemRow]) -> list[items.ItemRow]:
        """The rows, those that the API has told with all that it told."""
        if not _is_richer(reading):
            return rows
        known = dict(items.raws(self.conn, self.account_id, reading.name))
        return [
            replace(row, raw=brought_up_to_date(known.get(row.key, row.raw), row.raw))
            for row in rows
        ]

    def _save_rejects(self, reading: Reading, bad: list[Reject], generation: int) -> None:
        """Keep what could not be read; what is kept already stays as it is."""
        if not bad:
            return
        known = known_rejects(*self._where(reading), generation)
        new = [reject for reject in bad if reject.raw not in known]
        save_rejects(self.conn, self.account_id, reading, new, generation)

    def _plays(self, reading: Reading, gaps: list[str]) -> Outcome:
        outcome = Outcome(reading.name, claimed=self._claimed(reading))
        generation = self._generation(reading)
        nameless: list[ParsedPlay] = []
        for batch in self._batches(reading):
            found = self._parsed(reading, batch, generation, nameless)
            rows = self._as_told(reading, found)
            new, changed = plays.save(self.conn, self.account_id, rows, generation, self.moment)
            news.offer(self.conn, self.account_id, rows, new, self.moment)
            outcome.added += len(new)
            outcome.changed += changed
            outcome.new_plays += new
        self._save_rejects(reading, unmatched(self.conn, self.account_id, nameless), generation)
        self._settle(reading, PlayShelf(*self._where(reading), generation), outcome, gaps)
        return self._ended(reading, outcome, gaps, generation)

    def _parsed(
        self, reading: Reading, batch: list[bytes], generation: int, nameless: list[ParsedPlay]
    ) -> list[plays.PlayRow]:
        """The plays of some rows; those without a history id are set aside."""
        good, bad = [], []
        for raw in batch:
            parsed = parse_play(raw)
            if isinstance(parsed, ParsedPlay):
                good.append(parsed)
            elif (known := without_id(raw)) is not None:
                nameless.append(known)
            else:
                bad.append(parsed)
        self.titles.save(self.conn, [title for play in good for title in play.titles])
        self._save_rejects(reading, bad, generation)
        return [play_row(play) for play in good]

    def _as_told(self, reading: Reading, rows: list[plays.PlayRow]) -> list[plays.PlayRow]:
        """The rows, those that say no more than the API has told as they are stored."""
        if reading.before.guard is None:
            return rows
        ids = [row.history_id for row in rows]
        known = {row.history_id: row for row in plays.by_ids(self.conn, self.account_id, ids)}
        return [_unless_changed(row, known.get(row.history_id)) for row in rows]

    def _unknown_plays(self, reading: Reading) -> Outcome | None:
        """Add the plays that the store has never heard of; everything else stays as it is.

        A whole and newer reading would have shown them if Trakt still had them, so they are gone.
        Where it is not sure which is the newer one, the next reading decides.
        """
        outcome = Outcome(reading.name, reading.before.state, reading.before.words or "")
        whole, gone = reading.before.state == COMPLETE, self._is_surely_older(reading)
        generation = reading.before.generation
        shelf = PlayShelf(*self._where(reading), generation)
        for batch in self._batches(reading):
            rows = self._parsed(reading, batch, generation, [])
            ids = [row.history_id for row in rows]
            known = {row.history_id for row in plays.by_ids(self.conn, self.account_id, ids)}
            rows = [row for row in rows if row.history_id not in known]
            new, _ = plays.save(self.conn, self.account_id, rows, generation, self.moment)
            for column in ["missing_at"] * whole + ["removed_at"] * gone:
                shelf.mark(new, column, self.moment)
            outcome.gone += len(new) * gone
            outcome.added += len(new) * (not gone)
        outcome.kept = plays.count(self.conn, self.account_id)
        if outcome.added and reading.before.state != NEVER:
            datasets.change(self.conn, self.account_id, reading.name, {"kept": outcome.kept})
        return outcome if outcome.added or outcome.gone else None

    def _is_surely_older(self, reading: Reading) -> bool:
        """Whether the last reading of a data set was whole, and begun after the export was made.

        A sync writes down first when anything moved, and may have ended before it read the rest.
        """
        for last in runs.latest(self.conn, self.account_id, "sync"):
            ended = last.outcome in {runs.COMPLETE, runs.INCOMPLETE}
            if not ended and (last.outcome != runs.FAILED or last.requests):
                return False
        older = self.order is Order.OLDER and self.export.moment is not None
        return older and reading.before.state == COMPLETE

    def _claimed(self, reading: Reading) -> int | None:
        """How many rows Trakt's statistics in the export count, where they do."""
        if reading.promised is not None or not reading.data_set.stats:
            return reading.promised
        return self.export.statistic(reading.data_set.stats)

    def _settle(
        self, reading: Reading, shelf: Shelf[Any], outcome: Outcome, gaps: list[str]
    ) -> None:
        """Mark what the export lacks, unless it cannot be trusted to have everything."""
        kept, claimed = shelf.count(), outcome.claimed or 0
        shown = kept - len(shelf.unseen())
        outcome.kept = kept
        if trips_wire(claimed - shown, claimed):
            gaps.append(f"Trakt's statistics count {claimed:,}, the export holds {shown:,}")
        if gaps:
            return
        if _is_richer(reading) and reading.data_set.derived_from_plays:
            gone = without_plays(*self._where(reading), shelf.generation)
            settle_known(shelf, outcome, gone, self.moment)
        elif self.order is Order.NEWER:
            settle_newer(shelf, outcome, self.moment, accept=self.accept_removals)
        elif reading.before.held:
            settle_held(
                shelf, outcome, self.moment, reading.before.held, accept=self.accept_removals
            )

    def _ended(
        self, reading: Reading, outcome: Outcome, gaps: list[str], generation: int | None = None
    ) -> Outcome:
        """Judge what was taken in and write it down."""
        name = reading.name
        outcome.rejected = items.count_rejects(self.conn, self.account_id, name)
        if gaps:
            outcome.add_words("; ".join(gaps))
        if outcome.held:
            outcome.add_words(_held_words(outcome.held))
        if gaps or outcome.held:
            outcome.state = INCOMPLETE
        if outcome.rejected:
            outcome.add_words(f"{counted(outcome.rejected, 'row')} kept raw, since unreadable")
        self._write(reading, outcome, generation)
        return outcome

    def _write(self, reading: Reading, outcome: Outcome, generation: int | None) -> None:
        """Write the state, unless nothing but the time would change.

        The guard stays that of the last reading through the API, so that the next sync reads
        whatever moved since then.
        """
        before = reading.before
        state = replace(
            before,
            state=outcome.state,
            words=outcome.words or None,
            kept=outcome.kept,
            claimed=outcome.claimed,
            held=outcome.held,
            generation=before.generation if generation is None else generation,
            position=before.position if generation == before.generation else None,
        )
        if state == before:
            return
        read_at = self.moment if outcome.state == COMPLETE else before.read_at
        state = replace(state, read_at=read_at, tried_at=self.moment)
        datasets.save(self.conn, self.account_id, state)

    def _retire_orphans(self) -> None:
        """Mark removed what was on a list that is removed itself."""
        if self.order is not Order.NEWER:
            return
        living = {f"{line.name}/{_id_of(line, row)}" for line, row in self._parts(shown=False)}
        for name, state in self.states.items():
            line = BY_NAME.get(name.partition("/")[0])
            if line is None or line.parent is None or name in living or not state.kept:
                continue
            items.mark_all_removed(self.conn, self.account_id, name, self.moment)
            gone = {"kept": 0, "claimed": 0, "state": COMPLETE, "words": "removed at Trakt"}
            datasets.change(self.conn, self.account_id, name, gone)


def _batched(rows: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _plain(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\\u0000")


def _item_row(parsed: ParsedItem, place: int) -> items.ItemRow:
    return items.ItemRow(parsed.key, parsed.type, parsed.title_key, place, parsed.raw)


def _is_richer(reading: Reading) -> bool:
    """Whether the API has told more in each row than an export does."""
    return reading.name in RICHER_BY_API and reading.before.guard is not None


def _unless_changed(row: plays.PlayRow, known: plays.PlayRow | None) -> plays.PlayRow:
    return known if known is not None and known._replace(raw=row.raw) == row else row


def _is_number(value: object) -> bool:
    """Whether a list or comment can be called that."""
    return type(value) is int and 0 < value <= MAX_ID


def _id_of(line: DataSet, row: Mapping[str, Any]) -> Any:
    return lookup(row, line.parent.fields["id"]) if line.parent else None


def _held_words(held: int) -> str:
    return (
        f"{counted(held, 'row')} vanished at once and are kept until you run "
        "`watchbook import FILE --accept-removals` with the same file"
    )
