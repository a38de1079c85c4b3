"""From a verified archive into the store: an account that holds nothing, row for row.

Rows come as they were written. Which title each is about follows from its raw text, as in a sync,
and of the forms in which rows name a title the one that came last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.archive.account_file import ACCOUNT, AccountFile, read_account_file
from watchbook.archive.contents import taken_apart
from watchbook.archive.details import TITLES, take_details
from watchbook.archive.manifest import (
    INCOMPLETE,
    KINDS_OF_ROWS,
    POSTERS,
    POSTS,
    SITES,
    DataSetEntry,
    FileEntry,
    Manifest,
)
from watchbook.archive.memories import ROWS, recall, said_by
from watchbook.archive.publishing import take_posters, take_posts, take_sites
from watchbook.archive.spool import Spool
from watchbook.archive.standalone.verify import Damaged, read_rows
from watchbook.archive.verify import parse_row
from watchbook.clock import from_iso, to_millis
from watchbook.desk import Listener
from watchbook.errors import ArchiveDamaged
from watchbook.steps import step
from watchbook.store import accounts, datasets
from watchbook.store.datasets import DataSetState
from watchbook.store.schema import items, plays, rejects
from watchbook.store.titles import NAMES, TitleWriter
from watchbook.trakt.datasets import BY_NAME, DataSet, Shape
from watchbook.trakt.parse import ParsedItem, ParsedPlay, parse_item, parse_play

_BATCH = 1_000

Facts = Mapping[str, Any]
Row = dict[str, Any]
Named = tuple[int, Mapping[str, Any]]
"""A title as a row names it, and when that row came (milliseconds)."""


class Filling:
    """Filling one account from one archive, on one connection."""

    def __init__(
        self,
        conn: sa.Connection,
        account_id: int,
        manifest: Manifest,
        spool: Spool,
        listener: Listener,
    ) -> None:
        self.conn = conn
        self.account_id = account_id
        self.manifest = manifest
        self.spool = spool
        self.listener = listener
        self.files: dict[str, FileEntry] = {entry.path: entry for entry in manifest.files}
        self.generations: dict[str, int] = {}
        """The latest reading that showed a row, by data set."""
        self.shared: Sequence[str] = ()
        """What everybody could see of the account; it is told, and not switched on."""
        self._sites: dict[str, int] = {}
        self._titles = _Titles(conn, names_only=TITLES in spool)

    def run(self) -> list[str]:
        """Read everything back; names the files of Watchbook's own that nobody here reads.

        Raises ArchiveDamaged when the archive, though whole, does not fit together.
        """
        with _fitting(self.manifest.name):
            for read in READERS.values():
                read(self)
        return [
            entry.path
            for entry in self.manifest.files
            if entry.kind == "watchbook" and entry.path not in READERS
        ]

    def rows(self) -> None:
        """Every row of every file, with what ``watchbook/rows.json`` knows of it."""
        count = 0
        with self.spool.open(ROWS) as file:
            known = recall(read_rows(ROWS, file, parse_row))
            for path, facts in groupby(known, key=itemgetter(0)):
                count += self._file(self.files[path], map(itemgetter(1), facts))
        of_rows = (entry for entry in self.manifest.files if entry.kind in KINDS_OF_ROWS)
        if count != sum(entry.rows or 0 for entry in of_rows):
            raise ValueError(f"{ROWS} does not speak of every row")

    def details(self) -> None:
        """The details of titles; from the rows themselves, where the archive has no such file."""
        if TITLES in self.spool:
            with self.spool.open(TITLES) as file:
                take_details(self.conn, read_rows(TITLES, file, parse_row))

    def account(self) -> None:
        """The account's own row, and how far each data set was read."""
        if ACCOUNT in self.spool:
            with self.spool.open(ACCOUNT) as file:
                told = read_account_file(file.read())
            self._settings(told)
            self.shared = told.shared
            states = told.data_sets
        else:
            states = [self._told_state(entry) for entry in self.manifest.data_sets if _read(entry)]
        for state in states:
            datasets.save(self.conn, self.account_id, state)

    def sites(self) -> None:
        """Where the account's plays are published."""
        if SITES in self.spool:
            with self.spool.open(SITES) as file:
                lines = read_rows(SITES, file, parse_row)
                self._sites = take_sites(self.conn, self.account_id, lines)

    def posts(self) -> None:
        """What was published there, and what was to be."""
        if POSTS in self.spool:
            with self.spool.open(POSTS) as file:
                lines = read_rows(POSTS, file, parse_row)
                take_posts(self.conn, self.account_id, self._sites, lines)

    def posters(self) -> None:
        """Which posters lie there."""
        if POSTERS in self.spool:
            with self.spool.open(POSTERS) as file:
                take_posters(self.conn, self._sites, read_rows(POSTERS, file, parse_row))

    def _settings(self, told: AccountFile) -> None:
        """What the account has no other idea of comes from the archive."""
        ours = accounts.get(self.conn, self.account_id)
        values = told.own_settings() | {"timezone": told.timezone}
        changes = {name: getattr(ours, name) or value for name, value in values.items()}
        accounts.change(
            self.conn,
            self.account_id,
            created_at=told.created_at,
            full_read_at=told.full_read_at,
            **changes,
        )

    def _told_state(self, entry: DataSetEntry) -> DataSetState:
        """How the manifest tells it; without a guard the next sync reads the data set again."""
        read_at = to_millis(from_iso(entry.read_at)) if entry.read_at else None
        return DataSetState(
            entry.name,
            entry.verdict,
            entry.words,
            kept=entry.rows + entry.rejected,
            claimed=entry.claimed,
            generation=self.generations.get(entry.name, 0),
            read_at=read_at,
            tried_at=read_at,
        )

    def _file(self, entry: FileEntry, facts: Iterator[Facts]) -> int:
        """Take in one file; gives the number of its rows."""
        with self.spool.open(entry.path) as file:
            raws = read_rows(entry.path, file, parse_row)
            whole = enumerate(zip(raws, facts, strict=True))
            count = 0
            while batch := list(islice(whole, _BATCH)):
                self._save(entry, [(place, raw, facts) for place, (raw, facts) in batch])
                count += len(batch)
                pages = -(-(entry.rows or 0) // _BATCH)
                self.listener.reading(entry.path, -(-count // _BATCH), pages)
                step("import.rows")
        return count

    def _save(self, entry: FileEntry, batch: list[tuple[int, bytes, Facts]]) -> None:
        if entry.kind == "rejected":
            self._insert(rejects, [_reject_row(raw, facts) for _, raw, facts in batch])
            return
        found = [_row(entry, *row) for row in batch]
        self._titles.save(named for _, _, titles in found for named in titles)
        for table in (plays, items):
            self._insert(table, [row for kind, row, _ in found if kind is table], entry.data_set)

    def _insert(self, table: sa.Table, rows: list[Row], data_set: str | None = None) -> None:
        if not rows:
            return
        self.conn.execute(
            sa.insert(table), [{"account_id": self.account_id, **row} for row in rows]
        )
        for row in rows:
            name = data_set or row["data_set"]
            self.generations[name] = max(self.generations.get(name, 0), row["generation"])


READERS: Mapping[str, Callable[[Filling], None]] = {
    ROWS: Filling.rows,
    TITLES: Filling.details,
    ACCOUNT: Filling.account,
    SITES: Filling.sites,
    POSTS: Filling.posts,
    POSTERS: Filling.posters,
}
"""Who reads back each file of Watchbook's own, in this order (rejected rows are rows)."""


class _Titles:
    """Saves titles in the form of the latest row that names them, in whatever order rows come."""

    def __init__(self, conn: sa.Connection, *, names_only: bool) -> None:
        self._conn = conn
        self._names_only = names_only
        self._writer = TitleWriter()
        self._named_at: dict[str, int] = {}
        self._detailed_at: dict[str, int] = {}

    def save(self, named: Iterable[Named]) -> None:
        """Save what no later row tells of the titles."""
        found = (self._as_of(at, title) for at, title in named)
        self._writer.save(self._conn, [title for title in found if title])

    def _as_of(self, at: int, title: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a row of that moment may say of a title."""
        key = title["key"]
        if title["detailed"] and self._names_only:
            title = {**title, "detailed": False}
        details = title["detailed"] and _is_latest(self._detailed_at, key, at)
        if _is_latest(self._named_at, key, at):
            return title
        return {**title, **dict.fromkeys(NAMES)} if details else None


def _is_latest(moments: dict[str, int], key: str, at: int) -> bool:
    latest = moments.get(key, at) <= at
    if latest:
        moments[key] = at
    return latest


@contextmanager
def _fitting(name: str) -> Iterator[None]:
    """What does not fit together has not been written by Watchbook."""
    try:
        yield
    except (Damaged, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise ArchiveDamaged(
            f"{name} is as it was written, but does not fit together: {reason}.",
            hint="Import another archive; nothing was taken from this one.",
        ) from reason


def _read(entry: DataSetEntry) -> bool:
    """Whether a data set was ever read."""
    return entry.verdict != INCOMPLETE or entry.read_at is not None


def _row(
    entry: FileEntry, position: int, raw: bytes, facts: Facts
) -> tuple[sa.Table, Row, list[Named]]:
    """The row of a table, and the titles that it names."""
    text, removed_at = taken_apart(raw) if entry.kind == "removed" else (raw.decode(), None)
    row = {
        "raw": text,
        "discovered_at": facts["discovered_at"],
        "generation": facts["generation"],
        "missing_at": facts["missing_at"],
        "removed_at": removed_at,
    }
    if "key" not in facts:
        return plays, *_play(row, facts)
    return items, *_item(row, facts, entry.data_set or "", position)


def _play(row: Row, facts: Facts) -> tuple[Row, list[Named]]:
    names = ("history_id", "type", "watched_at", "action")
    said = dict(zip(names, facts["columns"] or said_by(row["raw"]) or (), strict=True))
    parsed = parse_play(row["raw"].encode())
    if not isinstance(parsed, ParsedPlay):
        return row | said | {"title_key": None}, []
    named: list[Named] = [(row["discovered_at"], title) for title in parsed.titles]
    return row | said | {"title_key": parsed.title_key}, named


def _item(row: Row, facts: Facts, data_set: str, position: int) -> tuple[Row, list[Named]]:
    row |= {
        "data_set": data_set,
        "key": facts["key"],
        "type": facts["type"],
        "title_key": None,
        "place": position + facts["shift"],
        "changed_at": facts["changed_at"],
    }
    name = data_set.partition("/")[0]
    line = BY_NAME.get(name) or DataSet(name, "", "")
    if line.shape is Shape.OBJECT:
        return row, []
    parsed = parse_item(row["raw"].encode(), line, position)
    if not isinstance(parsed, ParsedItem):
        return row, []
    named: list[Named] = [(row["changed_at"], title) for title in parsed.titles]
    return row | {"title_key": parsed.title_key}, named


def _reject_row(raw: bytes, facts: Facts) -> Row:
    told: Row = msgspec.json.decode(raw, type=dict[str, str])
    told = {name: told[name] for name in ("data_set", "reason", "raw")}
    return told | {name: facts[name] for name in ("digest", "seen_at", "generation")}
