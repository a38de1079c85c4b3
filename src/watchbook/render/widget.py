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
from watchbook.showing import Now, Shown
from watchbook.store.pictures import Picture, PictureFile

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
    "poster": "address of a poster in this installation's own store, or `null`",
    "as_of": "when the copy was last brought up to date, or `null`",
    "stale": "whether it may be older than it should be",
}
"""The keys that are promised, and what each says."""

EXTRAS = {
    "reason": "why it is stale, or why there is nothing to show, in words; else `null`",
    "account": "whose it is",
    "rating": "from 1 to 10, where ratings are shared; else `null`",
    "colour": "the poster's dominant colour (`#rrggbb`), or `null`",
    "tiny": "a `data:` address of a few dozen bytes that stands in until the poster is there, or "
    "`null`",
    "poster_sizes": "every size of the poster: `url`, `width`, `height`, `type`",
    "alt": "what the poster shows, for those who cannot see it",
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
    poster = picture_of(shown.poster, base_url, POSTER_WIDTH, alt=f"Poster of {shown.title}")
    return {
        "poster": poster["url"] if poster else None,
        "colour": poster["colour"] if poster else None,
        "tiny": poster["tiny"] if poster else None,
        "poster_sizes": sizes_of(shown.poster, base_url),
        "alt": poster["alt"] if poster else "",
    }


def picture_of(
    picture: Picture | None, base_url: str, width: int, *, alt: str = ""
) -> dict[str, Any] | None:
    """The file of a picture that is at least ``width`` pixels wide, else the widest one."""
    if picture is None or not picture.files:
        return None
    file = _fitting(picture, width)
    return {
        "url": _address(file, base_url),
        "width": file.width,
        "height": file.height,
        "colour": picture.colour,
        "tiny": picture.tiny,
        "alt": alt,
    }


def sizes_of(picture: Picture | None, base_url: str) -> list[dict[str, Any]]:
    """Every file of a picture, smallest first."""
    files = picture.files if picture else ()
    return [
        {
            "url": _address(file, base_url),
            "width": file.width,
            "height": file.height,
            "type": file.media_type,
        }
        for file in files
    ]


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


def _fitting(picture: Picture, width: int) -> PictureFile:
    wide_enough = [file for file in picture.files if file.width >= width]
    return wide_enough[0] if wide_enough else picture.files[-1]


def _address(file: PictureFile, base_url: str) -> str:
    return f"{base_url}/images/{file.key}"
