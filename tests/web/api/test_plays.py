"""Plays, titles, ratings, lists and the rest, as the API tells them, on both databases."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import HOSTILE, episode_play, film_play, make_book, show, synced
from tests.sync.conftest import Book
from tests.web.api.conftest import SECRET, Api
from tests.web.open_book import hang_poster
from tests.web.showroom import served
from watchbook.render.attribution import SHORT
from watchbook.render.placeholder import colour_of
from watchbook.sharing import Part
from watchbook.store import tokens
from watchbook.web.api.parameters import Page, packed

__all__ = ["make_book", "synced"]


def test_a_play_has_the_promised_fields(api: Api) -> None:
    """An episode: names, numbers, moment with its Z, the show's keys and ids."""
    told = api.ask("/plays/15", api.token).json["play"]
    assert told == {
        "history_id": 15,
        "type": "episode",
        "title": "Show 70",
        "subtitle": "S1 E2 · The Next One",
        "year": 1999,
        "season": 1,
        "episode": 2,
        "episode_title": "The Next One",
        "watched_at": "2026-05-03T20:15:00Z",
        "action": "scrobble",
        "rating": 7,
        "runtime": None,
        "url": "https://app.trakt.tv/shows/show-70/seasons/1/episodes/2",
        "key": "episode:702",
        "show_key": "show:70",
        "ids": {"trakt": 702, "slug": None, "imdb": None, "tmdb": None, "tvdb": None},
        "show_ids": {"trakt": 70, "slug": "show-70", "imdb": None, "tmdb": None, "tvdb": 210},
        "poster": {
            "url": "https://watch.example/images/title/show-70.svg",
            "width": 400,
            "height": 600,
            "type": "image/svg+xml",
            "colour": colour_of("show:70"),
            "tiny": None,
            "alt": "Poster of Show 70",
        },
        "still": None,
    }


def test_an_episode_has_its_still(api: Api) -> None:
    """Where one is kept, as large as it is."""
    key = hang_poster(api.sandra.store, "episode:702", "still")
    api.visitor.look()
    told = api.ask("/plays/15", api.token).json["play"]
    assert told["still"]["url"] == f"https://watch.example/images/{key}"
    assert told["still"]["alt"] == "A scene of Show 70 S1 E2"


def test_an_unknown_date_is_null(api: Api) -> None:
    """A play of 1970 has no moment, comes last, and lies in no span."""
    told = list(api.pages("/plays", api.token))
    assert told[-1]["history_id"] == 11
    assert told[-1]["watched_at"] is None
    before = api.pages("/plays", api.token, to="2026-05-01")
    assert [one["history_id"] for one in before] == [13, 12]


FILTERS: tuple[tuple[str, list[int]], ...] = (
    ("type=episode", [15, 14]),
    ("show=70", [15, 14]),
    ("show=show-70", [15, 14]),
    ("show=nobody-knows", []),
    ("title=show:70", [15, 14]),
    ("title=episode:701", [14]),
    ("title=movie:1", [12, 11]),
    ("show=70&title=episode:701", [14]),
    ("show=show-70&title=show:70", [15, 14]),
    ("show=70&title=movie:1", []),
    ("q=next+one", [15]),
    ("q=SHOW+pilot", [14]),
    ("from=2026-01-01&to=2026-05-02", [14, 13, 12]),
    ("from=2026-05-02T20:15:00Z&to=2026-05-03T20:15:00Z", [14]),
    ("from=2026-05-02T22:15:00%2B02:00&to=2026-05-03", [15, 14]),
    ("from=2026-01-01&to=2026-01-01", [12]),  # a day in Berlin begins at 23:00 in UTC
    ("from=2026-05-01&to=2026-05-31&type=movie", [13]),
    ("from=1960-01-01&to=2025-12-31", []),
    ("from=0001-01-01T00:00:00Z&to=2026-05-01", [13, 12]),
)
"""Queries, and the plays that they let pass."""


def test_filters(api: Api, subtests: pytest.Subtests) -> None:
    """Each lets exactly its plays pass, newest first; days are the account's own."""
    for query, expected in FILTERS:
        with subtests.test(query):
            told = api.ask(f"/plays?limit=50&{query}", api.token).json["items"]
            assert [one["history_id"] for one in told] == expected


def test_a_slug_of_digits_is_a_slug(api: Api) -> None:
    """A show may be called 1923; its slug comes before a number, which others may have."""
    row = episode_play(31, 901)
    row["show"] = show(90, "1923") | {"ids": {"trakt": 90, "slug": "1923"}}
    api.sandra.plays(row)
    for name, expected in (("1923", [31]), ("90", [31]), ("70", [15, 14])):
        told = api.ask(f"/plays?limit=50&show={name}", api.token).json["items"]
        assert [one["history_id"] for one in told] == expected


ODD = (
    ("/plays?limit=0", "limit has to be a whole number from 1 to 50."),
    ("/plays?limit=51", "limit has to be a whole number from 1 to 50."),
    ("/plays?limit=ten", "limit has to be a whole number from 1 to 50."),
    ("/plays?limit=", "limit has to be a whole number from 1 to 50."),
    ("/plays?limt=5", "'limt' is no parameter here."),
    ("/plays?limit=5&limit=6", "limit is given more than once."),
    ("/plays?type=show", "type has to be one of movie, episode."),
    ("/plays?from=yesterday", "from has to be a day or a moment (a + in it is written %2B)."),
    ("/plays?to=2026-02-30", "to has to be a day or a moment (a + in it is written %2B)."),
    ("/plays?title=heat", "title has to be the key of a title."),
    ("/plays?q=%00", "q has to be words, of at most 100 characters."),
    ("/plays?cursor=AAAA", "cursor is none that was given here."),
    (f"/plays?cursor={packed(Page(1, 'x'))}", "cursor is none that was given here."),
    (f"/plays?cursor={packed(Page(2**63, '1'))}", "cursor is none that was given here."),
    ("/plays/1e3", "history_id has to be a whole number from 1 to 9223372036854775807."),
    ("/titles/heat", "key has to be the key of a title."),
    ("/lists/x.y/items", "id has to be the id of a list."),
    ("/statistics/years/26", "year has to be a whole number from 1900 to 2199."),
    ("/health?x=1", "'x' is no parameter here."),
)
"""Questions that make no sense, and what is said of them."""


def test_odd_parameters_are_refused(api: Api, subtests: pytest.Subtests) -> None:
    """400 with which one it is and a right example; strangers learn nothing of them."""
    for path, words in ODD:
        with subtests.test(path):
            told = api.ask(path, api.token)
            assert told.status == 400
            assert told.json["reason"] == words
            assert told.json["hint"]
            assert api.ask(path).status == 404


def test_what_is_not_there_is_told(api: Api) -> None:
    """A play, title or list that the account does not have; the same for one of somebody else."""
    for path in ("/plays/99", "/titles/movie:99", "/titles/show:71", "/lists/7/items"):
        told = api.ask(path, api.token)
        assert told.status == 404
        assert told.json["reason"] != "not public"
    api.sandra.remove_play(13)
    assert api.ask("/plays/13", api.token).status == 404
    assert api.ask("/titles/movie:2", api.token).status == 404


def test_pages_pass_nothing_over_and_repeat_nothing_while_plays_are_added(api: Api) -> None:
    """Every play that was there at the beginning comes once, whatever comes in meanwhile."""
    wanted = [one["history_id"] for one in api.pages("/plays", api.token, limit=50)]
    assert len(wanted) == len(set(wanted)) == 5 + len(HOSTILE)
    seen = []
    for number, one in enumerate(api.pages("/plays", api.token, limit=3)):
        seen.append(one["history_id"])
        day = f"2026-10-{1 + number % 28:02}T08:00:00.000Z"
        api.sandra.plays(
            film_play(5_000 + number, 2, day),
            film_play(6_000 + number, 2, "1970-01-01T00:00:00.000Z"),
        )
    assert [one for one in seen if one < 5_000] == wanted
    assert len(seen) == len(set(seen))


def test_all_pages_together_are_the_whole(api: Api, subtests: pytest.Subtests) -> None:
    """However small the pages: the same things in the same order, each once."""
    for path in ("/titles", "/ratings", "/lists/watchlist/items", "/outbox"):
        for limit in (1, 2, 7):
            with subtests.test(f"{path} by {limit}"):
                _adds_up(api, path, limit)


def _adds_up(api: Api, path: str, limit: int) -> None:
    whole = api.ask(f"{path}?limit=50", api.token).json
    assert whole["next"] is None
    assert list(api.pages(path, api.token, limit=limit)) == whole["items"]


def test_titles_count_their_plays(api: Api) -> None:
    """Films and shows, those watched last first; a show has the plays of its episodes."""
    told = {one["key"]: one for one in api.pages("/titles", api.token)}
    assert len(told) == 3 + len(HOSTILE)
    assert told["movie:1"]["plays"] == 2
    assert told["movie:1"]["rating"] == 9
    assert told["movie:1"]["last_watched_at"] == "2025-12-31T23:30:00Z"
    assert told["show:70"]["plays"] == 2
    assert told["show:70"]["url"] == "https://app.trakt.tv/shows/show-70"
    shows = list(api.pages("/titles", api.token, type="show"))
    assert [one["key"] for one in shows] == ["show:70"]
    moments = [one["last_watched_at"] for one in told.values()]
    assert moments == sorted(moments, reverse=True)
    found = [one["key"] for one in api.pages("/titles", api.token, q="film+2")]
    assert found == ["movie:2"]


def test_a_title_has_its_details(api: Api) -> None:
    """An episode by its key: its show's name, its own place, first and last play."""
    told = api.ask("/titles/episode:702", api.token).json["title"]
    assert (told["title"], told["subtitle"]) == ("Show 70", "S1 E2 · The Next One")
    assert (told["plays"], told["rating"]) == (1, 7)
    assert told["first_watched_at"] == told["last_watched_at"] == "2026-05-03T20:15:00Z"
    film = api.ask("/titles/movie:1", api.token).json["title"]
    assert film["first_watched_at"] == "2025-12-31T23:30:00Z"
    assert film["url"] == "https://app.trakt.tv/movies/film-1"


def test_ratings_newest_first(api: Api) -> None:
    """Of all kinds, or of one; an episode says of which show it is."""
    told = list(api.pages("/ratings", api.token))
    assert [(one["key"], one["rating"]) for one in told] == [
        ("movie:3", 4),
        ("movie:1", 9),
        ("episode:702", 7),
    ]
    assert told[2]["title"] == "Show 70"
    assert told[2]["rated_at"] == "2026-05-04T00:00:00Z"
    assert [one["key"] for one in api.pages("/ratings", api.token, type="episode")] == [
        "episode:702"
    ]


def test_rows_without_an_id_have_their_page_too(api: Api) -> None:
    """A rating and a row of a list that Trakt gave no number: told without a key, and passed."""
    nameless = {"rated_at": "2026-06-02T08:00:00.000Z", "rating": 5, "type": "movie"}
    api.sandra.items("ratings_movies", {**nameless, "movie": {"title": "Lost é"}})
    told = list(api.pages("/ratings", api.token, limit=1))
    assert [one["key"] for one in told] == [None, "movie:3", "movie:1", "episode:702"]
    assert told[0]["title"] == "Lost é"
    odd = {"id": "ü 7", "rank": 9, "listed_at": "2026-06-02T08:00:00.000Z", "type": "movie"}
    api.sandra.items("favorites", {**odd, "movie": {"title": "Odd"}}, {**odd, "id": "ü 8"})
    rows = list(api.pages("/lists/favorites/items", api.token, limit=1))
    assert sorted(one["title"] for one in rows) == ["Film 1", "Odd", "Unknown title"]
    far = packed(Page(2**62, "x"))
    assert api.ask(f"/lists/favorites/items?cursor={far}", api.token).json["items"] == []


def test_lists_and_what_is_on_them(api: Api) -> None:
    """The watchlist and the favorites first, then the person's own, with their rows."""
    told = api.ask("/lists", api.token).json["items"]
    assert [one["id"] for one in told[:2]] == ["watchlist", "favorites"]
    names = {one["id"]: one["name"] for one in told}
    assert set(HOSTILE) <= set(names.values())
    assert all(one["privacy"] == "private" for one in told[2:])
    rows = api.ask("/lists/favorites/items", api.token).json["items"]
    assert [(one["key"], one["title"]) for one in rows] == [("movie:1", "Film 1")]


def test_hostile_titles_come_through_as_they_are(api: Api) -> None:
    """JSON holds every title to the letter, and nothing that stands in one is acted upon."""
    told = {one["title"] for one in api.pages("/plays", api.token, limit=50)}
    assert told >= {title.replace("\0", "") for title in HOSTILE} | ({"a\0b"} & told)
    for title in HOSTILE:
        words = title.replace("\0", " ").split()
        if words and len(title) < 90:
            found = api.ask(f"/plays?q={quote(' '.join(words))}", api.token)
            assert found.status == 200, title
            assert found.json["items"], title


def test_posts_say_what_the_site_answered_without_secrets(api: Api) -> None:
    """The outbox has states, addresses and answers; a token in an answer is masked."""
    (told,) = api.ask("/outbox", api.token).json["items"]
    assert (told["site"], told["state"]) == ("blog", "published")
    assert told["url"] == "https://blog.example/1"
    assert told["plays"] == [13]
    (attempt,) = told["tries"]
    assert (attempt["outcome"], attempt["status"]) == ("rejected", 403)
    assert SECRET.split()[1] not in str(told)
    assert api.ask("/outbox?state=held", api.token).json["items"] == []


def test_backups_and_runs_have_their_verdicts(api: Api) -> None:
    """What is recorded of archives and of runs, newest first."""
    (told,) = api.ask("/backups", api.token).json["items"]
    assert (told["verdict"], told["encrypted"]) == ("complete", False)
    assert told["written_at"] == "2023-11-14T22:13:20Z"
    health = api.ask("/health", api.token).json
    assert health["plays"] == 5 + len(HOSTILE)
    assert [(one["kind"], one["outcome"]) for one in health["runs"]] == [("sync", "complete")]
    assert health["runs"][0]["words"] == "Nothing new."


def test_the_account_says_what_may_be_seen(api: Api) -> None:
    """A stranger finds links to what is shared, its owner to everything; each of them answers."""
    api.share(Part.LAST, Part.HISTORY)
    told = api.ask("").json
    assert told["shares"] == ["history", "last"]
    assert told["own"] is False
    assert sorted(told["links"]) == ["last", "plays", "titles"]
    own = api.ask("", api.token).json
    assert own["own"] is True
    for name, address in own["links"].items():
        path = address.removeprefix("https://watch.example/api/v1/accounts/sandra")
        assert api.ask(path, api.token).status == 200, name


def test_the_last_plays(api: Api) -> None:
    """With the history as many as asked for, each like the widget's; empty when none."""
    api.share(Part.LAST, Part.HISTORY)
    told = api.ask("/last?limit=2").json
    assert [one["type"] for one in told["items"]] == ["movie", "movie"]
    assert (
        api.ask("/last?limit=50&type=episode").json["items"][0]["subtitle"]
        == "S1 E2 · The Next One"
    )
    single = api.visitor.ask("/api/trakt/last?account=sandra").json
    assert told["items"][0] == {name: single[name] for name in told["items"][0]}
    assert told["attribution"] == single["attribution"] == SHORT
    api.delay("36500d")
    assert api.ask("/last").json["items"] == []


def test_the_last_play_alone(api: Api) -> None:
    """Who shows the last play shows no other, however many are asked for; a token sees them all."""
    api.share(Part.LAST)
    for query in ("", "?limit=50", "?limit=50&type=movie"):
        assert len(api.ask(f"/last{query}").json["items"]) == 1
    assert len(api.ask("/last?limit=2", api.token).json["items"]) == 2
    assert len(api.ask("/last?limit=2", api.other).json["items"]) == 1


def test_statistics_add_up(api: Api) -> None:
    """Totals, a year and a heatmap tell of the same plays."""
    total = api.ask("/statistics", api.token).json["statistics"]["totals"]
    assert total["plays"] == 5 + len(HOSTILE)
    year = api.ask("/statistics/years/2026", api.token).json["year"]
    heatmap = api.ask("/statistics/heatmap?year=2026", api.token).json["heatmap"]
    assert (
        year["totals"]["plays"] == heatmap["plays"] == sum(one["plays"] for one in heatmap["days"])
    )
    assert len(heatmap["days"]) == 365


def test_an_answer_is_not_sent_twice(api: Api) -> None:
    """An ETag is honoured for strangers and for tokens; answers to them are not mixed up."""
    api.share(Part.HISTORY)
    for token in ("", api.token):
        told = api.ask("/plays/12", token)
        again = api.ask("/plays/12", token, If_None_Match=told.headers["etag"])
        assert (again.status, again.body) == (304, b"")
    assert "public" in api.ask("/plays/12").headers["cache-control"]
    assert "private" in api.ask("/plays/12", api.token).headers["cache-control"]


def plan_of(api: Api, path: str) -> list[str]:
    """How SQLite finds the plays that are asked for."""
    return plan_and_values(api, path)[0]


def plan_and_values(api: Api, path: str) -> tuple[list[str], Any]:
    """The same, and what it is given besides the statement."""
    database = api.sandra.store.database
    if not database.on_sqlite:
        pytest.skip("PostgreSQL reads so few rows without any index")
    asked: list[tuple[str, Any]] = []

    def note(*event: Any) -> None:
        asked.append((event[2], event[3]))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    assert api.ask(path, api.token).status == 200
    ((statement, values),) = [one for one in asked if "plays.watched_at DESC" in one[0]]
    with database.read() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return [row[-1] for row in plan], values


def test_a_page_begins_at_its_row(api: Api) -> None:
    """The database goes to where the page begins by an index, and sorts nothing."""
    place = packed(Page(1_780_000_000_000, "13"))
    plan = plan_of(api, f"/plays?cursor={place}")
    assert "(watched_at,history_id)<(?,?)" in plan[0]
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in plan)


def test_a_search_begins_at_its_row_too(api: Api) -> None:
    """The plays that it looks through come in their order by an index, and so do their titles."""
    place = packed(Page(1_780_000_000_000, "13"))
    plan = plan_of(api, f"/plays?q=nothing+is+called+so&cursor={place}")
    assert "(watched_at,history_id)<(?,?)" in plan[0]
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in plan)


def test_a_word_is_looked_for_once(api: Api) -> None:
    """However often it is said: a search is as dear as its words are many."""
    once, often = (plan_and_values(api, f"/plays?q=film{'+film' * n}")[1] for n in (0, 18))
    assert len(once) == len(often)


def test_a_synced_library_comes_out_whole(synced: Book) -> None:
    """Every play of a book that was read from the sandbox, over all pages, as the store has it."""
    with synced.store.database.write() as conn:
        token = tokens.add(conn, synced.account, "test")
    with served(synced.store) as visitor:
        shown = {"Authorization": f"Bearer {token}"}
        root = f"/api/v1/accounts/{synced.account.name}"
        seen, after = [], ""
        while True:
            told = visitor.ask(f"{root}/plays?limit=50{after}", **shown).json
            seen += [one["history_id"] for one in told["items"]]
            if told["next"] is None:
                break
            after = f"&cursor={told['next']}"
        kept = visitor.ask(f"{root}/health", **shown).json["plays"]
    assert len(seen) == len(set(seen)) == kept > 500
