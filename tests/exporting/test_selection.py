"""What a selection lets out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.exporting.conftest import Filled, film, film_play, listed
from watchbook.clock import from_iso
from watchbook.errors import InputError
from watchbook.exporting.selection import Selection, selected
from watchbook.store import accounts


def day(text: str) -> datetime:
    """The first moment of a day in UTC."""
    return from_iso(f"{text}T00:00:00Z")


def plays(book: Filled, **wanted: Any) -> list[int]:
    """The history ids that are let out, in their order."""
    with selected(book.store, book.account, Selection(**wanted)) as rows:
        return [play.history_id for play in rows.plays()]


def keys(book: Filled, data_set: str, **wanted: Any) -> list[str]:
    """The keys of the rows that are let out, in their order."""
    with selected(book.store, book.account, Selection(**wanted)) as rows:
        return [item.key for item in rows.items(data_set)]


def test_an_empty_selection_lets_everything_out(small: Filled) -> None:
    """Oldest first or newest first, and an unknown date is the oldest."""
    assert plays(small) == [11, 12, 13, 14, 15]
    with selected(small.store, small.account, Selection()) as rows:
        assert [play.history_id for play in rows.plays(newest_first=True)] == [15, 14, 13, 12, 11]
    assert keys(small, "ratings_movies") == ["movie:1", "movie:3"]
    assert Selection().whole


def test_a_play_comes_with_its_title_show_and_rating(small: Filled) -> None:
    """What a line of a table needs."""
    with selected(small.store, small.account, Selection()) as rows:
        found = {play.history_id: play for play in rows.plays()}
    film = found[12]
    assert (film.title, film.year, film.imdb, film.tmdb) == ("Film 1", 2001, "tt0000001", 10)
    assert (film.rating, film.show_title) == (9, None)
    part = found[15]
    assert (part.title, part.season, part.number) == ("The Next One", 1, 2)
    assert (part.show_title, part.show_year, part.show_tvdb, part.rating) == (
        "Show 70",
        1999,
        210,
        7,
    )


def test_dates_bound_a_rows_own_moment(small: Filled) -> None:
    """The first moment counts, the last does not."""
    assert plays(small, since=day("2026-05-02"), until=day("2026-05-03")) == [14]
    assert plays(small, since=from_iso("2026-05-01T20:15:00Z")) == [13, 14, 15]
    assert plays(small, until=from_iso("2026-05-01T20:15:00Z")) == [11, 12]
    assert keys(small, "ratings_movies", since=day("2026-06-01")) == ["movie:1", "movie:3"]
    assert keys(small, "ratings_movies", since=day("2026-06-02")) == []
    assert keys(small, "watchlist", until=day("2026-07-02")) == ["1", "2"]


def test_types_choose_rows_of_their_own_type(small: Filled) -> None:
    """A show stands for its episodes where plays are concerned."""
    assert plays(small, types=frozenset({"movie"})) == [11, 12, 13]
    assert plays(small, types=frozenset({"episode"})) == [14, 15]
    assert plays(small, types=frozenset({"show"})) == [14, 15]
    assert plays(small, types=frozenset({"season"})) == []
    assert keys(small, "watchlist", types=frozenset({"show"})) == ["2"]
    assert keys(small, "list_items/501", types=frozenset({"movie"})) == ["5"]


@pytest.mark.parametrize("name", ["rainy-days", "501", "Rainy Days", "rainy DAYS"])
def test_a_list_goes_by_slug_number_and_name(small: Filled, name: str) -> None:
    """Then only its rows go out."""
    wanted = frozenset({name})
    assert keys(small, "list_items/501", lists=wanted) == ["5", "6"]
    assert keys(small, "list_items/502", lists=wanted) == []
    assert keys(small, "watchlist", lists=wanted) == []
    assert keys(small, "lists", lists=wanted) == ["501"]
    assert plays(small, lists=wanted) == []


@pytest.mark.parametrize("name", ["favorites", "Favourites", "FAVORITES"])
def test_the_lists_that_everybody_has_go_by_name(small: Filled, name: str) -> None:
    """In both spellings."""
    assert keys(small, "favorites", lists=frozenset({name})) == ["3"]


def test_an_unknown_list_is_refused_with_those_that_there_are(small: Filled) -> None:
    """Nobody has to guess."""
    with pytest.raises(InputError, match="no list called rainy") as refused:
        keys(small, "watchlist", lists=frozenset({"rainy"}))
    assert refused.value.hint == "The lists are: watchlist, favorites, Rainy Days, Zweite."


def test_what_is_gone_stays_behind_unless_asked_for(small: Filled) -> None:
    """And comes with the moment at which that was confirmed."""
    small.remove_play(13)
    small.remove_item("watchlist", "1")
    assert plays(small) == [11, 12, 14, 15]
    assert keys(small, "watchlist") == ["2"]
    assert plays(small, removed=True) == [11, 12, 13, 14, 15]
    assert keys(small, "watchlist", removed=True) == ["1", "2"]
    with selected(small.store, small.account, Selection(removed=True)) as rows:
        assert [p.history_id for p in rows.plays() if p.removed_at] == [13]
        assert rows.count_plays("movie") == 3


def test_nothing_of_another_account_goes_out(small: Filled) -> None:
    """Two people in one store, who saw the same film."""
    with small.store.database.write() as conn:
        tom = accounts.add(conn, "tom", trakt_slug="tom")
    other = Filled(small.store, tom, small.folder)
    other.plays(film_play(12, 1), film_play(90, 2))
    other.items("watchlist", listed(77, "movie", {"movie": film(5)}))
    assert plays(small) == [11, 12, 13, 14, 15]
    assert plays(other) == [12, 90]
    assert keys(other, "watchlist") == ["77"]
    with selected(small.store, tom, Selection()) as rows:
        assert [play.rating for play in rows.plays()] == [None, None]


def test_an_account_without_a_row_lets_nothing_out(empty: Filled) -> None:
    """No plays, no rows, and the two lists that everybody has."""
    assert plays(empty) == []
    assert keys(empty, "watchlist") == []
    with selected(empty.store, empty.account, Selection()) as rows:
        assert [one.name for one in rows.known_lists] == ["watchlist", "favorites"]
        assert rows.lists() == []
        assert rows.data_sets("list_items") == []
