"""Views that are not in memory while the store cannot be read: none is blank, broken or a lie."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from tests.web.showroom import EVENING, Owner, Told, Visitor, served, until, who_shows_everything
from tests.web.test_away import spoil, store_at
from watchbook.clock import now, to_millis
from watchbook.render.cards.themes import THEMES
from watchbook.store import watching
from watchbook.store.opening import Store
from watchbook.store.watching import Watching
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.app import VIEWS
from watchbook.web.cards import CARDS
from watchbook.web.shelf import SILENT

BASE = "https://watch.example"
NOT_NOW = "Not available right now"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
NAMES = ("sandra", "tom", "nobody")
"""Who shows everything, who shows nothing, and who is not there."""
FEEDS = tuple(view.path for view in VIEWS if view.path.startswith("/feeds/"))
OEMBED = f"/oembed?url={BASE}/embed/last"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite, the quickest to take away: what is tested here comes after that."""
    file = tmp_path / "home" / "watchbook.db"
    with store_at(f"sqlite:///{file}", tmp_path / "home") as store:
        yield store


@pytest.fixture
def sandra(store: Store) -> Owner:
    """An owner with two plays who shows everything."""
    return who_shows_everything(store)


@pytest.fixture
def cold(sandra: Owner) -> Iterator[Visitor]:
    """A stranger before a server that began when the store could not be read any more."""
    Owner(sandra.store, "tom").watch(3, EVENING)
    spoil(sandra.store)
    with served(sandra.store) as visitor:
        yield visitor


@pytest.fixture
def visitor(sandra: Owner) -> Iterator[Visitor]:
    """A stranger before a server that knows what is public."""
    with served(sandra.store) as visitor:
        assert visitor.ask("/api/trakt/last").json["ok"]
        yield visitor


def away(visitor: Visitor, store: Store) -> None:
    """Take the store away."""
    spoil(store)
    until(lambda: visitor.ask("/api/trakt/last").json["stale"])


def alike(told: Told) -> tuple[int, dict[str, str], bytes]:
    """All that an answer says, but the moment."""
    return told.status, {**told.headers, "date": ""}, told.body


def check_away_card(told: Told) -> None:
    """A picture for everybody that says how it is, that nobody keeps for long."""
    assert told.status == 200
    assert told.picture
    assert told.headers["cache-control"] == "public, max-age=15"
    assert told.headers["access-control-allow-origin"] == "*"
    if "svg" in told.headers["content-type"]:
        assert NOT_NOW in told.said


def check_silence(told: Told) -> None:
    """No answer, in plain words and with nothing of the machine; programs ask again."""
    assert (told.status, told.json) == (503, {"ok": False, "reason": SILENT})
    assert told.headers["retry-after"].isdigit()
    assert told.headers["cache-control"] == "no-store"


def addresses() -> Iterator[str]:
    """Every address that tells of an account, with a place for its name."""
    for view in VIEWS:
        path = view.path.replace("{what}", "1")
        yield path if "{name}" in path else path + "?account={name}"
    yield OEMBED + "&account={name}"
    for operation in OPERATIONS:
        path = operation.address.replace("{history_id}", "1").replace("{key}", "movie:11")
        yield path.replace("{year}", "2026").replace("{id}", "watchlist")


def test_nothing_tells_who_is_public(cold: Visitor, subtests: pytest.Subtests) -> None:
    """Where nothing is known, all names are answered alike: public, private, or nobody's."""
    for address in addresses():
        with subtests.test(address):
            sandra, tom, nobody = (cold.ask(address.replace("{name}", name)) for name in NAMES)
            assert alike(sandra) == alike(tom) == alike(nobody)
            assert sandra.status in {200, 503}
            assert sandra.body
            assert b"sandra" not in sandra.body


def test_nothing_is_broken_from_the_start(cold: Visitor) -> None:
    """Pictures are pictures, the last watch is honest, feeds are not empty but away."""
    for card in CARDS:
        for suffix in ("svg", "png"):
            check_away_card(cold.ask(f"/card/{card.name}.{suffix}"))
    for path in (*FEEDS, OEMBED, OEMBED + "&format=xml"):
        check_silence(cold.ask(path))
    silent = {"reason": SILENT, "as_of": None, "stale": True}
    assert cold.ask("/api/trakt/last").json == {"ok": False, **silent}
    told = cold.ask("/api/v1/accounts/sandra/last")
    assert told.status == 200
    assert told.json | {"ok": False, "items": [], **silent} == told.json
    assert cold.ask("/api/v1/accounts/sandra/last", Authorization="Bearer wb_x").json == told.json
    check_silence(cold.ask("/api/v1/accounts/sandra/plays"))
    check_silence(cold.ask("/api/v1/accounts/sandra/plays", Authorization="Bearer wb_x"))
    assert b"cannot be shown" in cold.ask("/embed/last").body


def test_a_feed_opened_in_a_browser_says_so_in_words(cold: Visitor) -> None:
    """A person gets a small page; it can be asked again as soon as for programs."""
    told = cold.ask(FEEDS[0], Accept=BROWSER)
    assert (told.status, told.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert b"try again" in told.body
    assert told.headers["retry-after"].isdigit()


def test_cards_are_as_they_were_asked_for(visitor: Visitor, sandra: Owner) -> None:
    """Width, theme and language count; what is odd is told, and the last card stands."""
    before = visitor.ask("/card/last.svg")
    away(visitor, sandra.store)
    assert visitor.ask("/card/last.svg").body == before.body
    dark = visitor.ask("/card/year.svg?theme=dark&width=333&locale=de")
    assert dark.picture[0] == 333
    assert THEMES["dark"].back.encode() in dark.body
    assert "Gerade nicht verfügbar" in dark.said
    drawn = visitor.ask("/card/heatmap.png?width=300")
    check_away_card(drawn)
    assert drawn.picture[0] == 600
    check_away_card(visitor.ask("/card/last.svg?type=movie"))
    assert visitor.ask("/card/last.svg?theme=purple").status == 400
    assert visitor.ask("/card/last.svg?account=nobody").status == 404
    etag = drawn.headers["etag"]
    assert visitor.ask("/card/heatmap.png?width=300", if_none_match=etag).status == 304


def test_what_is_over_is_not_on(visitor: Visitor, sandra: Owner) -> None:
    """A card of what is being watched stands until that has come to its end, and no longer."""
    begun, over = (to_millis(now() + timedelta(minutes=m)) for m in (-30, 30))
    with sandra.store.database.write() as conn:
        watching.save(conn, sandra.account.id, Watching("movie:11", begun, over, "{}"))
    visitor.look()
    assert "Aftersun" in visitor.ask("/card/now.svg").said
    away(visitor, sandra.store)
    assert "Aftersun" in visitor.ask("/card/now.svg").said
    with time_machine.travel(now() + timedelta(minutes=31), tick=True):
        check_away_card(visitor.ask("/card/now.svg"))


@pytest.mark.parametrize("key", ["0" * 32, "f" * 32])
def test_images_are_drawn(visitor: Visitor, sandra: Owner, key: str) -> None:
    """A picture that is not in memory is drawn without a name, whatever its address; not kept."""
    assert visitor.ask(f"/images/{key}").status == 404
    away(visitor, sandra.store)
    assert visitor.ask(f"/images/{key}").status == 404
    for path in (f"/images/{key[1:]}a", "/images/title/movie-11.svg", "/images/title/show-99.svg"):
        told = visitor.ask(path)
        assert (told.status, told.headers["cache-control"]) == (200, "no-store")
        assert told.picture == (400, 600)
        assert "Aftersun" not in told.said
    assert visitor.ask("/images/title/episode-31.svg").picture == (780, 439)
    assert visitor.ask("/images/title/unknown.svg").status == 200
    assert visitor.ask("/images/nonsense").status == 404
