"""CSV for spreadsheets: a table of plays, another table, or a folder with all of them.

RFC 4180 with a byte order mark, by which Excel knows UTF-8. Titles are other people's texts: a
cell that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from watchbook.exporting.moments import Wall, utc
from watchbook.exporting.selection import Selected, SelectedItem, Selection, selected
from watchbook.exporting.tables import (
    ITEM_TABLES,
    LIST_ITEMS,
    ItemTable,
    Value,
    subject_of,
    text_of,
)
from watchbook.exporting.written import Written
from watchbook.intake import NOT_HELD
from watchbook.store import datasets
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.watched import WatchedPlay

PLAYS = "plays"
TABLES = (PLAYS, *(table.name for table in ITEM_TABLES))
_FORMULA = re.compile(r"[\s\ufeff]*[=+@\uff1d\uff0b\uff0d\uff20-]|[ \xa0]*[\t\r\n]")
"""How a formula begins: a sign, which some programs take in full width, too, or after spaces."""
_SUBJECT = (
    "type",
    "title",
    "year",
    "season",
    "episode",
    "episode_title",
    "trakt_id",
    "imdb_id",
    "tmdb_id",
    "tvdb_id",
)

CHOSEN = replace(
    LIST_ITEMS, name="listed", data_sets=("watchlist", "favorites", *LIST_ITEMS.data_sets)
)
"""The items of the lists that were chosen, whichever they are."""

_SAMPLE = 1_000
_NO_DETAILS = (
    "Runtime, genres, country, language and network are empty for most plays: "
    "Trakt's exports do not hold them, `watchbook sync` brings them."
)

Cell = Callable[[WatchedPlay, Wall], Value]

PLAY_CELLS: dict[str, Cell] = {
    "watched_at": lambda play, _: utc(play.watched_at),
    "watched_at_local": lambda play, wall: wall.iso(play.watched_at),
    "type": lambda play, _: play.type,
    "title": lambda play, _: play.title if play.type == "movie" else play.show_title,
    "year": lambda play, _: play.year if play.type == "movie" else play.show_year,
    "season": lambda play, _: play.season,
    "episode": lambda play, _: play.number,
    "episode_title": lambda play, _: play.title if play.type == "episode" else None,
    "runtime": lambda play, _: play.runtime,
    "genres": lambda play, _: play.genres,
    "country": lambda play, _: play.country,
    "language": lambda play, _: play.language,
    "network": lambda play, _: play.network,
    "rating": lambda play, _: play.rating,
    "action": lambda play, _: play.action,
    "trakt_id": lambda play, _: play.trakt,
    "imdb_id": lambda play, _: play.imdb,
    "tmdb_id": lambda play, _: play.tmdb,
    "tvdb_id": lambda play, _: play.tvdb,
    "show_trakt_id": lambda play, _: play.show_trakt,
    "show_imdb_id": lambda play, _: play.show_imdb,
    "show_tmdb_id": lambda play, _: play.show_tmdb,
    "show_tvdb_id": lambda play, _: play.show_tvdb,
    "history_id": lambda play, _: play.history_id,
}
"""The columns of plays; docs/how-to/export.md says what they mean."""


@dataclass(frozen=True)
class _Sheet:
    """One table as it is written: its columns and its rows."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]


def write(
    store: Store,
    account: Account,
    selection: Selection,
    target: Path,
    *,
    what: str | None = None,
    folder: bool = False,
) -> Written:
    """Write one table to the file ``target``, or all of them into a folder.

    ``what`` is one of TABLES; without it plays, or the items of the lists that were chosen.
    """
    written = Written()
    with selected(store, account, selection) as rows:
        if folder:
            target.mkdir(mode=0o700)
        names = TABLES if folder else (what or (CHOSEN.name if selection.lists else PLAYS),)
        for name in names:
            path = target / f"{name}.csv" if folder else target
            written.counts[name] = _write_sheet(path, _sheet(name, rows))
            written.paths.append(path)
        if PLAYS in names and _lacks_details(rows):
            written.notes.append(_NO_DETAILS)
        if selection.lists and what == PLAYS:
            written.notes.append("A play is on no list, so --list lets no play out.")
    return written


def _lacks_details(rows: Selected) -> bool:
    """Whether exports have filled the book, and hardly a play has a runtime."""
    states = datasets.all_states(rows.conn, rows.account.id).values()
    if not any(state.words == NOT_HELD for state in states):
        return False
    known = [play.runtime is not None for play in islice(rows.plays(), _SAMPLE)]
    return sum(known) * 2 < len(known)


def _sheet(name: str, rows: Selected) -> _Sheet:
    gone = ("removed_at",) if rows.selection.removed else ()
    if name == PLAYS:
        return _Sheet((*PLAY_CELLS, *gone), _play_rows(rows))
    table = next(table for table in (CHOSEN, *ITEM_TABLES) if table.name == name)
    own = tuple(column.name for column in table.columns)
    head = (*_of_list(table), *(_SUBJECT if table.titled else ()))
    return _Sheet((*head, *own, *gone), _item_rows(table, rows))


def _of_list(table: ItemTable) -> tuple[str, ...]:
    return ("list",) if LIST_ITEMS.data_sets[0] in table.data_sets else ()


def _play_rows(rows: Selected) -> Iterator[list[Value]]:
    wall = Wall(rows.account)
    cells = list(PLAY_CELLS.values())
    for play in rows.plays(newest_first=True):
        found = [cell(play, wall) for cell in cells]
        yield [*found, utc(play.removed_at)] if rows.selection.removed else found


def _item_rows(table: ItemTable, rows: Selected) -> Iterator[list[Value]]:
    names: dict[str, Value] = {one.data_set: text_of(one.name) for one in rows.known_lists}
    for item in table.items(rows):
        found = [names.get(item.data_set) for _ in _of_list(table)]
        found += _about(item) if table.titled else []
        found += [column.value(item) for column in table.columns]
        yield [*found, utc(item.removed_at)] if rows.selection.removed else found


def _about(item: SelectedItem) -> list[Value]:
    """The cells of _SUBJECT."""
    about, show = subject_of(item)
    head = show or about
    within: list[Value] = [about.get("season"), about.get("number")]
    within.append(about.get("title") if item.type == "episode" else None)
    ids: list[Any] = [about.get(name) for name in ("trakt_id", "imdb", "tmdb", "tvdb")]
    return [item.type, head.get("title"), head.get("year"), *within, *ids]


def _write_sheet(path: Path, sheet: _Sheet) -> int:
    with path.open("x", encoding="utf-8-sig", newline="") as file:
        return write_rows(file, sheet.columns, sheet.rows)


def write_rows(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Write a header and rows with guarded cells; returns how many rows there were."""
    writer = csv.writer(file)
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([guarded(value) for value in row])
        count += 1
    return count


def guarded(value: Value) -> Value:
    """``value`` as a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
