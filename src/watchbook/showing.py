"""What of an account is shown: plays with titles, pictures and addresses, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.micropub.titles import page_of
from watchbook.sharing import Part, Public
from watchbook.store import pictures, watching
from watchbook.store.pictures import Kind, Picture
from watchbook.store.watched import (
    EVERYTHING,
    Place,
    Wanted,
    WatchedPlay,
    as_if_watched,
    newest,
    rating_in,
)
from watchbook.titles import code_of, what_of

LONGEST_UNSEEN = timedelta(minutes=5)
"""What was being watched when Trakt last answered is shown for that long without an answer."""


@dataclass(frozen=True)
class Shown:
    """A play as everybody may see it."""

    play: WatchedPlay
    poster: Picture | None
    """Of the film, or of the episode's show."""
    rating: int | None
    """From 1 to 10; None when there is none, or ratings are not shown."""
    still: Picture | None = None
    """A scene of the episode, where one is kept."""

    @property
    def title(self) -> str:
        """The film or the show; ``Unknown title`` when Trakt does not say."""
        play = self.play
        name = play.title if play.type == "movie" else play.show_title
        return name or "Unknown title"

    @property
    def code(self) -> str:
        """``S2 E7`` for an episode, else nothing."""
        play = self.play
        return code_of(play.season, play.number) if play.type == "episode" else ""

    @property
    def subtitle(self) -> str:
        """``S2 E7 · Chikhai Bardo`` for an episode, the year for a film."""
        if self.play.type == "movie":
            return str(self.play.year or "")
        return " · ".join(filter(None, (self.code, self.play.title or "")))

    @property
    def year(self) -> int | None:
        """The year of the film or the show."""
        return self.play.year if self.play.type == "movie" else self.play.show_year

    @property
    def url(self) -> str | None:
        """The title's page at Trakt."""
        what = what_of(self.play)
        return page_of(what) if what else None

    @property
    def watched_at(self) -> datetime | None:
        """When; None for an unknown date."""
        return from_millis(self.play.watched_at) if self.play.watched_at else None

    @property
    def place(self) -> Place:
        """Where the page that ends with it ends."""
        return Place(self.play.watched_at, self.play.history_id)


@dataclass(frozen=True)
class Now:
    """What is being watched."""

    shown: Shown
    started_at: datetime
    expires_at: datetime
    moment: datetime
    """When that was seen."""

    @property
    def progress(self) -> float:
        """How far it is, from 0 to 1, as far as the clock can tell."""
        length = (self.expires_at - self.started_at).total_seconds()
        passed = (self.moment - self.started_at).total_seconds()
        return round(min(1.0, max(0.0, passed / length)), 3) if length > 0 else 1.0


def latest(
    conn: sa.Connection,
    public: Public,
    limit: int,
    *,
    wanted: Wanted = EVERYTHING,
    before: Place | None = None,
) -> list[Shown]:
    """Up to ``limit`` plays, newest first, that everybody may see; whether at all, is not asked.

    Plays younger than the account's delay, and those dated in the future, are left out.
    """
    seen = seen_by_all(public, wanted)
    found = newest(conn, public.account.id, limit, wanted=seen, before=before)
    return shown(conn, found, public)


def seen_by_all(public: Public, wanted: Wanted) -> Wanted:
    """``wanted``, less the plays that are not shown yet."""
    until = min(public.until, wanted.until) if wanted.until is not None else public.until
    return replace(wanted, until=until)


def shown(conn: sa.Connection, plays: Iterable[WatchedPlay], public: Public) -> list[Shown]:
    """Those plays with their pictures, and their ratings as far as everybody may see them."""
    found = list(plays)
    keys = {key for key in map(poster_key, found) if key}
    posters = pictures.of_titles(conn, keys, Kind.POSTER)
    episodes = {play.title_key for play in found if play.type == "episode" and play.title_key}
    stills = pictures.of_titles(conn, episodes, Kind.STILL)
    return [
        Shown(
            play,
            posters.get(poster_key(play) or ""),
            rating_of(public, play.rating_raw),
            stills.get(play.title_key or ""),
        )
        for play in found
    ]


def rating_of(public: Public, raw: str | None) -> int | None:
    """The rating in a row of ratings, if everybody may see it; a delay holds for it, too."""
    return rating_in(raw, public.until) if public.shows(Part.RATINGS) else None


def now_of(conn: sa.Connection, public: Public) -> Now | None:
    """What is being watched, if everybody may see it; None for nothing that is sure.

    Where plays are shown with a delay, so is this. Nothing is sure any more when Trakt could not
    be asked for a while.
    """
    look = watching.last_look(conn, public.account.id)
    moment = now()
    if not public.shows(Part.NOW) or look is None or look.found is None:
        return None
    known = look.asked_at > to_millis(moment - LONGEST_UNSEEN)
    found = look.found
    if not known or found.started_at > public.until or found.expires_at <= to_millis(moment):
        return None
    play = as_if_watched(conn, public.account.id, found.title_key, found.started_at)
    if play is None:
        return None
    (seen,) = shown(conn, [play], public)
    return Now(seen, from_millis(found.started_at), from_millis(found.expires_at), moment)


def poster_key(play: WatchedPlay) -> str | None:
    """The title whose poster stands for a play: the film, or the episode's show."""
    return play.title_key if play.type == "movie" else play.show_key
