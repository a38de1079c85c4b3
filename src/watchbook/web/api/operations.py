"""The table of the API's operations: routes, OpenAPI document and pages are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from watchbook.sharing import Part, Public
from watchbook.statistics import YEARS
from watchbook.store.outbox import PostState
from watchbook.store.watched import TYPES
from watchbook.trakt.parse import TITLE_TYPES
from watchbook.web.api import numbers, plays, shapes, shelves, standing, standing_shapes
from watchbook.web.api.call import Call, Make
from watchbook.web.api.parameters import (
    ANY_KEY,
    KEY,
    Parameter,
    choice,
    cursor,
    limit,
    search,
    shaped,
    when,
    whole,
)
from watchbook.web.api.shapes import Done

ROOT = "/api/v1/accounts/{name}"
_MOST = 50
_STATES = tuple(state.value for state in PostState)
_SLUG = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,199}$"
_LIST = r"^[A-Za-z0-9:_-]{1,60}$"


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked for: where, by whom, how, and what is answered."""

    name: str
    path: str
    """Behind that of the account; empty for the account itself."""
    words: str
    part: Part | None
    """The part that lets strangers ask; None when it takes a token of the account."""
    answer: type[Done]
    make: Make
    parameters: tuple[Parameter, ...] = ()
    notes: str = ""
    any_part: bool = False
    """Whether strangers may ask as soon as any part is on."""

    @property
    def address(self) -> str:
        """The whole path, with the names of its parameters in braces."""
        return f"{ROOT}/{self.path}" if self.path else ROOT

    @property
    def query(self) -> tuple[Parameter, ...]:
        """The parameters behind the question mark."""
        return tuple(one for one in self.parameters if one.place == "query")

    @property
    def is_public(self) -> bool:
        """Whether strangers may ever ask."""
        return self.part is not None or self.any_part

    def part_for(self, person: Public) -> Part | None:
        """A part that is on and lets strangers ask this; None when there is none."""
        if self.any_part:
            return min(person.parts, default=None)
        return self.part if self.part is not None and person.shows(self.part) else None


def _person(conn: sa.Connection, call: Call) -> standing_shapes.Person:
    plain = {one.path: one.part for one in OPERATIONS if one.path and "{" not in one.path}
    return standing.person(conn, call, plain)


_TYPE = choice("type", "Only films, or only episodes.", TYPES)
_TOP = replace(limit(_MOST, 10), name="top", words="How many favourites of each kind.")
_PAGES = (limit(_MOST, 20), cursor())
_PAGES_BY_KEY = (limit(_MOST, 20), cursor(ANY_KEY))

OPERATIONS: Sequence[Operation] = (
    Operation(
        "account",
        "",
        "An account: what may be seen of it, and where.",
        None,
        standing_shapes.Person,
        _person,
        any_part=True,
    ),
    Operation(
        "last",
        "last",
        "The last plays, each told as `/api/trakt/last` tells the very last one.",
        Part.LAST,
        shapes.Last,
        plays.last,
        (limit(_MOST, 10), _TYPE),
        "Without a token it is one play at most unless `history` is shared as well. It is answered "
        "with 200 also while the database cannot be read: with what was last known, else with no "
        "items and `ok` false; `stale` is true then, and `reason` says why.",
    ),
    Operation(
        "plays",
        "plays",
        "Plays, newest first, page by page.",
        Part.HISTORY,
        shapes.Plays,
        plays.plays,
        (
            _TYPE,
            shaped(
                "show",
                "Only episodes of this show: its number or slug at Trakt.",
                _SLUG,
                "the-wire",
                form="the number or the slug of a show",
            ),
            shaped(
                "title",
                "Only plays of this title: its `key`. That of a show stands for its episodes.",
                KEY,
                "movie:481",
                form="the key of a title",
            ),
            when("from", "Watched on this day, at this moment, or later."),
            when("to", "Watched on this day or before it, or before this moment."),
            search(),
            *_PAGES,
        ),
        "Days are those of the account's own time zone. Plays of an unknown date come last, and "
        "are left out by `from` and `to`. A page begins where the last one ended, so no play comes "
        "twice or is passed over, however many are added meanwhile.",
    ),
    Operation(
        "play",
        "plays/{history_id}",
        "One play.",
        Part.HISTORY,
        shapes.OnePlay,
        plays.one_play,
        (whole("history_id", "Trakt's number of the play.", "11000000001", place="path"),),
    ),
    Operation(
        "titles",
        "titles",
        "Films and shows that were watched, those watched last first.",
        Part.HISTORY,
        shapes.Titles,
        plays.titles,
        (
            choice("type", "Only films, or only shows.", ("movie", "show")),
            search(),
            *_PAGES_BY_KEY,
        ),
    ),
    Operation(
        "title",
        "titles/{key}",
        "A film, show, season or episode that was watched, with its details.",
        Part.HISTORY,
        shapes.OneTitle,
        plays.one_title,
        (
            shaped(
                "key",
                "Its type and its number at Trakt.",
                KEY,
                "movie:481",
                place="path",
                form="the key of a title",
            ),
        ),
    ),
    Operation(
        "ratings",
        "ratings",
        "Ratings, newest first.",
        Part.RATINGS,
        shapes.Ratings,
        shelves.ratings,
        (choice("type", "Only those of one kind of title.", TITLE_TYPES), *_PAGES_BY_KEY),
    ),
    Operation(
        "lists",
        "lists",
        "The watchlist, the favorites, and every list of one's own.",
        None,
        shapes.Lists,
        shelves.lists,
    ),
    Operation(
        "list_items",
        "lists/{id}/items",
        "What is on a list, in its order.",
        None,
        shapes.ListRows,
        shelves.list_items,
        (
            shaped(
                "id",
                "The `id` of a list: `watchlist`, `favorites`, or its number at Trakt.",
                _LIST,
                "watchlist",
                place="path",
                form="the id of a list",
            ),
            limit(_MOST, 20),
            cursor(ANY_KEY),
        ),
    ),
    Operation(
        "statistics",
        "statistics",
        "What all plays together say: sums, patterns in time, favourites, streaks.",
        Part.STATISTICS,
        shapes.Overall,
        numbers.overall,
        (_TOP,),
    ),
    Operation(
        "year",
        "statistics/years/{year}",
        "A year in review.",
        Part.STATISTICS,
        shapes.InReview,
        numbers.year,
        (whole("year", "Which year.", "2026", low=YEARS[0], high=YEARS[-1], place="path"), _TOP),
    ),
    Operation(
        "heatmap",
        "statistics/heatmap",
        "How many plays each day has: of a year, or of the 365 days up to today.",
        Part.STATISTICS,
        shapes.Days,
        numbers.heatmap,
        (whole("year", "Which year.", "2026", low=YEARS[0], high=YEARS[-1]), _TYPE),
    ),
    Operation(
        "backups",
        "backups",
        "Backup archives with their verdicts.",
        None,
        standing_shapes.Backups,
        standing.backups,
    ),
    Operation(
        "outbox",
        "outbox",
        "Posts: how each stands, where it was published, and what the site answered.",
        None,
        standing_shapes.Outbox,
        standing.posts,
        (
            choice(
                "state",
                "Only posts that stand like this.",
                _STATES,
            ),
            *_PAGES,
        ),
    ),
    Operation(
        "health",
        "health",
        "How the copy stands: the latest runs with their verdicts, and every data set.",
        None,
        standing_shapes.Health,
        standing.health,
    ),
)
"""Every operation, in the order in which pages tell of them."""
