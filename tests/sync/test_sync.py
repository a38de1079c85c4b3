"""A sync keeps what Trakt shows, all of it, and notices every change."""

from __future__ import annotations

import pytest

from tests.sync.conftest import Book, MakeBook
from watchbook.clock import UNKNOWN_DATE, to_millis
from watchbook.store.opening import Store

COUNTED = {
    "collaborations": "lists_collaborations",
    "liked_lists": "likes_lists",
    "liked_comments": "likes_comments",
    "reactions": "reactions_comments",
    "comments": "comments_all",
    "pending": "requests_following",
    "syncs": "data_syncs",
}
"""Data sets that the sandbox counts under another name."""


def test_first_sync_keeps_every_row_of_every_data_set(store: Store, make_book: MakeBook) -> None:
    """After the first sync each data set holds as many rows as the source has (I1)."""
    book = make_book(store)
    report = book.sync()
    assert report.complete, report.words
    book.check_plays()
    states = book.states()
    for name, count in book.sandbox.truth()["counts"].items():
        ours = f"list_items/{name[5:]}" if name[5:].isdigit() else COUNTED.get(name, name)
        assert states[ours].kept == count, name


def test_second_sync_changes_nothing_for_one_request(synced: Book) -> None:
    """With nothing new a sync costs one request and changes no row (I2)."""
    before = synced.data()
    assert synced.requests(synced.sync) == 1
    assert synced.data() == before


def test_new_backdated_edited_and_deleted_plays_are_found(
    store: Store, make_book: MakeBook
) -> None:
    """Plays that came, moved or went are known after one more sync, the deleted ones kept."""
    book = make_book(store)
    book.sync()
    before = book.kept()
    book.sandbox.add_plays(4)
    book.sandbox.backdate(2, days=900)
    gone = {play["id"] for play in book.sandbox.delete_plays(3)}
    edited = next(play for play in before if play not in gone)
    book.sandbox.edit_play(edited, "2019-03-04T20:15:00.000Z")
    report = book.sync()
    assert report.complete, report.words
    book.check_plays()
    assert set(book.kept(removed=True)) == gone
    assert {id_: before[id_] for id_ in gone} == book.kept(removed=True)


def test_an_edit_that_gives_a_play_a_new_id_is_one_removal_and_one_play(synced: Book) -> None:
    """When Trakt makes a new row of an edited play, the old one is marked removed."""
    play = next(iter(synced.kept()))
    synced.sandbox.edit_play(play, "2018-01-02T03:04:00.000Z", keep_id=False)
    synced.sync()
    synced.check_plays()
    assert set(synced.kept(removed=True)) == {play}


def test_a_play_that_comes_back_is_no_longer_removed(synced: Book) -> None:
    """A removed play that Trakt shows again is a live one again."""
    synced.rows("SELECT 1")
    play = next(iter(synced.kept()))
    with synced.store.database.write() as conn:
        conn.exec_driver_sql(
            f"UPDATE plays SET removed_at = 1, missing_at = 1 WHERE history_id = {play}"
        )
    synced.sync(full=True)
    synced.check_plays()


def test_plays_of_the_future_and_of_unknown_date_are_kept(synced: Book) -> None:
    """A play dated ahead of now and one of 1970 are read, also while newer ones arrive."""
    synced.sandbox.add_plays(1, "2031-05-06T07:08:00.000Z")
    synced.sandbox.add_plays(1, "unknown")
    synced.sync()
    synced.sandbox.add_plays(2)
    synced.sync()
    synced.check_plays()
    assert to_millis(UNKNOWN_DATE) in synced.kept().values()


def test_a_full_pass_finds_the_same(synced: Book) -> None:
    """Reading everything again changes no play and is complete."""
    before = synced.kept()
    report = synced.sync(full=True)
    assert report.complete, report.words
    assert synced.kept() == before
    assert not synced.kept(removed=True)


def test_what_vanishes_from_other_data_sets_stays_marked(synced: Book) -> None:
    """A rating, watchlist entry or list that Trakt dropped is kept with removed_at (I3)."""
    rated = synced.rows("SELECT key FROM items WHERE data_set = 'ratings_movies' ORDER BY key")[0][
        0
    ]
    synced.sandbox.rate(None, movie=int(rated.partition(":")[2]))
    lists = synced.rows("SELECT key FROM items WHERE data_set = 'lists' ORDER BY place")
    filled = next(row[0] for row in lists if synced.states()[f"list_items/{row[0]}"].kept)
    synced.sandbox.delete_list(int(filled))
    report = synced.sync()
    assert report.complete, report.words
    removed = synced.rows("SELECT data_set, key FROM items WHERE removed_at IS NOT NULL")
    assert ("ratings_movies", rated) in removed
    assert ("lists", filled) in removed
    of_list = synced.rows(
        "SELECT count(*), count(removed_at) FROM items WHERE data_set = :name",
        name=f"list_items/{filled}",
    )
    assert of_list[0][0] == of_list[0][1] > 0


def test_many_plays_gone_at_once_wait_for_a_word(store: Store, make_book: MakeBook) -> None:
    """When a fifth of all plays vanishes nothing is marked removed until a person accepts it."""
    book = make_book(store)
    book.sync()
    before = book.kept()
    gone = {play["id"] for play in book.sandbox.delete_plays(share=0.2)}
    report = book.sync()
    assert not report.complete
    assert "--accept-removals" in report.words
    assert book.kept() == before
    assert book.requests(book.sync) == 1
    assert not book.sync().complete
    assert book.sync(accept_removals=True).complete
    book.check_plays()
    assert set(book.kept(removed=True)) == gone


def test_new_lists_and_their_items_arrive(synced: Book) -> None:
    """A new list, its items and a renamed list are read by the next sync."""
    made = synced.sandbox.add_list("Rainy Sundays")
    movie = synced.rows("SELECT trakt_id FROM titles WHERE type = 'movie' ORDER BY trakt_id")[0][0]
    synced.sandbox.list_item("add", made, movie=movie)
    assert synced.sync().complete
    assert synced.states()[f"list_items/{made}"].kept == 1
    synced.sandbox.rename_list(made, "Rainy Mondays")
    synced.sync()
    raw = synced.rows(
        "SELECT raw FROM items WHERE data_set = 'lists' AND key = :key", key=str(made)
    )
    assert "Rainy Mondays" in raw[0][0]


def test_details_of_titles_are_known(synced: Book) -> None:
    """Films and shows have runtime and genres; so have the episodes of new plays."""
    bare = synced.rows(
        "SELECT count(*) FROM titles WHERE type IN ('movie', 'show') AND detailed_at IS NULL"
        " AND key IN (SELECT title_key FROM plays UNION SELECT show_key FROM titles t JOIN plays p"
        " ON p.title_key = t.key)"
    )
    assert bare[0][0] == 0
    new = synced.sandbox.add_plays(1)[0]["id"]
    synced.sync()
    runtime = synced.rows(
        "SELECT t.runtime FROM titles t JOIN plays p ON p.title_key = t.key WHERE history_id = :id",
        id=new,
    )
    assert runtime[0][0]


def test_secrets_never_reach_the_store(synced: Book) -> None:
    """The feed token, the webhook address and share links are taken out before storing (I8)."""
    raws = "\n".join(row[0] for row in synced.rows("SELECT raw FROM items"))
    assert '"share_link":"[redacted]"' in raws
    assert '"token":"[redacted]"' in raws
    assert '"url":"[redacted]"' in raws
    assert "/lists/share/" not in raws


def test_the_time_zone_follows_trakt(synced: Book) -> None:
    """The account's time zone is the one of Trakt's settings, and follows a change."""
    synced.sandbox.change_settings("Pacific/Auckland")
    synced.sync()
    assert synced.account.timezone == "Pacific/Auckland"


@pytest.mark.parametrize("name", ["saved_filters"])
def test_what_is_not_offered_is_unavailable_not_empty(make_book: MakeBook, name: str) -> None:
    """Without VIP saved filters are unavailable with the reason, and the sync is complete."""
    book = make_book(vip=False)
    report = book.sync()
    assert report.complete, report.words
    state = book.states()[name]
    assert state.state == "unavailable"
    assert "VIP" in (state.words or "")
