"""What a post says of its plays: read from the store, at the moment of sending."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from watchbook.exporting.selection import SelectedPlay, plays_of
from watchbook.micropub.titles import Episode, Film, Ids, Show, Watched
from watchbook.store import items
from watchbook.store.schema import plays
from watchbook.trakt.parse import decode_any, lookup

NOTES = ("notes_movies", "notes_episodes")
_PUBLIC = "public"


@dataclass(frozen=True)
class Facts:
    """One play with all that a rule or a template may ask about."""

    play: SelectedPlay
    times: int
    """Which watch of the title this is, the first being 1."""
    note: str
    """The owner's public note on the title."""

    @cached_property
    def watched(self) -> Watched | None:
        """The play for a post; None when Trakt does not say what it was."""
        what = _film(self.play) if self.play.type == "movie" else _episode(self.play)
        return Watched(self.play.history_id, what) if what else None

    @property
    def genres(self) -> list[str]:
        """Genres of the film or the show."""
        return [genre for genre in (self.play.genres or "").split(",") if genre]


def facts_of(conn: sa.Connection, account_id: int, ids: Collection[int]) -> list[Facts]:
    """The facts of some plays, in the order of watching."""
    found = plays_of(conn, account_id, ids)
    notes = _notes(conn, account_id) if found else {}
    return [
        Facts(play, _times(conn, account_id, play), notes.get(play.title_key or "", ""))
        for play in sorted(found, key=lambda play: (play.watched_at, play.history_id))
    ]


def _times(conn: sa.Connection, account_id: int, play: SelectedPlay) -> int:
    """How often the title had been watched with this play; unknown dates come first."""
    if play.title_key is None:
        return 1
    before = sa.tuple_(plays.c.watched_at, plays.c.history_id) <= sa.tuple_(
        sa.literal(play.watched_at), sa.literal(play.history_id)
    )
    query = sa.select(sa.func.count()).where(
        plays.c.account_id == account_id,
        plays.c.title_key == play.title_key,
        plays.c.removed_at.is_(None),
        before,
    )
    return max(conn.scalar(query) or 0, 1)


def _notes(conn: sa.Connection, account_id: int) -> Mapping[str, str]:
    return {
        key: text
        for data_set in NOTES
        for _, raw in items.raws(conn, account_id, data_set)
        for key, text in _note(decode_any(raw.encode()))
    }


def _note(row: Any) -> Iterator[tuple[str, str]]:
    """The title and text of a note that everybody may read."""
    kind = lookup(row, "item.type")
    number = lookup(row, f"item.{kind}.ids.trakt")
    text = lookup(row, "notes")
    if number and isinstance(text, str) and lookup(row, "privacy") == _PUBLIC:
        yield f"{kind}:{number}", text


def _film(play: SelectedPlay) -> Film | None:
    if not play.title or not play.trakt:
        return None
    ids = Ids(play.trakt, play.slug, play.imdb, play.tmdb, play.tvdb)
    return Film(play.title, ids, play.year, play.released)


def _episode(play: SelectedPlay) -> Episode | None:
    if not (play.show_title and play.show_trakt and play.trakt):
        return None
    if play.season is None or play.number is None:
        return None
    show = Show(
        play.show_title,
        Ids(play.show_trakt, play.show_slug, play.show_imdb, play.show_tmdb, play.show_tvdb),
        play.show_year,
    )
    ids = Ids(play.trakt, None, play.imdb, play.tmdb, play.tvdb)
    return Episode(show, play.season, play.number, ids, play.title, play.released)
