"""The columns that a play is read with: its own, and those of its title and show."""

from __future__ import annotations

import sqlalchemy as sa

from watchbook.store.schema import plays, titles

title = titles.alias("title")
show = titles.alias("show")

PLAY_COLUMNS = [
    plays.c[name]
    for name in (
        "history_id",
        "type",
        "title_key",
        "watched_at",
        "action",
        "raw",
        "removed_at",
    )
]


def _else_of_show(name: str) -> sa.ColumnElement[object]:
    return sa.func.coalesce(title.c[name], show.c[name]).label(name)


TITLE_COLUMNS: list[sa.ColumnElement[object]] = [
    title.c.title,
    title.c.year,
    title.c.season,
    title.c.number,
    title.c.slug,
    title.c.trakt_id,
    title.c.imdb,
    title.c.tmdb,
    title.c.tvdb,
    _else_of_show("runtime"),
    title.c.released,
    *map(_else_of_show, ("genres", "country", "language", "network", "certification")),
    title.c.show_key,
    show.c.title,
    show.c.year,
    show.c.slug,
    show.c.trakt_id,
    show.c.imdb,
    show.c.tmdb,
    show.c.tvdb,
]
