"""The difference between two archives in sentences, each with the rows that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchbook.archive.diff import (
    Archived,
    ArchiveDiff,
    Change,
    DataSetDiff,
    Difference,
    FieldChange,
)
from watchbook.archive.manifest import POSTS
from watchbook.archive.naming import label, noun, title_of
from watchbook.clock import UNKNOWN_DATE, counted, from_iso
from watchbook.trakt.parse import REDACTED, lookup

_FIELDS = 3
_LONGEST_VALUE = 40
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:")
_MARKS = {
    Change.ADDED: "+",
    Change.REMOVED: "-",
    Change.CHANGED: "~",
    Change.PASSED: "±",
    Change.LOST: "!",
}


@dataclass(frozen=True)
class Sentence:
    """What happened to some rows of one data set; ``alarming`` when it should never happen."""

    words: str
    rows: Sequence[Difference]
    alarming: bool = False


def named(data_set: DataSetDiff) -> str:
    """A data set as people call it."""
    entry = data_set.after or data_set.before
    return label(entry) if entry else data_set.name


def totals(data_set: DataSetDiff) -> str:
    """``12 added, 214 removed, 3 changed``."""
    return ", ".join(f"{n:,} {change}" for change, n in data_set.counts().items() if n)


def sentences(found: ArchiveDiff) -> list[Sentence]:
    """What differs, in words, what is alarming first."""
    told = [sentence for one in found.told for sentence in _told_of(one, found)]
    return sorted(told, key=lambda sentence: not sentence.alarming)


def notes(found: ArchiveDiff) -> list[str]:
    """What to keep in mind about the comparison as a whole."""
    told = [_incomplete(side) for side in (found.before, found.after) if side.incomplete]
    if found.backwards:
        told.append(
            f"{found.before.path.name} is the newer of the two: what counts as removed was "
            f"not there yet in {found.after.path.name}."
        )
    told += _posts(found)
    unstable = [one for one in found.data_sets if one.volatile]
    if unstable:
        names = ", ".join(f"{named(one)} ({totals(one)})" for one in unstable)
        told.append(f"Changes by itself and does not count: {names}.")
    return told


def _posts(found: ArchiveDiff) -> list[str]:
    """That what is known of posts differs; posts themselves are not compared."""
    sides = (found.before, found.after)
    entries = [{entry.path: entry for entry in side.manifest.files}.get(POSTS) for side in sides]
    digests = {entry.sha256 if entry else None for entry in entries}
    counts = [f"{(entry.rows if entry else 0) or 0:,}" for entry in entries]
    told = f"Posts are not compared; records of them: {counts[0]} before, {counts[1]} after."
    return [told] if len(digests) > 1 else []


def _incomplete(side: Archived) -> str:
    entries = side.incomplete
    why = sorted({f"{label(one)} ({one.words})" if one.words else label(one) for one in entries})
    return (
        f"{side.path.name} is incomplete in {', '.join(why)}: what is absent there proves nothing."
    )


def _told_of(data_set: DataSetDiff, found: ArchiveDiff) -> Iterator[Sentence]:
    for change in (Change.LOST, Change.REMOVED, Change.ADDED, Change.CHANGED, Change.PASSED):
        rows = data_set.of(change)
        if not rows:
            continue
        if change is Change.LOST:
            yield _lost(data_set, rows, found)
        elif data_set.name == "history":
            yield Sentence(_plays(change, rows, found), rows)
        elif data_set.single and change is Change.CHANGED:
            fields = counted(len(rows[0].fields), "field")
            yield Sentence(f"{fields} of {named(data_set)} changed", rows)
        else:
            only = _only_field(rows) if change is Change.CHANGED else ""
            verb = _verb(change, rows, found)
            yield Sentence(f"{_counted(data_set, rows)} {verb}{only}", rows)


def _only_field(rows: Sequence[Difference]) -> str:
    """The one field in which rows changed, such as their rank below one that was taken away."""
    if len(rows) < 2:
        return ""
    fields = {field.field for one in rows for field in one.fields}
    return f", only in {fields.pop()}" if len(fields) == 1 else ""


def _counted(data_set: DataSetDiff, rows: Sequence[Difference]) -> str:
    kind = noun(data_set.name)
    said = counted(len(rows), kind)
    of = named(data_set)
    return f"{said}{of.removeprefix(kind + 's')}" if kind != "row" else f"{said} of {of}"


def _lost(data_set: DataSetDiff, rows: Sequence[Difference], found: ArchiveDiff) -> Sentence:
    of = f" of {named(data_set)}" if noun(data_set.name) in {"row", "play"} else ""
    said = counted(len(rows), noun(data_set.name)) + of
    where = found.after.path.name
    if not data_set.proves:
        return Sentence(f"{said} {_be(rows)} not in {where}, which is incomplete there", rows)
    return Sentence(
        f"{said} {_be(rows)} LOST: not in {where}, not even among what was removed. That should "
        f"never happen; keep {found.before.path.name}",
        rows,
        alarming=True,
    )


def _plays(change: Change, rows: Sequence[Difference], found: ArchiveDiff) -> str:
    verb = _verb(change, rows, found)
    if change is Change.REMOVED and not found.backwards:
        days = [from_iso(one.manifest.created_at) for one in (found.before, found.after)]
        verb = f"vanished {_between(days)}"
    return f"{counted(len(rows), 'play')}{_of_titles(rows)} {verb}; watched {_watched(rows)}"


def _of_titles(rows: Sequence[Difference]) -> str:
    """`` of 12 shows and 3 films``, as far as the rows name them."""
    kinds: dict[str, set[object]] = {"show": set(), "movie": set()}
    for one in rows:
        row = one.row
        for kind, found in kinds.items():
            title = lookup(row, kind)
            if isinstance(title, dict):
                found.add(lookup(title, "ids.trakt") or title.get("title"))
    nouns = {"show": "show", "movie": "film"}
    parts = [counted(len(found), nouns[kind]) for kind, found in kinds.items() if found]
    return f" of {' and '.join(parts)}" if parts else ""


def _watched(rows: Sequence[Difference]) -> str:
    moments = [moment for one in rows if (moment := _moment(one.row)) is not None]
    unknown = len(rows) - len(moments)
    if not moments:
        return "at an unknown date"
    aside = f", {unknown:,} at an unknown date" if unknown else ""
    return _between(moments) + aside


def _between(moments: Sequence[datetime]) -> str:
    first, last = min(moments), max(moments)
    if first.date() == last.date():
        return f"on {first:%Y-%m-%d}"
    return f"between {first:%Y-%m-%d} and {last:%Y-%m-%d}"


def _moment(row: Any) -> datetime | None:
    """When a play was watched; None for an unknown date."""
    with suppress(ValueError, TypeError):
        moment = from_iso(lookup(row, "watched_at"))
        return None if moment == UNKNOWN_DATE else moment
    return None


def _verb(change: Change, rows: Sequence[Difference], found: ArchiveDiff) -> str:
    if change is Change.REMOVED:
        return f"{_were(rows)} not there yet" if found.backwards else f"{_were(rows)} removed"
    if change is not Change.ADDED:
        return str(change)
    back = sum(one.again for one in rows)
    if found.backwards:
        return f"{_were(rows)} still there"
    return f"{_were(rows)} added" + (f" ({back:,} of them came back)" if back else "")


def _were(rows: Sequence[Difference]) -> str:
    return "was" if len(rows) == 1 else "were"


def _be(rows: Sequence[Difference]) -> str:
    return "is" if len(rows) == 1 else "are"


def in_a_line(one: Difference) -> str:
    """A row with what became of it: ``- Heat (1995), watched 2019-08-11 20:15``."""
    return f"{_MARKS[one.change]} {shown(one)}"


def shown(one: Difference) -> str:
    """A row by its name, with what changed in it."""
    name = title_of(one.row) or _untitled(one)
    if one.change is Change.CHANGED:
        return " ".join(filter(None, (name, _changes(one.fields))))
    moment = _moment(one.row)
    return f"{name}, watched {moment:%Y-%m-%d %H:%M}" if moment else name


def _untitled(one: Difference) -> str:
    """A play of which Trakt does not tell the title; of other rows their key says more."""
    kind = lookup(one.row, "type") if lookup(one.row, "watched_at") else None
    said = {"movie": "an untitled film", "episode": "an untitled episode"}
    return said.get(str(kind), str(one.key))


def _changes(fields: Sequence[FieldChange]) -> str:
    rating = next((field for field in fields if field.field == "rating"), None)
    if rating:
        return _arrow(rating)
    said = [f"{field.field} {_arrow(field)}".rstrip() for field in fields[:_FIELDS]]
    more = len(fields) - len(said)
    return f"({', '.join(said)}{f' and {more:,} more' if more > 0 else ''})"


def _arrow(field: FieldChange) -> str:
    """``8 -> 9``; nothing for what is too long to be read in passing."""
    values = [_value(value) for value in (field.before, field.after)]
    return "" if None in values or REDACTED in values else " -> ".join(map(str, values))


def _value(value: Any) -> str | None:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _INSTANT.match(value):
        return value[:16].replace("T", " ")
    if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE:
        return str(value)
    return None
