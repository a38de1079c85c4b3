"""Plays and the titles that were watched, as the API tells them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import sqlalchemy as sa

from watchbook.freshness import freshness
from watchbook.render.widget import POSTER_WIDTH, STILL_WIDTH, picture_of, play_of, still_of
from watchbook.sharing import Part
from watchbook.showing import Shown, latest, poster_key, rating_of, shown
from watchbook.store import pictures, seen
from watchbook.store.pictures import Kind, Picture
from watchbook.store.plays import show_keys
from watchbook.store.seen import After, Seen
from watchbook.store.titles import show_called
from watchbook.store.watched import Place, Wanted, newest, of_type, plays_of
from watchbook.web.api import shapes
from watchbook.web.api.call import Call, NotThere, cut
from watchbook.web.api.parameters import Page, beginning, ending
from watchbook.web.api.shapes import moment
from watchbook.web.api.subjects import page_at_trakt, subtitle_of

_NO_SHOW = "show:0"
_FIRST_KNOWN = 1
"""The first moment that is a known date."""


def last(conn: sa.Connection, call: Call) -> shapes.Last:
    """The last plays, as the widget tells one; without the history only the very last."""
    public = call.seen_as
    limit = call.values["limit"] if public.shows(Part.HISTORY) else 1
    found = latest(conn, public, limit, wanted=of_type(call.values["type"]))
    fresh = freshness(conn, public.account, call.sync_every)
    told = [play_of(one, call.base_url) for one in found]
    return shapes.Last(
        items=msgspec.convert(told, list[shapes.LastPlay]),
        as_of=fresh.as_of.replace(microsecond=0) if fresh.as_of else None,
        stale=fresh.stale,
        reason=fresh.reason,
    )


def plays(conn: sa.Connection, call: Call) -> shapes.Plays:
    """A page of plays."""
    limit, cursor = call.values["limit"], call.values["cursor"]
    before = Place(cursor.moment, cursor.number) if cursor else None
    wanted = _wanted(conn, call)
    found = newest(conn, call.account_id, limit + 1, wanted=wanted, before=before)
    some, after = cut(found, limit, lambda play: Page(play.watched_at, str(play.history_id)))
    items = [_play(one, call.base_url) for one in shown(conn, some, call.seen_as)]
    return shapes.Plays(items=items, next=after)


def one_play(conn: sa.Connection, call: Call) -> shapes.OnePlay:
    """One play; raises NotThere."""
    found = plays_of(conn, call.account_id, [call.values["history_id"]])
    until = call.until
    may_be_seen = [play for play in found if until is None or play.watched_at < until]
    for one in shown(conn, may_be_seen, call.seen_as):
        return shapes.OnePlay(play=_play(one, call.base_url))
    raise NotThere("There is no such play.")


def titles(conn: sa.Connection, call: Call) -> shapes.Titles:
    """A page of films and shows."""
    values, limit = call.values, call.values["limit"]
    cursor = values["cursor"]
    found = seen.page(
        conn,
        call.account_id,
        limit + 1,
        until=call.until,
        kind=values["type"],
        words=values["q"] or "",
        after=After(cursor.moment, cursor.key) if cursor else None,
    )
    some, after = cut(found, limit, lambda one: Page(one.last, one.key))
    kept = pictures.of_titles(conn, [one.key for one in some], Kind.POSTER)
    items = [_watched_title(one, kept.get(one.key), call) for one in some]
    return shapes.Titles(items=items, next=after)


def one_title(conn: sa.Connection, call: Call) -> shapes.OneTitle:
    """One title that was watched, with its details; raises NotThere."""
    found = seen.one(conn, call.account_id, call.values["key"], until=call.until)
    if found is None:
        raise NotThere("No such title was watched.")
    of = found.show_key or found.key
    kept = pictures.of_titles(conn, [of], Kind.POSTER).get(of)
    return shapes.OneTitle(title=_title(found, kept, call))


def _wanted(conn: sa.Connection, call: Call) -> Wanted:
    values, zone = call.values, call.public.account.zone
    since, until = beginning(values["from"], zone), ending(values["to"], zone)
    if since is not None or until is not None:  # an unknown date lies in no span
        since = max(since or _FIRST_KNOWN, _FIRST_KNOWN)
    bounds = [one for one in (until, call.until) if one is not None]
    return replace(
        of_type(values["type"]),
        title_key=_key(conn, values["title"], values["show"]),
        since=since,
        until=min(bounds, default=None),
        search=values["q"] or "",
    )


def _key(conn: sa.Connection, title: str | None, show: str | None) -> str | None:
    """What plays have to be of: both are to be true of them where both are asked for."""
    if show is None:
        return title
    of_show = show_called(conn, show) or _NO_SHOW
    if title in {None, of_show}:
        return of_show
    return title if title and show_keys(conn, [title]).get(title) == of_show else _NO_SHOW


def _play(one: Shown, base_url: str) -> shapes.Play:
    play, is_episode = one.play, one.play.type == "episode"
    return shapes.Play(
        history_id=play.history_id,
        type=play.type,
        title=one.title,
        subtitle=one.subtitle,
        year=one.year,
        season=play.season if is_episode else None,
        episode=play.number if is_episode else None,
        episode_title=play.title if is_episode else None,
        watched_at=moment(play.watched_at),
        action=play.action,
        rating=one.rating,
        runtime=play.runtime,
        url=one.url,
        key=play.title_key,
        show_key=play.show_key,
        ids=_ids(play),
        show_ids=_ids(play, "show_") if play.show_key else None,
        poster=_poster(one.poster, poster_key(play), one.title, base_url),
        still=msgspec.convert(still_of(one, base_url, STILL_WIDTH), shapes.Poster | None),
    )


def _watched_title(one: Seen, picture: Picture | None, call: Call) -> shapes.WatchedTitle:
    title = one.title or "Unknown title"
    return shapes.WatchedTitle(
        key=one.key,
        type=one.type,
        title=title,
        year=one.year,
        plays=one.plays,
        last_watched_at=moment(one.last),
        rating=rating_of(call.seen_as, one.rating_raw),
        url=page_at_trakt(one.type, one.slug or one.trakt),
        ids=_ids(one),
        poster=_poster(picture, one.key, title, call.base_url),
    )


def _title(one: Seen, picture: Picture | None, call: Call) -> shapes.Title:
    title = (one.show_title if one.show_key else one.title) or "Unknown title"
    is_episode = one.type == "episode"
    whole = one.show_slug or one.show_trakt if one.show_key else one.slug or one.trakt
    return shapes.Title(
        key=one.key,
        type=one.type,
        title=title,
        subtitle=subtitle_of(one.type, one.year, one.season, one.number, one.title),
        year=one.show_year if one.show_key else one.year,
        season=one.season,
        episode=one.number if is_episode else None,
        show_key=one.show_key,
        released=one.released,
        runtime=one.runtime,
        genres=[genre for genre in (one.genres or "").split(",") if genre],
        country=one.country,
        language=one.language,
        network=one.network,
        certification=one.certification,
        plays=one.plays,
        first_watched_at=moment(one.first),
        last_watched_at=moment(one.last),
        rating=rating_of(call.seen_as, one.rating_raw),
        url=page_at_trakt(one.type, whole, one.season, one.number),
        ids=_ids(one),
        poster=_poster(picture, one.show_key or one.key, title, call.base_url),
    )


def _ids(of: object, prefix: str = "") -> shapes.Ids:
    names = shapes.Ids.__struct_fields__
    return shapes.Ids(**{name: getattr(of, prefix + name) for name in names})


def _poster(
    picture: Picture | None, title_key: str | None, title: str, base_url: str
) -> shapes.Poster:
    alt = f"Poster of {title}"
    told = picture_of(picture, title_key, base_url, POSTER_WIDTH, alt=alt)
    return msgspec.convert(told, shapes.Poster)
