"""The last watch of a running service: while Trakt and TMDB are down, and its token expires."""

from __future__ import annotations

from urllib.parse import urlsplit

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


@pytest.mark.daily(1)
def test_trakt_goes_down_and_token_expires(town: Town) -> None:
    """With a real service: the last play stays, marked stale with the reason; 200 all the while.

    Its poster is drawn, since TMDB was never there.
    """
    address = town.start().address()
    visitor = Visitor(address)
    until(lambda: visitor.ask(LAST).json["ok"] and not visitor.ask(LAST).json["stale"])
    before = visitor.ask(LAST).json
    assert before["account"] == town.sandbox.accounts[0].slug
    assert visitor.ask(urlsplit(before["poster"]).path).picture == (400, 600)
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
