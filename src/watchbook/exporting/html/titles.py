"""The table of titles: each is numbered when something names it, and its row is read later."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from watchbook.store.schema import titles

TYPES = ("movie", "show", "season", "episode")
COLUMNS = {
    "movie": ("id", "title", "year", "slug", "imdb", "tmdb", "runtime"),
    "show": ("id", "title", "year", "slug", "imdb", "tmdb", "runtime", "aired"),
    "season": ("id", "title", "show", "season"),
    "episode": ("id", "title", "show", "season", "number", "imdb", "runtime"),
}
"""What a row holds after the place of its type in ``TYPES``. Nothing stands for its end."""

_SAFE = 2**53
"""Above it JavaScript rounds numbers."""
_CHUNK = 500
_READ = ("key", "type", "trakt_id", "title", "year", "slug", "imdb", "tmdb", "runtime")
_QUERY: sa.Select[Any] = sa.select(
    *(titles.c[name] for name in _READ),
    titles.c.aired_episodes.label("aired"),
    titles.c.show_key,
    titles.c.season,
    titles.c.number,
)


class Titles:
    """Numbers for the keys of titles, in the order in which they are first named."""

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn
        self._numbers: dict[str, int] = {}

    def number(self, key: str) -> int:
        """The number of the title called ``key``."""
        return self._numbers.setdefault(key, len(self._numbers))

    def number_if_known(self, key: str) -> int | None:
        """The same, but None for a title that the store does not have."""
        if key in self._numbers:
            return self._numbers[key]
        found = self._conn.scalar(sa.select(titles.c.key).where(titles.c.key == key))
        return None if found is None else self.number(key)

    def rows(self) -> Iterator[list[object]]:
        """The row of each number, in order; shows that episodes name come at the end."""
        done = 0
        while done < len(self._numbers):
            keys = list(islice(self._numbers, done, done + _CHUNK))
            done += len(keys)
            query = _QUERY.where(titles.c.key.in_(keys))
            known = {row.key: row for row in self._conn.execute(query)}
            for key in keys:
                yield self._row(key, known.get(key))

    def _row(self, key: str, stored: sa.Row[Any] | None) -> list[object]:
        kind, _, rest = key.partition(":")
        place = TYPES.index(kind)
        if stored is None:
            return [place, rest]
        show = None if stored.show_key is None else self.number(stored.show_key)
        values = {**stored._mapping, "id": stored.trakt_id, "show": show}  # noqa: SLF001 - SQLAlchemy's public name
        row = [place, *(_safe(values[name]) for name in COLUMNS[kind])]
        while row[-1] is None:
            row.pop()
        return row


def _safe(value: object) -> object:
    return str(value) if isinstance(value, int) and value > _SAFE else value
