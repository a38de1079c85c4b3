from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from watchbook.sandbox.rules import FaultBoard, parse
from watchbook.sandbox.trakt import FAULTS, ControlError, FaultSyntaxError, SandboxOptions, running

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

HISTORY = "/users/me/history"


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        ("http-500", [1, 2, 3, 4, 5]),
        ("http-500@3", [3]),
        ("http-500@3+", [3, 4, 5]),
        ("http-500@2-4", [2, 3, 4]),
        ("http-500/history@1", [1]),
        ("http-500/ratings", []),
    ],
)
def test_when_a_rule_strikes(rule: str, struck: list[int]) -> None:
    """The grammar counts matching requests."""
    board = FaultBoard(FAULTS, [rule])
    hits = [n for n in range(1, 6) if board.firing(HISTORY, "answer")]
    assert hits == struck
    assert board.take_struck() == ["http-500"] * len(struck)
    assert board.take_struck() == []


def test_a_rule_has_a_value_of_its_own() -> None:
    """It replaces the usual one of the table."""
    assert parse("page-short", FAULTS).number() == 3
    found = parse("page-short:40/sync/watched@2+", FAULTS)
    assert (found.number(), found.path, found.first) == (40, "/sync/watched", 2)


@pytest.mark.parametrize("rule", ["", "nonsense", "http-500@", "http-500@x", "page-short:many"])
def test_rules_that_cannot_be_read(rule: str) -> None:
    """The error names the rule and shows a right one."""
    with pytest.raises(FaultSyntaxError, match=r"is not a fault|must be a number"):
        parse(rule, FAULTS)


def test_a_sandbox_does_not_start_with_a_wrong_rule() -> None:
    """It fails before it listens for long."""
    with pytest.raises(FaultSyntaxError), running(SandboxOptions(plays=1, faults=("no-such",))):
        pytest.fail("it runs")


def test_wrong_rules_at_run_time_change_nothing(read: Api) -> None:
    """All rules of a request count, or none."""
    with pytest.raises(ControlError, match="no-such"):
        read.sandbox.set_faults("http-500", "no-such")
    assert read.get(HISTORY).status_code == 200


def test_every_fault_is_described() -> None:
    """One line each, without a full stop, so that it can be listed."""
    for name, fault in FAULTS.items():
        assert name == name.lower()
        assert 8 < len(fault.meaning) < 80, name
        assert not fault.meaning.endswith(".")


@pytest.mark.parametrize(
    ("fault", "status", "present", "absent"),
    [
        ("cloudflare-403", 403, "cf-ray", "x-request-id"),
        ("cloudflare-429", 429, "retry-after", "x-ratelimit"),
        ("cloudflare-429-bare", 429, "cf-ray", "retry-after"),
        ("rate-429", 429, "x-ratelimit", "cf-ray"),
        ("rate-429-bare", 429, "x-request-id", "retry-after"),
        ("http-400", 400, "x-request-id", "cf-ray"),
        ("http-401", 401, "x-request-id", "cf-ray"),
        ("http-403", 403, "x-request-id", "cf-ray"),
        ("http-404", 404, "x-request-id", "cf-ray"),
        ("http-405", 405, "x-request-id", "cf-ray"),
        ("http-408", 408, "x-request-id", "cf-ray"),
        ("http-409", 409, "x-request-id", "cf-ray"),
        ("http-412", 412, "x-request-id", "cf-ray"),
        ("http-420", 420, "x-account-limit", "cf-ray"),
        ("http-420-bare", 420, "x-request-id", "x-account-limit"),
        ("http-422", 422, "x-request-id", "cf-ray"),
        ("http-423", 423, "x-account-locked", "cf-ray"),
        ("http-426", 426, "x-upgrade-url", "cf-ray"),
        ("http-500", 500, "x-error-message", "cf-ray"),
        ("http-502", 502, "x-request-id", "retry-after"),
        ("http-503", 503, "retry-after", "cf-ray"),
        ("http-504", 504, "x-request-id", "retry-after"),
        ("http-520", 520, "cf-ray", "x-request-id"),
        ("http-521", 521, "cf-ray", "x-request-id"),
        ("http-522", 522, "cf-ray", "x-request-id"),
    ],
)
def test_refusals(read: Api, fault: str, status: int, present: str, absent: str) -> None:
    """Each status comes with the headers of whoever gives it, once, then all is well."""
    read.sandbox.set_faults(f"{fault}/history@1")
    assert read.get("/users/me").status_code == 200
    response = read.get(HISTORY)
    assert response.status_code == status
    assert present in response.headers
    assert absent not in response.headers
    html = response.headers.get("content-type", "").startswith("text/html")
    assert html == ("cf-ray" in response.headers)
    assert read.get(HISTORY).status_code == 200


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("body-empty", b""),
        ("body-null", b"null"),
        ("body-object", b"{}"),
        ("body-nan", b'[{"id":1,"progress":NaN}]'),
        ("body-deep:50", b"[" * 50 + b"]" * 50),
    ],
)
def test_wrong_bodies(read: Api, fault: str, body: bytes) -> None:
    """They come with status 200 and call themselves JSON."""
    read.sandbox.set_faults(fault)
    response = read.get(HISTORY)
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"].startswith("application/json")


def test_html_in_place_of_json(read: Api) -> None:
    """A waiting page of the edge, with 200."""
    read.sandbox.set_faults("body-html")
    response = read.get(HISTORY)
    assert response.status_code == 200
    assert response.text.startswith("<!DOCTYPE html>")


def test_oversized_bodies(read: Api) -> None:
    """Streamed JSON of so many MiB, and a small gzip body that unpacks to as much."""
    read.sandbox.set_faults("body-huge:3@1", "body-gzip-bomb:4@2")
    huge = read.get(HISTORY)
    assert len(huge.content) > 3 * 2**20
    assert json.loads(huge.content)[-1] == "end"
    with read.client.stream("GET", HISTORY) as response:
        packed = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert len(packed) < 2**16
    assert len(gzip.decompress(packed)) == 4 * 2**20 + 2


def counts(response: Any) -> tuple[int, int]:
    """Page count and item count as claimed."""
    return (
        int(response.headers["x-pagination-page-count"]),
        int(response.headers["x-pagination-item-count"]),
    )


def test_counts_that_lie(read: Api) -> None:
    """Too low, too high, or not there at all; the rows are right."""
    path = f"{HISTORY}?limit=100&page=2"
    right = read.get(path)
    read.sandbox.set_faults("page-count-low:2@1", "page-count-high:3@2", "page-headers-missing@3")
    low, high, missing = (read.get(path) for _ in range(3))
    assert counts(low) == (13, 1_300)
    assert counts(high) == (18, 1_800)
    assert "x-pagination-page" not in missing.headers
    assert low.json() == high.json() == missing.json() == right.json()


def test_pages_that_are_short_empty_or_repeated(read: Api) -> None:
    """The headers claim what they always do."""
    path = f"{HISTORY}?limit=100&page="
    first, second = read.get(path + "1"), read.get(path + "2")
    read.sandbox.set_faults("page-short:5@1", "page-empty@2", "page-twice@3")
    short, empty, twice = (read.get(path + "2") for _ in range(3))
    assert short.json() == second.json()[:95]
    assert empty.json() == []
    assert twice.json() == first.json()
    assert twice.headers["x-pagination-page"] == "2"
    assert counts(short) == counts(empty) == counts(second)


def test_a_limit_lower_than_asked_for(read: Api) -> None:
    """The header tells the limit that counted."""
    read.sandbox.set_faults("limit-clamped:40")
    response = read.get(f"{HISTORY}?limit=250")
    assert len(response.json()) == 40
    assert response.headers["x-pagination-limit"] == "40"


def test_rows_that_come_and_go_while_paging(api: Api) -> None:
    """An insertion shows a row twice, a deletion hides one, and both are real."""
    path = f"{HISTORY}?limit=50&page="
    first = api.json(path + "1")
    api.sandbox.set_faults("page-drift-insert:2@1")
    assert api.json(path + "2")[:2] == first[-2:]
    assert len(api.sandbox.truth()["plays"]) == 302
    before = [row["id"] for row in api.pages(HISTORY)]
    api.sandbox.set_faults("page-drift-delete@1")
    after = [row["id"] for row in api.json(path + "2")]
    assert after == before[51:101]
    assert len(api.sandbox.truth()["plays"]) == 301


POISONS: list[tuple[str, str, Callable[[Any], bool]]] = [
    ("item-null-title", HISTORY, lambda r: (r.get("movie") or r.get("episode")) is None),
    ("item-id-max", HISTORY, lambda r: r["id"] == 2**63 - 1),
    ("item-missing-ids", HISTORY, lambda r: "ids" not in (r.get("movie") or r["episode"])),
    ("item-unknown-type", HISTORY, lambda r: r["type"] not in ("movie", "episode")),
    ("item-unknown-action", HISTORY, lambda r: r["action"] == "dream"),
    ("item-long-title", "/sync/watched/movies", lambda r: len(r["movie"]["title"]) == 65_536),
    ("item-emoji", "/sync/watched/movies", lambda r: "🎬" in r["movie"]["title"]),
    ("item-nul", "/sync/watched/movies", lambda r: "\0" in r["movie"]["title"]),
    ("item-epoch", HISTORY, lambda r: r["watched_at"] == "1970-01-01T00:00:00.000Z"),
    ("item-not-an-object", HISTORY, lambda r: r == 42),
    ("seasons-missing", "/sync/watched/shows?extended=progress", lambda r: "seasons" not in r),
    ("seasons-odd", "/sync/watched/shows?extended=progress", lambda r: r["seasons"] is None),
]


@pytest.mark.parametrize(("fault", "path", "holds"), POISONS)
def test_poisoned_rows(read: Api, fault: str, path: str, holds: Callable[[Any], bool]) -> None:
    """The first row of the page is struck, the others are as they were."""
    clean = read.json(path)
    read.sandbox.set_faults(f"{fault}@1")
    rows = read.json(path)
    assert holds(rows[0])
    assert rows[1:] == clean[1:]
    assert read.json(path) == clean


def test_maps_are_not_poisoned(read: Api) -> None:
    """Rows of compact maps have none of the members that poisons touch."""
    path = "/sync/watched/movies?extended=min"
    clean = read.json(path)
    read.sandbox.set_faults("item-id-max")
    assert read.json(path) == clean


def test_the_log_names_the_faults_that_struck(api: Api) -> None:
    """So a test can tell a fault that was met from one that was not."""
    api.sandbox.set_faults("page-short@1", "http-502@2")
    for _ in range(3):
        api.get(HISTORY)
    struck = [row["faults"] for row in api.sandbox.requests()["requests"]]
    assert struck == [["page-short"], ["http-502"], []]


def test_faults_of_data_leave_the_auth_host_alone(api: Api) -> None:
    """Unless their path names it."""
    api.sandbox.set_faults("http-500", "http-502/oauth/token@2")
    assert api.refresh(api.sandbox.refresh_token).status_code == 200
    assert api.refresh(api.sandbox.refresh_token).status_code == 502
    assert api.get(HISTORY).status_code == 500


def test_faults_from_the_start(start: Callable[..., Api]) -> None:
    """Options take the same rules."""
    api = start(faults=("http-503:7/history@1",))
    response = api.get(HISTORY)
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
