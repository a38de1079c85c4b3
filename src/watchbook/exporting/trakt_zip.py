"""Trakt's own export, written from the store: other programs read it, and Watchbook itself.

A file for each endpoint that Trakt's exporter reads, in pages of as many rows as its own. What
is not whole here, because it was never read or because of a filter, is named in ``_errors.json``,
so that whoever imports the file takes nothing that it lacks for gone.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import msgspec

from watchbook.clock import counted, now
from watchbook.exporting.selection import KnownList, Selected, SelectedItem, Selection, selected
from watchbook.exporting.written import Written
from watchbook.exports.trakt_zip import BUCKETS, ENDPOINTS, ERRORS, LIST_ITEMS
from watchbook.store import datasets, items
from watchbook.store.accounts import Account
from watchbook.store.datasets import COMPLETE, UNAVAILABLE, DataSetState
from watchbook.store.opening import Store
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, Shape

PAGE = 250
"""Rows of a page, as many as Trakt's exporter asks for."""

_FILTERED = "left out in part: only a selection was exported"
_UNREAD = "not read to its end before this export was written"
_NOT_SLUG = re.compile(r"[^\w-]+")
_encode = msgspec.json.Encoder().encode

Rows = Iterable[bytes]


def write(store: Store, account: Account, selection: Selection, target: Path) -> Written:
    """Write the export to ``target``; the notes say what Trakt's layout has no place for."""
    shown = replace(selection, removed=False)
    with (
        selected(store, account, shown) as rows,
        zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as packed,
    ):
        writing = _Export(rows, packed)
        writing.write()
        notes = list(_left_out(rows))
    if selection.removed:
        notes.append("What is gone at Trakt does not go into the form of Trakt's export.")
    if writing.failures:
        notes.append(
            f"{counted(len(writing.failures), 'file')} with less than all of Trakt's rows: "
            f"{ERRORS} inside says which."
        )
    return Written([target], writing.written.counts, notes)


class _Export:
    def __init__(self, rows: Selected, packed: zipfile.ZipFile) -> None:
        self._rows = rows
        self._packed = packed
        self._time = now().timetuple()[:6]
        self._states = datasets.all_states(rows.conn, rows.account.id)
        self.written = Written()
        self.failures: list[dict[str, str]] = []

    def write(self) -> None:
        for name, buckets in BUCKETS.items():
            if BY_NAME[name].shape is Shape.OBJECT:
                self._object(name, buckets[0])
            else:
                for bucket in buckets:
                    self._bucket(name, bucket)
        for one in self._rows.lists():
            if one.data_set.startswith(f"{LIST_ITEMS}/"):
                self._list(one)
        if self.failures:
            self._put(ERRORS, _encode(self.failures))

    def _object(self, name: str, bucket: str) -> None:
        raw = self._rows.object(name)
        if raw is None and name == "user_profile":
            raw = _encode({"ids": {"slug": self._rows.account.trakt_slug}}).decode()
        if raw is None:
            self._fail(ENDPOINTS[bucket], _UNREAD)
        else:
            self._put(f"{bucket}.json", raw.encode())

    def _bucket(self, name: str, bucket: str) -> None:
        state = self._states.get(name) or DataSetState(name)
        count = self._pages(bucket, _rows_of(self._rows, name, bucket), state)
        if count is not None:
            self.written.count("plays" if name == "history" else name, count)
        if state.state != UNAVAILABLE:
            self._judge(ENDPOINTS[bucket], state, whole=name == "lists")

    def _list(self, one: KnownList) -> None:
        slug = _NOT_SLUG.sub("", one.slug)[:100] or "list"
        stem = f"lists-list-{one.id}-{slug}"
        state = self._states.get(one.data_set) or DataSetState(one.data_set)
        count = self._pages(stem, map(_raw, self._rows.items(one.data_set)), state)
        self.written.count(LIST_ITEMS, count or 0)
        self._judge(stem, state)

    def _judge(self, endpoint: str, state: DataSetState, *, whole: bool = False) -> None:
        """Name what is not everything that Trakt has; a list that was chosen is ``whole``."""
        wanted = self._rows.selection
        if state.state != COMPLETE:
            self._fail(endpoint, _UNREAD)
        elif not (wanted.whole or (whole and not wanted.lists)):
            self._fail(endpoint, _FILTERED)

    def _fail(self, endpoint: str, error: str) -> None:
        self.failures.append({"endpoint": endpoint, "error": error})

    def _pages(self, stem: str, rows: Rows, state: DataSetState) -> int | None:
        """Write the pages of a bucket; a bucket that was never read has no file at all."""
        pages = _paged(rows)
        page, after = next(pages, []), next(pages, None)
        if not page and state.state != COMPLETE:
            return None
        if after is None:
            self._put(f"{stem}.json", _array(page))
            return len(page)
        count, number = 0, 1
        while page:
            self._put(f"{stem}-{number}.json", _array(page))
            count, number = count + len(page), number + 1
            page, after = after or [], next(pages, None)
        return count

    def _put(self, name: str, body: bytes) -> None:
        info = zipfile.ZipInfo(name, self._time)
        info.external_attr = 0o600 << 16
        self._packed.writestr(info, body, zipfile.ZIP_DEFLATED)


def _rows_of(rows: Selected, name: str, bucket: str) -> Iterator[bytes]:
    if BY_NAME[name].shape is Shape.PLAYS:
        return (play.raw.encode() for play in rows.plays(newest_first=True))
    found = rows.items(name)
    if len(BUCKETS[name]) > 1:
        found = (item for item in found if _bucket_of(item, BUCKETS[name]) == bucket)
    return map(_raw, found)


def _bucket_of(item: SelectedItem, buckets: tuple[str, ...]) -> str:
    """Of the files of one data set, that for what a row is about; the last for anything odd."""
    return next((b for b in buckets if b.endswith(f"-{item.type}s")), buckets[-1])


def _raw(item: SelectedItem) -> bytes:
    return item.raw.encode()


def _paged(rows: Rows) -> Iterator[list[bytes]]:
    source = iter(rows)
    while page := list(islice(source, PAGE)):
        yield page


def _array(rows: Rows) -> bytes:
    return b"[" + b",".join(rows) + b"]"


def _left_out(rows: Selected) -> Iterator[str]:
    """What the store has and Trakt's layout has no place for."""
    homeless: dict[str, int] = {}
    for line in CATALOGUE:
        if line.name not in {*BUCKETS, LIST_ITEMS} and line.shape is not Shape.LATEST:
            names = rows.data_sets(line.name)
            homeless[line.name] = sum(_count(rows, name) for name in names)
    told = _in_words({name: count for name, count in homeless.items() if count})
    if told:
        yield f"Trakt's export has no place for {told}; JSON has."
    rejects = sum(
        items.count_rejects(rows.conn, rows.account.id, name) for name in ("history", *BUCKETS)
    )
    if rejects:
        yield f"{counted(rejects, 'row')} that could not be read when they came stay behind."


def _count(rows: Selected, name: str) -> int:
    return items.count(rows.conn, rows.account.id, name)


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counted(count, 'row')} of {name}" for name, count in counts.items())
