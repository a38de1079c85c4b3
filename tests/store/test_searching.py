"""Plays and titles are found by words of their names, alike on both databases."""

# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import Filled, episode, filled, film_play, show
from tests.hostile import STORABLE
from watchbook.clock import to_iso, to_millis
from watchbook.store import accounts, seen
from watchbook.store.folding import folded_name, words_of
from watchbook.store.opening import Store
from watchbook.store.watched import Place, Wanted, WatchedPlay, nearest, newest

FIRST = datetime(2026, 10, 1, 20, tzinfo=UTC)


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Filled:
    """Sandra's account, without a row."""
    return filled(store, tmp_path / "out")


def at(hours: int) -> str:
    """A moment so many hours before the first play, as Trakt writes it."""
    return to_iso(FIRST - timedelta(hours=hours))


def named(number: int, title: str) -> dict[str, Any]:
    """A play of a film of that name, which is film and play of that number."""
    row = film_play(number, number, at(number))
    row["movie"]["title"] = title
    return row


def part(number: int, title: str, of: str, show_number: int = 70) -> dict[str, Any]:
    """A play of an episode."""
    head = {"id": number, "watched_at": at(number), "action": "watch", "type": "episode"}
    about = episode(number, 1, number) | {"title": title}
    return {**head, "episode": about, "show": show(show_number) | {"title": of}}


def found(book: Filled, search: str, **wanted: Any) -> list[int]:
    """The numbers of the plays that are found, newest first."""
    with book.store.database.read() as conn:
        told = newest(conn, book.account.id, 5_000, wanted=Wanted(search=search, **wanted))
    return [play.history_id for play in told]


def found_titles(book: Filled, search: str, kind: str | None = None) -> list[str]:
    """The keys of the films and shows that are found."""
    with book.store.database.read() as conn:
        told = seen.page(conn, book.account.id, 5_000, words=search, kind=kind)
    return [one.key for one in told]


NAMES = (
    "Amélie", "Straße", "IŞIK", "Ｗｉｄｅ", "Ocean’s Eleven", "君の名は。", "ความรักครั้งสุดท้าย",
    "스물다섯 스물하나", "100% Wolf", "1001 Nights", "snake_case", "snakeXcase", "back\\slash",
    "either/or", "Agents of S.H.I.E.L.D.", "'", "'; DROP TABLE plays; --",
)  # fmt: skip
SEARCHES: tuple[tuple[str, list[int]], ...] = (
    ("amelie", [1]), ("AMÉLIE", [1]), ("strasse", [2]), ("STRASSE", [2]), ("isik", [3]),
    ("ışık", [3]), ("wide", [4]), ("ocean's", [5]), ("oceans eleven", [5]), ("名は", [6]),
    ("ครั้ง", [7]), ("물하 스물다", [8]), ("100%", [9]), ("100", [9, 10]), ("%", [9]), ("_", [11]),
    ("snake_case", [11]), ("e_c", [11]), ("\\", [13]), ("k\\s", [13]), ("/", [14]), ("r/o", [14]),
    ("shield", [15]), ("'", []), ("\u0301", []), ("' ´", []), ("drop; plays", []),
    ("plays; drop", [17]), ("%%%", []), ("nothing", []), ("a" * 100, []),
)  # fmt: skip
"""What is looked for, and the numbers of the names that it finds."""


def test_names_are_found(book: Filled, subtests: pytest.Subtests) -> None:
    """In any case and script, with and without accents; signs mean nothing but themselves."""
    book.plays(*(named(number, name) for number, name in enumerate(NAMES, 1)))
    for search, expected in SEARCHES:
        with subtests.test(search[:20]):
            assert found(book, search) == expected
            assert found_titles(book, search) == [f"movie:{number}" for number in expected]


def test_hostile_names_are_found_by_themselves(book: Filled) -> None:
    """Whatever a title is, who pastes it finds it, and breaks nothing."""
    names = [name for name in STORABLE if 0 < len(name) <= 300]
    book.plays(*(named(number, name) for number, name in enumerate(names, 1)))
    for number, name in enumerate(names[::7], 1):
        expected = 1 + (number - 1) * 7
        assert (expected in found(book, name)) is bool(words_of(name)), name


def test_words_of_title_and_show(book: Filled) -> None:
    """Each word may stand in the episode's name or in its show's; a show has its own name only."""
    book.plays(
        part(1, "Café Society", "Élite"),
        part(2, "The Pilot", "Élite"),
        part(3, "Elite Café", "Dark", 71),
        named(4, "Café Élite"),
    )
    assert found(book, "elite") == [1, 2, 3, 4]
    assert found(book, "CAFE elite") == [1, 3, 4]
    assert found(book, "elite pilot") == [2]
    assert found(book, "dark elite") == [3]
    assert found(book, "elite dark pilot") == []
    assert found_titles(book, "elite") == ["show:70", "movie:4"]
    assert found_titles(book, "elite", "show") == ["show:70"]
    assert found_titles(book, "cafe") == ["movie:4"]
    with book.store.database.read() as conn:
        (one, _) = seen.page(conn, book.account.id, 5, words="elite")
    assert (one.plays, one.last) == (2, to_millis(FIRST - timedelta(hours=1)))


def test_a_new_name_counts(book: Filled) -> None:
    """What was renamed at Trakt is found by its new name, and no more by the old one."""
    book.plays(named(1, "Café"), part(2, "Pilot", "Before"))
    book.plays(named(1, "Bistró"), part(2, "Pilot", "After"))
    assert (found(book, "cafe"), found(book, "bistro")) == ([], [1])
    assert (found(book, "before"), found(book, "after pilot")) == ([], [2])


def test_what_is_not_shown_is_not_found(book: Filled, tmp_path: Path) -> None:
    """Plays that are gone, and those of somebody else."""
    book.plays(named(1, "Heat"), named(2, "Heat"))
    with book.store.database.write() as conn:
        tom = Filled(book.store, accounts.add(conn, "tom"), tmp_path)
    tom.plays(named(3, "Heat"))
    book.remove_play(2)
    assert (found(book, "heat"), found(tom, "heat")) == ([1], [3])
    assert (found_titles(book, "heat"), found_titles(tom, "heat")) == (["movie:1"], ["movie:3"])


def _long_book() -> Iterator[dict[str, Any]]:
    """Plays enough that a page is not filled by looking at the next few hundred of them."""
    for number in range(1, 1_801):
        if number % 3 == 0:
            yield part(number, f"Evening {number % 7}", "Été" if number > 1_500 else "Winter",
                       71 if number > 1_500 else 70)  # fmt: skip
        elif number in {40, 700, 1_400, 1_790}:
            yield named(number, "Amélie et l’Été")
        else:
            yield named(number, f"The {number} nights" if number % 2 else f"Day {number}")


@pytest.fixture
def long_book(book: Filled) -> Filled:
    """A long history, with a play of an unknown date and one that is gone."""
    book.plays(*_long_book())
    unknown = named(1_801, "Amélie") | {"watched_at": "1970-01-01T00:00:00.000Z"}
    book.plays(unknown)
    book.remove_play(1_400)
    return book


def _says(play: WatchedPlay, search: str) -> bool:
    """Whether a play is called so, by the rule itself."""
    names = [folded_name(name) for name in (play.title, play.show_title) if name]
    return all(any(word in name for name in names) for word in words_of(search))


WANTED = (
    Wanted(search="the"),  # soon found among the next plays
    Wanted(search="amelie"),  # rare
    Wanted(search="ete"),  # of long ago, and once in between
    Wanted(search="ete evening 3"),
    Wanted(search="nothing is called so"),
    Wanted(search="ete", types=frozenset({"movie"})),
    Wanted(search="evening", title_key="show:71"),
    Wanted(search="day", since=to_millis(FIRST - timedelta(hours=1_700))),
    Wanted(search="ete", until=to_millis(FIRST - timedelta(hours=1_600))),
    Wanted(search="amelie", dated=True),
)


@pytest.mark.parametrize("limit", [4, 50])
def test_every_page_of_a_search(long_book: Filled, limit: int) -> None:
    """Page by page, forth and back, exactly the plays that are called so, each once."""
    account_id = long_book.account.id
    with long_book.store.database.read() as conn:
        for wanted in WANTED:
            plain = Wanted(**{**vars(wanted), "search": ""})
            every = newest(conn, account_id, 5_000, wanted=plain)
            expected = [
                Place(play.watched_at, play.history_id)
                for play in every
                if _says(play, wanted.search)
            ]
            pages = list(_pages(conn, account_id, limit, wanted))
            assert [one for page in pages for one in page] == expected
            for end, page in enumerate(pages[:20]):
                before = expected[max(0, (end - 1) * limit) : end * limit]
                told = nearest(conn, account_id, limit, wanted=wanted, after=page[0])
                assert told == before[::-1]


def _pages(
    conn: sa.Connection, account_id: int, limit: int, wanted: Wanted
) -> Iterator[list[Place]]:
    last: Place | None = None
    while told := newest(conn, account_id, limit, wanted=wanted, before=last):
        page = [Place(play.watched_at, play.history_id) for play in told]
        yield page
        last = page[-1]


def test_a_search_goes_over_all_plays_in_no_case(long_book: Filled) -> None:
    """SQLite comes to plays by when they were watched or by their titles, whatever is asked."""
    database = long_book.store.database
    if not database.on_sqlite:
        pytest.skip("PostgreSQL knows how many rows there are, and reads so few at once")
    asked: list[tuple[str, Any]] = []

    def note(*event: Any) -> None:
        asked.append((event[2], event[3]))

    with database.read() as conn:
        sa.event.listen(conn, "before_cursor_execute", note)
        for search in ("the", "amelie", "nothing is called so"):
            newest(conn, long_book.account.id, 50, wanted=Wanted(search=search))
            seen.page(conn, long_book.account.id, 50, words=search)
        sa.event.remove(conn, "before_cursor_execute", note)
        steps = [
            row[-1]
            for statement, values in asked
            for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    of_plays = {step for step in steps if step.split()[1] == "plays"}
    by_title = "INDEX ix_plays_account_id_title_key (account_id=? AND title_key=?)"
    by_moment = "INDEX ix_plays_account_id_watched_at_history_id (account_id=?"
    assert any(by_title in step for step in of_plays)
    assert all(by_title in step or by_moment in step for step in of_plays), of_plays
