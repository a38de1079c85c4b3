"""Who may ask what: every operation, for everybody who may come along."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.web.api.conftest import Api
from tests.web.showroom import until
from watchbook.clock import now
from watchbook.sharing import Part
from watchbook.store import tokens
from watchbook.store.tokens import Token
from watchbook.web.api.operations import OPERATIONS, Operation

PLACES = {
    "{history_id}": "13",
    "{key}": "movie:2",
    "{id}": "watchlist",
    "{year}": "2026",
}
OF_TOM = {**PLACES, "{history_id}": "99", "{key}": "movie:99"}


def path_of(operation: Operation, places: dict[str, str] = PLACES) -> str:
    """Where ``operation`` is found, with something that is there in it."""
    path = f"/{operation.path}" if operation.path else ""
    for name, value in places.items():
        path = path.replace(name, value)
    return path


def test_strangers_see_what_is_shared_and_nothing_else(api: Api, subtests: pytest.Subtests) -> None:
    """Off, each is like an account that is not there; on, exactly its own part opens it."""
    for operation in OPERATIONS:
        with subtests.test(operation.name):
            _is_open_by_its_part_only(api, operation)


def _is_open_by_its_part_only(api: Api, operation: Operation) -> None:
    path = path_of(operation)
    api.share(*Part, on=False)
    nobody = api.ask(path, account="nobody")
    assert nobody.status == 404
    assert nobody.json == {"ok": False, "reason": "not public"}
    assert alike(api.ask(path)) == alike(nobody)
    api.share(*(part for part in Part if part is not operation.part))
    assert api.ask(path).status == (200 if operation.any_part else 404)
    if operation.part is not None:
        api.share(operation.part)
        told = api.ask(path)
        assert told.status == 200
        assert told.json["ok"] is True
        api.share(operation.part, on=False)
        assert alike(api.ask(path)) == alike(nobody)


def test_a_token_reads_its_own_account_only(api: Api, subtests: pytest.Subtests) -> None:
    """Its owner reads everything although nothing is shared; somebody else's token nothing."""
    for operation in OPERATIONS:
        with subtests.test(operation.name):
            _is_open_to_its_own(api, operation)


def _is_open_to_its_own(api: Api, operation: Operation) -> None:
    path = path_of(operation)
    nobody = api.ask(path, account="nobody")
    own = api.ask(path, api.token)
    assert own.status == 200
    assert own.json["ok"] is True
    assert own.headers["cache-control"] == "private, no-cache"
    assert "authorization" in own.headers["vary"].lower()
    assert alike(api.ask(path, api.other)) == alike(nobody)
    assert alike(api.ask(path, api.other, account="nobody")) == alike(nobody)
    assert api.ask(path_of(operation, OF_TOM), api.other, account="tom").status == 200


def test_what_is_no_token_is_told_so(api: Api, subtests: pytest.Subtests) -> None:
    """A removed, invented or malformed token: 401 with the scheme, whether shared or not."""
    api.share(*Part)
    with api.sandra.store.database.write() as conn:
        tokens.remove(conn, api.sandra.account, "test")
    for operation in OPERATIONS:
        with subtests.test(operation.name):
            _says_what_is_no_token(api, path_of(operation))


def _says_what_is_no_token(api: Api, path: str) -> None:
    for shown in (api.token, api.token[:-1], "wb_", "x y", "é"):
        told = api.ask(path, shown)
        assert told.status == 401
        assert told.headers["www-authenticate"].startswith("Bearer ")
        assert told.json["ok"] is False
        assert shown not in str(told.json["reason"]) or shown == "wb_"
    basic = api.ask(path, Authorization="Basic c2FuZHJhOmE=")
    assert basic.status == 401


def test_somebody_elses_token_sees_what_strangers_see(api: Api) -> None:
    """It opens nothing more, and closes nothing."""
    api.share(Part.HISTORY)
    assert api.ask("/plays", api.other).status == 200
    assert api.ask("/lists", api.other).status == 404


def test_any_origin_may_ask(api: Api) -> None:
    """Answers, refusals and preflights alike; a preflight tells nothing of what there is."""
    api.share(Part.HISTORY)
    asked = [
        api.ask("/plays"),
        api.ask("/lists"),
        api.ask("/plays", "none"),
        api.ask("/plays?limit=0"),
        api.ask("/nothing"),
    ]
    assert [told.status for told in asked] == [200, 404, 401, 400, 404]
    for told in asked:
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["content-type"] == "application/json"
    here, nowhere = (
        api.visitor.ask(
            f"/api/v1/accounts/{name}/lists",
            "OPTIONS",
            Origin="https://page.example",
            Access_Control_Request_Method="GET",
            Access_Control_Request_Headers="authorization",
        )
        for name in ("sandra", "nobody")
    )
    assert alike(here) == alike(nowhere)
    assert "Authorization" in here.headers["access-control-allow-headers"]


def test_strangers_wait_for_the_delay_and_the_account_does_not(api: Api) -> None:
    """Plays, titles and ratings younger than the delay are there for the token only."""
    api.share(*Part)
    api.delay("3650d")
    old = {"11", "12"}  # of an unknown date; the other one is younger than ten years
    assert {str(one["history_id"]) for one in api.pages("/plays")} <= old
    assert len(list(api.pages("/plays", api.token))) > len(old)
    assert api.ask("/plays/13").status == 404
    assert api.ask("/plays/13", api.token).status == 200
    assert api.ask("/titles/movie:2").status == 404
    assert api.ask("/titles/movie:2", api.token).status == 200
    assert list(api.pages("/ratings")) == []
    assert len(list(api.pages("/ratings", api.token))) == 3
    assert api.ask("/statistics").json["statistics"]["totals"]["plays"] <= 1


def test_ratings_are_hidden_beside_plays_unless_shared(api: Api) -> None:
    """The part of ratings decides about them wherever they stand."""
    api.share(Part.HISTORY, Part.LAST)
    assert api.ask("/titles/movie:1").json["title"]["rating"] is None
    assert api.ask("/plays/12").json["play"]["rating"] is None
    assert api.ask("/plays/12", api.token).json["play"]["rating"] == 9
    api.share(Part.RATINGS)
    assert api.ask("/titles/movie:1").json["title"]["rating"] == 9
    assert api.ask("/plays/12").json["play"]["rating"] == 9


def test_a_rating_waits_like_a_play(api: Api) -> None:
    """Of an old play nobody sees a rating that is younger than the delay, nor is it counted."""
    api.share(*Part)
    api.delay(f"{(now() - datetime(2026, 3, 1, tzinfo=UTC)).days}d")
    for token, told in (("", None), (api.token, 9)):
        assert api.ask("/plays/12", token).json["play"]["rating"] == told
        assert api.ask("/titles/movie:1", token).json["title"]["rating"] == told
        assert bool(api.ask("/statistics", token).json["statistics"]["ratings"]) == bool(told)
    assert b"Rated" not in api.visitor.ask("/@sandra/12").body


def token_of(api: Api) -> Token:
    """Sandra's."""
    with api.sandra.store.database.read() as conn:
        (own,) = tokens.all_tokens(conn, api.sandra.account.id)
    return own


def test_a_use_is_written_down(api: Api) -> None:
    """The list of tokens says that it was used; one that was refused was not."""
    api.ask("/lists", api.token)
    api.ask("/lists", api.other)
    api.ask("/lists", api.token + "x")
    until(lambda: token_of(api).used_at is not None)


def test_an_answer_does_not_wait_for_its_use_to_be_written_down(api: Api) -> None:
    """Somebody else may hold the database; the use is written down when it is free."""
    with api.sandra.store.database.write() as conn:
        tokens.note_use(conn, token_of(api))
        assert [api.ask("/lists", api.token).status for _ in range(3)] == [200] * 3
        conn.rollback()
    until(lambda: token_of(api).used_at is not None)


def alike(told: object) -> tuple[int, bytes, dict[str, str]]:
    """What of an answer a stranger could tell apart."""
    status, headers, body = told.status, dict(told.headers), told.body  # type: ignore[attr-defined]
    headers.pop("date", None)
    return status, body, headers
