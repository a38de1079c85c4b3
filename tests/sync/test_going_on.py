"""What was interrupted, refused or held goes on later, with nothing left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from tests.sync.conftest import Book, MakeBook
from tests.sync.meddling import Asked, edited, meddle
from watchbook.http import Answer


def stop_after(book: Book, pages: int) -> None:
    """Let the next sync be stopped when it has kept so many pages."""
    left = iter(range(pages - 1))

    def count() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    book.on_page = count


def interrupted(book: Book, pages: int) -> None:
    """Sync until so many pages are kept."""
    stop_after(book, pages)
    with pytest.raises(KeyboardInterrupt):
        book.sync()
    book.on_page = lambda: None


def test_a_page_that_failed_is_asked_for_when_the_reading_goes_on(make_book: MakeBook) -> None:
    """A hole that an interrupted reading left is no page that it has kept."""
    book = make_book(plays=1500)
    meddler = meddle(book)

    def fail(asked: Asked, answer: Answer) -> Answer:
        hole = asked.path.endswith("/users/me/history") and asked.page == 2
        return replace(answer, status=500) if hole else answer

    positions: list[str | None] = []

    def stop_at_the_hole() -> None:
        positions.append(book.states()["history"].position if "history" in book.states() else None)
        if positions[-1] is not None and positions[-1] in positions[:-1]:
            raise KeyboardInterrupt

    meddler.rules.append(fail)
    book.on_page = stop_at_the_hole
    with pytest.raises(KeyboardInterrupt):
        book.sync()
    kept = msgspec.json.decode(str(positions[-1]))["done"]
    assert len(kept) > 1
    meddler.rules.clear()
    meddler.asked.clear()
    book.on_page = lambda: None
    assert book.sync().complete
    pages = [a.page for a in meddler.asked if "end_at" in a.query and "start_at" not in a.query]
    assert 2 in pages
    assert not set(kept) & set(pages)
    book.check_plays()


def test_plays_that_came_after_an_interruption_need_no_totals(make_book: MakeBook) -> None:
    """A reading that goes on to its frozen end takes in what was watched since, by itself."""
    book = make_book(plays=1500)
    interrupted(book, 8)
    assert 0 < len(book.kept()) < 1500
    book.travel.shift(timedelta(hours=2))
    book.sandbox.call("clock", {"advance": 7200})
    book.sandbox.add_plays(2)
    book.sandbox.set_faults("http-404/sync/watched")
    book.sync()
    book.check_plays()


def test_a_data_set_without_timestamps_is_read_from_its_start(synced: Book) -> None:
    """Nothing tells whether the rows of a data set have shifted since it was interrupted."""
    with synced.store.database.write() as conn:
        conn.exec_driver_sql(
            """UPDATE data_sets SET position = '{"guard":null,"done":[1],"extra":null}'"""
            " WHERE name = 'data_syncs'"
        )
    meddler = meddle(synced)

    def renamed(asked: Asked, answer: Answer) -> Answer:
        if not asked.path.endswith("/users/syncs"):
            return answer
        return edited(answer, lambda rows: [{**row, "source": "renamed"} for row in rows])

    meddler.rules.append(renamed)
    assert synced.sync().complete
    raws = synced.rows("SELECT raw FROM items WHERE data_set = 'data_syncs'")
    assert raws
    assert all("renamed" in raw for (raw,) in raws)


def test_what_was_refused_once_is_tried_again_the_next_day(synced: Book) -> None:
    """A change that came while a data set was refused is read, though no timestamp moves again."""
    show = synced.rows("SELECT trakt_id FROM titles WHERE type = 'show' ORDER BY trakt_id")[0][0]
    synced.sandbox.set_faults("http-404/users/me/ratings/shows")
    synced.sandbox.rate(3, show=show)
    synced.sync()
    assert synced.states()["ratings_shows"].state == "unavailable"
    synced.sandbox.clear_faults()
    synced.sync()
    assert synced.states()["ratings_shows"].state == "unavailable"
    synced.travel.shift(timedelta(days=1, minutes=1))
    assert synced.sync().complete
    assert synced.states()["ratings_shows"].state == "complete"
    rated = synced.rows(
        f"SELECT raw FROM items WHERE key = 'show:{show}' AND raw LIKE '%rated_at%'"
    )
    assert '"rating":3' in rated[0][0]


def test_held_rows_that_come_back_need_no_word(synced: Book) -> None:
    """When many rows had vanished by a fault of Trakt's, the next day finds that out."""
    before = synced.kept()
    meddler = meddle(synced)

    def cut(asked: Asked, answer: Answer) -> Answer:
        if "/users/me/history" in asked.path:
            return edited(answer, lambda rows: [row for row in rows if row["id"] % 4])
        if asked.query.get("extended") == "min":
            return edited(answer, lambda _: {})
        return answer

    meddler.rules.append(cut)
    assert "--accept-removals" in synced.sync(full=True).words
    meddler.rules.clear()
    assert synced.requests(synced.sync) == 1
    synced.travel.shift(timedelta(days=1, minutes=1))
    assert synced.sync().complete
    assert synced.kept() == before


def test_a_list_that_failed_and_then_went_leaves_nothing_incomplete(synced: Book) -> None:
    """What was never read of a list that is deleted now is not missed for ever."""
    made = synced.sandbox.add_list("Gone tomorrow")
    movie = synced.rows("SELECT trakt_id FROM titles WHERE type = 'movie' ORDER BY trakt_id")[0][0]
    synced.sandbox.list_item("add", made, movie=movie)
    synced.sandbox.set_faults(f"http-500/users/me/lists/{made}/items")
    assert not synced.sync().complete
    synced.sandbox.clear_faults()
    synced.sandbox.delete_list(made)
    report = synced.sync()
    assert report.complete, report.words
    assert synced.requests(synced.sync) == 1


def test_a_schedule_looks_hourly_at_what_stays_incomplete(book: Book) -> None:
    """A data set that Trakt does not serve whole costs a scheduled sync nothing for an hour."""
    book.sandbox.set_faults("page-count-high:2/users/me/watchlist")
    assert not book.sync().complete
    book.sandbox.clear_faults()
    patient = book.sync(schedule=True)
    assert (patient.requests, patient.complete) == (1, False)
    book.travel.shift(timedelta(hours=1))
    assert book.sync(schedule=True).complete


def test_a_person_looks_at_once_at_what_is_incomplete(book: Book) -> None:
    """Whoever asks by hand is not told to wait."""
    book.sandbox.set_faults("page-count-high:2/users/me/watchlist")
    assert not book.sync().complete
    book.sandbox.clear_faults()
    assert book.sync().complete
