"""The tables, views and search of the SQLite export, as data: what is written is documented.

docs/reference/sqlite-export.md is made from here.
"""

# ruff: noqa: S608 - every name in a query stands in this module

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watchbook.exporting.tables import ITEM_TABLES, LIST_ITEMS, LISTS, ItemTable

VERSION = 1
"""``PRAGMA user_version``; it grows when a column changes its meaning or goes away."""

APPLICATION = 0x57424F4B
"""``PRAGMA application_id``, "WBOK", by which `file` can tell what it is."""

TITLE = "INTEGER REFERENCES titles (id)"


@dataclass(frozen=True)
class Field:
    """A column of the database: its declaration, and what it says."""

    name: str
    declared: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of the database."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    indexes: tuple[str, ...] = ()
    """Columns, or several with commas, that have an index."""

    def statements(self) -> Iterator[str]:
        """What makes it."""
        fields = ",\n  ".join(f"{field.name} {field.declared}" for field in self.fields)
        yield f"CREATE TABLE {self.name} (\n  {fields}\n)"
        for columns in self.indexes:
            name = "_".join(["ix", self.name, *columns.split(", ")])
            yield f"CREATE INDEX {name} ON {self.name} ({columns})"


@dataclass(frozen=True)
class View:
    """A view of the database, with the query behind it."""

    name: str
    meaning: str
    query: str


_REMOVED = Field("removed_at", "TEXT", "When it was gone at Trakt, in UTC; only with `--removed`.")
_TYPE = Field("type", "TEXT", "movie, show, season or episode.")

METADATA = Table(
    "metadata",
    "What this file is.",
    (
        Field(
            "key",
            "TEXT PRIMARY KEY",
            "account, trakt_user, timezone, exported_at, watchbook, version, since, until, types, "
            "lists, removed.",
        ),
        Field("value", "TEXT", "Its value; the selection's are empty when everything went out."),
    ),
)
TITLES = Table(
    "titles",
    "Films, shows, seasons and episodes that the other tables name.",
    (
        Field("id", "INTEGER PRIMARY KEY", "The number by which other tables name it."),
        Field("key", "TEXT NOT NULL UNIQUE", "Its type and Trakt's number: `movie:412`."),
        Field("type", "TEXT NOT NULL", "movie, show, season or episode."),
        Field("title", "TEXT", "Its own title, of an episode that of the episode."),
        Field("year", "INTEGER", "The year in which it came out."),
        Field("show_id", TITLE, "The show of a season or episode."),
        Field("season", "INTEGER", "The number of the season; 0 are specials."),
        Field("episode", "INTEGER", "The number of the episode in its season."),
        Field("runtime", "INTEGER", "Minutes; an episode's may be known of its show only."),
        Field("genres", "TEXT", "Genres with commas between them."),
        Field("country", "TEXT", "Two letters."),
        Field("language", "TEXT", "Two letters."),
        Field("network", "TEXT", "Who broadcast it."),
        Field("status", "TEXT", "released, ended, returning series …"),
        Field("certification", "TEXT", "The age rating in the United States."),
        Field("released", "TEXT", "When it was first shown."),
        Field("slug", "TEXT", "Its name in Trakt's addresses."),
        Field("trakt_id", "INTEGER", "Its number at Trakt."),
        Field("imdb_id", "TEXT", "Its number at IMDb."),
        Field("tmdb_id", "INTEGER", "Its number at TMDB."),
        Field("tvdb_id", "INTEGER", "Its number at TheTVDB."),
    ),
    ("show_id, season, episode", "type, title"),
)
PLAYS = Table(
    "plays",
    "Every film or episode watched, once for each time.",
    (
        Field("history_id", "INTEGER PRIMARY KEY", "Trakt's number of the play."),
        Field("title_id", TITLE, "What was watched."),
        Field("type", "TEXT NOT NULL", "movie or episode."),
        Field("watched_at", "TEXT", "When, in UTC; NULL when nobody knows."),
        Field("watched_at_local", "TEXT", "The same by the clock of the account's time zone."),
        Field("watched_on", "TEXT", "The day of that: 2026-11-21."),
        Field("action", "TEXT", "How Trakt learnt of it: scrobble, checkin or watch."),
        _REMOVED,
    ),
    ("watched_at", "watched_on", "title_id"),
)


def _of_items(table: ItemTable) -> Table:
    fields = [Field("id", "INTEGER PRIMARY KEY", "A number of this file alone.")]
    if table.titled:
        fields += [Field("title_id", TITLE, "What it is about."), _TYPE]
    fields += [
        Field(column.name, _declared(table, column.name, column.kind), column.meaning)
        for column in table.columns
    ]
    indexes = ("title_id",) if table.titled else ()
    of_list = ("list_id, rank",) if table is LIST_ITEMS else ()
    return Table(table.name, table.meaning, (*fields, _REMOVED), (*indexes, *of_list))


def _declared(table: ItemTable, column: str, kind: str) -> str:
    if column != "list_id":
        return kind
    return f"{kind} UNIQUE" if table is LISTS else f"{kind} REFERENCES lists (list_id)"


TABLES = (METADATA, TITLES, PLAYS, *map(_of_items, ITEM_TABLES))

_HEAD = "coalesce(show.title, title.title) AS title, coalesce(show.year, title.year) AS year"
_PLACE = "title.season, title.episode"
_OWN = "CASE WHEN title.type = 'episode' THEN title.title END AS episode_title"
_NAMED = f"{_HEAD}, {_PLACE}, {_OWN}"
_JOINED = """
LEFT JOIN titles AS title ON title.id = {0}.title_id
LEFT JOIN titles AS show ON show.id = title.show_id
"""

VIEWS = (
    View(
        "plays_with_titles",
        "Plays with the names of what was watched, its runtime and its rating.",
        f"""
        SELECT plays.watched_at, plays.watched_at_local, plays.watched_on, plays.type, {_NAMED},
          coalesce(title.runtime, show.runtime) AS runtime,
          coalesce(title.genres, show.genres) AS genres,
          (SELECT rating FROM ratings WHERE ratings.title_id = plays.title_id
            AND ratings.removed_at IS NULL) AS rating,
          plays.action, plays.removed_at, plays.title_id, plays.history_id
        FROM plays {_JOINED.format("plays")}
        """,
    ),
    View(
        "plays_by_month",
        "Plays, films, episodes and minutes of each month, by the account's time zone.",
        """
        SELECT substr(plays.watched_on, 1, 7) AS month, count(*) AS plays,
          sum(plays.type = 'movie') AS films, sum(plays.type = 'episode') AS episodes,
          sum(coalesce(title.runtime, show.runtime)) AS minutes
        FROM plays LEFT JOIN titles AS title ON title.id = plays.title_id
          LEFT JOIN titles AS show ON show.id = title.show_id
        WHERE plays.removed_at IS NULL GROUP BY month
        """,
    ),
    View(
        "most_watched",
        "Films and shows with how often and when they were watched.",
        """
        SELECT head.type, head.title, head.year, count(*) AS plays,
          min(plays.watched_on) AS first_on, max(plays.watched_on) AS last_on, head.id AS title_id
        FROM plays JOIN titles AS title ON title.id = plays.title_id
          JOIN titles AS head ON head.id = coalesce(title.show_id, title.id)
        WHERE plays.removed_at IS NULL GROUP BY head.id
        """,
    ),
    View(
        "ratings_with_titles",
        "Ratings with the names of what was rated.",
        f"""
        SELECT ratings.rating, ratings.rated_at, ratings.type, {_NAMED}, ratings.removed_at,
          ratings.title_id FROM ratings {_JOINED.format("ratings")}
        """,
    ),
    View(
        "watchlist_with_titles",
        "The watchlist with the names of what is on it.",
        f"""
        SELECT watchlist.rank, watchlist.listed_at, watchlist.type, {_NAMED}, watchlist.notes,
          watchlist.removed_at, watchlist.title_id
        FROM watchlist {_JOINED.format("watchlist")}
        """,
    ),
    View(
        "list_items_with_titles",
        "What is on lists, with the names of list and title.",
        f"""
        SELECT lists.name AS list, list_items.rank, list_items.listed_at, list_items.type, {_NAMED},
          list_items.person, list_items.notes, list_items.removed_at, list_items.title_id
        FROM list_items LEFT JOIN lists ON lists.list_id = list_items.list_id
          {_JOINED.format("list_items")}
        """,
    ),
)

SEARCH = "titles_search"
SEARCH_STATEMENT = (
    f"CREATE VIRTUAL TABLE {SEARCH} USING fts5 (title, content='titles', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 2')"
)
