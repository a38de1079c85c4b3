"""What a play is called, where it lives and by which id it is known, in every feed and page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from watchbook.render import widget
from watchbook.render.plain import plain
from watchbook.showing import Shown
from watchbook.store.accounts import Account

_OURS = uuid.UUID("6f0c6d3e-5b0f-4c0a-9d57-1e3f5a7c2b48")
"""The namespace of our ids; it must never change."""
POSTER_WIDTH = 300
"""Pixels that a poster beside a text is best kept in."""


@dataclass(frozen=True)
class Poster:
    """A picture that has an address, its size in pixels, and what it shows in words."""

    url: str
    width: int
    height: int
    alt: str
    tiny: str | None
    """A ``data:`` address that stands in while it loads; None for a drawn one."""

    @property
    def is_drawn(self) -> bool:
        """Whether it only stands in for a picture that is not kept."""
        return self.tiny is None


@dataclass(frozen=True)
class Home:
    """Where an account is shown: below which address, by which name, in which zone."""

    base_url: str
    name: str
    zone: tzinfo | None
    """None is that of this machine."""

    @property
    def page(self) -> str:
        """Its public page."""
        return f"{self.base_url}/@{quote(self.name, safe='')}"

    def play(self, history_id: int) -> str:
        """The page of one play."""
        return f"{self.page}/{history_id}"

    def local(self, moment: datetime) -> datetime:
        """``moment`` as the clocks of the account show it."""
        try:
            return moment.astimezone(self.zone)
        except OverflowError:  # the first day of the calendar
            return moment


def home_of(account: Account, base_url: str) -> Home:
    """The home of ``account``."""
    return Home(base_url, account.name, account.zone)


def uuid_of(*names: object) -> uuid.UUID:
    """The id that is always given to what goes by ``names``."""
    return uuid.uuid5(_OURS, "/".join(map(str, names)))


def id_of(shown: Shown) -> str:
    """The id of a play: Trakt's number made a URN, wherever the play is shown."""
    return uuid_of("play", shown.play.history_id).urn


def title_of(shown: Shown) -> str:
    """``Severance S2 E7 · Chikhai Bardo``, ``Heat (1995)``."""
    if shown.play.type == "movie":
        return plain(shown.title) + (f" ({shown.year})" if shown.year else "")
    return plain(f"{shown.title} {shown.subtitle}")


def words_of(moment: datetime) -> str:
    """``Friday, 20 November 2026, 21:57``, of a local moment."""
    return f"{day_of(moment)}, {moment:%H:%M}"


def day_of(moment: date) -> str:
    """``Friday, 20 November 2026``, of a local moment or day."""
    return f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"


def genres_of(shown: Shown) -> Sequence[str]:
    """The genres of a film or show, as Trakt calls them."""
    found = (plain(one) for one in (shown.play.genres or "").split(","))
    return list(dict.fromkeys(filter(None, found)))


def poster_of(shown: Shown, base_url: str) -> Poster:
    """The poster of a play, in the smallest size that is wide enough to stand beside a text."""
    return _poster(widget.poster_of(shown, base_url, POSTER_WIDTH))


def still_of(shown: Shown, base_url: str) -> Poster | None:
    """A scene of the episode, where one is kept, as wide as a text."""
    found = widget.still_of(shown, base_url, widget.STILL_WIDTH)
    return _poster(found) if found else None


def _poster(found: Mapping[str, Any]) -> Poster:
    return Poster(**{name: found[name] for name in Poster.__dataclass_fields__})
