"""Nothing counts as gone at Trakt by one answer that may be wrong."""

from __future__ import annotations

import pytest

from tests.sync.conftest import Book, MakeBook
from tests.sync.meddling import Asked, edited, meddle, without_headers
from watchbook.desk import Outcome
from watchbook.http import Answer
from watchbook.verdict import SyncReport


def film_of(book: Book, play: int) -> int:
    """The Trakt id of the film of a play."""
    found = book.rows("SELECT title_key FROM plays WHERE history_id = :id", id=play)
    return int(found[0][0].partition(":")[2])


def a_film_play(book: Book) -> int:
    """The newest play of a film."""
    query = "SELECT history_id FROM plays WHERE type = 'movie' ORDER BY watched_at DESC LIMIT 1"
    return int(book.rows(query)[0][0])


@pytest.mark.parametrize("known", [False, True], ids=["new", "known since the last sync"])
def test_a_play_stays_while_other_views_lag_behind(synced: Book, *, known: bool) -> None:
    """A play among the newest stays, though totals and the film's own history lack it yet."""
    film = film_of(synced, a_film_play(synced))
    new = synced.sandbox.add_plays(1, movie=film)[0]["id"]
    if known:
        synced.sync()
        synced.sandbox.add_plays(1, movie=film)

    def lag(asked: Asked, answer: Answer) -> Answer:
        if asked.path.endswith("/sync/watched/movies") and asked.query.get("extended") == "min":
            return edited(answer, lambda films: films | {str(film): []})
        if asked.path.endswith(f"/history/movies/{film}"):
            return edited(answer, lambda rows: [])
        return answer

    meddler = meddle(synced)
    meddler.rules.append(lag)
    synced.sync()
    assert any(asked.path.endswith(f"/history/movies/{film}") for asked in meddler.asked)
    assert new in synced.kept()
    meddler.rules.clear()
    synced.sandbox.add_plays(1)
    assert synced.sync().complete
    synced.check_plays()


def test_a_row_that_slips_between_pages_is_not_gone(synced: Book) -> None:
    """When all is read again for other titles, a play that the totals have stays."""
    slipped = sorted(synced.kept().items(), key=lambda play: play[1])[100][0]
    films = synced.rows("SELECT trakt_id FROM titles WHERE type = 'movie' ORDER BY trakt_id")
    for days, film in enumerate(films[:8], 700):
        synced.sandbox.backdate(1, days, movie=film[0])

    def slip(asked: Asked, answer: Answer) -> Answer:
        if asked.path.endswith("/users/me/history") and "end_at" in asked.query:
            return edited(answer, lambda rows: [row for row in rows if row["id"] != slipped])
        return answer

    meddler = meddle(synced)
    meddler.rules.append(slip)
    report = synced.sync()
    assert any("end_at" in asked.query and asked.page == 2 for asked in meddler.asked)
    assert report.complete, report.words
    assert slipped in synced.kept()
    synced.check_plays()


def test_a_title_whose_pages_never_end_is_given_up(synced: Book) -> None:
    """A film's history that ignores the page asked for is read once more, not for ever."""
    play = a_film_play(synced)
    film = film_of(synced, play)
    added = synced.sandbox.backdate(1, 500, movie=film)[0]["id"]

    def same_page_again(asked: Asked, answer: Answer) -> Answer:
        if f"/history/movies/{film}" not in asked.path:
            return answer
        return without_headers(edited(answer, lambda _: full_page))

    meddler = meddle(synced)
    full_page: list[object] = []
    url = f"{synced.sandbox.url}/users/me/history/movies/{film}"
    with_token = {
        "Authorization": f"Bearer {synced.sandbox.access_token}",
        "trakt-api-key": synced.sandbox.client_id,
        "trakt-api-version": "2",
        "Content-Type": "application/json",
    }
    full_page += meddler.request("GET", url, headers=with_token).json()
    meddler.rules.append(same_page_again)
    report = synced.sync()
    assert report.complete, report.words
    assert added in synced.kept()
    assert sum(f"/history/movies/{film}" in asked.path for asked in meddler.asked) <= 4


def test_a_title_that_is_refused_proves_nothing(synced: Book) -> None:
    """A 403 to a film's history takes no play away; once it is read, the deleted one is marked."""
    play = a_film_play(synced)
    synced.sandbox.delete_plays(ids=[play])
    synced.sandbox.set_faults("http-403/users/me/history/movies")
    assert not synced.sync().complete
    assert play in synced.kept()
    synced.sandbox.clear_faults()
    assert synced.sync().complete
    assert set(synced.kept(removed=True)) == {play}


def history_of(report: SyncReport) -> Outcome:
    """How the reading of the plays ended."""
    return next(outcome for outcome in report.data_sets if outcome.name == "history")


@pytest.mark.daily(2)
@pytest.mark.parametrize("broken", ["/sync/watched", "/users/me/history/movies"])
def test_what_fails_after_the_plays_came_leaves_their_counts(synced: Book, broken: str) -> None:
    """When totals or a film's history fail, the new plays are kept and counted all the same."""
    gone = a_film_play(synced)
    synced.sandbox.delete_plays(ids=[gone])
    synced.sandbox.add_plays(3)
    synced.sandbox.set_faults(f"http-500{broken}")
    report = synced.sync()
    assert "status 500" in report.words
    assert (history_of(report).added, len(history_of(report).new_plays)) == (3, 3)
    synced.sandbox.clear_faults()
    assert synced.sync().complete
    synced.check_plays()
    assert set(synced.kept(removed=True)) == {gone}


def test_every_one_of_very_many_new_plays_is_counted(make_book: MakeBook) -> None:
    """Plays that were kept before reading changed over to all pages count as added too."""
    book = make_book(plays=300)
    book.sync()
    book.sandbox.add_plays(1100)
    report = book.sync()
    assert history_of(report).added == 1100
    book.check_plays()


def test_an_object_that_is_gone_is_marked_and_comes_back(synced: Book) -> None:
    """Settings that Trakt does not send any more stay, marked removed (I3)."""
    meddler = meddle(synced)

    def nothing(asked: Asked, answer: Answer) -> Answer:
        if asked.path.endswith("/users/settings/plex"):
            return Answer(204, answer.headers, b"", answer.url)
        return answer

    query = "SELECT raw, removed_at IS NULL FROM items WHERE data_set = 'settings_plex'"
    before = synced.rows(query)
    meddler.rules.append(nothing)
    assert synced.sync(full=True).complete
    assert synced.rows(query) == [(before[0][0], False)]
    meddler.rules.clear()
    assert synced.sync(full=True).complete
    assert synced.rows(query) == before


def test_a_body_of_an_odd_shape_is_kept_without_its_secrets(synced: Book) -> None:
    """What is kept of settings that cannot be read holds no feed token (I8)."""
    meddler = meddle(synced)

    def listed(asked: Asked, answer: Answer) -> Answer:
        return edited(answer, lambda found: [found]) if asked.path.endswith("settings") else answer

    meddler.rules.append(listed)
    assert not synced.sync(full=True).complete
    kept = synced.rows("SELECT raw FROM rejects WHERE data_set = 'user_settings'")
    assert '"token":"[redacted]"' in kept[0][0]
