from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.micropub.conftest import HEAT, NOW, POSTER, SHELDON, SLUMP, TEXT, WATCHED, an_episode
from watchbook import clock
from watchbook.errors import InputError
from watchbook.micropub.citing import Payload
from watchbook.micropub.post import SLUG, Look, Post, entry, form, properties, replacement, slug_of
from watchbook.micropub.titles import Episode, Film, Ids, Show, Watched, page_of

TRAKT = "https://app.trakt.tv"
FILM = Post([Watched(7, HEAT, POSTER)], "Watched Heat (1995)", WATCHED, categories=("film",))


def test_the_payload_of_an_episode() -> None:
    """Valid microformats with the names and the nesting that readers of ownyourtrakt know."""
    url = f"{TRAKT}/shows/young-sheldon/seasons/3/episodes/14"
    assert entry(properties(an_episode(), now=NOW)) == {
        "type": ["h-entry"],
        "properties": {
            "published": ["2020-02-14T15:40:46+00:00"],
            "summary": [TEXT],
            "content": [TEXT],
            "category": ["watched", "tv"],
            "mp-slug": ["trakt-5611853642"],
            "watch-of": [
                {
                    "type": ["h-cite"],
                    "value": url,
                    "properties": {
                        "name": ["A Slump, a Cross and Roadside Gravel"],
                        "url": [url],
                        "uid": [url],
                        "publication": ["Young Sheldon"],
                        "season": ["3"],
                        "episode": ["14"],
                        "published": ["2020-01-30"],
                        "trakt-watch-id": ["5611853642"],
                        "trakt-id": ["3935937"],
                        "imdb-id": ["tt11591958"],
                        "tmdb-id": ["2072445"],
                        "tvdb-id": ["7539973"],
                        "episode-of": [
                            {
                                "type": ["h-cite"],
                                "value": f"{TRAKT}/shows/young-sheldon",
                                "properties": {
                                    "name": ["Young Sheldon"],
                                    "url": [f"{TRAKT}/shows/young-sheldon"],
                                    "published": ["2017"],
                                },
                            }
                        ],
                    },
                }
            ],
        },
    }


def test_the_payload_of_a_film() -> None:
    """A film is cited with its day of release, and has nothing of an episode."""
    [cite] = properties(FILM, now=NOW)["watch-of"]
    assert cite["properties"] == {
        "name": ["Heat"],
        "url": [f"{TRAKT}/movies/heat-1995"],
        "uid": [f"{TRAKT}/movies/heat-1995"],
        "published": ["1995-12-15"],
        "trakt-watch-id": ["7"],
        "trakt-id": ["832"],
        "imdb-id": ["tt0113277"],
        "tmdb-id": ["949"],
    }


def looking(post: Post, **look: Any) -> dict[str, list[Any]]:
    """The properties of the post at a site that wants this."""
    return properties(replace(post, look=Look(**look)), now=NOW)


@pytest.mark.parametrize(
    ("payload", "wrap"),
    [(Payload.REFERENCE, lambda ids: ids), (Payload.REFERENCE_LIST, lambda ids: [ids])],
)
def test_the_references_payload(payload: Payload, wrap: Any) -> None:
    """For sites written for ownyourtrakt: numbers, ids as an object or a list of one, its host."""
    [cite] = looking(an_episode(), payload=payload)["watch-of"]
    show = "https://trakt.tv/shows/young-sheldon"
    assert cite == {
        "type": ["h-cite"],
        "properties": {
            "name": ["A Slump, a Cross and Roadside Gravel"],
            "url": [f"{show}/seasons/3/episodes/14"],
            "season": [3],
            "episode": [14],
            "trakt-watch-id": [5611853642],
            "trakt-ids": wrap(
                {"trakt": 3935937, "imdb": "tt11591958", "tmdb": 2072445, "tvdb": 7539973}
            ),
            "episode-of": [
                {
                    "type": ["h-cite"],
                    "properties": {
                        "name": ["Young Sheldon"],
                        "url": [show],
                        "published": ["2017-01-01T00:00:00Z"],
                        "trakt-ids": wrap(
                            {
                                "trakt": 119172,
                                "slug": "young-sheldon",
                                "imdb": "tt6226232",
                                "tmdb": 71728,
                                "tvdb": 328724,
                            }
                        ),
                    },
                }
            ],
        },
    }


def test_the_address_alone() -> None:
    """The plainest way to say what was watched."""
    assert looking(FILM, payload=Payload.URL)["watch-of"] == [f"{TRAKT}/movies/heat-1995"]


BINGE = Post(
    [Watched(n, Episode(SHELDON, 3, n, Ids(n)), POSTER) for n in (14, 15, 16)],
    "Watched 3 episodes of Young Sheldon: S03E14 to S03E16",
    WATCHED,
)


@pytest.mark.parametrize("payload", Payload)
def test_a_binge_cites_every_episode(payload: Payload) -> None:
    """One post holds several citations, in the order of watching, and a slug of its own."""
    found = looking(BINGE, payload=payload)
    assert len(found["watch-of"]) == 3
    assert found["mp-slug"] == ["trakt-14"]
    if payload is Payload.STANDARD:
        ids = [cite["properties"]["trakt-watch-id"] for cite in found["watch-of"]]
        assert ids == [["14"], ["15"], ["16"]]


def test_what_trakt_lacks_is_left_out() -> None:
    """No empty text, no zero and no null goes out, however little is known."""
    bare = Watched(1, Episode(Show("Untitled", Ids(5)), 0, 1, Ids(6)))
    for payload in Payload:
        found = looking(Post([bare], "Watched something"), payload=payload)
        assert holes(found) == []
        assert "published" not in found
    [cite] = looking(Post([bare], "x"))["watch-of"]
    assert cite["value"] == f"{TRAKT}/shows/5/seasons/0/episodes/1"
    assert cite["properties"]["season"] == ["0"]
    assert not {"name", "published", "imdb-id", "tmdb-id", "tvdb-id"} & cite["properties"].keys()


def holes(value: Any, *, season: bool = False) -> list[Any]:
    """Every empty value inside; season 0, which holds specials, is none."""
    if isinstance(value, dict):
        return [
            hole for key, inner in value.items() for hole in holes(inner, season=key == "season")
        ]
    if isinstance(value, list) and value:
        return [hole for inner in value for hole in holes(inner, season=season)]
    special = season and value == 0
    return [] if value or special else [value]


def test_years_stand_in_for_dates() -> None:
    """Where only the year is known, it is sent as it is; no first of January is made up."""
    film = Film("Old", Ids(1, "old"), 1925)
    [cite] = looking(Post([Watched(1, film)], "x"))["watch-of"]
    assert cite["properties"]["published"] == ["1925"]


@pytest.mark.parametrize(
    ("text_in", "summary", "content"),
    [("summary", True, False), ("content", False, True), ("both", True, True)],
)
def test_where_the_sentence_goes(text_in: str, summary: bool, content: bool) -> None:
    """Summary, content or both, as the site wants it."""
    found = looking(FILM, text_in=text_in)
    assert ("summary" in found, "content" in found) == (summary, content)


def test_html_goes_into_the_content_alone() -> None:
    """A summary is plain text by definition."""
    post = replace(FILM, html='Watched <a href="x">Heat</a>')
    found = properties(post, now=NOW)
    assert found["content"] == [{"html": 'Watched <a href="x">Heat</a>'}]
    assert found["summary"] == ["Watched Heat (1995)"]


def test_what_a_site_wants_besides() -> None:
    """Status, visibility and targets are sent when they are set, each as a list."""
    found = looking(FILM, status="draft", visibility="unlisted", syndicate_to=("a", "b"))
    assert found["post-status"] == ["draft"]
    assert found["visibility"] == ["unlisted"]
    assert found["mp-syndicate-to"] == ["a", "b"]
    assert not {"post-status", "visibility", "mp-syndicate-to"} & looking(FILM).keys()


def test_where_the_poster_goes() -> None:
    """Nowhere, into the citation, or to the entry as `featured`; never as the entry's photo."""
    picture = {"value": POSTER.url, "alt": POSTER.alt}
    off, cite, featured = (looking(FILM, poster=place) for place in ("off", "cite", "featured"))
    assert POSTER.url not in str(off)
    assert cite["watch-of"][0]["properties"]["photo"] == [picture]
    assert featured["featured"] == [picture]
    assert "photo" not in featured["watch-of"][0]["properties"]
    assert looking(BINGE, poster="featured")["featured"] == [picture]


@pytest.mark.parametrize("payload", Payload)
@pytest.mark.parametrize("poster", ["off", "cite", "featured"])
@pytest.mark.parametrize("post", [FILM, BINGE, an_episode()], ids=["film", "binge", "episode"])
def test_what_is_never_on_the_entry(payload: Payload, poster: str, post: Post) -> None:
    """`uid` breaks a server; `photo` and `name` make it another kind of post."""
    found = looking(post, payload=payload, poster=poster)
    assert not {"uid", "photo", "name"} & found.keys()
    assert all(type(values) is list for values in found.values())
    assert holes(found) == []


def test_dates_have_the_persons_offset() -> None:
    """The moment is the same, written as the person's clock showed it."""
    found = looking(FILM, zone=ZoneInfo("Europe/Berlin"))
    assert found["published"] == ["2020-02-14T16:40:46+01:00"]


def test_a_date_in_the_future_is_now() -> None:
    """A post dated ahead would be scheduled instead of published."""
    post = replace(FILM, published=NOW + timedelta(days=3))
    assert properties(post, now=NOW)["published"] == ["2026-11-21T12:00:00+00:00"]


@pytest.mark.parametrize("published", [None, clock.UNKNOWN_DATE])
def test_an_unknown_date_is_left_out(published: datetime | None) -> None:
    """Nobody watched anything on the first of January 1970 by accident."""
    assert "published" not in properties(replace(FILM, published=published), now=NOW)


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_any_date_is_one_that_servers_read(moment: datetime) -> None:
    """A date is a whole RFC 3339 one, with an offset, and never ahead of now."""
    found = properties(replace(FILM, published=moment), now=NOW).get("published")
    if found:
        read = datetime.fromisoformat(found[0])
        assert read <= NOW
        assert read == min(moment, NOW).replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_post_without_a_word_is_refused(text: str) -> None:
    """One server says 201 to it and makes nothing."""
    with pytest.raises(InputError, match="no text"):
        replace(FILM, text=text)


def test_slugs_tell_posts_apart() -> None:
    """Plays of one second have slugs of their own, and all look alike to the look-up."""
    slugs = [slug_of(post.watched) for post in (FILM, an_episode(), BINGE)]
    assert slugs == ["trakt-7", "trakt-5611853642", "trakt-14"]
    assert all(SLUG.fullmatch(slug) for slug in slugs)
    assert properties(replace(FILM, slug="trakt-8"), now=NOW)["mp-slug"] == ["trakt-8"]


@pytest.mark.parametrize(
    ("what", "page"),
    [
        (HEAT, "/movies/heat-1995"),
        (SHELDON, "/shows/young-sheldon"),
        (SLUMP, "/shows/young-sheldon/seasons/3/episodes/14"),
        (Film("New", Ids(5)), "/movies/5"),
        (Episode(Show("New", Ids(6)), 1, 2, Ids(7)), "/shows/6/seasons/1/episodes/2"),
    ],
)
def test_addresses_at_trakt(what: Film | Episode | Show, page: str) -> None:
    """A slug where there is one, else the number in the same place; never an empty part."""
    assert page_of(what) == TRAKT + page


def test_the_form() -> None:
    """Texts only, one name for one value, brackets for several; the title as its address."""
    look = Look(poster="featured", syndicate_to=("https://news.example/",))
    post = replace(FILM, html="<b>x</b>", categories=("watched", "film"), look=look)
    assert form(post, now=NOW) == {
        "h": "entry",
        "published": "2020-02-14T15:40:46+00:00",
        "summary": "Watched Heat (1995)",
        "content": "Watched Heat (1995)",
        "category[]": ["watched", "film"],
        "featured": POSTER.url,
        "mp-slug": "trakt-7",
        "mp-syndicate-to": "https://news.example/",
        "watch-of": f"{TRAKT}/movies/heat-1995",
    }
    assert len(form(BINGE, now=NOW)["watch-of[]"]) == 3


def test_an_update_replaces_what_changed() -> None:
    """Commands stay out of it, and the date too unless the post may move."""
    before = properties(FILM, now=NOW)
    after = properties(
        replace(FILM, text="Watched Heat: 9/10", published=NOW, look=Look(syndicate_to=("a",))),
        now=NOW,
    )
    assert replacement(before, after) == {
        "summary": ["Watched Heat: 9/10"],
        "content": ["Watched Heat: 9/10"],
    }
    assert "published" in replacement(before, after, move=True)
    assert replacement(before, before) == {}
