"""What a title is called on a card, and what else where it cannot be written.

Trakt tells the original title in full forms only. Rows of history are short, so those of films
and shows come from the data sets of what was watched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import sqlalchemy as sa

from watchbook.render.cards.letters import Name
from watchbook.store import items
from watchbook.store.watched import WatchedPlay

Originals = Mapping[str, str]
"""Original titles of films and shows by their keys, as far as they are known."""


class _Original(msgspec.Struct):
    original_title: str | None = None


class _Raw(msgspec.Struct):
    movie: _Original | None = None
    show: _Original | None = None


_raw = msgspec.json.Decoder(_Raw)
_NOTHING = _Raw()


def originals(conn: sa.Connection, account_id: int, keys: Collection[str | None]) -> Originals:
    """The original titles of those films and shows that an account watched."""
    found: dict[str, str] = {}
    for kind in ("movie", "show"):
        numbers = [key.partition(":")[2] for key in keys if key and key.startswith(f"{kind}:")]
        for number, raw in items.raws_of(conn, account_id, f"watched_{kind}s", numbers).items():
            if told := _original(getattr(_read(raw), kind)):
                found[f"{kind}:{number}"] = told
    return found


def of_play(play: WatchedPlay, known: Originals) -> Name:
    """The film, or the show of an episode."""
    if play.type == "movie":
        original = known.get(play.title_key or "", "")
        return of_title(play.title, play.slug, play.year, original)
    original = known.get(play.show_key or "", "")
    return of_title(play.show_title, play.show_slug, play.show_year, original)


def of_part(play: WatchedPlay) -> Name:
    """What is said below the title: an episode's own title, the year of a film.

    Where the former cannot be written it is left out: its season and number stand before it.
    """
    return Name(str(play.year or "")) if play.type == "movie" else Name(play.title or "", ("",))


def of_title(title: str | None, slug: str | None, year: int | None, original: str = "") -> Name:
    """A film or a show: its title, else its original one, else the words of its address."""
    others = filter(None, (original, _in_words(slug or "", year)))
    return Name(title or "", tuple(others))


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
