from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import PHONE, address, browser, opened, page, violations
from tests.conftest import TEST_KEY
from tests.exporting.conftest import (
    Filled,
    episode,
    episode_play,
    filled,
    film,
    film_play,
    hostile,
    out,
    rated,
    show,
)
from tests.sync.conftest import Book, _book
from watchbook.seal import Sealer
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.schema import plays as play_table
from watchbook.store.schema import titles as title_table

__all__ = ["browser", "page"]

EXTRA = (
    "Ю" * 65_536,
    "${alert(1)} {{7*7}} <%= alert(1) %>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
)
AMELIE = "Le fabuleux destin d'Amélie"
MANY = 100_000
PARTS = ("history", "films", "shows", "ratings", "lists", "notes", "statistics")


@contextmanager
def account(folder: Path) -> Iterator[Filled]:
    """An account in a SQLite store of its own."""
    database = Database(f"sqlite:///{folder / 'home' / 'watchbook.db'}")
    try:
        migrate(database)
        yield filled(Store(database, Sealer([TEST_KEY]), folder / "home"), folder / "out")
    finally:
        database.close()


@dataclass(frozen=True)
class Synced:
    """The page of a synced book, and what the store counts."""

    path: Path
    counts: dict[str, int]


@pytest.fixture(scope="module")
def synced_page(tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """The page of a book of 600 plays that was read from the sandbox."""
    folder = tmp_path_factory.mktemp("synced")
    with ExitStack() as stack:
        book = _book(stack, folder, None, {})
        assert book.sync().complete
        path = out(book.store, book.account, "html", folder / "page.html").paths[0]
        return Synced(path, _counts(book))


@pytest.fixture(scope="module")
def many_page(tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """The page of a book of 3,000 plays, and how many episodes the store has of each show."""
    folder = tmp_path_factory.mktemp("many")
    with ExitStack() as stack:
        book = _book(stack, folder, None, {"plays": 3_000})
        assert book.sync().complete
        path = out(book.store, book.account, "html", folder / "page.html").paths[0]
        rows = book.rows(
            "SELECT t.show_key, count(DISTINCT t.key) FROM plays p JOIN titles t "
            "ON t.key = p.title_key WHERE p.removed_at IS NULL AND t.type = 'episode' "
            "AND t.show_key IS NOT NULL GROUP BY 1"
        )
        return Synced(path, {str(key): int(seen) for key, seen in rows})


def _counts(book: Book) -> dict[str, int]:
    rows = book.rows("SELECT data_set, count(*) FROM items WHERE removed_at IS NULL GROUP BY 1")
    found = {str(name): int(number) for name, number in rows}
    seen = "FROM plays p JOIN titles t ON t.key = p.title_key WHERE p.removed_at IS NULL"
    for name, query in {
        "plays": "SELECT count(*) FROM plays WHERE removed_at IS NULL",
        "films": f"SELECT count(DISTINCT t.key) {seen} AND t.type = 'movie'",
        "shows": f"SELECT count(DISTINCT t.show_key) {seen} AND t.type = 'episode'",
        "episodes": f"SELECT count(DISTINCT t.key) {seen} AND t.type = 'episode'",
    }.items():
        found[name] = int(book.rows(query)[0][0])
    return found


@pytest.fixture(scope="module")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a few plays, each of another kind."""
    with account(tmp_path_factory.mktemp("small")) as book:
        book.plays(
            film_play(11, 1, "1970-01-01T00:00:00.000Z", title=AMELIE),
            film_play(12, 1, "2025-12-31T23:30:00.000Z", title=AMELIE),
            film_play(13, 2, "2026-05-01T20:15:00.000Z", title="Ænigma: Œuvre"),
            episode_play(14, 701, "2026-05-02T20:15:00.000Z"),
            episode_play(15, 702, "2026-05-02T21:15:00.000Z", place=7, title="The Next One"),
            episode_play(16, 702, "2026-06-02T21:15:00.000Z", place=7, title="The Next One"),
        )
        book.items("ratings_movies", {**rated(1, 9), "movie": film(1, AMELIE)}, rated(3, 4))
        about = {"type": "episode", "episode": episode(701), "show": show(70)}
        book.items(
            "ratings_episodes", {"rated_at": "2026-05-04T00:00:00.000Z", "rating": 7, **about}
        )
        note = {"id": 1, "notes": "Seen twice.", "privacy": "private", "spoiler": True}
        item = {"type": "movie", "movie": film(1)}
        book.items("notes_movies", {**note, "created_at": "2026-05-04T00:00:00.000Z", "item": item})
        return book.export("html").paths[0]


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The page of films and lists whose names want to be something else."""
    with account(tmp_path_factory.mktemp("hostile")) as book:
        titles = [*hostile(book), *EXTRA]
        book.plays(*(film_play(900 + n, 900 + n, title=text) for n, text in enumerate(EXTRA)))
        return book.export("html").paths[0], [title.replace("\0", "") for title in titles]


@pytest.fixture(scope="module")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 100,000 plays of 2,000 episodes."""
    with account(tmp_path_factory.mktemp("large")) as book:
        book.plays(*(episode_play(n, n, season=n // 100, place=n % 100) for n in range(1, 2001)))
        with book.store.database.write() as conn:
            conn.execute(sa.insert(play_table), list(_many(book.account.id)))
        return book.export("html").paths[0]


def _many(account_id: int) -> Iterator[dict[str, Any]]:
    fixed = {"account_id": account_id, "type": "episode", "action": "watch", "raw": "{}"}
    start = 1_200_000_000_000
    for n in range(2_001, MANY + 1):
        key = f"episode:{n % 2000 + 1}"
        yield {
            **fixed,
            "history_id": n,
            "title_key": key,
            "watched_at": start + n * 5_000_000,
            "discovered_at": 0,
        }


def go(page: Page, path: Path, part: str) -> None:
    """Open a part of a page and wait until it is there."""
    page.goto(address(path, part))
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(page.locator("main h2")).to_be_visible()


def status(page: Page) -> Locator:
    """The words that count what is shown."""
    return page.locator(".status")


def firsts(page: Page) -> list[str]:
    """The first lines of the rows in sight."""
    return page.locator(".row .first").all_inner_texts()


def test_every_part_shows_what_the_store_counts(page: Page, synced_page: Synced) -> None:
    """The words above each list, and the head of the page, agree with the database."""
    kept = synced_page.counts
    rated = sum(number for name, number in kept.items() if name.startswith("ratings_"))
    notes = sum(number for name, number in kept.items() if name.startswith("notes_"))
    wanted = {
        "history": f"{kept['plays']:,} plays",
        "films": f"{kept['films']:,} films",
        "shows": f"{kept['shows']:,} shows",
        "ratings": f"{rated:,} ratings",
        "lists/watchlist": f"{kept['watchlist']:,} rows",
        "lists/favorites": f"{kept['favorites']:,} rows",
        "notes": f"{notes + kept['comments_all']:,} texts",
    }
    for part, words in wanted.items():
        go(page, synced_page.path, f"#/{part}")
        expect(status(page)).to_have_text(words)
    totals = dict(
        zip(
            page.locator(".totals dt").all_inner_texts(),
            page.locator(".totals dd").all_inner_texts(),
            strict=True,
        )
    )
    for name in ("plays", "films", "shows", "episodes"):
        assert totals[name] == f"{kept[name]:,}"


def test_every_personal_list_is_there(page: Page, synced_page: Synced) -> None:
    """Each list has a link, and behind it the rows that the store has."""
    kept = synced_page.counts
    go(page, synced_page.path, "#/lists")
    links = page.locator("nav.pills a")
    assert links.count() == 3 + kept["lists"] + kept["lists_collaborations"]
    for number in [name.partition("/")[2] for name in kept if name.startswith("list_items/")]:
        page.locator(f"a[href='#/lists/list_items-{number}']").click()
        expect(status(page)).to_have_text(re.compile(rf"^{kept[f'list_items/{number}']} rows?$"))


def test_years_of_the_statistics_add_up(page: Page, synced_page: Synced) -> None:
    """The table behind the bars by year holds every play that has a date."""
    go(page, synced_page.path, "#/history?year=unknown")
    undated = int(re.split(r"\D", status(page).inner_text())[0])
    go(page, synced_page.path, "#/statistics")
    chart = page.locator(".chart", has=page.get_by_role("heading", name="Plays by year"))
    chart.locator("summary").click()
    cells = chart.locator("td").all_inner_texts()
    assert (
        sum(int(cell.replace(",", "")) for cell in cells) == synced_page.counts["plays"] - undated
    )
    assert chart.locator("rect").count() > 1


def test_searching_knows_no_accents(page: Page, small_page: Path) -> None:
    """What is typed is found without its accents, in titles, shows and places, at once."""
    go(page, small_page, "#/history")
    search = page.get_by_label("Search", exact=True)
    for typed, count in {
        "amelie": 2,
        "AMÉLIE destin": 2,
        "aenigma oeuvre": 1,
        "show 70": 3,
        "next one": 2,
        "s1e7": 2,
        "s01e07": 2,
        "S1 E7": 2,
        "nothing like it": 0,
    }.items():
        search.fill(typed)
        expect(status(page)).to_have_text(f"{count} of 6 plays")
    expect(page.locator(".none")).to_be_visible()


def test_filters_narrow_the_list(page: Page, small_page: Path) -> None:
    """By type, year, rating and what was watched again; and they add up."""
    go(page, small_page, "#/history")
    page.get_by_label("Type").select_option("Episodes")
    expect(status(page)).to_have_text("3 of 6 plays")
    page.get_by_label("Watched again").check()
    expect(status(page)).to_have_text("1 of 6 plays")
    page.get_by_label("Watched again").uncheck()
    page.get_by_label("Type").select_option("Everything")
    page.get_by_label("Rating").select_option("★ 9")
    expect(status(page)).to_have_text("2 of 6 plays")
    page.get_by_label("Watched in").select_option("Unknown date")
    expect(status(page)).to_have_text("1 of 6 plays")
    expect(page.locator(".head h3")).to_have_text("Unknown date")
    page.get_by_label("Watched in").select_option("2026")  # half past midnight in Berlin
    expect(status(page)).to_have_text("1 of 6 plays")
    expect(page.locator(".head h3")).to_have_text("Thursday, 1 January 2026")


def test_lists_are_sorted(page: Page, small_page: Path) -> None:
    """By date, by title, by rating, as chosen."""
    go(page, small_page, "#/films")
    assert firsts(page) == ["Ænigma: Œuvre", AMELIE]
    page.get_by_label("Sorted by").select_option("Most plays")
    assert firsts(page) == [AMELIE, "Ænigma: Œuvre"]
    go(page, small_page, "#/ratings")
    assert firsts(page) == [AMELIE, "Film 3", "Show 70"]
    page.get_by_label("Sorted by").select_option("Worst first")
    assert firsts(page) == ["Film 3", "Show 70", AMELIE]


def test_episodes_say_season_and_number(page: Page, small_page: Path) -> None:
    """An episode stands below its show, as S1 E7."""
    go(page, small_page, "#/history?type=episode")
    seconds = page.locator(".row .second").all_inner_texts()
    assert seconds == ["S1 E7 · The Next One", "S1 E7 · The Next One", "S1 E1 · Pilot"]


def test_a_title_has_a_page(page: Page, small_page: Path) -> None:
    """All watches, the rating, what was noted, and links that tell nobody where one came from."""
    go(page, small_page, "#/films")
    page.get_by_role("link", name="Amélie").click()
    expect(page.locator("main h2")).to_have_text(AMELIE)
    facts = page.locator(".facts").inner_text()
    assert "★ 9 of 10" in facts
    assert page.locator(".rows li").count() == 2
    assert "Unknown date" in page.locator(".rows").inner_text()
    page.get_by_text("Contains spoilers").click()
    expect(page.get_by_text("Seen twice.")).to_be_visible()
    links = page.locator(".links a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://trakt.tv/movies/film-1",
        "https://www.imdb.com/title/tt0000001/",
        "https://www.themoviedb.org/movie/10",
    ]
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer"}
    assert {link.get_attribute("target") for link in links.all()} == {"_blank"}


def test_a_show_has_its_episodes(page: Page, small_page: Path) -> None:
    """The page of a show holds its seasons with the episodes seen, and leads to its history."""
    go(page, small_page, "#/title/show%3A70")
    assert page.locator(".head h3").all_inner_texts() == ["Season 1"]
    assert firsts(page) == ["Pilot", "The Next One"]
    page.get_by_role("link", name="All 3 plays by date").click()
    expect(status(page)).to_have_text("3 of 6 plays")


def test_episodes_that_were_only_rated_are_not_watched(page: Page, tmp_path: Path) -> None:
    """Of a show the page counts the episodes with plays, like the store."""
    with account(tmp_path) as book:
        book.plays(episode_play(1, 701, "2026-05-02T20:15:00.000Z"))
        about = {"type": "episode", "episode": episode(702), "show": show(70)}
        book.items(
            "ratings_episodes", {"rated_at": "2026-05-04T00:00:00.000Z", "rating": 7, **about}
        )
        path = book.export("html").paths[0]
    go(page, path, "#/title/show%3A70")
    assert fact(page, "Episodes watched").split()[0] == "1"
    go(page, path, "#/shows")
    expect(page.locator(".row .second")).to_contain_text("1 episode")


def fact(page: Page, name: str) -> str:
    """What the page of a title says beside a name."""
    rows = page.locator(".facts div", has=page.get_by_text(name, exact=True))
    return rows.locator("dd").inner_text()


def test_every_show_counts_the_episodes_of_the_store(page: Page, many_page: Synced) -> None:
    """In a book of 3,000 plays each show has as many episodes as in the database."""
    page.set_viewport_size({"width": 1280, "height": 8_000})
    go(page, many_page.path, "#/shows")
    rows = page.locator("a.row").evaluate_all(
        """all => all.map(row => [decodeURIComponent(row.hash.split("/").at(-1)),
            row.querySelector(".second").textContent, row.querySelector(".count").textContent])"""
    )
    assert {key: figure(re.sub(".*· ", "", told)) for key, told, _ in rows} == many_page.counts
    assert all(figure(re.sub(".*· ", "", told)) <= figure(plays) for _, told, plays in rows)
    assert len(rows) > 10


def figure(text: str) -> int:
    """The number that a text begins with."""
    return int(text.split(maxsplit=1)[0].replace(",", ""))


@pytest.mark.parametrize(
    ("known", "hours"), [(0, None), (1, "at least 2"), (4, "8")], ids=["none", "some", "all"]
)
def test_hours_are_told_as_far_as_they_are_known(
    page: Page, tmp_path: Path, known: int, hours: str | None
) -> None:
    """Without runtimes, as exports bring plays, there is no word of hours."""
    with account(tmp_path) as book:
        book.plays(*(film_play(n, n, "2026-05-01T20:15:00.000Z") for n in range(1, 5)))
        with book.store.database.write() as conn:
            conn.execute(sa.update(title_table).values(runtime=None))
            some = title_table.c.trakt_id <= known
            conn.execute(sa.update(title_table).where(some).values(runtime=120))
        path = book.export("html").paths[0]
    go(page, path, "#/statistics")
    assert ("hour" in status(page).inner_text()) is (hours is not None)
    if hours:
        expect(status(page)).to_have_text(f"4 plays, {hours} hours")
        expect(page.locator(".totals")).to_contain_text(hours)
    else:
        expect(page.locator(".totals dt", has_text="hours")).to_have_count(0)


def test_the_way_back_leads_back(page: Page, synced_page: Synced) -> None:
    """The back button brings back the search, and the place in the list."""
    go(page, synced_page.path, "#/history?type=episode")
    page.evaluate("scrollTo(0, 4000)")
    page.wait_for_function("document.querySelector('.rows li').place > 10")
    row = page.locator("a.row").nth(12)
    row.click()
    expect(page.locator(".crumb")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Type")).to_have_value("episode")
    page.wait_for_function("scrollY > 3000")


def test_hostile_titles_are_shown_as_they_are(
    page: Page, hostile_page: tuple[Path, list[str]]
) -> None:
    """Each title reads letter for letter on its row and on its page; nothing runs."""
    path, titles = hostile_page
    page.set_viewport_size({"width": 1280, "height": 3_000})
    go(page, path, "#/films?sort=title")
    shown = set(page.locator(".row .first").evaluate_all("all => all.map(e => e.textContent)"))
    assert shown == set(titles)
    hrefs = page.locator("a.row").evaluate_all("all => all.map(e => e.hash)")
    for part in hrefs:
        go(page, path, part)
        assert page.locator("main h2").text_content() in titles
    go(page, path, "#/lists")
    assert set(titles) - set(EXTRA) <= {
        re.sub(r" \(\d+\)$", "", text)
        for text in page.locator("nav.pills a").evaluate_all("all => all.map(e => e.textContent)")
    }


@pytest.mark.parametrize(
    "part", ["#/nowhere", "#/title/%E0%A4%A", "#/lists/%00", "#/title/__proto__"]
)
def test_an_odd_address_is_answered(page: Page, small_page: Path, part: str) -> None:
    """An address that means nothing shows a page all the same."""
    go(page, small_page, f"#/{part}")
    page.goto(address(small_page, "#/nonsense?year=2020"))
    page.wait_for_function("location.hash === '#/history'")
    expect(page.locator("main h2")).to_have_text("History")


def test_a_hundred_thousand_plays_scroll(page: Page, large_page: Path) -> None:
    """The whole history is one page of which only the rows in sight exist, wherever one is."""
    go(page, large_page, "#/history")
    expect(status(page)).to_have_text("100,000 plays")
    first = page.locator(".rows li").last
    assert first.get_attribute("aria-setsize") is not None
    for share in (0, 0.25, 0.5, 0.75, 1):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {share})")
        page.wait_for_function(
            """() => [...document.querySelectorAll('.rows li')].some((row) => {
                const box = row.getBoundingClientRect();
                return box.top < innerHeight && box.bottom > 0;
            })"""
        )
        assert 5 < page.locator(".rows li").count() < 60
    assert page.locator("*").count() < 1_000
    search = page.get_by_label("Search", exact=True)
    search.fill("s19e99")
    expect(status(page)).to_have_text("50 of 100,000 plays")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_is_open_to_everybody(
    browser: Browser, synced_page: Synced, scheme: str
) -> None:
    """Axe finds nothing to hold against any part, in either scheme of colours."""
    with opened(browser, color_scheme=scheme) as page:
        found = {}
        for part in (
            *PARTS,
            "history?q=nothingfitsthis",
            "statistics?year=2026",
            *_some(page, synced_page.path),
        ):
            go(page, synced_page.path, f"#/{part}")
            found[part] = violations(page)
        assert {part: rules for part, rules in found.items() if rules} == {}


def _some(page: Page, path: Path) -> list[str]:
    """The addresses of a film, a show and an episode."""
    found = []
    for part in ("films", "shows", "history?type=episode"):
        go(page, path, f"#/{part}")
        found.append(str(page.locator("a.row").first.get_attribute("href"))[2:])
    return found


def test_on_a_phone_nothing_is_cut_off(browser: Browser, synced_page: Synced) -> None:
    """At 390 pixels no part is wider than the screen; the filters unfold when asked for."""
    with opened(browser, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        for part in (*PARTS, *_some(page, synced_page.path)):
            go(page, synced_page.path, f"#/{part}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            boxes = [tab.bounding_box() for tab in page.locator("#tabs a").all()]
            assert all(box and 0 <= box["x"] <= 390 - box["width"] for box in boxes)
        go(page, synced_page.path, "#/films")
        expect(page.get_by_label("Sorted by")).to_be_hidden()
        page.get_by_role("button", name="Filters").click()
        page.get_by_label("Sorted by").select_option("Title")
        assert "sort=title" in page.url
        assert violations(page) == []


def test_the_keyboard_is_enough(page: Page, small_page: Path) -> None:
    """Tab leads to the content, the search and the rows; Enter opens one and moves there."""
    go(page, small_page, "#/history")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("row")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("main h2")).to_be_focused()
    page.go_back()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(page.evaluate("document.activeElement.innerText"))


def test_tab_walks_beyond_what_is_in_sight(page: Page, synced_page: Synced) -> None:
    """Rows that come into being are walked in their order, and none is lost on the way."""
    go(page, synced_page.path, "#/history")
    page.locator("a.row").first.focus()
    places = []
    for _ in range(60):
        page.keyboard.press("Tab")
        places.append(page.evaluate("document.activeElement.closest('li')?.place ?? -1"))
        page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
    assert places == sorted(set(places))
    assert places[0] > 0


def test_colours_may_be_chosen(browser: Browser, small_page: Path) -> None:
    """Light and dark win over the system's choice, and are remembered where that is allowed."""
    with opened(browser, color_scheme="light") as page:
        go(page, small_page, "#/history")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_text("Dark", exact=True).click()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.reload()
        expect(page.locator("main h2")).to_be_visible()
        assert light != dark
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_paper_gets_more_than_the_screen(page: Page, synced_page: Synced) -> None:
    """What is printed are rows, not only those in sight, and no controls."""
    go(page, synced_page.path, "#/history")
    before = page.locator(".rows li").count()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".rows li").count() > max(before, 600)
    expect(page.locator(".filters")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".rows li").count() < 100


def test_without_scripts_the_page_says_what_it_is(browser: Browser, small_page: Path) -> None:
    """The head and an explanation are there; nothing that would not work is shown."""
    with opened(browser, java_script_enabled=False) as page:
        page.goto(address(small_page))
        expect(page.get_by_role("heading", level=1)).to_have_text("Watchbook of sandra")
        explanation = page.locator("noscript")
        assert "to show the 6 plays in it" in explanation.inner_text()
        assert (explanation.bounding_box() or {"height": 0})["height"] > 40
        expect(page.locator("nav")).to_be_hidden()
