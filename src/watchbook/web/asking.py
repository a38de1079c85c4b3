"""Reading what was asked for: numbers, types and places in a query."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchbook.errors import InputError
from watchbook.store.watched import TYPES, Place

_PLACE = re.compile(r"(-?[0-9]{1,15})_([0-9]{1,19})")
_LARGEST = 2**63 - 1


def number(
    query: Mapping[str, str], name: str, within: range, example: int | None = None
) -> int | None:
    """A whole number; None without one, and InputError for anything that is none of ``within``.

    ``example`` is what the error suggests, else the largest.
    """
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) not in within:
        raise InputError(
            f"{name} is not a number from {within[0]} to {within[-1]}.",
            hint=f"A right example: {name}={example or within[-1]}",
        )
    return int(text)


def kind(query: Mapping[str, str]) -> str | None:
    """The ``type`` of plays; None without one, and InputError for one that there is not."""
    text = query.get("type")
    if text is not None and text not in TYPES:
        raise InputError(f"There is no type {text!r}.", hint="type is movie or episode.")
    return text


def place_text(place: Place) -> str:
    """A place as it stands in an address."""
    return f"{place.watched_at}_{place.history_id}"


def place(query: Mapping[str, str], name: str) -> Place | None:
    """The place that an address of ours names; raises InputError for anything else."""
    text = query.get(name)
    if text is None:
        return None
    match = _PLACE.fullmatch(text)
    if match is None or int(match[2]) > _LARGEST:
        raise InputError(
            f"{name} is no place in this list.", hint="Follow the links from page to page."
        )
    return Place(int(match[1]), int(match[2]))
