"""`/card/NAME.svg` and `.png`: pictures of what was watched, for front pages and profiles.

They are made for proxies of images such as GitHub's: everybody may keep them, for minutes, and
ask with an ``ETag`` whether they are still the same; no cookie, and everything in one file.

While the database cannot be read the last card stands. Where there is none, or it told of
something that is over, a card says so, of nobody in particular: status 200, since a picture that
failed would be a hole in somebody's page, and kept for seconds, so that a proxy asks again soon.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from watchbook import showing, statistics
from watchbook.errors import InputError
from watchbook.logs import logger
from watchbook.render.cards import facts, naming, themes
from watchbook.render.cards.canvas import DARK_STYLE, Look
from watchbook.render.cards.heatmap import heatmap_card
from watchbook.render.cards.languages import words_of
from watchbook.render.cards.png import NotDrawn, look_of_png, png_of
from watchbook.render.cards.shot import away_card, last_card, now_card
from watchbook.render.cards.year import year_card
from watchbook.render.statistics import Ranked
from watchbook.sharing import Part
from watchbook.showing import Shown
from watchbook.store import pictures
from watchbook.store.pictures import Kind
from watchbook.store.watched import of_type
from watchbook.web.answers import FOR_ANYBODY, PNG, SVG, Answer, kept_for
from watchbook.web.asking import kind, number
from watchbook.web.front import Asked, View
from watchbook.web.security import CSP, digest, policy
from watchbook.web.shelf import Offline

NARROWEST, WIDEST = 280, 1200
"""Pixels that a card may be wide."""
_HEADERS = {**FOR_ANYBODY, CSP: policy(style_src=digest(DARK_STYLE), img_src="data:")}
_POSTER, _SMALL_POSTER = 232, 160
"""Pixels: posters are drawn on at most half as many, for sharp screens."""
_FRESH_AWAY = "public, max-age=15"
"""Shown no longer than that: neither while it is renewed, nor when we fail."""
_FAVOURITES = 6
"""How many titles are the most watched of a year."""
_NOT_DRAWN = "The card cannot be drawn as PNG at the moment; as SVG it can."
_log = logger("web")

Draw = Callable[[Look], str]


def _never(_conn: sa.Connection, _asked: Asked) -> None:
    return None


def _when_over(conn: sa.Connection, asked: Asked) -> datetime | None:
    running = showing.now_of(conn, asked.public)
    return running.expires_at if running else None


@dataclass(frozen=True)
class _Kept:
    """How long a card may be kept: by others, and by us."""

    cache: str
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """A card: which part shows it, how wide it is unless asked otherwise, and who draws it."""

    name: str
    part: Part
    width: int
    draw: Callable[[sa.Connection, Asked], Draw]
    fresh: timedelta
    """How long it may be shown without asking again."""
    query: tuple[str, ...] = ()
    """Parameters of its own."""
    ends_at: Callable[[sa.Connection, Asked], datetime | None] = _never
    """When what it tells is over, even if nothing changes."""

    @property
    def views(self) -> tuple[View, View]:
        """Its two routes."""
        return self._view("svg", _as_svg), self._view("png", _as_png)

    def _view(self, suffix: str, answered: Callable[[Draw, Look, _Kept], Answer]) -> View:
        def make(conn: sa.Connection, asked: Asked) -> Answer:
            look = _look(asked.query, self.width)
            kept = _Kept(kept_for(self.fresh), self.ends_at(conn, asked))
            return answered(self.draw(conn, asked), look, kept)

        def away(query: Mapping[str, str]) -> Answer:
            return answered(away_card, _look(query, self.width), _Kept(_FRESH_AWAY))

        query = ("theme", "width", "locale", *self.query)
        return View(f"/card/{self.name}.{suffix}", self.part, make, query, instead=away)


def _as_svg(draw: Draw, look: Look, kept: _Kept) -> Answer:
    return _answer(draw(look).encode(), SVG, kept)


def _as_png(draw: Draw, look: Look, kept: _Kept) -> Answer:
    try:
        drawn = png_of(draw(look_of_png(look)))
    except NotDrawn as reason:
        _log.warning(reason.message, hint=reason.hint)
        raise Offline(_NOT_DRAWN) from reason
    return _answer(drawn, PNG, kept)


def _answer(drawn: bytes, media_type: str, kept: _Kept) -> Answer:
    return Answer(drawn, media_type, cache=kept.cache, headers=_HEADERS, ends_at=kept.ends_at)


def _look(query: Mapping[str, str], usual: int) -> Look:
    theme = query.get("theme", themes.AUTO)
    if theme not in themes.NAMES:
        names = ", ".join(themes.NAMES)
        raise InputError(f"There is no theme {theme!r}.", hint=f"theme is one of {names}.")
    width = number(query, "width", range(NARROWEST, WIDEST + 1)) or usual
    return Look(width, words_of(query.get("locale", "")), theme)


def _last(conn: sa.Connection, asked: Asked) -> Draw:
    wanted = of_type(kind(asked.query))
    seen = next(iter(showing.latest(conn, asked.public, 1, wanted=wanted)), None)
    told = facts.Last(asked.public.account.name, _shot(conn, asked, seen) if seen else None)
    return lambda look: last_card(told, look)


def _now(conn: sa.Connection, asked: Asked) -> Draw:
    public, running = asked.public, showing.now_of(conn, asked.public)
    if running is None:
        told = facts.Now(public.account.name, None, before=_before(conn, asked))
    else:
        shot = _shot(conn, asked, running.shown)
        ends_at = running.expires_at.astimezone(public.account.zone)
        told = facts.Now(public.account.name, shot, running.progress, ends_at)
    return lambda look: now_card(told, look)


def _before(conn: sa.Connection, asked: Asked) -> facts.Shot | None:
    """What was watched last, where that may be seen."""
    if not asked.public.shows(Part.LAST):
        return None
    seen = next(iter(showing.latest(conn, asked.public, 1)), None)
    return _shot(conn, asked, seen) if seen else None


def _year(conn: sa.Connection, asked: Asked) -> Draw:
    public = asked.public
    this = statistics.today_of(public).year
    year = number(asked.query, "year", statistics.YEARS, this) or this
    found = statistics.year_of(conn, public, year, top=_FAVOURITES)
    favourites = found.favourites
    most = [*((one, False) for one in favourites.shows), *((one, True) for one in favourites.films)]
    best = sorted(most, key=lambda one: -one[0].plays)[:_FAVOURITES]
    told = facts.YearInReview(public.account.name, found, _favourites(conn, asked, best))
    return lambda look: year_card(told, look)


def _favourites(
    conn: sa.Connection, asked: Asked, ranked: list[tuple[Ranked, bool]]
) -> list[facts.Favourite]:
    keys = {one.key for one, _ in ranked}
    kept = pictures.of_titles(conn, keys, Kind.POSTER)
    originals = naming.originals(conn, asked.public.account.id, keys)
    return [
        facts.Favourite(
            naming.of_title(one.title, one.slug, one.year, originals.get(one.key, "")),
            film,
            one.plays,
            one.key,
            _picture(conn, asked, kept.get(one.key), _SMALL_POSTER),
        )
        for one, film in ranked
    ]


def _heatmap(conn: sa.Connection, asked: Asked) -> Draw:
    public, today = asked.public, statistics.today_of(asked.public)
    year = number(asked.query, "year", statistics.YEARS, today.year)
    found = statistics.heatmap_of(conn, public, year, kind(asked.query))
    told = facts.Calendar(public.account.name, found, year, today)
    return lambda look: heatmap_card(told, look)


def _shot(conn: sa.Connection, asked: Asked, seen: Shown) -> facts.Shot:
    at, key = seen.watched_at, showing.poster_key(seen.play)
    originals = naming.originals(conn, asked.public.account.id, {key})
    return facts.Shot(
        title=naming.of_play(seen.play, originals),
        film=seen.play.type == "movie",
        key=key,
        code=seen.code,
        subtitle=naming.of_part(seen.play),
        poster=_picture(conn, asked, seen.poster, _POSTER),
        at=at.astimezone(asked.public.account.zone) if at else None,
        rating=seen.rating,
    )


def _picture(
    conn: sa.Connection, asked: Asked, poster: pictures.Picture | None, width: int
) -> facts.Picture | None:
    """A poster with its bytes; None when there is none, or they are not here."""
    file = pictures.best(poster, width, "image/jpeg") if poster else None
    body = pictures.bytes_of(asked.store, conn, file.key) if file else None
    if poster is None or not body:
        return None
    data = "data:image/jpeg;base64," + b64encode(body).decode()
    return facts.Picture(data, poster.source)


CARDS = (
    Card("last", Part.LAST, 440, _last, timedelta(minutes=5), ("type",)),
    Card("now", Part.NOW, 440, _now, timedelta(minutes=1), ends_at=_when_over),
    Card("year", Part.STATISTICS, 800, _year, timedelta(hours=1), ("year",)),
    Card("heatmap", Part.STATISTICS, 800, _heatmap, timedelta(hours=1), ("year", "type")),
)
VIEWS: tuple[View, ...] = tuple(view for card in CARDS for view in card.views)
