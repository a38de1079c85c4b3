"""Everything that a running service shows, while Trakt, TMDB and the database go one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.jobs.conftest import MakeTown, Town, make_town, until
from tests.jobs.test_public_routes import BASE, DOORS, OPEN, filled, share
from tests.web.showroom import Told, Visitor
from tests.web.test_away import spoil_file
from watchbook import freshness
from watchbook.clock import now, to_millis
from watchbook.sandbox.tmdb import RunningTmdb, TmdbOptions, running
from watchbook.sharing import Part
from watchbook.web.shelf import SILENT

__all__ = ["make_town"]

LAST = "/api/trakt/last"
FREE = {"/oembed", "/healthz", "/client.json", "/api/openapi.json", "/feeds/plays.json"}
"""What is JSON of a form that others have made, or that is told to programs alone."""
ELSEWHERE = "/@{written:path}"
"""Leads on to the service's own address, which is nowhere here."""
MANY = 3
"""Pictures, so that some are on everything that is shown."""
WATCHING = "GET /users/me/watching"
"""What the schedule asks once a minute of whoever shows it; views never do."""
MADE = 30
"""Cards of what is on that are made: many more than the schedule asks meanwhile."""
COLD = {
    "/card/last.svg?width=333": 200,
    "/card/year.png?width=333": 200,
    "/images/title/show-1.svg": 200,
    f"{LAST}?type=movie": 200,
    "/feeds/plays.atom?limit=3": 503,
    "/feeds/calendar.ics?what=plays": 503,
    f"/oembed?url={BASE}/embed/last&maxwidth=300": 503,
    "/embed/last?theme=dark": 503,
}
"""Addresses that nobody has asked for yet when the database goes, and what is told there then."""


@dataclass
class Street:
    """A service in a town, the stand-in for TMDB, and a stranger who asks for everything."""

    town: Town
    tmdb: RunningTmdb
    stop_tmdb: Callable[[], None]
    visitor: Visitor
    addresses: Mapping[str, str]
    """By the pattern of the route."""

    def ask(self, patterns: Mapping[str, str] | None = None) -> dict[str, Told]:
        """Every answer, by the pattern of its route."""
        asked = self.addresses if patterns is None else patterns
        return {pattern: self.visitor.ask(address) for pattern, address in asked.items()}

    @property
    def last(self) -> Told:
        """The last watch."""
        return self.visitor.ask(LAST)

    def pictures(self) -> dict[str, Told]:
        """Every picture that the JSON of the last plays names."""
        name = self.last.json["account"]
        items = self.visitor.ask(f"/api/v1/accounts/{name}/last?limit=5").json["items"]
        named = [one["poster"] for one in items]
        named += [size["url"] for one in items for size in one["poster_sizes"]]
        assert all(address.startswith(f"{BASE}/images/") for address in named)
        paths = dict.fromkeys(urlsplit(address).path for address in named)
        return {path: self.visitor.ask(path) for path in paths}


@pytest.fixture
def street(make_town: MakeTown, database_url: str) -> Iterator[Street]:
    """One person who shows everything, with posters fetched and nothing left to do."""
    with ExitStack() as stack:
        tmdb = stack.enter_context(running(TmdbOptions(plays=10)))
        settings = {
            "tmdb_token": tmdb.token,
            "tmdb_api_url": tmdb.api_url,
            "tmdb_image_url": tmdb.image_url,
            "base_url": BASE,
            "sync_every": "30d",
            "backup_every": "30d",
        }
        town = make_town(database_url, settings=settings, pictures=tmdb.trakt_images, plays=10)
        town.sandbox.add_plays(1)
        share(town, *Part)
        visitor = Visitor(town.start(speed=10).address())
        until(lambda: town.finished() and town.finished("backup") and _has_pictures(town))
        paths = {*DOORS, *OPEN} - {ELSEWHERE}
        addresses = {path: filled(town, path) if "{" in path else path for path in paths}
        addresses["/oembed"] = filled(town, "/oembed")
        yield Street(town, tmdb, stack.close, visitor, addresses)


def _has_pictures(town: Town) -> bool:
    """Whether all were fetched: only then the next look is a while away."""
    later = to_millis(now()) + 30_000
    due = "SELECT 1 FROM due WHERE kind = 'pictures' AND job IS NULL AND next_at > :later"
    kept = "SELECT count(*) FROM pictures WHERE state = 'kept'"
    return bool(town.rows(due, later=later)) and int(town.rows(kept)[0][0]) >= MANY


def statuses(answers: Mapping[str, Told]) -> dict[str, int]:
    """The status of each."""
    return {pattern: told.status for pattern, told in answers.items()}


def check_whole(answers: Mapping[str, Told]) -> None:
    """Whatever was answered can be read to its end; a picture is one."""
    for pattern, told in answers.items():
        assert told.body, pattern
        kind = told.headers["content-type"]
        if kind.startswith("image/"):
            assert told.picture
            assert "svg" not in kind or "Not available right now" not in told.said
        elif kind.startswith("application/json"):
            assert "ok" in told.json or pattern in FREE


def stop_database(town: Town) -> None:
    """Let the database be unreadable from now on, for the service and for everybody."""
    database = town.store.database
    if database.file is not None:
        spoil_file(database.file)
        return
    name = database.url.database
    server = database.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as conn:
        conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )


def test_everything_keeps_answering(street: Street) -> None:
    """No blank, no broken picture, no lie, and no request to Trakt or TMDB for any of it."""
    town = street.town
    town.sandbox.reset_requests()
    street.tmdb.reset_requests()
    before = street.ask()
    public = {path for path, parts in DOORS.items() if parts}
    assert {path for path in DOORS if before[path].status == 200} == public
    check_whole(before)
    posters = street.pictures()
    assert "image/webp" in {told.headers["content-type"] for told in posters.values()}
    last = street.last.json
    assert (last["ok"], last["stale"], last["reason"]) == (True, False, None)

    assert statuses(street.ask()) == statuses(before)
    for width in range(300, 300 + MADE):
        assert street.visitor.ask(f"/card/now.svg?width={width}").status == 200
    assert street.tmdb.requests()["total"] == 0
    asked = town.sandbox.requests()["paths"]
    assert set(asked) <= {WATCHING}
    assert asked.get(WATCHING, 0) < MADE

    town.stop_trakt()
    with town.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE due SET next_at = 1 WHERE kind = 'sync'")
    until(lambda: street.last.json["stale"])
    assert street.last.json == last | {"stale": True, "reason": freshness.FAILED}
    check_stands(street, before, posters)

    street.stop_tmdb()
    with town.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE due SET next_at = 1 WHERE kind = 'pictures'")
    check_stands(street, before, posters)

    stop_database(town)
    until(lambda: street.last.json["reason"] == SILENT)
    assert street.last.json == last | {"stale": True, "reason": SILENT}
    check_stands(street, before, posters)
    cold = street.ask({address: address for address in COLD})
    assert statuses(cold) == COLD
    for told in cold.values():
        assert told.body
        if told.headers["content-type"].startswith("image/"):
            assert told.picture


def check_stands(street: Street, before: Mapping[str, Told], posters: Mapping[str, Told]) -> None:
    """Everything is answered as it was at first, and the data say how old they are."""
    several = street.addresses["/api/v1/accounts/{name}/last"]
    until(lambda: street.visitor.ask(several).json["stale"])  # who asks first still gets the old
    found = street.ask()
    assert {**statuses(found), "/healthz": 200} == statuses(before)
    assert found["/healthz"].status in {200, 503}
    check_whole(found)
    for path in (LAST, "/api/v1/accounts/{name}/last"):
        assert found[path].json["stale"] is True
        assert found[path].json["reason"]
    for path, told in street.pictures().items():
        assert told.body == posters[path].body
