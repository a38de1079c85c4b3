"""Whatever Trakt or the way to it does wrong: nothing is lost, and the next sync mends it."""

from __future__ import annotations

import pytest

from tests.sync.conftest import Book, MakeBook
from watchbook.errors import (
    AccountLocked,
    AuthorisationNeeded,
    RateLimited,
    RemoteError,
    RemoteUnavailable,
)
from watchbook.http import Timeouts

HEALED_AT_ONCE = [
    "page-count-low",
    "page-count-low:3",
    "page-headers-missing",
    "page-twice/users/me/history@3",
    "page-short/users/me/history@2",
    "page-empty/users/me/history@2",
    "page-drift-insert/users/me/history@2-3",
    "page-drift-delete/users/me/history@2-3",
    "limit-clamped:40",
    "http-500/users/me/watchlist@1",
    "http-502/users/me/history@2",
    "http-503/users/me/history@2",
    "http-504/users/me/lists@1",
    "http-520@4",
    "http-521@5",
    "http-522@6",
    "http-408@3",
    "rate-429@7",
    "rate-429-bare@7",
    "cloudflare-429@4",
    "cloudflare-429-bare@4",
    "cut-body@5",
    "reset@6",
    "body-html/users/me/ratings/movies@1",
    "body-empty/users/me/ratings/movies@1",
    "body-null/users/me/ratings/movies@1",
    "body-object/users/me/ratings/movies@1",
    "body-nan/users/me/ratings/movies@1",
    "body-deep/users/me/ratings/movies@1",
    "body-bom",
    "http-401@9",
]
"""Faults that the sync in which they happen gets over by itself."""


@pytest.mark.daily(8)
@pytest.mark.parametrize("fault", HEALED_AT_ONCE)
def test_passing_fault_costs_nothing(make_book: MakeBook, fault: str) -> None:
    """The sync during which the fault happens ends complete, with every row kept."""
    book = make_book()
    book.sandbox.set_faults(fault)
    report = book.sync()
    book.sandbox.clear_faults()
    assert report.complete, report.words
    book.check_plays()


TIMEOUTS = ["stall@4", "stop-in-headers@5", "stop-in-body@6", "drip:0.05@7", "late:0.6@4"]


@pytest.mark.daily(2)
@pytest.mark.parametrize("fault", TIMEOUTS)
def test_slow_answer_is_given_up_and_asked_for_again(make_book: MakeBook, fault: str) -> None:
    """An answer that stalls, stops or drips is given up in time, and the sync is complete."""
    book = make_book(plays=300)
    book.timeouts = Timeouts(connect=1, read=0.4, total=1)
    book.sandbox.set_faults(fault)
    report = book.sync()
    assert report.complete, report.words
    book.check_plays()


TOLD_AND_HEALED_LATER = {
    "page-count-high:2": "fewer than",
    "http-500/users/me/watchlist": "status 500",
    "http-500/users/me/ratings/episodes": "status 500",
    "http-500/users/me/history@2+": "page 2 could not be read",
    "body-html/users/me/ratings/movies": "instead of data",
    "body-empty/users/me/ratings/movies": "instead of data",
    "body-null/users/me/ratings/movies": "not what its contract says",
    "body-object/users/me/ratings/movies": "not what its contract says",
    "body-nan/users/me/ratings/movies": "not one row could be read",
    "body-deep/users/me/ratings/movies": "not what its contract says",
    "body-huge:20/users/me/ratings/movies": "16,777,216 bytes",
    "body-gzip-bomb:20/users/me/ratings/movies": "16,777,216 bytes",
    "http-405/users/me/ratings/movies": "405",
    "http-412/users/me/ratings/movies": "412",
    "http-422/users/me/ratings/movies": "422",
    "http-400/users/me/ratings/movies": "400",
}
"""Faults that stay during a sync: what is said about them."""


@pytest.mark.daily(5)
@pytest.mark.parametrize(("fault", "words"), TOLD_AND_HEALED_LATER.items())
def test_lasting_fault_is_told_and_mended_later(
    make_book: MakeBook, fault: str, words: str
) -> None:
    """A data set that cannot be read leaves the sync incomplete, in words, and the rest kept."""
    book = make_book()
    book.sandbox.set_faults(fault)
    report = book.sync()
    assert not report.complete
    assert words in report.words
    assert report.total("removed") == 0
    book.sandbox.clear_faults()
    healed = book.sync()
    assert healed.complete, healed.words
    book.check_plays()


@pytest.mark.daily(2)
@pytest.mark.parametrize("status", ["404", "420", "420-bare", "426", "403"])
def test_refused_data_set_is_unavailable_and_keeps_its_rows(synced: Book, status: str) -> None:
    """A data set that Trakt stops serving is unavailable with the reason; its rows stay."""
    before = synced.rows("SELECT key, raw FROM items WHERE data_set = 'ratings_shows' ORDER BY key")
    synced.sandbox.set_faults(f"http-{status}/users/me/ratings/shows")
    report = synced.sync(full=True)
    assert report.complete, report.words
    state = synced.states()["ratings_shows"]
    assert state.state == "unavailable"
    assert f"({status[:3]})" in (state.words or "")
    after = synced.rows("SELECT key, raw FROM items WHERE data_set = 'ratings_shows' ORDER BY key")
    assert after == before
    synced.sandbox.clear_faults()
    synced.sync(full=True)
    assert synced.states()["ratings_shows"].state == "complete"


def test_locked_account_stops_everything(book: Book) -> None:
    """After 423 not one request more is made, now or later, until a person asks for it."""
    book.sandbox.set_faults("http-423/users/me/watchlist")
    with pytest.raises(AccountLocked, match="423"):
        book.sync()
    book.sandbox.clear_faults()

    def again() -> None:
        with pytest.raises(AccountLocked):
            book.sync()

    assert book.requests(again) == 0
    assert book.sync(full=True).complete
    assert book.sync().complete


def test_refused_app_is_told_with_the_other_door(book: Book) -> None:
    """When Trakt refuses the app, the error says that VIP is needed and names the ZIP door."""
    book.sandbox.set_faults("http-403")
    with pytest.raises(AuthorisationNeeded) as caught:
        book.sync()
    assert "VIP" in (caught.value.hint or "")
    assert "watchbook import" in (caught.value.hint or "")


def test_app_deleted_in_the_middle_stops_the_run(book: Book) -> None:
    """Several refusals in a row are the app's, not the data sets'."""
    book.sandbox.set_faults("http-403@5+")
    with pytest.raises(AuthorisationNeeded):
        book.sync()
    book.sandbox.clear_faults()
    assert book.sync().complete
    book.check_plays()


def test_cloudflare_block_is_not_hammered(book: Book) -> None:
    """A block page ends the run, and asks for a quarter of an hour."""
    book.sandbox.set_faults("cloudflare-403@3+")
    with pytest.raises(RateLimited) as caught:
        book.sync()
    assert caught.value.retry_after == pytest.approx(900)
    book.sandbox.clear_faults()
    assert book.sync().complete


@pytest.mark.daily(2)
@pytest.mark.parametrize("fault", ["http-500@8+", "http-503@8+", "rate-429@8+", "reset@8+"])
def test_dead_server_ends_the_run_and_nothing_is_lost(book: Book, fault: str) -> None:
    """When everything fails from some point on, the run ends as failed and the next goes on."""
    book.sandbox.set_faults(fault)
    with pytest.raises(RemoteUnavailable):
        book.sync()
    outcome = book.rows("SELECT outcome, words FROM runs ORDER BY id DESC LIMIT 1")[0]
    assert outcome[0] == "failed"
    assert outcome[1]
    book.sandbox.clear_faults()
    assert book.sync().complete
    book.check_plays()


@pytest.mark.parametrize(("fault", "least"), [("rate-429:143@3", 143), ("http-503:31@3", 31)])
def test_retry_after_is_honoured(book: Book, fault: str, least: int) -> None:
    """The wait is at least as long as the server asked for."""
    book.sandbox.set_faults(fault)
    assert book.sync().complete
    assert max(book.waits) > least


POISON = [
    "item-null-title",
    "item-id-max@1",
    "item-missing-ids",
    "item-unknown-type",
    "item-unknown-action",
    "item-long-title",
    "item-emoji",
    "item-nul",
    "item-epoch",
    "item-not-an-object",
    "seasons-missing",
    "seasons-odd",
]


@pytest.mark.daily(4)
@pytest.mark.parametrize("fault", POISON)
def test_poisoned_rows_are_kept_and_the_rest_goes_on(make_book: MakeBook, fault: str) -> None:
    """One bad row in each page never costs another row, and is kept itself."""
    book = make_book()
    book.sandbox.set_faults(fault)
    book.sync()
    unreadable = book.rows("SELECT raw FROM rejects WHERE data_set = 'history'")
    lost = len(book.truth()) - len(book.kept())
    assert lost <= 3, "more than the first row of each of three pages"
    assert unreadable or lost <= 0
    book.sandbox.clear_faults()
    report = book.sync(full=True)
    assert report.complete, report.words
    book.check_plays()


@pytest.mark.parametrize(
    "fault",
    ["http-404/sync/watched", "body-null/sync/watched", "http-426/sync/watched"],
)
def test_without_totals_counts_of_windows_find_changes(synced: Book, fault: str) -> None:
    """Where Trakt does not tell all times, counting windows finds the changed plays."""
    synced.sandbox.set_faults(fault)
    synced.sandbox.backdate(1, days=700)
    gone = {play["id"] for play in synced.sandbox.delete_plays(2)}
    synced.sync()
    synced.check_plays()
    assert set(synced.kept(removed=True)) == gone


def test_errors_hold_no_secret(book: Book) -> None:
    """No token or secret stands in what a failed run leaves behind."""
    book.sandbox.set_faults("http-400@2+")
    with pytest.raises(RemoteError):
        book.sync()
    written = repr(book.rows("SELECT * FROM runs")) + repr(book.rows("SELECT * FROM data_sets"))
    for secret in (book.sandbox.access_token, book.sandbox.client_secret):
        assert secret not in written
