"""What a title is called on a card, and what else where it cannot be written."""

from __future__ import annotations

import msgspec

from watchbook.render.cards.letters import Name
from watchbook.store.watched import WatchedPlay


class _Original(msgspec.Struct):
    original_title: str | None = None


class _Raw(msgspec.Struct):
    movie: _Original | None = None
    show: _Original | None = None
    episode: _Original | None = None


_raw = msgspec.json.Decoder(_Raw)
_NOTHING = _Raw()


def of_play(play: WatchedPlay) -> Name:
    """The film, or the show of an episode."""
    raw = _read(play.raw)
    if play.type == "movie":
        return of_title(play.title, play.slug, play.year, _original(raw.movie))
    return of_title(play.show_title, play.show_slug, play.show_year, _original(raw.show))


def of_part(play: WatchedPlay) -> Name:
    """What is said below the title: an episode's own title, the year of a film."""
    if play.type == "movie":
        return Name(str(play.year or ""))
    return Name(play.title or "", _told(_original(_read(play.raw).episode)))


def of_title(title: str | None, slug: str | None, year: int | None, original: str = "") -> Name:
    """A film or a show: its title, else its original one, else the words of its address."""
    return Name(title or "", _told(original, _in_words(slug or "", year)))


def _told(*names: str) -> tuple[str, ...]:
    return tuple(filter(None, names))


def _in_words(slug: str, year: int | None) -> str:
    """``spirited-away-2001`` as ``Spirited Away``."""
    return slug.removesuffix(f"-{year}").replace("-", " ").title()


def _read(raw: str) -> _Raw:
    try:
        return _raw.decode(raw)
    except (ValueError, RecursionError):
        return _NOTHING


def _original(found: _Original | None) -> str:
    return (found.original_title or "") if found else ""
