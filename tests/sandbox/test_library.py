from __future__ import annotations

from datetime import date

import pytest

from watchbook.sandbox.library import Library, build, generate
from watchbook.sandbox.library.catalogue import Size
from watchbook.sandbox.library.entries import date_of, stamp
from watchbook.sandbox.library.titles import DAY, Episode, Film, minute_of, mix, slugify

TODAY = minute_of(date(2026, 11, 20))


@pytest.fixture(scope="module")
def library() -> Library:
    """A library of medium size."""
    return generate(build(5_000, 1, TODAY), 5_000, 1, 0, TODAY)


@pytest.mark.parametrize("plays", [0, 1, 10, 99, 1_000, 20_000])
def test_a_library_has_as_many_plays_as_asked_for(plays: int) -> None:
    """The number of plays is exact, whatever the size."""
    assert len(generate(build(plays, 1, TODAY), plays, 1, 0, TODAY).plays) == plays


def test_the_same_seed_makes_the_same_library() -> None:
    """Plays and rows repeat; another seed or another account differs."""
    catalogue = build(500, 4, TODAY)
    first, again = (generate(catalogue, 500, 4, 0, TODAY) for _ in range(2))
    assert first.plays == again.plays
    assert [e.facts for e in first.watchlist] == [e.facts for e in again.watchlist]
    assert generate(catalogue, 500, 4, 1, TODAY).plays != first.plays
    assert generate(build(500, 5, TODAY), 500, 5, 0, TODAY).plays != first.plays


def test_fifty_thousand_plays_spread_over_two_thousand_titles() -> None:
    """Seven titles in ten are films, and nearly all plays are of episodes."""
    size = Size.of(50_000)
    assert size.films + size.shows == 2_000
    assert 0.70 <= size.films / 2_000 <= 0.75
    catalogue = build(50_000, 1, TODAY)
    plays = generate(catalogue, 50_000, 1, 0, TODAY).plays
    assert sum(catalogue.is_film(play.item) for play in plays) < 5_000


def test_history_ids_are_unique_and_beyond_doubles(library: Library) -> None:
    """The newer ids are more than 2^53, the older ones have ten digits."""
    ids = [play.id for play in library.plays]
    assert len(set(ids)) == len(ids)
    assert max(ids) > 2**53
    assert min(ids) < 2**31
    assert any(int(float(number)) != number for number in ids)


def test_plays_are_sorted_and_none_is_of_the_future(library: Library) -> None:
    """Order is by time, then id, up to the evening before today."""
    assert library.plays == sorted(library.plays)
    assert library.plays[-1].minute < TODAY + DAY


def test_some_plays_have_no_date(library: Library) -> None:
    """They stand in the first minute of 1970."""
    unknown = [play for play in library.plays if play.minute == 0]
    assert 1 <= len(unknown) < 100
    assert stamp(unknown[0].minute) == "1970-01-01T00:00:00.000Z"


def test_people_watch_in_the_evening_and_at_weekends(library: Library) -> None:
    """More than half of the plays are of the evening, and weekends count for more than 2 in 7."""
    dated = [play for play in library.plays if play.minute]
    evening = sum(play.minute % DAY >= 17 * 60 for play in dated)
    weekend = sum(play.minute // DAY % 7 in (2, 3) for play in dated)
    assert evening > len(dated) / 2
    assert weekend / len(dated) > 2 / 7


def test_a_library_holds_every_oddity_it_should(library: Library) -> None:
    """Specials, rewatches, a film that is gone, untitled episodes and strange titles."""
    catalogue = build(5_000, 1, TODAY)
    titles = [catalogue.title(play.item) for play in library.plays]
    assert any(isinstance(t, Episode) and t.season == 0 for t in titles)
    assert any(isinstance(t, Film) and t.removed for t in titles)
    assert len({play.item for play in library.plays}) < len(library.plays)
    names = [film.title for film in build(60_000, 1, TODAY).films]
    assert any("\u0590" <= letter <= "\u06ff" for name in names for letter in name)
    assert any(letter > "\uffff" for name in names for letter in name)
    assert max(map(len, names)) > 150


def test_every_data_set_has_rows(library: Library) -> None:
    """Nothing that a backup reads is empty, and every kind and privacy appears."""
    assert {row.kind for row in library.watchlist} == {"movie", "show", "season", "episode"}
    assert any(row.facts["notes"] for row in library.watchlist)
    assert all(library.ratings[kind] for kind in ("movies", "shows", "seasons", "episodes"))
    assert {made.privacy for made in library.lists} == {"private", "link", "friends", "public"}
    assert any(row.kind == "person" for made in library.lists for row in made.items)
    assert len(library.notes) == 8
    assert all(library.notes.values())
    assert all(library.hidden.values())
    assert {comment.kind for comment in library.comments} >= {"movie", "show", "season", "list"}
    assert library.blocked
    assert library.requests
    assert library.pending


def test_each_episode_has_one_place() -> None:
    """An episode's number in the catalogue leads to its season and number, and back."""
    catalogue = build(2_000, 1, TODAY)
    for show in catalogue.shows[:20]:
        places = [show.place(show.first + n) for n in range(show.size)]
        assert len(set(places)) == show.size
        assert [n for season, n in places if season == 1] == [*range(1, show.count(1) + 1)]


def test_look_ups_find_titles_by_id_and_slug() -> None:
    """Every title answers to its own id, and none to another's."""
    catalogue = build(2_000, 1, TODAY)
    film, show = catalogue.films[3], catalogue.shows[2]
    assert catalogue.film_item(str(film.trakt)) == catalogue.film_item(film.slug) == 3
    assert catalogue.show(str(show.trakt)) is catalogue.show(show.slug) is show
    assert catalogue.film_item("nothing-such") is None
    assert catalogue.show("999999999") is None
    assert catalogue.season("1") is None
    assert catalogue.episode_item("1") is None
    item = catalogue.items_of(show)[0]
    assert catalogue.episode_item(str(catalogue.title(item).trakt)) == item
    assert catalogue.show_of(item) is show


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("WALL·E", "walle"),
        ("À bout de souffle", "a-bout-de-souffle"),
        ("千と千尋の神隠し", "42"),
        ("Face/Off", "face-off"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    """Titles without a Latin letter go by their number."""
    assert slugify(title, "42") == slug


def test_times_and_chance() -> None:
    """A minute becomes Trakt's text, and scattering repeats."""
    minute = minute_of(date(2024, 2, 29)) + 61
    assert stamp(minute) == "2024-02-29T01:01:00.000Z"
    assert date_of(minute) == "2024-02-29"
    assert mix(5) == mix(5) != mix(6) != mix(6, 1)
