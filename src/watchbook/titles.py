"""From a stored play to the title that protocols and pages speak of."""

from __future__ import annotations

from watchbook.micropub.titles import Episode, Film, Ids, Show
from watchbook.store.watched import WatchedPlay


def code_of(season: int | None, number: int | None) -> str:
    """``S2 E7``; nothing where the one or the other is not known."""
    return "" if season is None or number is None else f"S{season} E{number}"


def what_of(play: WatchedPlay) -> Film | Episode | None:
    """The film or episode of a play; None when Trakt does not say what it was."""
    return _film(play) if play.type == "movie" else _episode(play)


def _film(play: WatchedPlay) -> Film | None:
    if not play.title or not play.trakt:
        return None
    ids = Ids(play.trakt, play.slug, play.imdb, play.tmdb, play.tvdb)
    return Film(play.title, ids, play.year, play.released)


def _episode(play: WatchedPlay) -> Episode | None:
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
