from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mf2py  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped]

from tests.conftest import TEST_KEY
from tests.exporting.conftest import filled
from tests.hostile import MARK, STORABLE
from tests.web.open_book import BASE_URL, NUMBER, OpenBook, a_film, ago, an_episode, hang_poster
from tests.web.open_book import open_book as opening
from tests.web.showroom import served
from watchbook.clock import from_iso
from watchbook.render.attribution import TMDB, TRAKT
from watchbook.render.plain import plain
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store import changes, months, watched
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.schema import plays as play_table
from watchbook.store.watched import Place
from watchbook.web.pages.drawn import WIDTHS
from watchbook.web.pages.paging import PAGE

HOME = f"{BASE_URL}/@sandra"


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Iterator[OpenBook]:
    """An open book without a play, on each database."""
    with opening(store, tmp_path / "out") as opened:
        yield opened


@pytest.fixture(scope="module")
def any_book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBook]:
    """One that many examples are put into, one after the other."""
    folder = tmp_path_factory.mktemp("any", numbered=True)
    database = Database(f"sqlite:///{folder / 'home' / 'watchbook.db'}")
    migrate(database)
    with opening(Store(database, Sealer([TEST_KEY]), folder / "home"), folder / "out") as opened:
        yield opened
    database.close()


def entries(page: str, url: str = HOME) -> list[dict[str, Any]]:
    """The h-entries of a page, as somebody else's parser reads them."""
    items = mf2py.parse(doc=page, url=url)["items"]
    if items[0]["type"] == ["h-entry"]:
        return [items[0]["properties"]]
    (feed,) = (item for item in items if item["type"] == ["h-feed"])
    return [one["properties"] for one in feed.get("children", ())]


def cite(entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry says was watched."""
    (found,) = entry["watch-of"]
    assert found["type"] == ["h-cite"]
    properties: dict[str, Any] = found["properties"]
    return properties


def number(entry: dict[str, Any]) -> int:
    """The history id of an entry."""
    (found,) = cite(entry)["trakt-watch-id"]
    return int(found)


def links(page: str, rel: str) -> list[str]:
    """The addresses that a page gives under a relation."""
    found: list[str] = mf2py.parse(doc=page, url=HOME)["rels"].get(rel, [])
    return found


def walk(book: OpenBook, path: str = "", rel: str = "next") -> Iterator[str]:
    """Pages from one to the next, as their links lead."""
    address: str | None = f"{HOME}{path}"
    while address:
        page = book.page(address.removeprefix(HOME))
        yield page
        address = next(iter(links(page, rel)), None)


def test_a_page_says_what_was_watched(book: OpenBook) -> None:
    """A film and an episode are read back with everything that is known of them."""
    book.book.plays(a_film(NUMBER, "2026-10-03T19:30:00Z"), an_episode(2, "2026-10-02T22:30:00Z"))
    key = hang_poster(book.book.store, "movie:1")
    film, episode = entries(book.page())
    assert film["name"] == ["Heat (1995)"]
    assert film["url"] == [f"{HOME}/{NUMBER}"]
    assert film["published"] == ["2026-10-03T19:30:00Z"]
    assert film["uid"][0].startswith("urn:uuid:")
    assert cite(film) == {
        "name": ["Heat"],
        "url": ["https://app.trakt.tv/movies/film-1"],
        "published": ["1995"],
        "photo": [{"value": f"{BASE_URL}/images/{key}", "alt": "Poster of Heat"}],
        "trakt-watch-id": [str(NUMBER)],
    }
    assert episode["name"] == ["Severance S2 E7 · Chikhai Bardo"]
    told = cite(episode)
    assert (told["season"], told["episode"]) == (["2"], ["7"])
    assert (told["name"], told["publication"]) == (["Chikhai Bardo"], ["Severance"])
    assert told["url"] == ["https://app.trakt.tv/shows/show-21/seasons/2/episodes/7"]
    assert told["episode-of"][0]["value"] == "https://app.trakt.tv/shows/show-21"
    assert told["episode-of"][0]["properties"]["name"] == ["Severance"]


def test_the_feed_says_whose_it_is(book: OpenBook) -> None:
    """The h-feed has its name and an author whose address is the page."""
    (feed,) = mf2py.parse(doc=book.page(), url=HOME)["items"]
    assert feed["type"] == ["h-feed"]
    assert feed["properties"]["name"] == ["Watched by sandra"]
    (author,) = feed["properties"]["author"]
    assert author["type"] == ["h-card"]
    assert author["properties"] == {"name": ["sandra"], "url": [HOME]}


def test_the_page_of_a_play(book: OpenBook) -> None:
    """It is one h-entry that says the same as in the feed, and leads to the plays beside it."""
    book.book.plays(*(a_film(n, ago(days=n)) for n in (1, 2, 3)))
    page = book.page("/2")
    (alone,) = entries(page)
    same = next(one for one in entries(book.page()) if number(one) == 2)
    assert {**same, "category": ["crime", "drama"]}.keys() <= alone.keys()
    assert [alone[key] for key in ("name", "uid", "url", "published", "watch-of")] == [
        same[key] for key in ("name", "uid", "url", "published", "watch-of")
    ]
    assert links(page, "canonical") == [f"{HOME}/2"]
    assert links(page, "next")[0] == f"{HOME}/3"
    assert links(page, "prev")[0] == f"{HOME}/1"


def test_ratings_show_where_they_are_switched_on(book: OpenBook) -> None:
    """Beside the play, and in what programs read; otherwise nowhere."""
    book.book.plays(a_film(1, ago(days=1)))
    row = {"rated_at": ago(hours=1), "rating": 9, "type": "movie"}
    book.book.items("ratings_movies", row | {"movie": a_film(1, "")["movie"]})
    assert entries(book.page())[0]["rating"] == ["9"]
    assert entries(book.page("/1"))[0]["rating"] == ["9"]
    book.share(Part.RATINGS, on=False)
    for path in ("", "/1"):
        page = book.page(path)
        assert "rating" not in entries(page)[0]
        assert "★" not in page


@pytest.mark.parametrize("path", ["", "/77", "/2026-10", "/2026", "?q=heat"])
def test_a_private_account_shows_nothing(book: OpenBook, path: str) -> None:
    """It is answered like an account that does not exist, with a page for people."""
    book.book.plays(a_film(77, "2026-10-03T19:30:00Z"))
    book.share(Part.HISTORY, on=False)
    refused, unknown = book.ask(f"/@sandra{path}"), book.ask(f"/@nobody{path}")
    assert refused.status == unknown.status == 404
    assert refused.body == unknown.body
    assert b"Nothing to see here" in refused.body
    assert refused.headers["content-type"] == "text/html; charset=utf-8"


def test_what_is_not_there(book: OpenBook) -> None:
    """Odd addresses, empty months and removed plays are answered like what never was."""
    book.book.plays(a_film(77, "2026-10-03T19:30:00Z"), a_film(78, "2026-10-04T19:30:00Z"))
    book.book.remove_play(78)
    odd = ("/78", "/79", f"/{2**63}", "/0", "/077", "/x", "/2026-11", "/2026-13", "/0001-01")
    more = ("/9999-12", "/2026-10?before=x", "?before=1", f"?before=1_{2**64}", "/77/x", "/%00")
    missing = book.ask("/@nobody").body
    for path in (*odd, *more):
        told = book.ask(f"/@sandra{path}")
        assert told.status == 404, path
        assert told.body == missing or path == "/77/x"


def test_a_play_shows_after_the_delay(book: OpenBook) -> None:
    """A play younger than the delay is on no page, and its own is not there either."""
    book.book.plays(a_film(1, ago(hours=1)), a_film(2, ago(hours=3)), a_film(3, ago(days=-1)))
    assert [number(one) for one in entries(book.page())] == [1, 2]
    assert book.ask("/@sandra/3").status == 404
    book.share(after="2h")
    month = from_iso(ago(hours=3)).strftime("%Y-%m")
    for path in ("", "?q=heat", f"/{month}"):
        page = book.page(path)
        assert [number(one) for one in entries(page)] == [2]
        assert "/@sandra/1" not in page
    assert book.ask("/@sandra/1").status == 404
    assert links(book.page("/2"), "prev") == []
    book.share(after="9d")
    assert entries(book.page()) == []
    assert "Years" not in book.page()


def test_pages_hold_every_play_once(book: OpenBook) -> None:
    """From page to page, forth and back, every play comes once, also those of one moment."""
    many = 2 * PAGE + 7
    book.book.plays(*(a_film(n, ago(hours=n // 3 + 1)) for n in range(1, many + 1)))
    forth = list(walk(book))
    seen = [[number(one) for one in entries(page)] for page in forth]
    assert [len(one) for one in seen] == [PAGE, PAGE, 7]
    assert len({n for one in seen for n in one}) == many
    last = links(forth[-1], "canonical")[0].removeprefix(HOME)
    back = [[number(one) for one in entries(page)] for page in walk(book, last, "prev")]
    assert back == seen[::-1]


def test_search(book: OpenBook) -> None:
    """Words of films, shows and episodes find plays; what finds nothing says so."""
    book.book.plays(
        a_film(1, ago(days=1)), an_episode(2, ago(days=2)), a_film(3, ago(days=3), "Aftersun", 3)
    )
    for words, found in {"heat": [1], "BARDO": [2], "sever": [2], "after+sun": [3]}.items():
        assert [number(one) for one in entries(book.page(f"?q={words}"))] == found
    book.book.plays(a_film(4, ago(days=4), "Élite Ångström", 4))
    for words in ("élite", "ÉLITE ångström", "ÅNGSTRÖM"):
        assert [number(one) for one in entries(book.page(f"?q={quote(words)}"))] == [4]
    page = book.page("?q=%3Cscript%3E%25")
    assert entries(page) == []
    assert "No title here has “<bdi>&lt;script&gt;%</bdi>” in it." in page


def test_months(book: OpenBook) -> None:
    """A month has the plays of its days where the account is, and leads to those with plays."""
    book.book.plays(
        a_film(1, "2026-10-31T23:30:00Z"),  # already November in Berlin
        a_film(2, "2026-10-31T22:30:00Z"),
        a_film(3, "2026-08-31T22:30:00Z"),  # September there
        a_film(4, "2024-12-31T22:30:00Z"),
        a_film(5, "1939-12-15T20:00:00Z"),
        a_film(6, "1970-01-01T00:00:00Z"),
    )
    page = book.page("/2026-10")
    assert [number(one) for one in entries(page)] == [2]
    assert "<h1>October 2026</h1>" in page
    assert years_on(page) == ["2026", "2024", "1939"]
    assert months_on(page) == {"2026-09": "1", "2026-10": "1", "2026-11": "1"}
    assert [number(one) for one in entries(book.page("/1939-12"))] == [5]
    assert book.ask("/@sandra/1970-01").status == 404
    assert "Some day" in book.page()


def years_on(page: str) -> list[str]:
    """The years that a page leads to in its list of years."""
    found: list[str] = html.document_fromstring(page).xpath("//nav[@aria-label='Years']//a/text()")
    return found


def months_on(page: str) -> dict[str, str]:
    """The months that a page leads to in its list of months, and how much each says is there."""
    links = html.document_fromstring(page).xpath("//nav[starts-with(@aria-label,'Months')]//a")
    return {
        link.get("href").removeprefix("/@sandra/"): link.xpath("*[@class='count']/text()")[0]
        for link in links
    }


def test_years(book: OpenBook) -> None:
    """A year has its plays where the account is, its months with counts, and the years beside."""
    book.book.plays(
        a_film(1, "2026-10-31T22:30:00Z"),
        a_film(2, "2024-12-31T23:30:00Z"),  # already 2025 in Berlin
        an_episode(3, "2024-12-31T22:30:00Z"),
        an_episode(4, "2024-12-30T22:30:00Z"),
        a_film(5, "2024-03-30T22:30:00Z"),
        a_film(6, "1970-01-01T00:00:00Z"),
        a_film(2024, "2026-10-30T22:30:00Z"),
        a_film(2023, "2026-10-29T22:30:00Z"),
    )
    page = book.page("/2024")
    assert [number(one) for one in entries(page)] == [3, 4, 5]
    assert "<h1>2024</h1>" in page
    assert "1 film and 2 episodes" in page
    assert months_on(page) == {"2024-03": "1", "2024-12": "2"}
    assert years_on(page) == ["2026", "2025", "2024"]
    assert links(page, "canonical") == [f"{HOME}/2024"]
    assert (links(page, "prev"), links(page, "next")) == ([f"{HOME}/2025"], [])
    assert [number(one) for one in entries(book.page("/2025"))] == [2]
    for missing in ("/1970", "/2022", "/1000", "/9999", "/0000", "/02024", "/2024?before=x"):
        assert book.ask(f"/@sandra{missing}").status == 404, missing
    (alone,) = entries(book.page("/2023"))  # no year with plays, so a play's number
    assert number(alone) == 2023


def test_all_months_are_walked_through(book: OpenBook) -> None:
    """Older and newer lead through the pages of a month, and then to the months beside it."""
    days = [("2025-03-05", PAGE + 3), ("2024-12-05", 2), ("1965-01-05", 1)]
    rows = [f"{day}T{n // 60:02}:{n % 60:02}:00Z" for day, many in days for n in range(many)]
    book.book.plays(*(a_film(n, at) for n, at in enumerate(rows, 1)), a_film(99, "1970-01-01"))
    for first, pages in (("/2025-03", 4), ("/2025", 4)):
        forth = list(walk(book, first))
        seen = [number(one) for page in forth for one in entries(page)]
        assert sorted(seen) == list(range(1, len(rows) + 1))
        assert len(forth) == pages
        last = links(forth[-1], "canonical")[0].removeprefix(HOME)
        assert last in {"/1965-01", "/1965"}
        back = list(walk(book, last, "prev"))
        assert links(back[-1], "canonical") == [f"{HOME}{first}"]
    assert "<h1>March 2025</h1>" in book.page(links(book.page("/2024-12"), "prev")[0][len(HOME) :])


def test_a_year_shows_what_the_delay_lets_through(book: OpenBook) -> None:
    """Neither its counts nor its page tell of a play that is too young."""
    here = from_iso(ago(hours=3)).astimezone(book.book.account.zone)
    book.book.plays(a_film(1, ago(hours=3)), a_film(2, ago(days=800)))
    assert book.page(f"/{here.year}")
    book.share(after="2d")
    assert book.ask(f"/@sandra/{here.year}").status == 404
    (year,) = years_on(book.page())
    page = book.page(f"/{year}")
    assert "1 film" in page
    assert links(page, "prev") == []
    assert str(here.year) not in years_on(page)
    book.share(Part.HISTORY, on=False)
    told = book.ask(f"/@sandra/{year}")
    assert (told.status, told.body) == (404, book.ask("/@nobody/2026").body)


def test_days_are_those_of_the_account(book: OpenBook) -> None:
    """Late in the evening in UTC it is the next day in Berlin already."""
    book.book.plays(a_film(1, "2026-06-30T22:30:00Z"))
    page = book.page()
    assert '<time datetime="2026-07-01">' in page
    assert '<time class="dt-published" datetime="2026-06-30T22:30:00Z">00:30</time>' in page


def test_an_empty_page_says_so(book: OpenBook) -> None:
    """An account without a play has a whole page, without cards and search."""
    book.share(Part.STATISTICS)
    page = book.page()
    assert "<picture" not in page
    assert "<form" not in page
    assert entries(page) == []
    assert "has not watched anything yet" in page


def test_what_pages_say_to_other_programs(book: OpenBook) -> None:
    """Open Graph, canonical address, feeds and oEmbed, where the parts are on."""
    book.book.plays(a_film(1, ago(days=1)))
    page = book.page()
    told = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)">', page))
    assert told["title"] == "Watched by sandra"
    assert told["url"] == HOME
    assert told["type"] == "profile"
    assert "image" not in told
    assert links(page, "canonical") == [HOME]
    feeds = {"atom": "atom+xml", "rss": "rss+xml", "json": "feed+json"}
    for kind, media_type in feeds.items():
        wanted = f'type="application/{re.escape(media_type)}" title="[^"]*" href="([^"]*)"'
        assert re.findall(wanted, page) == [f"{BASE_URL}/feeds/plays.{kind}?account=sandra"]
    book.share(Part.LAST)
    page = book.page()
    assert f'<meta property="og:image" content="{BASE_URL}/card/last.png?account=sandra">' in page
    assert "application/json+oembed" in page
    book.share(Part.FEEDS, Part.LAST, on=False)
    page = book.page()
    assert "/feeds/" not in page
    assert "/card/" not in page
    key = hang_poster(book.book.store, "movie:1")
    book.book.plays(a_film(2, ago(days=2)))
    page = book.page("/2")
    assert f'<meta property="og:image" content="{BASE_URL}/images/{key}">' in page
    assert '<meta property="og:type" content="video.movie">' in page


def test_a_link_to_the_page_has_a_picture(book: OpenBook) -> None:
    """Without the last watch: the newest poster there is, or the heat map of public statistics.

    That of a month is always a poster of its own.
    """
    book.book.plays(a_film(1, ago(days=2)), an_episode(2, ago(days=1)))
    key = hang_poster(book.book.store, "movie:1")
    image = re.compile(r'<meta property="og:image" content="([^"]*)">')
    assert image.findall(book.page()) == [f"{BASE_URL}/images/{key}"]
    book.share(Part.STATISTICS)
    assert image.findall(book.page()) == [f"{BASE_URL}/card/heatmap.png?account=sandra"]
    book.share(Part.LAST)
    month = from_iso(ago(days=2)).astimezone(book.book.account.zone).strftime("%Y-%m")
    assert image.findall(book.page(f"/{month}")) == [f"{BASE_URL}/images/{key}"]


def test_the_page_of_an_episode_has_its_still(book: OpenBook) -> None:
    """And every page says whose pictures it shows, in the words that TMDB asks for."""
    book.book.plays(a_film(1, ago(days=2)), an_episode(2, ago(days=1)))
    key = hang_poster(book.book.store, "episode:31", "still")
    still = f'<img class="still" src="/images/{key}" alt="A scene of Severance S2 E7"'
    assert still in book.page("/2")
    assert 'class="still"' not in book.page("/1")
    for page in (book.page(), book.page("/2")):
        assert TMDB.notice in page
        assert TRAKT.notice in page


@pytest.mark.parametrize("favourites", [0, 1, 6])
def test_cards_keep_their_place(book: OpenBook, favourites: int) -> None:
    """The page says how large each card is before it is there, in each size, and what it tells."""
    year = from_iso(ago(days=2)).astimezone(book.book.account.zone).year
    shown = [a_film(n, ago(days=2, minutes=n), f"Film {n}", n) for n in range(1, favourites + 1)]
    book.book.plays(*shown, a_film(99, "2015-03-05T10:00:00Z"))
    assert "/card/" not in book.page()
    book.share(Part.STATISTICS)
    for path, of in (("", ""), ("/2015", "year=2015&amp;"), (f"/{year}", f"year={year}&amp;")):
        if path == f"/{year}" and not favourites:
            continue
        page = html.document_fromstring(book.page(path))
        cards = page.xpath("//picture//*")
        assert len(cards) == 2 * len(WIDTHS)
        for one in cards:
            address = one.get("srcset") or one.get("src")
            assert (of.replace("&amp;", "") in address) if of else ("year=" not in address)
            told = book.ask(address)
            assert told.status == 200
            size = f' width="{one.get("width")}" height="{one.get("height")}"'
            assert size in told.body.decode().partition(">")[0]
        assert {int(one.get("width")) for one in cards} == set(WIDTHS)
        assert all("play" in one.get("alt") for one in page.xpath("//picture//img"))


def test_cards_stand_where_there_is_something(book: OpenBook) -> None:
    """Not on a later page, or on that of a year from before there are cards."""
    book.share(Part.STATISTICS)
    book.book.plays(*(a_film(n, f"2015-03-05T10:{n:02}:00Z") for n in range(1, PAGE + 5)))
    book.book.plays(a_film(99, "1895-12-28T20:00:00Z"))
    for path in ("", "/2015"):
        first, later, *_ = walk(book, path)
        assert "/card/heatmap.svg" in first
        assert "/card/" not in html.tostring(html.document_fromstring(later).body).decode()
    assert "/card/" not in book.page("/1895")


def test_search_engines_are_asked_in_only_by_the_person(book: OpenBook) -> None:
    """A page is not listed unless its part is switched on."""
    robots = '<meta name="robots" content="noindex">'
    assert robots in book.page()
    assert book.ask("/@sandra").headers["x-robots-tag"] == "noindex"
    book.share(Part.SEARCH_ENGINES)
    assert robots not in book.page()
    assert "x-robots-tag" not in book.ask("/@sandra").headers


def test_a_page_may_load_only_what_is_ours(book: OpenBook) -> None:
    """No script, no inline style, no frame; the style is kept for good under its digest."""
    told = book.ask("/@sandra")
    policy = told.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    page = told.body.decode()
    assert "<script" not in page
    assert " style=" not in page
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]*)">', page)
    kept = book.visitor.ask(style)
    assert (kept.status, kept.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in kept.headers["cache-control"]
    old = book.visitor.ask(re.sub(r"\.[0-9a-f]{16}\.", ".0123456789abcdef.", style))
    assert old.body == kept.body
    assert "immutable" not in old.headers["cache-control"]
    for odd in ("/static/x.0123.css", "/static/..%2fapp.py", "/static/public.css"):
        assert book.visitor.ask(odd).status == 404


def test_hostile_titles(book: OpenBook) -> None:
    """Every title there is stands on the page as text, and nothing else comes of it."""
    some = list(enumerate(STORABLE, 1))
    book.book.plays(*(a_film(n, ago(minutes=n), text, n) for n, text in some))
    seen: dict[int, dict[str, Any]] = {}
    for page in walk(book):
        assert _harm(page) == []
        seen |= {number(one): one for one in entries(page)}
    assert sorted(seen) == [n for n, _ in some]
    for n, text in some:
        assert seen[n]["url"] == [f"{HOME}/{n}"]
        if plain(text):
            assert seen[n]["name"] == [f"{plain(text)} (1995)"]
            assert cite(seen[n])["name"] == [plain(text)]


def test_every_kind_of_page_reads_back_the_same(book: OpenBook) -> None:
    """First, later, year, month, search and a play's own: a play is told alike on all of them."""
    titles = [
        "Heat",
        "שבעה ימים",
        "\u200b",
        "  ",
        "a<b>c",
        "👨‍👩‍👧‍👦",
        "\u202eevil",
        "x" * 400,
        "\u0301",
    ]
    films = [a_film(n, f"2025-03-0{n % 9 + 1}T12:00:00Z", t, n) for n, t in enumerate(titles, 100)]
    shows = [an_episode(n, "2025-03-20T12:00:00Z", t, t) for n, t in enumerate(titles, 200)]
    for number_of_show, row in enumerate(shows):
        row["show"]["ids"] = {"trakt": 700 + number_of_show, "slug": f"show-{number_of_show}"}
        row["episode"]["ids"] = {"trakt": 800 + number_of_show}
    row = {"rated_at": ago(hours=1), "rating": 9, "type": "movie"}
    book.book.plays(*films, *shows)
    book.book.items("ratings_movies", row | {"movie": films[0]["movie"]})
    told = {number(one): one for one in entries(book.page())}
    assert sorted(told) == [row["id"] for row in (*films, *shows)]
    assert told[100]["rating"] == ["9"]
    for path in ("?before=1900000000000_1", "/2025", "/2025-03"):
        assert {number(one): one for one in entries(book.page(path))} == told, path
    assert [told[number(one)] for one in entries(book.page("?q=heat"))] == [told[200], told[100]]
    for history_id, same in told.items():
        (alone,) = entries(book.page(f"/{history_id}"))
        assert {name: alone[name] for name in same} == same


@pytest.mark.parametrize(
    ("title", "language", "marks"),
    [
        ("君の名は。", "ja", 'dir="auto" lang="ja">君の名は。<'),
        ("שבעה ימים", "he", 'dir="auto" lang="he">שבעה ימים<'),
        ("Your Name", "ja", 'dir="auto">Your Name<'),
        ("Amélie", "fr", 'dir="auto">Amélie<'),
        ("Брат", None, 'dir="auto">Брат<'),
        ("Брат", "xx", 'dir="auto">Брат<'),
        (" ", "ja", 'dir="auto">Untitled<'),
    ],
)
def test_titles_run_their_way(
    any_book: OpenBook, title: str, language: str | None, marks: str
) -> None:
    """By their letters, and in the language that they are known to be written in."""
    history_id = 5_000_000 + next(_turns)
    film = a_film(history_id, "2025-03-05T12:00:00Z", title, history_id)
    any_book.book.plays(film | {"movie": film["movie"] | {"language": language}})
    assert marks in any_book.page(f"/{history_id}")


def test_programs_are_told_what_a_page_is(book: OpenBook) -> None:
    """Each has a title and a description of its own, and a picture of its own where it has one."""
    book.book.plays(
        *(a_film(n, f"2025-03-05T10:{n:02}:00Z", f"Film {n}", n) for n in range(1, PAGE + 5)),
        an_episode(99, "2024-06-05T10:00:00Z"),
    )
    book.share(Part.STATISTICS, Part.SEARCH_ENGINES)
    later = links(book.page(), "next")[0].removeprefix(HOME)
    seen = {
        path: html.document_fromstring(book.page(path))
        for path in ("", later, "/2025", "/2025-03", "/2024", "/2024-06", "/99", "?q=heat", "?q=5")
    }
    for of in ("//title/text()", "//meta[@name='description']/@content", "//h1"):
        told = [page.xpath(of) for page in seen.values()]
        assert [len(one) for one in told] == [1] * len(seen)
        texts = [one[0] if isinstance(one[0], str) else one[0].text_content() for one in told]
        assert len(set(texts)) == len(seen)
    said = seen["/2025"].xpath("//meta[@name='description']/@content")[0]
    assert said.startswith("54 films that sandra watched in 2025: Film 54, Film 53, Film 52 and")
    assert seen[later].xpath("//h1/text()") == ["5 June 2024 to 5 March 2025"]
    pictures = seen["/2024"].xpath("//meta[@property='og:image']/@content")
    assert pictures == [f"{BASE_URL}/card/year.png?account=sandra&year=2024"]
    assert book.ask(pictures[0].removeprefix(BASE_URL)).status == 200
    hidden = [path for path, page in seen.items() if page.xpath("//meta[@name='robots']")]
    assert hidden == ["?q=heat", "?q=5"]


def _harm(page: str) -> list[str]:
    """Elements and attributes that run or fetch what a title says."""
    found = []
    for element in html.document_fromstring(page).iter():
        if element.tag in {"script", "iframe", "svg", "style", "base", "form", "math", "object"}:
            found += [element.tag] if element.get("action") != "/@sandra" else []
        for name, value in element.items():
            fetches = name in {"href", "src", "action"} and MARK in value
            found += (
                [f"{name}={value}"] if name.startswith("on") or name == "style" or fetches else []
            )
    return found


_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
_moments = st.datetimes(datetime(1890, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_FAR = 4_000_000_000_000
_turns = count(1)
"""An address for each example: one that was asked for lately may be answered as it was."""
_plays = st.lists(
    st.tuples(st.integers(1, 2**63 - 1), _moments, st.booleans(), _texts, _texts),
    max_size=12,
    unique_by=lambda play: play[0],
)


@given(made=_plays)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_parser_reads_back_exactly_the_plays(any_book: OpenBook, made: Any) -> None:
    """Whatever was watched: the same ids, times, names and addresses, in the same order."""
    with any_book.book.store.database.write() as conn:
        conn.execute(sa.delete(play_table))
        changes.tell(conn, changes.of_account(any_book.book.account.id))
    rows = [
        _row(place, history_id, moment.replace(microsecond=0), film, title, show)
        for place, (history_id, moment, film, title, show) in enumerate(made, 1)
    ]
    any_book.book.plays(*(row for row, *_ in rows))
    told = entries(any_book.page(f"?before={_FAR}_{next(_turns)}"))
    wanted = sorted(rows, key=lambda one: (from_iso(one[0]["watched_at"]), one[0]["id"]))[::-1]
    assert [number(one) for one in told] == [row["id"] for row, *_ in wanted]
    for one, (row, name, url) in zip(told, wanted, strict=True):
        moment = from_iso(row["watched_at"])
        known = moment != datetime(1970, 1, 1, tzinfo=UTC)
        assert list(map(from_iso, one.get("published", []))) == ([moment] if known else [])
        assert one["url"] == [f"{HOME}/{row['id']}"]
        assert cite(one)["url"] == [url]
        if name:
            assert one["name"] == [name]


def _row(
    place: int, history_id: int, moment: datetime, film: bool, title: str, show: str
) -> tuple[dict[str, Any], str, str]:
    """A row of history, and the name and address that are to be read back."""
    at = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if film:
        row = a_film(history_id, at, title, place)
        name = f"{plain(title)} (1995)" if plain(title) else ""
        return row, name, f"https://app.trakt.tv/movies/film-{place}"
    row = an_episode(history_id, at, title, show)
    row["show"]["ids"] = {"trakt": 1000 + place, "slug": f"show-{place}"}
    row["episode"]["ids"] = {"trakt": 2000 + place}
    whole = plain(f"{plain(show)} S2 E7 · {plain(title)}") if plain(show) and plain(title) else ""
    return row, whole, f"https://app.trakt.tv/shows/show-{place}/seasons/2/episodes/7"


def test_a_far_page_is_found_by_the_index(any_book: OpenBook) -> None:
    """Page 2,000 begins at its row: no sorting, and no walking over the rows before it."""
    database, here = any_book.book.store.database, Place(1_700_000_000_000, 5)
    with database.read() as conn:
        for ask in (
            lambda: watched.newest(conn, 1, PAGE, before=here),
            lambda: watched.nearest(conn, 1, PAGE, after=here),
            lambda: months.newest_before(conn, 1, here.watched_at),
            lambda: months.oldest_since(conn, 1, here.watched_at),
        ):
            plan = _plan(conn, ask)
            assert re.search(r"^SEARCH plays USING (COVERING )?INDEX ix_plays_account_id", plan[0])
            assert "watched_at" in plan[0].partition("(")[2]  # it begins at the row itself
            assert not any("TEMP B-TREE" in one for one in plan)


def _plan(conn: sa.Connection, ask: Callable[[], object]) -> list[str]:
    """How SQLite goes about the statement of ``ask``."""
    told: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, text: str, given: Any, *_: Any) -> None:
        told.append((text, given))

    sa.event.listen(conn, "before_cursor_execute", note)
    ask()
    sa.event.remove(conn, "before_cursor_execute", note)
    ((text, given),) = told
    return [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)]


def test_the_future_is_not_shown(book: OpenBook) -> None:
    """A play dated tomorrow has no page until tomorrow."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    book.book.plays(a_film(1, tomorrow))
    assert entries(book.page()) == []
    assert book.ask("/@sandra/1").status == 404


def test_a_page_stays_while_the_database_is_away(any_book: OpenBook) -> None:
    """What was shown last is shown on; what never was is said to be away, on a page for people."""
    any_book.page()
    any_book.ask("/@sandra/2026-10")
    database = any_book.book.store.database
    file = database.file
    assert file is not None
    aside = file.with_name("aside.db")
    database.close()
    file.rename(aside)
    file.mkdir()
    try:
        shown, away = any_book.ask("/@sandra"), any_book.ask("/@sandra?q=never")
    finally:
        file.rmdir()
        aside.rename(file)
    assert (shown.status, b"Watched by" in shown.body) == (200, True)
    assert (away.status, b"Not now" in away.body) == (503, True)


def test_a_page_below_a_path_of_a_host(store: Store, tmp_path: Path) -> None:
    """All that a page leads to and loads lies below the path that it is reached by."""
    book = filled(store, tmp_path / "out")
    book.plays(a_film(1, ago(days=400)), an_episode(2, ago(days=2)))
    with served(store, f"{BASE_URL}/tv") as visitor:
        OpenBook(book, visitor).share(*Part)
        visitor.look()
        year = from_iso(ago(days=2)).astimezone(book.account.zone).year
        for path in ("", f"/{year}", "/2", "?q=heat"):
            page = html.document_fromstring(visitor.ask(f"/@sandra{path}").body)
            found = [*page.xpath("//@href"), *page.xpath("//@src"), *page.xpath("//@srcset")]
            ours = [one for one in found if not one.startswith(("#", "data:", "https://"))]
            assert ours
            assert all(one.startswith("/tv/") for one in ours)
            whole = [one for one in found if one.startswith(BASE_URL)]
            assert all(one.startswith(f"{BASE_URL}/tv/") for one in whole)
            for one in ours:
                assert visitor.ask(one.removeprefix("/tv")).status == 200, one
