"""What the page says about itself: whose book it is, when it was made, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import msgspec

from watchbook.clock import counted, now, to_millis
from watchbook.exporting.html.plays import Plays
from watchbook.exporting.html.shelves import COLLECTION, COMMENTS, NOTES, RATINGS
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import Selected, Selection
from watchbook.store import datasets
from watchbook.trakt.datasets import of
from watchbook.trakt.parse import lookup

SHOWN = {
    "history",
    "watchlist",
    "favorites",
    "lists",
    "list_items",
    "lists_collaborations",
    "collaboration_items",
    *RATINGS,
    *COLLECTION,
    *NOTES,
    COMMENTS,
}
"""Lines of the catalogue that the page shows."""

_WHY = "Not all of it had been read when this page was made; a page made later may hold more."
_SEVERAL = {"movie": "films", "show": "shows", "season": "seasons", "episode": "episodes"}


@dataclass(frozen=True)
class About:
    """The head of the page, in words."""

    who: str
    made: str
    zone: str
    version: str
    plays: str
    notes: tuple[str, ...]


def about_book(chosen: Selected, wall: Wall, plays: Plays) -> About:
    """What the page says of the book that is ``chosen``."""
    moment = wall.local(to_millis(now()))
    return About(
        who=_who(chosen),
        made=f"{moment.day} {moment:%B %Y}",
        zone=wall.name or f"the computer that made it ({moment:%Z})",
        version=version("watchbook"),
        plays=counted(plays.count, "play"),
        notes=(*_filters(chosen.selection, wall), *_gaps(chosen)),
    )


def _who(chosen: Selected) -> str:
    profile = chosen.object("user_profile")
    try:
        name = lookup(msgspec.json.decode(profile), "name") if profile else None
    except (ValueError, RecursionError):
        name = None
    return name if isinstance(name, str) and name.strip() else chosen.account.name


def _filters(wanted: Selection, wall: Wall) -> Iterator[str]:
    """One sentence on what was left out by choice."""
    if wanted.whole:
        return
    said = [" and ".join(_SEVERAL[kind] for kind in sorted(wanted.types)) or "everything"]
    if wanted.since:
        said.append(f"since {_day(wall, wanted.since)}")
    if wanted.until:
        said.append(f"before {_day(wall, wanted.until)}")
    if wanted.lists:
        said.append("on " + " and ".join(sorted(wanted.lists)))
    yield f"A part of the book: {', '.join(said)}."


def _day(wall: Wall, moment: datetime) -> str:
    return wall.day(to_millis(moment)) or "1970-01-01"


def _gaps(chosen: Selected) -> Iterator[str]:
    """A sentence on what was not whole when the page was made, for whoever is given it."""
    states = datasets.all_states(chosen.conn, chosen.account.id).values()
    lacking = {
        of(state.name).name.replace("_", " "): None
        for state in states
        if of(state.name).name in SHOWN and state.state == datasets.INCOMPLETE
    }
    if lacking:
        yield f"Something may be missing here: {', '.join(lacking)}. {_WHY}"
