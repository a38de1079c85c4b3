"""The last watch as JSON: what the widget, the API and anybody's own page are told.

Addresses are absolute, moments ISO 8601 in UTC. The keys of the promise stand first, in the
order of ``KEYS``; what stands beside them may grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbook.clock import to_iso
from watchbook.freshness import Freshness
from watchbook.render.attribution import SHORT
from watchbook.render.placeholder import MEDIA_TYPE, SIZES, address_of, colour_of
from watchbook.render.plain import plain
from watchbook.showing import Now, Shown, poster_key
from watchbook.store.pictures import Kind, Picture

KEYS = {
    "ok": "`true`; with `false` there is nothing to show and `reason` says why",
    "type": "`movie` or `episode`",
    "title": "the film or the show",
    "subtitle": "`S2 E7 · Chikhai Bardo` for an episode, the year for a film",
    "year": "of the film or the show, or `null`",
    "season": "number of the season, `null` for a film",
    "episode": "number of the episode, `null` for a film",
    "watched_at": "when, in UTC; `null` for an unknown date",
    "url": "its page at Trakt, or `null`",
    "poster": "address of a poster in this installation's own store, or of a drawn one",
    "as_of": "when the copy was last brought up to date, or `null`",
    "stale": "whether it may be older than it should be",
}
"""The keys that are promised, and what each says."""

EXTRAS = {
    "reason": "why it is stale, or why there is nothing to show, in words; else `null`",
    "account": "whose it is",
    "rating": "from 1 to 10, where ratings are shared; else `null`",
    "colour": "the poster's dominant colour (`#rrggbb`)",
    "tiny": "a `data:` address of a few dozen bytes that stands in until the poster is there; "
    "`null` for a drawn one",
    "poster_sizes": "every size of the poster: `url`, `width`, `height`, `type`",
    "poster_source": "whose the poster is: `tmdb`, `trakt`, or `null` for a drawn one",
    "alt": "what the poster shows, for those who cannot see it",
    "still": "address of a scene of the episode in this installation's own store, or `null`",
    "now": "what is being watched right now, where that is shared: `type`, `title`, `subtitle`, "
    "`year`, `season`, `episode`, `url`, `started_at`, `expires_at`, `progress` (0 to 1), and a "
    "poster as above; else `null`",
    "attribution": "where it comes from; show it beside",
}
"""What stands beside them, and what each says."""

NOTHING = "Nothing watched yet that could be shown."
ATTRIBUTION = SHORT
POSTER_WIDTH = 342
"""Pixels that a poster has at least, where one is as wide."""
STILL_WIDTH = 780
"""As many for a still."""


def last_of(
    shown: Shown | None,
    fresh: Freshness,
    *,
    account: str,
    base_url: str,
    now: Now | None = None,
) -> dict[str, Any]:
    """What ``/api/trakt/last`` tells of the last play, or of there being none."""
    beside = {"account": account, "now": now_of(now, base_url), "attribution": ATTRIBUTION}
    if shown is None:
        return {"ok": False, "reason": NOTHING, **_freshness(fresh), **beside}
    told = {
        "ok": True,
        **play_of(shown, base_url),
        **_freshness(fresh),
        "reason": fresh.reason,
        **beside,
    }
    return {name: told[name] for name in (*KEYS, *EXTRAS)}


def play_of(shown: Shown, base_url: str) -> dict[str, Any]:
    """One play, with its poster."""
    return {
        **_title_of(shown),
        "watched_at": None if shown.watched_at is None else to_iso(shown.watched_at),
        "rating": shown.rating,
        **_poster_of(shown, base_url),
    }


def now_of(now: Now | None, base_url: str) -> dict[str, Any] | None:
    """What is being watched right now, with its poster."""
    if now is None:
        return None
    return {
        **_title_of(now.shown),
        "started_at": to_iso(now.started_at),
        "expires_at": to_iso(now.expires_at),
        "progress": now.progress,
        **_poster_of(now.shown, base_url),
    }


def _poster_of(shown: Shown, base_url: str) -> Mapping[str, Any]:
    poster = poster_of(shown, base_url, POSTER_WIDTH)
    still = still_of(shown, base_url, STILL_WIDTH)
    return {
        "poster": poster["url"],
        "colour": poster["colour"],
        "tiny": poster["tiny"],
        "poster_sizes": sizes_of(shown.poster, poster_key(shown.play), base_url),
        "poster_source": shown.poster.source if shown.poster else None,
        "alt": poster["alt"],
        "still": still["url"] if still else None,
    }


def poster_of(shown: Shown, base_url: str, width: int) -> dict[str, Any]:
    """The poster of a play; see :func:`picture_of`."""
    alt = f"Poster of {plain(shown.title)}"
    return picture_of(shown.poster, poster_key(shown.play), base_url, width, alt=alt)


def still_of(shown: Shown, base_url: str, width: int) -> dict[str, Any] | None:
    """A scene of the episode, where one is kept; see :func:`picture_of`."""
    if shown.still is None:
        return None
    alt = f"A scene of {plain(f'{shown.title} {shown.code}')}"
    return picture_of(shown.still, shown.play.title_key, base_url, width, alt=alt)


def picture_of(
    picture: Picture | None, title_key: str | None, base_url: str, width: int, *, alt: str
) -> dict[str, Any]:
    """A picture of a title: address, width, height, type, colour, tiny likeness, and ``alt``.

    It is the smallest file that is at least ``width`` pixels wide, else the widest one; a drawn
    one, which has no likeness, where no picture is kept.
    """
    sizes = sizes_of(picture, title_key, base_url)
    return {
        **next((one for one in sizes if one["width"] >= width), sizes[-1]),
        "colour": picture.colour if picture else colour_of(title_key),
        "tiny": picture.tiny if picture else None,
        "alt": alt,
    }


def sizes_of(picture: Picture | None, title_key: str | None, base_url: str) -> list[dict[str, Any]]:
    """Every file of a poster, smallest first; the drawn one where no picture is kept."""
    if picture is None:
        width, height = SIZES[Kind.POSTER]
        return [_size(address_of(title_key, base_url), width, height, MEDIA_TYPE)]
    return [
        _size(f"{base_url}/images/{file.key}", file.width, file.height, file.media_type)
        for file in picture.files
    ]


def _size(url: str, width: int, height: int, media_type: str) -> dict[str, Any]:
    return {"url": url, "width": width, "height": height, "type": media_type}


def _title_of(shown: Shown) -> Mapping[str, Any]:
    play = shown.play
    is_episode = play.type == "episode"
    return {
        "type": play.type,
        "title": shown.title,
        "subtitle": shown.subtitle,
        "year": shown.year,
        "season": play.season if is_episode else None,
        "episode": play.number if is_episode else None,
        "url": shown.url,
    }


def _freshness(fresh: Freshness) -> Mapping[str, Any]:
    return {
        "as_of": None if fresh.as_of is None else to_iso(fresh.as_of),
        "stale": fresh.stale,
    }
