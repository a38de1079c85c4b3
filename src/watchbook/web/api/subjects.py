"""What a row of Trakt's JSON is about: names, numbers and the page of a title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbook.clock import from_iso, to_millis
from watchbook.micropub.titles import SITE
from watchbook.titles import code_of
from watchbook.trakt.parse import lookup
from watchbook.web.api.parameters import HIGHEST

_OF_A_SHOW = {"season", "episode"}
_PLURALS = {"movie": "movies", "show": "shows", "season": "shows", "episode": "shows"}


def about(row: Mapping[str, Any], kind: str | None, key: str | None) -> dict[str, Any]:
    """The fields of :class:`~watchbook.web.api.shapes.About` for a row of a list or of ratings.

    ``kind`` says what it is about and names the field that holds it; whatever a stranger may
    have put there instead of a text or a number counts as not told.
    """
    kind = kind or "unknown"
    whole = "show" if kind in _OF_A_SHOW else kind
    own = text(lookup(row, f"{kind}.title"))
    name = text(lookup(row, f"{whole}.title")) or text(lookup(row, f"{whole}.name"))
    year = number(lookup(row, f"{whole}.year"))
    place = number(lookup(row, f"{kind}.number"))
    season = place if kind == "season" else number(lookup(row, "episode.season"))
    episode = place if kind == "episode" else None
    slug = text(lookup(row, f"{whole}.ids.slug")) or number(lookup(row, f"{whole}.ids.trakt"))
    return {
        "type": kind,
        "key": key,
        "title": name or "Unknown title",
        "subtitle": subtitle_of(kind, year, season, episode, own),
        "year": year,
        "season": season,
        "episode": episode,
        "url": page_at_trakt(kind, slug, season, episode),
    }


def subtitle_of(
    kind: str, year: int | None, season: int | None, episode: int | None, own: str | None
) -> str:
    """``S2 E7 · Chikhai Bardo`` for an episode, ``Season 2`` for a season, else the year."""
    if kind == "episode":
        return " · ".join(filter(None, (code_of(season, episode), own)))
    if kind == "season":
        return "" if season is None else f"Season {season}"
    return str(year or "")


def page_at_trakt(
    kind: str, name: str | int | None, season: int | None = None, episode: int | None = None
) -> str | None:
    """The page of a title; ``name`` is the slug or number of the film or show."""
    if not name or kind not in _PLURALS:
        return None
    address = f"{SITE}/{_PLURALS[kind]}/{name}"
    if kind in _OF_A_SHOW and season is not None:
        address += f"/seasons/{season}"
    if kind == "episode" and episode is not None:
        address += f"/episodes/{episode}"
    return address


def millis_in(row: Mapping[str, Any], name: str) -> int:
    """The moment in a field of a row (milliseconds); 0 when none can be read there."""
    text = row.get(name)
    try:
        return to_millis(from_iso(text)) if isinstance(text, str) else 0
    except ValueError:
        return 0


def number(value: object) -> int | None:
    """``value`` when it is a number that the databases know."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= HIGHEST:
        return value
    return None


def text(value: object) -> str | None:
    """``value`` when it is a text that says something."""
    return value or None if isinstance(value, str) else None
