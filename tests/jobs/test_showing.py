"""The last watch of a running service: while Trakt and TMDB are down, and what views cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.conftest import MakeTown, Town
from tests.web.showroom import Visitor, until
from watchbook import freshness, sharing
from watchbook.sharing import Part

LAST = "/api/trakt/last"
NOBODY = "http://127.0.0.1:9"
"""Where no server listens."""


@pytest.fixture
def town(make_town: MakeTown, database_url: str) -> Town:
    """One person at the sandbox who shows the last watch; TMDB is down. Once on each database."""
    tmdb = {"tmdb_token": "0" * 32, "tmdb_api_url": NOBODY, "tmdb_image_url": NOBODY}
    town = make_town(database_url, plays=50, settings=tmdb)
    with town.store.database.write() as conn:
        sharing.switch_on(conn, 1, [Part.LAST])
    return town


def test_trakt_goes_down_and_token_expires(town: Town) -> None:
    """With a real service: the last play stays, marked stale with the reason; 200 all the while."""
    address = town.start().address()
    visitor = Visitor(address)
    until(lambda: visitor.ask(LAST).json["ok"] and not visitor.ask(LAST).json["stale"])
    before = visitor.ask(LAST).json
    assert before["account"] == town.sandbox.accounts[0].slug
    town.sandbox.set_faults("http-503:1")  # come again after a second
    until(lambda: visitor.ask(LAST).json["stale"])
    told = visitor.ask(LAST)
    assert (told.status, told.json["title"]) == (200, before["title"])
    assert told.json["reason"] in {freshness.FAILED, freshness.OLD}
    town.sandbox.clear_faults()
    until(lambda: not visitor.ask(LAST).json["stale"])
    town.sandbox.set_faults("refresh-invalid-grant")
    town.sandbox.expire_tokens()
    until(lambda: visitor.ask(LAST).json["reason"] == freshness.SIGNED_OUT)
    assert visitor.ask(LAST).json["title"] == before["title"]


def test_views_cost_trakt_nothing(make_town: MakeTown, tmp_path: Path) -> None:
    """However often strangers ask, and for whatever, Trakt is not asked once more for them."""
    url = f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}"
    town = make_town(url, plays=50, settings={"sync_every": "30d", "backup_every": "30d"})
    with town.store.database.write() as conn:
        sharing.switch_on(conn, 1, set(Part) - {Part.NOW})
    visitor = Visitor(town.start().address())
    until(lambda: town.finished() and town.finished("backup") and visitor.ask(LAST).json["ok"])
    paths = [LAST, f"{LAST}?type=movie", f"{LAST}?type=episode", f"{LAST}?account=nobody"]
    town.sandbox.reset_requests()
    for path in 25 * paths:
        assert visitor.ask(path).status in {200, 404}
    assert town.sandbox.requests()["total"] == 0
