"""The gate over real HTTP: limits, refusals, sizes, methods, and what is answered from memory."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.conftest import TEST_KEY
from tests.web.showroom import Owner, Visitor, until
from watchbook import logs
from watchbook.jobs.health import DOWN, Health
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.values import Listen
from watchbook.web import app as application
from watchbook.web.app import make_app
from watchbook.web.front import Front
from watchbook.web.server import WebServer, listening

LAST = "/api/trakt/last"
LOOPBACK = (ip_network("127.0.0.0/8"),)
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@contextmanager
def _served(
    store: Store, base_url: str = "https://watch.example", health: Health = DOWN, **options: Any
) -> Iterator[Visitor]:
    front = Front(store, base_url)
    front.watcher.start()
    app = make_app(lambda: msgspec.to_builtins(health), b'{"client": 1}', front, **options)
    with ExitStack() as stack:
        stack.callback(front.watcher.stop)
        listener = stack.enter_context(listening(Listen("127.0.0.1", 0)))
        server = stack.enter_context(WebServer(app, listener))
        yield Visitor(f"http://{server.address}", front)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite: what is tested here knows nothing of databases."""
    database = Database(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
    migrate(database)
    yield Store(database, Sealer([TEST_KEY]), tmp_path / "home")
    database.close()


@pytest.fixture
def sandra(store: Store) -> Owner:
    """An owner who shows the last watch, of which there is none."""
    owner = Owner(store)
    owner.share(Part.LAST)
    return owner


@pytest.fixture
def visitor(sandra: Owner) -> Iterator[Visitor]:
    """A stranger who comes through a proxy that is trusted, if it says for whom it asks."""
    health = Health("ok", 1)
    with _served(
        sandra.store, health=health, trusted_proxies=LOOPBACK, metrics_for=LOOPBACK
    ) as found:
        yield found


def warm(visitor: Visitor, path: str = LAST) -> None:
    """Ask until the answer comes from memory."""
    counted = 'watchbook_views_total{from="memory"} '

    def given() -> int:
        visitor.ask(path)
        told = visitor.ask("/metrics").body.decode()
        return int(float(told.partition(counted)[2].split()[0]))

    before = given()
    until(lambda: given() > before)


def test_warm_and_cold_answers_are_the_same(visitor: Visitor) -> None:
    """The fast lane changes no header and no byte, with or without a body."""
    cold = visitor.ask(LAST)
    warm(visitor)
    answer = visitor.ask(LAST)
    assert answer.body == cold.body
    assert {**answer.headers, "date": ""} == {**cold.headers, "date": ""}
    head = visitor.ask(LAST, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("how", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_it_already_gets_no_body(visitor: Visitor, how: str) -> None:
    """From memory too: 304 with the headers that a cache wants, and no length of a body."""
    etag = visitor.ask(LAST).headers["etag"]
    warm(visitor)
    answer = visitor.ask(LAST, If_None_Match=how.format(etag))
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == visitor.ask(LAST).headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "content-type" not in answer.headers
    assert visitor.ask(LAST, If_None_Match='"another"').status == 200


def test_what_is_switched_off_leaves_the_fast_lane(visitor: Visitor, sandra: Owner) -> None:
    """At the next look nobody gets it any more, also where it stood ready."""
    warm(visitor)
    sandra.share(Part.LAST, on=False)
    visitor.look()
    assert visitor.ask(LAST).status == 404
    sandra.share(Part.LAST)
    visitor.look()
    assert visitor.ask(LAST).status == 200


def test_a_parameter_is_another_address(visitor: Visitor) -> None:
    """What stands ready for one query is not given for another."""
    warm(visitor)
    warm(visitor, f"{LAST}?type=movie")
    assert visitor.ask(f"{LAST}?type=nonsense").status == 400
    assert visitor.ask(f"{LAST}?account=nobody").status == 404
    assert visitor.ask(f"{LAST}?account=sandra").status == 200


def test_who_asks_too_much_waits(visitor: Visitor) -> None:
    """429 with the seconds to wait, for any origin to read; all other clients go on."""
    guessing = {"X_Forwarded_For": "203.0.113.9"}
    until(lambda: visitor.ask("/nothing", **guessing).status == 429)
    refused = visitor.ask(LAST, **guessing)
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["access-control-allow-origin"] == "*"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.json == {"ok": False, "reason": "Too Many Requests"}
    page = visitor.ask("/", Accept=BROWSER, **guessing)
    assert (page.status, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert visitor.ask(LAST, X_Forwarded_For="203.0.113.10").status == 200
    assert visitor.ask(LAST).status == 200


def test_an_invented_address_gives_no_new_allowance(visitor: Visitor) -> None:
    """Only what the proxy itself wrote counts, which is the last."""

    def invented(number: int) -> int:
        hops = f"198.51.100.{number % 250}, 203.0.113.9"
        return visitor.ask("/nothing", X_Forwarded_For=hops).status

    numbers = iter(range(1000))
    until(lambda: invented(next(numbers)) == 429)


@pytest.mark.parametrize(
    ("accept", "path", "kind"),
    [
        (BROWSER, "/nothing", "text/html; charset=utf-8"),
        (BROWSER, "/api/nothing", "application/json"),
        ("*/*", "/nothing", "application/json"),
        ("image/avif,image/webp,*/*", "/nothing.png", "application/json"),
    ],
)
def test_people_get_a_page_and_programs_json(
    visitor: Visitor, accept: str, path: str, kind: str
) -> None:
    """The same status either way, and nothing of the address is repeated."""
    answer = visitor.ask(path, Accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (404, kind)
    assert "accept" in answer.headers["vary"].lower()
    assert b"nothing." not in answer.body


def test_the_host_that_was_asked_is_never_repeated(visitor: Visitor) -> None:
    """No answer, no redirect and no link is made of it."""
    for path in ("/", LAST, f"{LAST}/", "//evil.example/", "/nothing", "/healthz/"):
        for accept in (BROWSER, "*/*"):
            told = visitor.ask(path, Host="evil.example", Accept=accept)
            assert "location" not in told.headers
            assert "evil" not in str(told.headers) + told.body.decode()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_nothing_is_written(visitor: Visitor, method: str) -> None:
    """The answer says what may be asked."""
    for path in ("/", "/healthz", "/client.json", LAST):
        refused = visitor.ask(path, method)
        assert refused.status == 405
        assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", "))


def raw(visitor: Visitor, *parts: bytes) -> bytes:
    """What the server says to these bytes, until it closes the connection."""
    where = urlsplit(visitor.address)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        told = b""
        try:
            for part in parts:
                connection.sendall(part)
            while more := connection.recv(65536):
                told += more
        except ConnectionError:
            pass  # it closed while we were still talking
        return told


def test_a_long_address_is_refused(visitor: Visitor) -> None:
    """It is longer than any of ours."""
    assert visitor.ask(f"{LAST}?type={'x' * 10_000}").status == 414


def test_a_big_body_is_refused(visitor: Visitor) -> None:
    """Before it is read when it is announced; else once it is too big."""
    head = b"POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    assert b" 413 " in raw(visitor, head + b"Content-Length: 999999999\r\n\r\n")[:20]


def test_a_head_without_an_end_is_refused(visitor: Visitor) -> None:
    """One header that goes on and on, or ever more of them; the next client is answered."""
    first = b"GET / HTTP/1.1\r\nHost: x\r\n"
    for endless in (b"X: " + b"x" * 100_000, b"X: y\r\n" * 20_000):
        assert b" 431 " in raw(visitor, first, endless)[:20]
    assert visitor.ask("/healthz").status == 200


@pytest.mark.parametrize("start", [b"0\r\n", b"0\r\nX: ", b"1;"])
def test_nothing_behind_a_body_is_kept_for_ever(visitor: Visitor, start: bytes) -> None:
    """Headers behind a body without an end, or one that has none: the connection is closed."""
    where = urlsplit(visitor.address)
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    more = b"X: y\r\n" * 20_000 if start.endswith(b"0\r\n") else b"y" * 100_000

    def talk() -> None:
        with socket.create_connection((str(where.hostname), where.port or 0)) as connection:
            connection.sendall(head + start)
            for _ in range(500):
                connection.sendall(more)

    with pytest.raises(ConnectionError):
        talk()


def test_a_fault_is_a_page_and_a_line_in_the_log(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told once, with where; what strangers are told says nothing about it."""

    def broken(*_: object) -> None:
        raise RuntimeError("inner workings")

    logs.configure("warning")
    monkeypatch.setattr(application, "landing", broken)
    answer = visitor.ask("/", Accept=BROWSER)
    assert answer.status == 500
    assert b"inner workings" not in answer.body
    assert answer.headers["x-frame-options"] == "DENY"
    assert visitor.ask("/").json == {"ok": False, "reason": "Internal Server Error"}
    assert capsys.readouterr().err.count("inner workings") >= 2
    assert visitor.ask("/healthz").status == 200


def test_the_front_door_says_what_this_is(visitor: Visitor, sandra: Owner) -> None:
    """Who shares something is linked to; who shares nothing is not even named."""
    page = visitor.ask("/", Accept=BROWSER)
    assert page.status == 200
    assert b"Watchbook" in page.body
    assert b'href="api/trakt/last"' in page.body
    assert b'href="@sandra"' not in page.body
    assert b"shows nothing" not in page.body
    sandra.share(Part.LAST, on=False)
    visitor.look()
    page = visitor.ask("/", Accept=BROWSER)
    assert page.status == 200
    assert b"api/trakt/last" not in page.body
    assert b"sandra" not in page.body
    assert b"At the moment it shows nothing to everybody." in page.body
    assert b'href="api/docs"' in page.body


def test_metrics_are_for_this_machine(visitor: Visitor) -> None:
    """Whoever comes through the proxy finds nothing there, as at any other address."""
    assert visitor.ask("/metrics").status == 200
    refused = visitor.ask("/metrics", X_Forwarded_For="203.0.113.9")
    assert refused.status == 404
    assert refused.body == visitor.ask("/nothing", X_Forwarded_For="203.0.113.9").body


def test_metrics_are_not_for_those_behind_a_proxy_that_nobody_named(sandra: Owner) -> None:
    """Its visitors look as if they were this machine; that they are not is seen by the header."""
    with _served(sandra.store, metrics_for=LOOPBACK) as visitor:
        assert visitor.ask("/metrics").status == 200
        assert visitor.ask("/metrics", X_Forwarded_For="127.0.0.1").status == 404
    with _served(sandra.store) as visitor:
        assert visitor.ask("/metrics").status == 404


def test_https_is_promised_by_every_answer(visitor: Visitor) -> None:
    """Also by refusals and by what stands in memory."""
    warm(visitor)
    for path in ("/", LAST, "/nothing", "/healthz", "/metrics"):
        assert visitor.ask(path).headers["strict-transport-security"].startswith("max-age=")


def test_down_is_said_by_the_status(store: Store) -> None:
    """Whoever watches over the service sees it without reading."""
    with _served(store, health=DOWN) as visitor:
        assert visitor.ask("/healthz").status == 503
        assert 'watchbook_status{status="down"} 1.0' in _metrics(store)


def _metrics(store: Store) -> str:
    with _served(store, health=DOWN, metrics_for=LOOPBACK) as visitor:
        return visitor.ask("/metrics").body.decode()


def test_metrics_tell_numbers_and_no_names(visitor: Visitor, tmp_path: Path) -> None:
    """Questions by route and status, how long they took, the shelf, the process."""
    visitor.ask(LAST)
    visitor.ask(f"{LAST}?account=sandra")
    visitor.ask("/sandra/nothing")
    told = visitor.ask("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = told.body.decode()
    for expected in (
        'watchbook_http_requests_total{route="/api/trakt/last",status="200"}',
        'watchbook_http_requests_total{route="none",status="404"} 1.0',
        'watchbook_http_seconds_bucket{le="+Inf"}',
        'watchbook_views_total{from="store"}',
        'watchbook_status{status="ok"} 1.0',
        "watchbook_accounts 1.0",
        "watchbook_jobs_waiting 0.0",
        'watchbook_outbox_posts{state="rejected"} 0.0',
        "process_resident_memory_bytes",
    ):
        assert f"\n{expected}" in text, expected
    assert "sandra" not in text
    assert str(tmp_path) not in text


def test_health_tells_what_waits_to_be_published() -> None:
    """The shape of it, of which only numbers are told."""
    told = json.loads(msgspec.json.encode(Health("ok")))
    assert told["outbox"] == {"waiting": 0, "unknown": 0, "rejected": 0}
    assert {"last_sync", "signed_out", "failing", "queue"} <= set(told)
