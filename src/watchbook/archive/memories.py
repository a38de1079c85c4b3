"""What only Watchbook knows of each archived row, written as differences from row to row.

``watchbook/rows.json`` has, for each file of rows, a line ``{"file": PATH}`` and then lines that
say which facts hold from the next row on. ``rows`` is how many rows in a row they hold for (one
when absent); a fact that a line does not name stays as it was. Each file starts from FIRST:

* ``discovered_at``, ``changed_at``, ``seen_at``, ``missing_at``: milliseconds since 1970
* ``generation``: the reading that last showed the row
* ``key``, ``type``: of an item, ``digest`` of a rejected row
* ``shift``: an item's place less its position in the file
* ``columns``: of a play whose raw row does not say them: its history id, type, time and action
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import IO, Any

import msgspec

from watchbook.archive.contents import Batches, Part
from watchbook.clock import to_millis

ROWS = "watchbook/rows.json"
FIRST: dict[str, Any] = {
    "columns": None,
    "generation": 0,
    "missing_at": None,
    "shift": 0,
    "type": None,
}

_encode = msgspec.json.Encoder().encode


class Memories:
    """Collects the lines of ``watchbook/rows.json`` in ``file``, itself no bigger than a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.lines = 0

    def passing(self, part: Part, rows: Batches) -> Iterator[Sequence[Any]]:
        """Give on the ``rows`` of ``part``, having noted what is known of each."""
        facts_of = _facts_of(part)
        before: dict[str, Any] = FIRST
        line: dict[str, Any] = {}
        count = position = 0
        for batch in rows:
            for row in batch:
                if not position:
                    self._write({"file": part.path})
                facts = facts_of(row, position)
                position += 1
                if facts != before:
                    self._write_run(line, count)
                    line = {name: facts[name] for name in facts if facts[name] != before.get(name)}
                    before, count = facts, 0
                count += 1
            yield batch
        self._write_run(line, count)

    def end(self) -> None:
        """Close the array."""
        self._file.write(b"\n]\n" if self.lines else b"[]\n")

    def _write_run(self, line: dict[str, Any], count: int) -> None:
        if count > 0:
            self._write(line | {"rows": count} if count > 1 else line)

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write((b",\n" if self.lines else b"[\n") + _encode(line))
        self.lines += 1


def recall(lines: Iterable[bytes]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read the lines of ``watchbook/rows.json`` back: file and facts of every row, in order."""
    path, facts = "", FIRST
    for line in lines:
        change = msgspec.json.decode(line)
        if "file" in change:
            path, facts = change["file"], FIRST
        else:
            count = change.pop("rows", 1)
            facts = facts | change
            yield from repeat((path, facts), count)


def _facts_of(part: Part) -> Callable[[Any, int], dict[str, Any]]:
    if part.kind == "rejected":
        return _reject_facts
    return _play_facts if "history_id" in part.query.selected_columns else _item_facts


def _reject_facts(row: Any, _position: int) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in ("digest", "seen_at", "generation")}
    return FIRST | named


def _item_facts(row: Any, position: int) -> dict[str, Any]:
    return {
        "columns": None,
        "key": row.key,
        "type": row.type,
        "shift": row.place - position,
        "discovered_at": row.discovered_at,
        "changed_at": row.changed_at,
        "generation": row.generation,
        "missing_at": row.missing_at,
    }


class _Play(msgspec.Struct):
    """What a raw row of history says of itself."""

    id: int
    type: str
    watched_at: datetime
    action: str


_read_play = msgspec.json.Decoder(_Play).decode


def _play_facts(row: Any, _position: int) -> dict[str, Any]:
    columns = (row.history_id, row.type, row.watched_at, row.action)
    return {
        "columns": None if said_by(row.raw) == columns else list(columns),
        "discovered_at": row.discovered_at,
        "generation": row.generation,
        "missing_at": row.missing_at,
    }


def said_by(raw: str) -> tuple[int, str, int, str] | None:
    """History id, type, moment and action as a raw row of history says them, if it does."""
    try:
        play = _read_play(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if play.watched_at.tzinfo is None:
        return None
    return play.id, play.type, to_millis(play.watched_at), play.action
