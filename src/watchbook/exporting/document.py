"""One JSON document with everything: Trakt's own objects as they came, and what names them.

It is written row by row, a row to a line, so that neither writing nor reading it line by line
takes more memory for more plays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from watchbook.clock import now, to_iso
from watchbook.exporting.moments import utc
from watchbook.exporting.selection import KnownList, Selected, SelectedItem, Selection, selected
from watchbook.exporting.tables import ITEM_TABLES, LIST_ITEMS, LISTS
from watchbook.exporting.written import Written
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.trakt.datasets import CATALOGUE, Shape

FORMAT = "watchbook-export"
VERSION = 1
_encode = msgspec.json.Encoder().encode

Lines = Iterable[bytes]


def write(store: Store, account: Account, selection: Selection, target: Path) -> Written:
    """Write the document to ``target``."""
    written = Written([target])
    with selected(store, account, selection) as rows, target.open("xb") as file:
        _Document(file, written).write(rows)
    return written


class _Document:
    def __init__(self, file: IO[bytes], written: Written) -> None:
        self._file = file
        self._written = written

    def write(self, rows: Selected) -> None:
        head = _encode(_head(rows.account, rows.selection)).removesuffix(b"}")
        self._file.write(head)
        self._array("plays", _plays(rows), "plays")
        for table in ITEM_TABLES:
            if table is LISTS:
                self._lists(rows)
            elif table is not LIST_ITEMS:
                self._array(table.name, map(_item, table.items(rows)), table.name)
        self._others(rows)
        self._file.write(b"\n}\n")

    def _array(self, name: str, lines: Lines, kind: str, *, first: bool = False) -> None:
        """A member that is an array, with a row on each line."""
        self._file.write(b"%s\n%s: [" % (b"" if first else b",", _encode(name)))
        self._rows(lines, kind)
        self._file.write(b"]")

    def _rows(self, lines: Lines, kind: str) -> None:
        count = 0
        for count, line in enumerate(lines, 1):
            self._file.write((b",\n" if count > 1 else b"\n") + line)
        self._written.count(kind, count)

    def _lists(self, rows: Selected) -> None:
        self._file.write(b',\n"lists": [')
        for number, one in enumerate(rows.lists()):
            self._file.write(b",\n" if number else b"\n")
            self._file.write(_list_head(one).removesuffix(b"}"))
            self._array("items", map(_item, rows.items(one.data_set)), LIST_ITEMS.name)
            self._file.write(b"}")
            self._written.count("lists")
        self._file.write(b"]")

    def _others(self, rows: Selected) -> None:
        """Every data set that has no member of its own, under its name in the catalogue."""
        self._file.write(b',\n"others": {')
        first = True
        for name, lines in _other_data_sets(rows):
            self._array(name, lines, name, first=first)
            first = False
        self._file.write(b"\n}")


def _head(account: Account, wanted: Selection) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "account": account.name,
        "trakt_user": account.trakt_slug,
        "timezone": account.timezone,
        "exported_at": to_iso(now()),
        "selection": {
            "since": to_iso(wanted.since) if wanted.since else None,
            "until": to_iso(wanted.until) if wanted.until else None,
            "types": sorted(wanted.types),
            "lists": sorted(wanted.lists),
            "removed": wanted.removed,
        },
    }


def _line(facts: Mapping[str, Any], raw: str) -> bytes:
    """A row on one line: what we know of it, then Trakt's object as it came."""
    known = {name: value for name, value in facts.items() if value is not None}
    flat = raw.replace("\n", " ").replace("\r", " ")  # inside of texts JSON has them escaped
    return _encode(known).removesuffix(b"}") + b',"trakt":' + flat.encode() + b"}"


def _plays(rows: Selected) -> Iterator[bytes]:
    for play in rows.plays(newest_first=True):
        facts = {
            "history_id": play.history_id,
            "title": play.title_key,
            "watched_at": utc(play.watched_at),
            "rating": play.rating,
            "removed_at": utc(play.removed_at),
        }
        yield _line(facts, play.raw)


def _item(item: SelectedItem) -> bytes:
    facts = {
        "data_set": item.data_set,
        "key": item.key,
        "type": item.type,
        "title": item.title_key,
        "removed_at": utc(item.removed_at),
    }
    return _line(facts, item.raw)


def _list_head(one: KnownList) -> bytes:
    facts = {"id": one.id, "slug": one.slug, "name": one.name, "removed_at": utc(one.removed_at)}
    return _line(facts, one.raw)


def _other_data_sets(rows: Selected) -> Iterator[tuple[str, Lines]]:
    told = {name for table in ITEM_TABLES for name in table.data_sets}
    for line in CATALOGUE:
        if line.name in told or line.shape is Shape.PLAYS:
            continue
        for name in rows.data_sets(line.name):
            yield name, map(_item, rows.items(name))
