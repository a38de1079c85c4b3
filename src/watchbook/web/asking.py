"""Reading what was asked for: numbers and places in a query."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchbook.errors import InputError
from watchbook.store.watched import Place

_PLACE = re.compile(r"(-?[0-9]{1,15})_([0-9]{1,19})")
_LARGEST = 2**63 - 1


def number(query: Mapping[str, str], name: str, usual: int, most: int) -> int:
    """A count from 1 to ``most``; raises InputError for anything else."""
    text = query.get(name)
    if text is None:
        return usual
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise InputError(f"{name} is not a number from 1 to {most}.", hint=f"Use {name}={usual}.")
    return int(text)


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
