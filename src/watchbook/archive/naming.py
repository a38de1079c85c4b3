"""What rows and data sets are called when a person reads of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbook.archive.manifest import DataSetEntry

_LONGEST = 60
_SUBJECTS = ("movie", "show", "person", "user", "list", "comment")


def title_of(row: Any) -> str | None:
    """What a decoded row is about: ``Heat (1995)``, ``The Wire 1x02``, ``@sandra``; else None."""
    if not isinstance(row, dict):
        return None
    show = row.get("show")
    for name in ("episode", "season"):
        if row.get("type") in {name, None} and isinstance(row.get(name), dict):
            return _shortened(_part(name, row[name], show))
    for name in (str(row.get("type")), *_SUBJECTS):
        subject = row.get(name)
        if isinstance(subject, dict) and (found := _plain(subject)):
            return found
    return _plain(row)


def _part(kind: str, part: Mapping[str, Any], show: Any) -> str:
    """An episode or a season, by its numbers: they say more than a title that one may not know."""
    of = _plain(show) if isinstance(show, dict) else None
    number = part.get("number")
    if kind == "season":
        said = f"season {number}"
    elif isinstance(number, int):
        said = f"{part.get('season')}x{number:02}"
    else:
        said = str(part.get("title") or "an episode")
    return f"{of} {said}" if of else said


def _plain(subject: Mapping[str, Any]) -> str | None:
    """A title with its year, a name, or the beginning of a text."""
    if isinstance(title := subject.get("title"), str) and title:
        year = subject.get("year")
        return _shortened(f"{title} ({year})" if isinstance(year, int) else title)
    for name in ("name", "comment", "notes"):
        if isinstance(text := subject.get(name), str) and text:
            return _shortened(text)
    username = subject.get("username")
    return f"@{username}" if isinstance(username, str) and username else None


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def label(entry: DataSetEntry) -> str:
    """A data set for people: ``watched history``, ``ratings of movies``, ``list late-night``."""
    base, _, part = entry.name.partition("/")
    if part:
        return f"{base.replace('_', ' ')} of {_list_name(entry, part)}"
    if base == "history":
        return "watched history"
    head, _, rest = base.partition("_")
    if head in {"ratings", "notes"}:
        return f"{head} of {rest.replace('_', ' ')}"
    return base.replace("_", " ")


def _list_name(entry: DataSetEntry, part: str) -> str:
    """The name in the file's name, ``lists/123-late-night.json``; the number where it has none."""
    for path in entry.files:
        stem = path.rpartition("/")[2].removesuffix(".json")
        if called := stem.removeprefix(part).removeprefix("-"):
            return called
    return part


def noun(name: str) -> str:
    """What one row of the data set ``name`` is, where there is a word for it."""
    if name == "history":
        return "play"
    head = name.partition("_")[0]
    return {"ratings": "rating", "notes": "note"}.get(head, "row")
