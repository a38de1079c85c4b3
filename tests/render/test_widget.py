"""What the widget is told of posters and of what runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchbook.render.placeholder import colour_of
from watchbook.render.widget import now_of, picture_of, play_of, sizes_of
from watchbook.showing import Now, Shown
from watchbook.store.pictures import Kind, Picture, PictureFile
from watchbook.store.watched import WatchedPlay

BASE = "https://watch.example"
FILES = tuple(
    PictureFile(f"key{width}", "image/webp", width, width * 3 // 2) for width in (154, 342, 780)
)
POSTER = Picture("movie:11", Kind.POSTER, "#224466", "data:image/webp;base64,AAAA", FILES)
NOTHING_KNOWN = dict.fromkeys(WatchedPlay._fields)
BEGUN = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def shown(poster: Picture | None = None, **known: object) -> Shown:
    """A play of which only a little is known."""
    values = {**NOTHING_KNOWN, "history_id": 1, "type": "movie", "watched_at": 0, **known}
    return Shown(WatchedPlay(**values), poster, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "chosen"), [(1, 154), (154, 154), (155, 342), (2000, 780)])
def test_file_that_is_wide_enough(width: int, chosen: int) -> None:
    """The smallest file that fills the place, or the widest there is."""
    found = picture_of(POSTER, "movie:11", BASE, width, alt="a poster")
    assert found == {
        "url": f"{BASE}/images/key{chosen}",
        "width": chosen,
        "height": chosen * 3 // 2,
        "type": "image/webp",
        "colour": "#224466",
        "tiny": "data:image/webp;base64,AAAA",
        "alt": "a poster",
    }


@pytest.mark.parametrize(
    ("title_key", "name"), [("movie:11", "movie-11"), (None, "unknown")], ids=["title", "nothing"]
)
def test_what_is_not_kept_is_drawn(title_key: str | None, name: str) -> None:
    """There is no hole: the drawn picture has an address, a size and a colour of its own."""
    drawn = picture_of(None, title_key, BASE, 342, alt="a poster")
    assert drawn == {
        "url": f"{BASE}/images/title/{name}.svg",
        "width": 400,
        "height": 600,
        "type": "image/svg+xml",
        "colour": colour_of(title_key),
        "tiny": None,
        "alt": "a poster",
    }
    assert [one["url"] for one in sizes_of(None, title_key, BASE)] == [drawn["url"]]


def test_poster_of_a_play() -> None:
    """Address, colour, what stands in for it, every size, and what it shows in words."""
    told = play_of(shown(POSTER, title="Aftersun"), BASE)
    assert told["poster"] == f"{BASE}/images/key342"
    assert (told["colour"], told["tiny"]) == ("#224466", "data:image/webp;base64,AAAA")
    assert [one["width"] for one in told["poster_sizes"]] == [154, 342, 780]
    assert told["poster_sizes"][0]["type"] == "image/webp"
    assert told["alt"] == "Poster of Aftersun"


def test_play_of_which_nothing_is_known() -> None:
    """A play without a title and a date is told, with null for what is not known."""
    told = play_of(shown(), BASE)
    assert told["title"] == "Unknown title"
    assert [told[key] for key in ("year", "watched_at", "url", "rating")] == [None] * 4
    assert told["poster"] == f"{BASE}/images/title/unknown.svg"


@pytest.mark.parametrize(
    ("passed", "length", "progress"),
    [(30, 120, 0.25), (-5, 120, 0.0), (500, 120, 1.0), (0, 0, 1.0)],
)
def test_progress(passed: int, length: int, progress: float) -> None:
    """How far it is, never below 0 or above 1, whatever the clocks say."""
    minute = timedelta(minutes=1)
    now = Now(
        shown(POSTER, title="Aftersun"), BEGUN, BEGUN + length * minute, BEGUN + passed * minute
    )
    told = now_of(now, BASE)
    assert told is not None
    assert told["progress"] == progress
    assert told["started_at"] == "2026-11-20T20:00:00Z"
    assert told["poster"] == f"{BASE}/images/key342"
