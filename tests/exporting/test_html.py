from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.conftest import (
    Filled,
    episode_play,
    film,
    film_play,
    hostile,
    listed,
    out,
    rated,
)
from tests.sync.conftest import Book
from watchbook.clock import from_iso
from watchbook.exporting.html import page as page_module
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import Selection, selected
from watchbook.store import datasets
from watchbook.store.datasets import DataSetState

BLOCK = re.compile(r'<script type="application/json" id="(\w+)">(.*?)</script>', re.DOTALL)
VIEWER = Path(page_module.__file__).parent / "viewer"


class Exported:
    """A page that was written, taken apart."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        self.blocks = {name: json.loads(text) for name, text in BLOCK.findall(self.text)}

    @property
    def titles(self) -> list[dict[str, Any]]:
        """Each title with its columns by name."""
        table = self.blocks["titles"]
        found = []
        for place, *values in self.blocks["titles"]["rows"]:
            kind = table["types"][place]
            found.append({"type": kind, **dict(zip(table["columns"][kind], values, strict=False))})
        return found

    @property
    def plays(self) -> list[tuple[str, Any, int | None, str]]:
        """Type and id of the title, minutes on the wall, action; in their order."""
        block, titles, minutes = self.blocks["plays"], self.titles, 0
        times: list[int | None] = [None] * block["unknown"]
        for step in block["at"]:
            minutes += step
            times.append(minutes)
        named = (titles[number] for number in block["title"])
        return [
            (title["type"], title["id"], at, block["actions"][sign])
            for title, at, sign in zip(named, times, block["action"], strict=True)
        ]

    def lists(self) -> dict[str, int]:
        """How many rows each list has, by name."""
        return {one["name"]: len(one["rows"]) for one in self.blocks["shelves"]["lists"]}


def exported(book: Filled, selection: Selection | None = None) -> Exported:
    """The page of what is selected."""
    return Exported(book.export("html", selection).paths[0])


def test_the_page_holds_every_play(synced: Book, tmp_path: Path) -> None:
    """Title, minute on the wall and action of all plays are those of the store, in order."""
    page = Exported(out(synced.store, synced.account, "html", tmp_path / "p.html").paths[0])
    wall = Wall(synced.account)
    with selected(synced.store, synced.account, Selection()) as chosen:
        kept = [
            (
                play.type,
                play.trakt if play.trakt is not None else "0",
                _wall_minutes(wall, play.watched_at),
                play.action,
            )
            for play in chosen.plays()
        ]
    assert len(kept) > 500
    assert page.plays == kept


def _wall_minutes(wall: Wall, millis: int) -> int | None:
    if millis == 0:
        return None
    shown = wall.local(millis).replace(tzinfo=None)
    return int((shown - from_iso("1970-01-01").replace(tzinfo=None)).total_seconds()) // 60


def test_the_page_holds_what_was_rated_listed_and_said(synced: Book, tmp_path: Path) -> None:
    """Ratings, lists, notes and comments are as many as in the store, each about its title."""
    written = out(synced.store, synced.account, "html", tmp_path / "p.html")
    page = Exported(written.paths[0])
    shelves = page.blocks["shelves"]
    kept = dict(
        synced.rows("SELECT data_set, count(*) FROM items WHERE removed_at IS NULL GROUP BY 1")
    )
    assert len(shelves["ratings"]) == total(kept, "ratings_") > 50
    kinds = [row[0] for row in shelves["said"]]
    assert kinds.count("note") == total(kept, "notes_") > 0
    assert kinds.count("comment") == total(kept, "comments_all") > 0
    lists = page.lists()
    assert lists["Watchlist"] == kept["watchlist"] > 0
    assert lists["Favorites"] == kept["favorites"] > 0
    assert lists["Collection"] == kept["collection_movies"] + kept["collection_shows"] > 0
    assert sum(lists.values()) == written.counts["rows of lists"]
    assert len(lists) == 3 + kept["lists"] + kept["lists_collaborations"]
    assert written.counts["plays"] == len(page.plays)


def total(kept: dict[str, int], start: str) -> int:
    """How many rows the data sets have whose names begin so."""
    return sum(number for name, number in kept.items() if name.startswith(start))


def test_ratings_name_their_titles(small: Filled) -> None:
    """A row refers to its title by number, also when nothing was played of it."""
    page = exported(small)
    found = {
        (page.titles[about]["type"], page.titles[about]["id"]): stars
        for about, stars, _ in page.blocks["shelves"]["ratings"]
    }
    assert found == {("movie", 1): 9, ("movie", 3): 4, ("episode", 702): 7}


def test_episodes_name_their_show(small: Filled) -> None:
    """An episode refers to its show by number; season and number are its own."""
    titles = exported(small).titles
    (episode,) = (one for one in titles if one["id"] == 702)
    assert (episode["season"], episode["number"], episode["title"]) == (1, 2, "The Next One")
    assert titles[episode["show"]]["title"] == "Show 70"


def test_unknown_dates_have_no_time(small: Filled) -> None:
    """Plays of 1970 come first and without a time; the others are minutes on the wall."""
    plays = exported(small).plays
    assert plays[0][2] is None
    at = plays[1][2]
    assert at is not None
    assert at % 1440 == 30  # 23:30 in UTC is half past midnight in Berlin


def test_removed_rows_stay_out(small: Filled) -> None:
    """What is gone at Trakt is not on the page, though it may be asked for elsewhere."""
    small.remove_play(13)
    small.remove_item("ratings_movies", "movie:1")
    small.remove_item("lists", "502")
    page = exported(small, Selection(removed=True))
    assert len(page.plays) == 4
    assert len(page.blocks["shelves"]["ratings"]) == 2
    assert "Zweite" not in page.lists()
    assert "What is gone at Trakt does not go onto the page." in (
        small.export("html", Selection(removed=True)).notes
    )


def test_people_are_named(small: Filled) -> None:
    """A row about something other than a title holds its name."""
    (rainy,) = (
        one for one in exported(small).blocks["shelves"]["lists"] if one["name"] == "Rainy Days"
    )
    assert [row[0] for row in rainy["rows"] if isinstance(row[0], str)] == ["Ida Lupino"]


def test_no_text_breaks_out(empty: Filled) -> None:
    """Hostile titles come back letter for letter, and not one of their signs is markup."""
    titles = [*hostile(empty), "Ю" * 65_536, "${alert(1)} {{7*7}} <%= 1 %> $who", "a\u2028b\u2029c"]
    empty.plays(*(film_play(900 + n, 900 + n, title=text) for n, text in enumerate(titles[-3:])))
    page = exported(empty)
    shown = {title["title"] for title in page.titles}
    assert {title.replace("\0", "") for title in titles} <= shown
    for _, block in BLOCK.findall(page.text):
        assert not set("<>&\u2028\u2029") & set(block)
    assert page.text.count("<script") == page.text.count("</script") == 5


def test_a_hostile_name_is_text(empty: Filled) -> None:
    """The owner's name stands in the head of the page, and cannot leave it."""
    empty.items("user_profile", {"name": "</title><script>alert('$made')</script>", "ids": {}})
    text = exported(empty).text
    assert "<h1>Watchbook of <bdi>&lt;/title&gt;&lt;script&gt;alert(&#x27;$made&#x27;)" in text
    assert text.count("<script") == 5


def test_only_our_script_and_style_may_run(small: Filled) -> None:
    """The policy names their digests, allows nothing else, and nothing is fetched."""
    text = exported(small).text
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert rules["script-src"] == digest(script)
    assert rules["style-src"] == digest(style)
    assert "unsafe" not in policy
    assert not re.search(r"@import|url\(", style)
    frame = BLOCK.sub("", text.replace(script, "").replace(style, ""))
    assert not re.search(r"\ssrc(?:set)?=|<(?:img|iframe|link|object|embed|base|form)\b", frame)


def digest(text: str) -> str:
    """A text as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_scripts_never_make_markup_of_texts() -> None:
    """No script of the page uses what turns a text into markup or code."""
    scripts = {path.name: path.read_text("utf-8") for path in VIEWER.glob("*.js")}
    assert set(scripts) == set(page_module.SCRIPTS)
    for text in scripts.values():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon", text)


def test_a_part_of_the_book_says_so(small: Filled) -> None:
    """A filtered page holds what was asked for, and tells it at its head."""
    since = from_iso("2026-05-01T00:00:00+02:00")
    page = exported(small, Selection(since=since, types=frozenset({"movie"})))
    assert [play[:2] for play in page.plays] == [("movie", 2)]
    (note,) = page.blocks["about"]["notes"]
    assert note == "A part of the book: films, since 2026-05-01."
    assert note in page.text


def test_chosen_lists_stand_alone(small: Filled) -> None:
    """With lists chosen, the page holds these and nothing else."""
    page = exported(small, Selection(lists=frozenset({"rainy-days", "watchlist"})))
    assert page.lists() == {"Watchlist": 2, "Rainy Days": 2}
    assert page.plays == []
    assert page.blocks["shelves"]["ratings"] == []


def test_an_incomplete_book_says_so(small: Filled) -> None:
    """The head names each data set of the page that was not whole, without talk of commands."""
    why = "9 of 10 plays were served; run `watchbook sync`"
    with small.store.database.write() as conn:
        for name in ("history", "ratings_movies"):
            datasets.save(conn, small.account.id, DataSetState(name, datasets.INCOMPLETE, why))
    written = small.export("html")
    (note,) = written.notes
    assert note.startswith("Something may be missing here: history, ratings movies. Not all of")
    assert "`" not in note
    assert written.notes[0] in written.paths[0].read_text("utf-8")


def test_the_file_is_private(small: Filled) -> None:
    """Only its owner may read the page."""
    (path,) = small.export("html").paths
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("at", ["9999-12-31T23:59:00.000Z", "0001-01-01T00:00:00.000Z"])
def test_the_ends_of_the_calendar_are_dates_too(empty: Filled, at: str) -> None:
    """A play that was dated absurdly is on the page, too."""
    empty.plays(film_play(1, 1, at))
    (play,) = exported(empty).plays
    assert play[2] is not None


def test_numbers_that_a_browser_would_round_are_texts(empty: Filled) -> None:
    """An id beyond 2^53 keeps its last digit."""
    empty.items("watchlist", listed(1, "movie", {"movie": film(2**53 + 1)}))
    (title,) = exported(empty).titles
    assert title["id"] == str(2**53 + 1)


def test_an_empty_book_is_a_page(empty: Filled) -> None:
    """There is a page also when there is nothing to show."""
    page = exported(empty)
    assert page.plays == []
    assert page.titles == []


def test_ratings_that_are_none_stay_out(empty: Filled) -> None:
    """A rating outside of 1 to 10 is not shown as one."""
    empty.items("ratings_movies", rated(1, 0), rated(2, 10))
    assert [row[1] for row in exported(empty).blocks["shelves"]["ratings"]] == [10]


def test_a_play_without_title_is_kept(empty: Filled) -> None:
    """A play of which Trakt does not tell the title is one of an untitled episode."""
    empty.plays({**episode_play(5, 701), "episode": None})
    assert [play[:2] for play in exported(empty).plays] == [("episode", "0")]
