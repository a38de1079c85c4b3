"""What only Watchbook knows of each row comes back from an archive, row for row."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.archive.memories import ROWS, recall
from watchbook.archive.read import SafeArchive
from watchbook.archive.standalone.verify import read_rows
from watchbook.archive.write import WrittenArchive
from watchbook.clock import from_iso, to_millis
from watchbook.store.schema import items, plays, rejects

from .conftest import READ_AT, Book, film, item

KNOWN = ("discovered_at", "changed_at", "generation", "missing_at", "key", "type", "digest")


def restored(written: WrittenArchive) -> dict[str, list[dict[str, Any]]]:
    """Every row of an archive as the store had it, rebuilt from nothing but the archive."""
    with written.path.open("rb") as file:
        members = {path: stream.read() for path, stream in SafeArchive(file).members()}
    lines = read_rows(ROWS, io.BytesIO(members[ROWS]))
    data_sets = {entry.path: entry.data_set for entry in written.manifest.files}
    found: dict[str, list[dict[str, Any]]] = {}
    raws: Iterator[bytes] = iter(())
    position, before = 0, ""
    for path, facts in recall(lines):
        if path != before:
            raws, position, before = read_rows(path, io.BytesIO(members[path])), 0, path
        table, row = rebuilt(path, data_sets[path], next(raws).decode(), dict(facts), position)
        found.setdefault(table, []).append(row)
        position += 1
    return found


def rebuilt(
    path: str, data_set: str | None, raw: str, facts: dict[str, Any], position: int
) -> tuple[str, dict[str, Any]]:
    """One row of one table."""
    row = {name: facts[name] for name in KNOWN if name in facts}
    if path == "watchbook/rejected.json":
        return "rejects", row | json.loads(raw) | {"seen_at": facts["seen_at"]}
    row["removed_at"] = None
    if path.startswith("removed/"):
        head, _, raw = raw.partition(', "item": ')
        row["removed_at"] = to_millis(from_iso(json.loads(head + "}")["removed_at"]))
        raw = raw[:-1]
    row["raw"] = raw
    if data_set == "history":
        play = json.loads(raw)
        said = facts["columns"] or (
            play["id"],
            play["type"],
            to_millis(from_iso(play["watched_at"])),
            play["action"],
        )
        return "plays", row | dict(
            zip(("history_id", "type", "watched_at", "action"), said, strict=True)
        )
    return "items", row | {"data_set": data_set, "place": position + facts["shift"]}


def stored(book: Book, table: sa.Table) -> list[dict[str, Any]]:
    """The rows of ``table`` but for what follows from the others."""
    derived = {"account_id", "title_key"} | ({"missing_at"} if table is rejects else set())
    columns = [column for column in table.columns if column.name not in derived]
    with book.store.database.read() as conn:
        return [dict(row._mapping) for row in conn.execute(sa.select(*columns))]


def alike(rows: list[dict[str, Any]], columns: set[str]) -> list[str]:
    """Rows in an order that both sides have."""
    return sorted(str(sorted((k, v) for k, v in row.items() if k in columns)) for row in rows)


def test_every_row_comes_back(book: Book) -> None:
    """Plays, items and rejected rows are rebuilt from the archive exactly as they were stored."""
    book.add(plays, *(film(1000 + n, discovered_at=READ_AT + n // 3) for n in range(700)))
    book.add(plays, film(2, watched_at=0), film(1, raw="null", missing_at=77))
    book.add(
        plays,
        film(6, raw='{"id":6,"watched_at":"2026-01-07T20:15:00","action":"watch","type":"movie"}'),
    )
    book.add(items, *(item("calendar_shows", f"k{n}", 3 * n + 5, f"[{n}]") for n in range(9)))
    found = restored(book.write())
    for name, table in (("plays", plays), ("items", items), ("rejects", rejects)):
        rows = stored(book, table)
        assert rows
        columns = set(rows[0])
        assert alike(found[name], columns) == alike(rows, columns)


def test_many_rows_alike_take_few_lines(book: Book) -> None:
    """Plays that were found together take one line, however many they are."""
    book.run(sa.delete(plays))
    book.add(plays, *(film(n) for n in range(1, 1501)))
    with book.write().path.open("rb") as file:
        members = {path: stream.read() for path, stream in SafeArchive(file).members()}
    lines = [msgspec.json.decode(line) for line in read_rows(ROWS, io.BytesIO(members[ROWS]))]
    at = lines.index({"file": "history_movies.json"})
    assert lines[at + 1] == {"discovered_at": READ_AT, "generation": 1, "rows": 1500}
    assert "file" in lines[at + 2]
