"""Surveying the store for an archive: each file's size, digest and rows, and the verdict.

The survey stays open while the archive is written: both read the same moment of the database,
so nothing has to be put down in between, and what is written is what was counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import sqlalchemy as sa

from watchbook.archive.account_file import ACCOUNT, account_file
from watchbook.archive.contents import (
    Batches,
    Part,
    batches,
    chunks,
    exact_iso,
    parts_of,
    rejected_part,
)
from watchbook.archive.details import details_part
from watchbook.archive.layout import Layout, Layouts
from watchbook.archive.manifest import (
    COMPLETE,
    INCOMPLETE,
    KINDS_OF_ROWS,
    UNAVAILABLE,
    DataSetEntry,
    content_digest,
    whole_verdict,
)
from watchbook.archive.memories import ROWS, Memories
from watchbook.archive.packing import Member, from_file, in_memory, measured
from watchbook.archive.publishing import publishing_members
from watchbook.store import datasets
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.datasets import DataSetState
from watchbook.store.schema import rejects

_IN_MEMORY = 4 << 20
"""Bytes of ``watchbook/rows.json`` that are kept in memory before a file takes them."""


@dataclass(frozen=True)
class Survey:
    """What an archive would hold now. Good only while :func:`surveyed` is open."""

    members: Sequence[Member]
    data_sets: Sequence[DataSetEntry]
    verdict: str
    words: Sequence[str]
    content: str


@contextmanager
def surveyed(database: Database, account: Account, layouts: Layouts) -> Iterator[Survey]:
    """Survey what the store holds of ``account``, in one transaction that stays open."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool, database.read() as conn:
        yield _Surveyor(conn, account, cast("BinaryIO", spool)).survey(layouts)


class _Surveyor:
    def __init__(self, conn: sa.Connection, account: Account, spool: BinaryIO) -> None:
        self._conn = conn
        self._account = account
        self._spool = spool
        self._memories = Memories(spool)
        self._rejected = _count_rejects(conn, account.id)

    def survey(self, layouts: Layouts) -> Survey:
        states = datasets.all_states(self._conn, self._account.id)
        members, entries = [], []
        for layout in layouts(self._conn, self._account.id):
            state = states.get(layout.name, DataSetState(layout.name))
            found = self._members(parts_of(layout, self._account.id, available=_whole(state)))
            members += found
            entries.append(self._entry(layout, state, found))
        members += self._members([rejected_part(self._account.id)])
        members += publishing_members(self._conn, self._account.id)
        content = content_digest([member.entry for member in members], entries)
        self._memories.end()
        members.append(from_file(ROWS, "watchbook", self._spool, self._memories.lines))
        members.append(self._member(details_part(self._account.id)))
        account = account_file(self._conn, self._account.id, states.values())
        members.append(in_memory(ACCOUNT, "watchbook", account, 1))
        return Survey(members, entries, *whole_verdict(entries), content)

    def _members(self, parts: Sequence[Part]) -> list[Member]:
        found = [(part, self._member(part)) for part in parts]
        return [m for part, m in found if m.entry.rows or not part.optional]

    def _member(self, part: Part) -> Member:
        count = 0

        def counting(rows: Batches) -> Batches:
            nonlocal count
            for batch in rows:
                count += len(batch)
                yield batch

        rows: Batches = counting(batches(self._conn, part))
        if part.kind in KINDS_OF_ROWS:
            rows = self._memories.passing(part, rows)
        return measured(
            part.path,
            part.kind,
            chunks(part, rows),
            lambda: chunks(part, batches(self._conn, part)),
            data_set=part.data_set,
            rows=lambda: count,
        )

    def _entry(self, layout: Layout, state: DataSetState, found: Sequence[Member]) -> DataSetEntry:
        entries = [member.entry for member in found]
        verdict, words = _verdict(state)
        return DataSetEntry(
            name=layout.name,
            verdict=verdict,
            words=words,
            read_at=exact_iso(state.read_at) if state.read_at is not None else None,
            rows=sum(e.rows or 0 for e in entries if e.kind == "data"),
            removed=sum(e.rows or 0 for e in entries if e.kind == "removed"),
            rejected=self._rejected.get(layout.name, 0),
            claimed=state.claimed,
            redacted=layout.redacted,
            volatile=layout.volatile,
            files=[entry.path for entry in entries],
        )


def _whole(state: DataSetState) -> bool:
    """Whether an empty file would be true: what was not read is left out, never shown empty."""
    return state.state == datasets.COMPLETE


def _verdict(state: DataSetState) -> tuple[str, str | None]:
    if state.state == datasets.COMPLETE:
        return COMPLETE, state.words
    if state.state == datasets.UNAVAILABLE:
        return UNAVAILABLE, state.words or "unavailable, because Trakt does not offer it"
    if state.state == datasets.INCOMPLETE:
        return INCOMPLETE, state.words or "not read to its end"
    return INCOMPLETE, "not read yet"


def _count_rejects(conn: sa.Connection, account_id: int) -> dict[str, int]:
    query = sa.select(rejects.c.data_set, sa.func.count()).where(rejects.c.account_id == account_id)
    return {row[0]: row[1] for row in conn.execute(query.group_by(rejects.c.data_set))}
