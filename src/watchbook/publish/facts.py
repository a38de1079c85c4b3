"""What a post says of its plays: read from the store, at the moment of sending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from watchbook.micropub.titles import Watched
from watchbook.store import items, outbox
from watchbook.store.outbox import Post
from watchbook.store.plays import CHUNK
from watchbook.store.schema import plays
from watchbook.store.sites import Site
from watchbook.store.watched import WatchedPlay, plays_of
from watchbook.titles import what_of
from watchbook.trakt.parse import decode_any, lookup

NOTES = ("notes_movies", "notes_episodes")
_PUBLIC = "public"


@dataclass(frozen=True)
class Facts:
    """One play with all that a rule or a template may ask about."""

    play: WatchedPlay
    times: int
    """Which watch of the title this is, the first being 1."""
    note: str
    """The owner's public note on the title."""

    @cached_property
    def watched(self) -> Watched | None:
        """The play for a post; None when Trakt does not say what it was."""
        what = what_of(self.play)
        return Watched(self.play.history_id, what, rating=self.play.rating) if what else None

    @property
    def poster_key(self) -> str | None:
        """The title whose poster stands for the play: an episode has that of its show."""
        return self.play.show_key if self.play.type == "episode" else self.play.title_key

    @property
    def genres(self) -> list[str]:
        """Genres of the film or the show."""
        return [genre for genre in (self.play.genres or "").split(",") if genre]


def facts_of(
    conn: sa.Connection, account_id: int, ids: Collection[int], *, removed: bool = False
) -> list[Facts]:
    """The facts of some plays, in the order of watching; with ``removed`` of those gone, too."""
    found = plays_of(conn, account_id, ids, removed=removed)
    notes = _notes(conn, account_id) if found else {}
    times = _times(conn, account_id, {play.title_key for play in found if play.title_key})
    return [
        Facts(play, times.get(play.history_id, 1), notes.get(play.title_key or "", ""))
        for play in sorted(found, key=lambda play: (play.watched_at, play.history_id))
    ]


def facts_by_post(conn: sa.Connection, site: Site, posts: Iterable[Post]) -> dict[int, list[Facts]]:
    """The facts of many posts of a site at once, by post; the plays of each in order."""
    found: dict[int, list[Facts]] = {post.id: [] for post in posts}
    post_of = outbox.posts_of_plays(conn, found)
    wanted = list(post_of)
    for start in range(0, len(wanted), CHUNK):
        for facts in facts_of(conn, site.account_id, wanted[start : start + CHUNK]):
            found[post_of[facts.play.history_id]].append(facts)
    for one in found.values():
        one.sort(key=lambda facts: (facts.play.watched_at, facts.play.history_id))
    return found


def _times(conn: sa.Connection, account_id: int, titles: Collection[str]) -> dict[int, int]:
    """Which watch of its title each play of ``titles`` is; unknown dates come first."""
    keys, times = list(titles), {}
    for start in range(0, len(keys), CHUNK):
        query = sa.select(plays.c.title_key, plays.c.history_id).where(
            plays.c.account_id == account_id,
            plays.c.title_key.in_(keys[start : start + CHUNK]),
            plays.c.removed_at.is_(None),
        )
        seen: Counter[str] = Counter()
        for key, history_id in conn.execute(query.order_by(plays.c.watched_at, plays.c.history_id)):
            seen[key] += 1
            times[history_id] = seen[key]
    return times


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
