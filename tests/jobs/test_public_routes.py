"""Every public route of a real service, from the route table: who sees what, with which headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.jobs.conftest import MakeTown, Town, until
from tests.web.showroom import Told, Visitor
from watchbook import sharing
from watchbook.sharing import Part
from watchbook.store import accounts
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.app import VIEWS, make_app
from watchbook.web.front import Front

DOORS: Mapping[str, tuple[Part, ...]] = {
    **{view.path: (view.part,) for view in VIEWS},
    **{one.address: (one.part,) if one.part else () for one in OPERATIONS if not one.any_part},
    **{one.address: tuple(Part) for one in OPERATIONS if one.any_part},
    "/oembed": (Part.LAST,),
}
"""Every address at which something of an account is shown, and the parts that let it be seen."""
OPEN = {
    "/": 200,
    "/healthz": 200,
    "/metrics": 200,
    "/client.json": 200,
    "/widget.js": 200,
    "/api/docs": 200,
    "/api/openapi.json": 200,
    "/api/v1/{rest:path}": 404,
    "/images/{key}": 404,
    "/images/title/{name}.svg": 404,
    "/static/{name}": 404,
    "/favicon.ico": 200,
    "/@{written:path}": 404,
}
"""Addresses that are the same for all accounts, and what is there for the names in FILLED."""
FRAMED = {"/embed/last"}
"""What pages of others may show in a frame."""
BASE = "https://watch.example"


@pytest.fixture
def town(make_town: MakeTown, tmp_path: Path) -> Town:
    """One person's town on SQLite, seen at an address of the web."""
    url = f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}"
    return make_town(url, settings={"base_url": BASE, "sync_every": "1d", "backup_every": "1d"})


def share(town: Town, *parts: Part) -> None:
    """Show these parts of the owner, and no others."""
    with town.store.database.write() as conn:
        account = accounts.all_accounts(conn)[0]
        for switch, which in ((sharing.switch_off, tuple(Part)), (sharing.switch_on, parts)):
            switch(conn, account.id, which)


def filled(town: Town, path: str) -> str:
    """An address with the names of things that the town has."""
    with town.store.database.read() as conn:
        name = accounts.all_accounts(conn)[0].name
    history_id, key = town.rows(
        "SELECT history_id, title_key FROM plays WHERE watched_at > 0 ORDER BY watched_at DESC"
    )[0]
    names = {
        "account" if path.startswith("/api/") else "name": name,
        "what": str(history_id),
        "history_id": str(history_id),
        "key": key if path.startswith("/api/") else "0" * 32,
        "year": "2026",
        "id": "watchlist",
        "name.svg": "movie-999",
        "rest:path": "nothing",
        "written:path": f"{name.upper()}/",
    }
    if path == "/oembed":
        return f"/oembed?url={BASE}/embed/last"
    return re.sub(r"\{([^}]+)\}", lambda match: names.get(match[1], name), path)


def check_headers(path: str, told: Told) -> None:
    """What every answer carries, and what only some may say otherwise."""
    headers = told.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["referrer-policy"]
    assert headers["permissions-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "unsafe-" not in policy
    assert "default-src 'none'" in policy
    assert ("frame-ancestors *" in policy) is (path in FRAMED)
    assert ("x-frame-options" in headers) is (path not in FRAMED)
    assert "cache-control" in headers
    assert "set-cookie" not in headers
    assert "server" not in headers
    if told.status == 200 and "no-store" not in headers["cache-control"]:
        assert headers["etag"]


def test_the_table_of_routes_is_all_that_there_is(town: Town) -> None:
    """A route that is not listed here would be tested by nobody."""
    front = Front(town.store, BASE)
    app = make_app(lambda: {"status": "ok"}, b"{}", front)
    paths = {str(getattr(route, "path", route)) for route in app.routes}
    assert paths == {*DOORS, *OPEN}


def test_a_stranger_sees_what_is_switched_on_and_nothing_else(town: Town) -> None:
    """Each part by itself, at every address, of a service of its own process."""
    process = town.start()
    visitor = Visitor(process.address())
    until(town.finished)
    addresses = {path: filled(town, path) for path in DOORS}

    def seen() -> set[str]:
        answers = {path: visitor.ask(address) for path, address in addresses.items()}
        for path, told in answers.items():
            assert told.status in {200, 401, 404}, (path, told)
            check_headers(path, told)
        return {path for path, told in answers.items() if told.status == 200}

    for on in ((), *((part,) for part in Part)):
        share(town, *on)
        wanted = {path for path, parts in DOORS.items() if set(parts) & set(on)}
        until(partial(_same, seen, wanted))


def _same(seen: Callable[[], set[str]], wanted: set[str]) -> bool:
    return seen() == wanted


def test_what_is_the_same_for_all_accounts(town: Town) -> None:
    """With nothing shared: it is there, tells no name, and has its headers too."""
    visitor = Visitor(town.start().address())
    until(town.finished)
    with town.store.database.read() as conn:
        name = accounts.all_accounts(conn)[0].name
    for path, status in OPEN.items():
        told = visitor.ask(filled(town, path) if "{" in path else path)
        assert told.status == status, path
        assert name.encode() not in told.body, path
        check_headers(path, told)
