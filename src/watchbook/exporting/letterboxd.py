"""Files that Letterboxd imports: films only, in files of at most a megabyte.

The diary has a row for each time that a film was watched; the watchlist and each list have files
of their own, because Letterboxd imports them on pages of their own. The columns are those of
https://letterboxd.com/about/importing-data/.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from watchbook.clock import counted, from_millis
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import Selected, SelectedItem, Selection, selected
from watchbook.exporting.spreadsheet import guarded
from watchbook.exporting.tables import text_of, titles_of
from watchbook.exporting.written import Written
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.watched import rating_in
from watchbook.trakt.parse import lookup

LIMIT = 1_000_000
"""Bytes of a file; Letterboxd takes no more than a megabyte."""

FILM = ("tmdbID", "imdbID", "Title", "Year")
DIARY = (*FILM, "Rating10", "WatchedDate", "Rewatch")
REVIEW = "Review"

_IMDB = re.compile(r"tt\d{5,12}")
_SLUG = re.compile(r"[^\w-]+")
_SLUG_BYTES = 80
Row = dict[str, str]


def write(
    store: Store, account: Account, selection: Selection, target: Path, *, reviews: bool = False
) -> Written:
    """Write the diary to ``target``, and watchlist and lists beside it.

    A name without an ending gets ``.csv``. With ``reviews`` own comments on films go along as
    reviews. What Letterboxd has no place for is told in the notes.
    """
    written = Written()
    target = target if target.suffix else target.with_suffix(".csv")
    shown = replace(selection, removed=False)
    with selected(store, account, shown) as rows:
        if not selection.lists:
            diary = _Diary(rows)
            columns = (*DIARY, REVIEW) if reviews else DIARY
            _write(target, columns, diary.rows(reviews=reviews), written, "diary", always=True)
            written.notes += diary.notes()
        _write_lists(rows, target, written)
        written.notes += _left_out(rows)
    if selection.removed:
        written.notes.append("What is gone at Trakt does not go to Letterboxd.")
    return written


def film(title: dict[str, object]) -> Row | None:
    """How Letterboxd finds a film: by its ids, else by title and year; None without any."""
    imdb, tmdb = str(title.get("imdb") or ""), title.get("tmdb")
    imdb = imdb if _IMDB.fullmatch(imdb) else ""
    name = text_of(title.get("title")) or ""
    if not (imdb or tmdb or name):
        return None
    if imdb or tmdb:  # the title is for people then, who may open the file in a spreadsheet
        name = str(guarded(name))
    return {
        "tmdbID": str(tmdb or ""),
        "imdbID": imdb,
        "Title": name,
        "Year": str(title.get("year") or ""),
    }


class _Diary:
    """The rows of the diary, oldest first, counting on the way what has to be told."""

    def __init__(self, rows: Selected) -> None:
        self._rows = rows
        self._wall = Wall(rows.account)
        self._days: dict[str, str] = {}
        """The last day on which each film was watched, "" for an unknown one."""
        self._sent: set[str] = set()
        self.nameless = self.undated = self.twice = 0

    def rows(self, *, reviews: bool) -> Iterator[Row]:
        yield from self._watched()
        yield from self._only_rated()
        if reviews:
            yield from self._reviews()

    def _watched(self) -> Iterator[Row]:
        """Every watch; what came before the selection decides whether it was a rewatch."""
        wanted = self._rows.selection
        if wanted.types and "movie" not in wanted.types:
            return
        films = replace(wanted, since=None, types=frozenset({"movie"}))
        for play in Selected(self._rows.conn, self._rows.account, films).plays():
            key = play.title_key or f"play:{play.history_id}"
            day = self._wall.day(play.watched_at) or ""
            before = self._days.get(key)
            self._days[key] = day
            if wanted.since is not None and from_millis(play.watched_at) < wanted.since:
                continue
            found = film(play._asdict())
            if found is None or (not day and before is not None):
                self.nameless += found is None
                self.undated += found is not None
                continue
            self.twice += bool(day) and before == day
            self._sent.add(key)
            yield {
                **found,
                "Rating10": str(play.rating or ""),
                "WatchedDate": day,
                "Rewatch": "true" if before is not None else "",
            }

    def _only_rated(self) -> Iterator[Row]:
        """Ratings of films that no row has told yet."""
        for item in self._rows.items("ratings_movies"):
            found, rating = film_of(item), rating_in(item.raw)
            if found and rating and item.title_key not in self._sent:
                yield {**found, "Rating10": str(rating)}

    def _reviews(self) -> Iterator[Row]:
        """Own comments on films, not answers to others, as reviews without a date."""
        for item in self._rows.items("comments_all"):
            text = text_of(lookup(item.row, "comment.comment"))
            found = film_of(item) if item.type == "movie" else None
            if found and text and not lookup(item.row, "comment.parent_id"):
                yield {**found, REVIEW: html.escape(text, quote=False)}

    def notes(self) -> list[str]:
        found = []
        if self.nameless:
            found.append(
                f"Left out: {counted(self.nameless, 'play')} of films without ids or a title."
            )
        if self.undated:
            found.append(
                f"Left out: {counted(self.undated, 'more play')} with an unknown date of films "
                "that are in the file already."
            )
        if self.twice:
            found.append(
                f"{counted(self.twice, 'play')} on the day of another play of the same film: "
                "Letterboxd keeps one entry a day."
            )
        return found


def film_of(item: SelectedItem) -> Row | None:
    """How Letterboxd finds the film that a row is about; None when it is about no film."""
    title = titles_of(item).get("movie") if item.type == "movie" else None
    return film(dict(title)) if title else None


def _write_lists(rows: Selected, target: Path, written: Written) -> None:
    """The watchlist and each personal list with films, each in files of its own."""
    names = {"watchlist": "watchlist", "favorites": "favorites"}
    for one in rows.lists():
        name = f"list-{_shortened(_SLUG.sub('', one.slug).casefold())}"
        names[one.data_set] = f"{name}-{one.id}" if name in names.values() else name
    for data_set, name in names.items():
        path = target.with_name(f"{target.stem}-{name}{target.suffix}")
        films = filter(None, map(film_of, rows.items(data_set)))
        _write(path, FILM, films, written, name)


def _shortened(slug: str) -> str:
    """As much of a slug as fits into a file's name, which is limited in bytes."""
    return slug.encode()[:_SLUG_BYTES].decode("utf-8", "ignore")


def _left_out(rows: Selected) -> Iterator[str]:
    """What was selected, but is no film."""
    if episodes := rows.count_plays("episode"):
        yield f"Left out: {counted(episodes, 'play')} of episodes; Letterboxd is for films."
    names = {"watchlist": ["watchlist"], "favorites": ["favorites"]}
    names["personal lists"] = [one.data_set for one in rows.lists()]
    names["ratings"] = [f"ratings_{kind}" for kind in ("shows", "seasons", "episodes")]
    for name, data_sets in names.items():
        others = sum(item.type != "movie" for each in data_sets for item in rows.items(each))
        if others:
            yield f"Left out: {counted(others, 'row')} of {name} that are about no films."


@dataclass
class _Files:
    """A row of files, ``NAME.csv`` or ``NAME-1.csv``, ``NAME-2.csv`` …, each with a header."""

    path: Path
    header: bytes
    paths: list[Path]
    file: IO[bytes] | None = None

    def put(self, line: bytes) -> None:
        if self.file is None or self.file.tell() + len(line) > LIMIT:
            self._next()
        assert self.file is not None
        self.file.write(line)

    def _next(self) -> None:
        self.close()
        if len(self.paths) == 1:
            self.paths = [self.paths[0].rename(self._free(1))]
        path = self._free(len(self.paths) + 1) if self.paths else self.path
        self.paths.append(path)
        self.file = path.open("xb")
        self.file.write(self.header)

    def _free(self, number: int) -> Path:
        """The name with a number, another one where a list is called like that."""
        path = self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")
        return self._free(number + 1) if path.exists() else path

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _write(
    path: Path,
    columns: tuple[str, ...],
    rows: Iterable[Row],
    written: Written,
    kind: str,
    *,
    always: bool = False,
) -> None:
    files = _Files(path, _line(columns), [])
    try:
        if always:
            files.put(b"")
        for row in rows:
            line = _line([row.get(name, "") for name in columns])
            if len(line) + len(files.header) > LIMIT:
                written.notes.append(
                    f"Left out: a text about {row['Title']}, longer than a file may be."
                )
                continue
            files.put(line)
            written.count(kind)
    finally:
        files.close()
    written.paths += files.paths


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(list(cells))
    return text.getvalue().encode()
