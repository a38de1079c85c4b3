"""Films for Letterboxd."""

from __future__ import annotations

import csv
import html
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.conftest import (
    Filled,
    a_list,
    film,
    film_play,
    hostile,
    listed,
    show,
)
from watchbook.clock import from_iso
from watchbook.exporting import letterboxd
from watchbook.exporting.selection import Selection


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a file; Letterboxd knows it by its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def diary(book: Filled, **wanted: Any) -> list[dict[str, str]]:
    """The rows of the diary."""
    return read(book.export("letterboxd", Selection(**wanted)).paths[0])


def test_each_watch_has_a_row(small: Filled) -> None:
    """Oldest first, by the account's day; later ones are rewatches; ratings count to 10."""
    rows = diary(small)
    assert list(rows[0]) == "tmdbID imdbID Title Year Rating10 WatchedDate Rewatch".split()
    told = [(row["Title"], row["WatchedDate"], row["Rewatch"], row["Rating10"]) for row in rows]
    assert told == [
        ("Film 1", "", "", "9"),
        ("Film 1", "2026-01-01", "true", "9"),
        ("Film 2", "2026-05-01", "", ""),
        ("Film 3", "", "", "4"),
    ]
    assert (rows[0]["tmdbID"], rows[0]["imdbID"], rows[0]["Year"]) == ("10", "tt0000001", "2001")


def test_the_name_of_a_list_fits_into_a_files_name(empty: Filled) -> None:
    """Names are limited in bytes, and letters may take three."""
    empty.items("lists", a_list(501, "Rain", "雨" * 99))
    empty.items("list_items/501", listed(1, "movie", {"movie": film(1)}))
    written = empty.export("letterboxd", to="l.csv")
    assert written.paths[-1].name == f"l-list-{'雨' * 26}.csv"


def test_each_list_has_a_file(small: Filled) -> None:
    """The watchlist, the favorites and personal lists, where there is a film on them."""
    written = small.export("letterboxd", to="l.csv")
    assert [path.name for path in written.paths] == [
        "l.csv",
        "l-watchlist.csv",
        "l-favorites.csv",
        "l-list-rainy-days.csv",
    ]
    assert [[row["Title"] for row in read(path)] for path in written.paths[1:]] == [
        ["Film 4"],
        ["Film 1"],
        ["Film 2"],
    ]
    assert written.counts == {
        "diary": 4,
        "watchlist": 1,
        "favorites": 1,
        "list-rainy-days": 1,
    }


def test_a_name_without_an_ending_gets_one(small: Filled) -> None:
    """Letterboxd asks for files called .csv."""
    names = [path.name for path in small.export("letterboxd", to="lb").paths]
    assert names[:2] == ["lb.csv", "lb-watchlist.csv"]
    assert {name[-4:] for name in names} == {".csv"}


def test_what_is_left_out_is_told(small: Filled) -> None:
    """Never silently."""
    small.plays(
        film_play(21, 1, "1970-01-01T00:00:00.000Z"),
        film_play(22, 2, "2026-05-01T21:59:00.000Z"),
        {**film_play(23, 6, "2026-05-02T20:00:00.000Z"), "movie": {"ids": {"trakt": 6}}},
    )
    assert small.export("letterboxd").notes == [
        "Left out: 1 play of films without ids or a title.",
        "Left out: 1 more play with an unknown date of films that are in the file already.",
        "1 play on the day of another play of the same film: Letterboxd keeps one entry a day.",
        "Left out: 2 plays of episodes; Letterboxd is for films.",
        "Left out: 1 row of watchlist that are about no films.",
        "Left out: 2 rows of personal lists that are about no films.",
        "Left out: 1 row of ratings that are about no films.",
    ]


def test_a_selection_knows_of_earlier_watches(small: Filled) -> None:
    """A film seen before the first day of the selection is a rewatch in it."""
    since = from_iso("2025-12-31T00:00:00Z")
    rows = diary(small, since=since)
    assert [(row["Title"], row["Rewatch"]) for row in rows] == [
        ("Film 1", "true"),
        ("Film 2", ""),
        ("Film 3", ""),
    ]
    assert diary(small, since=since, types=frozenset({"episode"})) == []


def test_a_rating_given_later_goes_out_without_its_watch(small: Filled) -> None:
    """When the selection holds the rating but not the play."""
    rows = diary(small, since=from_iso("2026-05-15T00:00:00Z"))
    assert [(r["Title"], r["WatchedDate"], r["Rating10"]) for r in rows] == [
        ("Film 1", "", "9"),
        ("Film 3", "", "4"),
    ]


def test_a_chosen_list_comes_alone(small: Filled) -> None:
    """No diary beside it; a list without films gives no file."""
    written = small.export("letterboxd", Selection(lists=frozenset({"rainy-days"})), to="l.csv")
    assert [path.name for path in written.paths] == ["l-list-rainy-days.csv"]
    written = small.export("letterboxd", Selection(lists=frozenset({"zweite"})))
    assert written.paths == []
    assert written.notes == ["Left out: 1 row of personal lists that are about no films."]


def comment(number: int, text: str, about: dict[str, Any], parent: int = 0) -> dict[str, Any]:
    """An own comment."""
    told = {"id": number, "parent_id": parent, "comment": text, "review": True}
    return {**about, "comment": {**told, "created_at": "2026-02-01T00:00:00.000Z"}}


def test_reviews_go_along_when_asked_for(small: Filled) -> None:
    """Comments on films, but no answers; Letterboxd reads HTML."""
    a_film = {"type": "movie", "movie": film(2)}
    small.items(
        "comments_all",
        comment(1, "I <3 it & more", a_film),
        comment(2, "an answer", a_film, parent=9),
        comment(3, "a show", {"type": "show", "show": show(70)}),
    )
    assert "Review" not in diary(small)[0]
    rows = read(small.export("letterboxd", reviews=True).paths[0])
    reviews = [row for row in rows if row["Review"]]
    assert [(row["Title"], row["WatchedDate"]) for row in reviews] == [("Film 2", "")]
    assert html.unescape(reviews[0]["Review"]) == "I <3 it & more"


def test_files_stay_below_the_limit(empty: Filled) -> None:
    """Numbered files, each with a header, and every row in one of them."""
    titles = [f"{number} {'é' * 900}" for number in range(1_200)]
    empty.plays(*(film_play(n, n, title=title) for n, title in enumerate(titles, 1)))
    written = empty.export("letterboxd", to="l.csv")
    assert [path.name for path in written.paths] == ["l-1.csv", "l-2.csv", "l-3.csv"]
    assert max(path.stat().st_size for path in written.paths) <= letterboxd.LIMIT == 1_000_000
    rows = [row["Title"] for path in written.paths for row in read(path)]
    assert rows == titles


def test_a_text_beyond_the_limit_is_left_out(small: Filled) -> None:
    """And told."""
    about = {"type": "movie", "movie": film(2)}
    small.items("comments_all", comment(1, "x" * 1_000_001, about))
    written = small.export("letterboxd", reviews=True)
    assert "Left out: a text about Film 2, longer than a file may be." in written.notes
    assert written.counts["diary"] == 4


def test_hostile_titles_come_through(empty: Filled) -> None:
    """With ids Letterboxd does not need the title, so it is guarded like every cell."""
    wanted = [title.replace("\0", "") for title in hostile(empty)]
    cells = [row["Title"] for row in diary(empty)]
    assert [c.removeprefix("'") if c != wanted[13] else c for c in cells] == wanted
    assert [cell for cell in cells if cell.lstrip(" ")[:1] in tuple("=+-@\t\r\n")] == []


@pytest.mark.parametrize(
    ("title", "row"),
    [
        ({"title": "+1", "year": 2013}, ("", "", "+1", "2013")),
        ({"title": "+1", "imdb": "tt2395385"}, ("", "tt2395385", "'+1", "")),
        ({"title": "X", "imdb": "evil,tt1"}, ("", "", "X", "")),
        ({"imdb": "tt2395385", "tmdb": 5}, ("5", "tt2395385", "", "")),
    ],
)
def test_a_film_is_found_by_its_ids_else_by_its_title(
    title: dict[str, object], row: tuple[str, ...]
) -> None:
    """A title that is all there is to find it by stays as it is."""
    found = letterboxd.film(title)
    assert found is not None
    assert tuple(found.values()) == row
    assert letterboxd.film({"year": 2013}) is None


def test_what_is_gone_does_not_go_there(small: Filled) -> None:
    """A wish for it is answered."""
    small.remove_play(13)
    written = small.export("letterboxd", Selection(removed=True))
    assert "Film 2" not in [row["Title"] for row in read(written.paths[0])]
    assert "What is gone at Trakt does not go to Letterboxd." in written.notes


def test_lists_of_one_name_do_not_meet(empty: Filled) -> None:
    """Two lists whose names in addresses come to the same each have a file."""
    empty.items("lists", a_list(1, "A", "a b"), a_list(2, "B", "ab"))
    for number in (1, 2):
        empty.items(f"list_items/{number}", listed(number, "movie", {"movie": film(number)}))
    written = empty.export("letterboxd", to="l.csv")
    assert len({path.name for path in written.paths}) == 3
    assert [read(path)[0]["Title"] for path in written.paths[1:]] == ["Film 1", "Film 2"]
