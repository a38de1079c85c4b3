"""Upcoming episodes of the shows that a person watches, as Trakt's calendar told them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from watchbook.clock import from_iso, from_millis
from watchbook.micropub.titles import Episode, Ids, Show
from watchbook.store import datasets
from watchbook.store.schema import items, titles

DATA_SET = "calendar_shows"


@dataclass(frozen=True)
class Upcoming:
    """An episode that will air."""

    what: Episode
    airs_at: datetime
    told_at: datetime
    """When Trakt told this first, or told it otherwise than before."""
    known_at: datetime
    """When Trakt told this first."""
    runtime: int | None
    """Minutes; that of the show when the episode's own is not known."""
    network: str | None


class _Airing(msgspec.Struct):
    first_aired: str


_airing = msgspec.json.Decoder(_Airing)
_episode, _show = titles.alias("episode"), titles.alias("show")


def is_known(conn: sa.Connection, account_id: int) -> bool:
    """Whether Trakt's calendar was ever read; an account that lives on exports has none."""
    return datasets.find(conn, account_id, DATA_SET).read_at is not None


def upcoming(conn: sa.Connection, account_id: int, since: datetime) -> list[Upcoming]:
    """Episodes that air at or after ``since``, the next one first."""
    known = (one for one in _told(conn, account_id) if one.airs_at >= since)
    return sorted(known, key=lambda one: (one.airs_at, one.what.ids.trakt))


def _told(conn: sa.Connection, account_id: int) -> Iterator[Upcoming]:
    """All that the calendar holds and that can be read."""
    query = (
        sa.select(
            items.c.raw,
            items.c.changed_at,
            items.c.discovered_at,
            *(_episode.c[name] for name in ("season", "number", "title", "trakt_id")),
            *(_show.c[name] for name in ("title", "year", "trakt_id", "slug")),
            sa.func.coalesce(_episode.c.runtime, _show.c.runtime),
            sa.func.coalesce(_episode.c.network, _show.c.network),
        )
        .join(_episode, _episode.c.key == items.c.title_key)
        .join(_show, _show.c.key == _episode.c.show_key)
        .where(
            items.c.account_id == account_id,
            items.c.data_set == DATA_SET,
            items.c.removed_at.is_(None),
            *_said(_episode.c.season, _episode.c.number, _show.c.title),
        )
    )
    for raw, changed, known, season, number, name, trakt, *show, runtime, network in conn.execute(
        query
    ):
        airs_at = _airs_at(raw)
        if airs_at is not None:
            of_show = Show(show[0], Ids(show[2], show[3]), show[1])
            what = Episode(of_show, season, number, Ids(trakt), name)
            told_at, known_at = from_millis(changed), from_millis(known)
            yield Upcoming(what, airs_at, told_at, known_at, runtime, network)


def _said(*columns: sa.ColumnElement[object]) -> Iterable[sa.ColumnElement[bool]]:
    return (column.is_not(None) for column in columns)


def _airs_at(raw: str) -> datetime | None:
    try:
        return from_iso(_airing.decode(raw).first_aired)
    except (ValueError, RecursionError):
        return None
