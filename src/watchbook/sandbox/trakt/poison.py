"""Rows that nobody expects, made out of good ones."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from watchbook.sandbox.answer import encode
from watchbook.sandbox.rules import Rule

Row = dict[str, object]
_TITLES = ("movie", "episode", "season", "show", "list", "comment", "user", "person")


def poisoned(row: bytes, rules: list[Rule], *, mapping: bool) -> bytes:
    """One row after every rule has been at it; members of a mapping keep their key."""
    if mapping:
        return row
    found = msgspec.json.decode(row)
    for rule in rules:
        if isinstance(found, dict):
            found = _apply(rule, found)
    return encode(found)


def _apply(rule: Rule, row: Row) -> object:
    return _POISONS[rule.name](row, rule)


def _named(row: Row) -> list[str]:
    return [name for name in _TITLES if name in row]


def _inner(row: Row) -> Row:
    """The title of a row that shows."""
    for name in _named(row):
        found = row[name]
        if isinstance(found, dict):
            return found
    return row


def _null_title(row: Row, _: Rule) -> Row:
    return {**row, **dict.fromkeys(_named(row)[:1])}


def _id_max(row: Row, _: Rule) -> Row:
    return {**row, "id": 2**63 - 1}


def _missing_ids(row: Row, _: Rule) -> Row:
    _inner(row).pop("ids", None)
    return row


def _unknown_type(row: Row, _: Rule) -> Row:
    return {**row, "type": "hologram"}


def _unknown_action(row: Row, _: Rule) -> Row:
    return {**row, "action": "dream"}


def _long_title(row: Row, rule: Rule) -> Row:
    _inner(row)["title"] = "Ю" * int(rule.number())
    return row


def _emoji(row: Row, _: Rule) -> Row:
    _inner(row)["title"] = "🎬👩\u200d🚀🏳️\u200d🌈"
    return row


def _nul(row: Row, _: Rule) -> Row:
    _inner(row)["title"] = "be\0fore"
    return row


def _epoch(row: Row, _: Rule) -> Row:
    times = [name for name in row if name.endswith("_at")]
    return {**row, **dict.fromkeys(times, "1970-01-01T00:00:00.000Z")}


def _not_an_object(_row: Row, _: Rule) -> object:
    return 42


def _no_seasons(row: Row, _: Rule) -> Row:
    return {name: value for name, value in row.items() if name != "seasons"}


def _odd_seasons(row: Row, _: Rule) -> Row:
    return {**row, "seasons": None}


_POISONS: dict[str, Callable[[Row, Rule], object]] = {
    "item-null-title": _null_title,
    "item-id-max": _id_max,
    "item-missing-ids": _missing_ids,
    "item-unknown-type": _unknown_type,
    "item-unknown-action": _unknown_action,
    "item-long-title": _long_title,
    "item-emoji": _emoji,
    "item-nul": _nul,
    "item-epoch": _epoch,
    "item-not-an-object": _not_an_object,
    "seasons-missing": _no_seasons,
    "seasons-odd": _odd_seasons,
}
