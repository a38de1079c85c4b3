"""Everything that searches finds the same: the pages for people, and the API."""

# ruff: noqa: RUF001 - an apostrophe of another shape is the point

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import mf2py  # type: ignore[import-untyped]
import pytest

from tests.web.open_book import OpenBook, a_film, ago, an_episode, open_book
from watchbook.store.opening import Store

TITLES = (
    "Amélie", "Straße nach Łódź", "100% Wolf", "1001 Nights", "snake_case", "snakeXcase",
    "君の名は。", "ความรัก", "Ocean’s Eleven", "<b>O'Neil & \\ Söhne</b>", "Agents of S.H.I.E.L.D.",
)  # fmt: skip
SEARCHES = (
    "amelie", "AMÉLIE", "strasse lodz", "100%", "%", "_", "snake_case", "名は", "รัก", "ocean's",
    "OCEAN’S", "oneil", "<b>", "&", "\\", "shield", "elite", "élite pilot", "'", "nothing",
    " ".join(f"word{n}" for n in range(14)),
)  # fmt: skip


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Iterator[OpenBook]:
    """Films of those names and an episode, which everybody may see."""
    with open_book(store, tmp_path / "out") as opened:
        rows = [a_film(n, ago(days=n), title, n) for n, title in enumerate(TITLES, 1)]
        opened.book.plays(*rows, an_episode(50, ago(days=50), "Pilot", "Élite"))
        yield opened


def told_by_page(book: OpenBook, search: str) -> list[int]:
    """The plays that the public page shows."""
    page = mf2py.parse(doc=book.page(f"?q={quote(search)}"))
    found = (one for item in page["items"] for one in (item, *item.get("children", ())))
    return [
        int(one["properties"]["url"][0].rpartition("/")[2])
        for one in found
        if "h-entry" in one["type"]
    ]


def told_by_api(book: OpenBook, path: str, search: str) -> list[int]:
    """The plays that the API lists."""
    told = book.ask(f"/api/v1/accounts/sandra/{path}?q={quote(search)}&limit=50").json["items"]
    return [one["history_id"] for one in told]


def test_all_doors_find_the_same(book: OpenBook, subtests: pytest.Subtests) -> None:
    """The page and the list of plays; the list of titles has the films and shows by their names."""
    sizes = []
    for search in SEARCHES:
        with subtests.test(search[:20]):
            found = told_by_api(book, "plays", search)
            assert told_by_page(book, search) == found
            titles = book.ask(f"/api/v1/accounts/sandra/titles?q={quote(search)}").json["items"]
            films = [int(one["key"].partition(":")[2]) for one in titles if one["type"] == "movie"]
            assert films == [number for number in found if number < 50]
            sizes.append(len(found))
    assert sizes[:12] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert sizes[12:] == [1, 1, 1, 1, 1, 1, 0, 0, 0]
