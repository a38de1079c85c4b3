from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.indieauth.discovery import Discovered
from watchbook.indieauth.document import client_at
from watchbook.indieauth.endpoints import Endpoints
from watchbook.indieauth.flow import Pending, code_in, start
from watchbook.indieauth.refusals import SignInFailed
from watchbook.redaction import redact

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CLIENT = client_at("https://w.example")
ISSUER = "https://a.example/"


def found(authorization: str = "https://a.example/auth", issuer: str | None = ISSUER) -> Discovered:
    """What was discovered at a site that moved for good."""
    endpoints = Endpoints(authorization, "https://a.example/token", issuer=issuer)
    seen = ("http://a.example/", "https://a.example/")
    return Discovered("http://a.example/", "https://a.example/", seen, endpoints)


def begun(discovered: Discovered | None = None) -> Pending:
    """A sign-in under way."""
    return start(discovered or found(), CLIENT, ["create"], now=NOW)[1]


def callback(pending: Pending, **changes: str | None) -> str:
    """The query of a good answer, with changes; None leaves a field out."""
    given = {"code": "the-code", "state": pending.state, "iss": ISSUER} | changes
    return urlencode({name: value for name, value in given.items() if value is not None})


def test_the_request_holds_what_servers_ask_for() -> None:
    """State, challenge, scopes and the settled address go along; the verifier does not."""
    address, pending = start(found(), CLIENT, ["create", "media"], now=NOW)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    digest = hashlib.sha256(pending.verifier.encode()).digest()
    assert query == {
        "response_type": "code",
        "client_id": "https://w.example/client.json",
        "redirect_uri": "https://w.example/login/callback",
        "state": pending.state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "scope": "create media",
        "me": "https://a.example/",
    }
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", pending.verifier)
    assert pending.verifier not in address


def test_the_request_is_appended_to_a_query() -> None:
    """An endpoint that has a query of its own keeps it."""
    address, _ = start(found("https://a.example/?rest_route=%2Fauth"), CLIENT, [], now=NOW)
    assert address.startswith("https://a.example/?rest_route=%2Fauth&response_type=code&")
    assert "scope" not in parse_qs(urlsplit(address).query)


def test_every_sign_in_has_secrets_of_its_own() -> None:
    """State and verifier never repeat, and neither is shown."""
    first, second = begun(), begun()
    assert first.state != second.state
    assert first.verifier != second.verifier
    assert first.verifier not in repr(first)
    assert first.state not in repr(first)
    assert first.verifier not in redact(f"saw {first.verifier} and {first.state}")


def test_the_state_is_not_longer_than_servers_keep() -> None:
    """django-indieweb refuses one of more than 32 characters."""
    assert len(begun().state) == 32


def test_what_is_kept_can_be_written_down() -> None:
    """A sign-in under way survives a restart."""
    pending = begun()
    assert msgspec.json.decode(msgspec.json.encode(pending), type=Pending) == pending


def test_takes_the_code() -> None:
    """A good answer gives its code; what else it says is passed over."""
    pending = begun()
    assert code_in(callback(pending, me="https://evil.example/"), pending, now=NOW) == "the-code"
    late = NOW + timedelta(minutes=10)
    assert code_in(callback(pending), pending, now=late) == "the-code"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "another"}, "another sign-in"),
        ({"state": ""}, "another sign-in"),
        ({"state": None}, "another sign-in"),
        ({"state": "é☃"}, "another sign-in"),
        ({"iss": None}, "`iss` is missing"),
        ({"iss": ""}, "another server"),
        ({"iss": "https://evil.example/"}, "another server"),
        ({"iss": "https://a.example//"}, "another server"),
        ({"iss": "http://a.example/"}, "another server"),
        ({"iss": "https://A.example/"}, "another server"),
        ({"code": None}, "sent no code"),
        ({"code": ""}, "sent no code"),
        ({"error": "access_denied"}, "refused on the site's page"),
        ({"error": "invalid_scope", "error_description": "no <b>"}, "invalid_scope: no <b>"),
        ({"error": "", "code": "x"}, "did not sign you in"),
    ],
)
def test_refuses_an_answer_that_does_not_hold(changes: dict[str, str | None], words: str) -> None:
    """A swapped state, another issuer, a missing code and an error each end the sign-in."""
    pending = begun()
    with pytest.raises(SignInFailed, match=words) as caught:
        code_in(callback(pending, **changes), pending, now=NOW)
    assert caught.value.hint is not None
    assert pending.state not in caught.value.message


@pytest.mark.parametrize("iss", ["https://a.example", "https://a.example/"])
@pytest.mark.parametrize("issuer", ["https://a.example", "https://a.example/"])
def test_one_slash_may_differ(issuer: str, iss: str) -> None:
    """Servers get the slash at the end of their name wrong, and nothing else hangs on it."""
    pending = begun(found(issuer=issuer))
    assert code_in(callback(pending, iss=iss), pending, now=NOW) == "the-code"


@pytest.mark.parametrize("iss", [None, "https://anything.example/", ""])
def test_without_a_document_the_issuer_is_ignored(iss: str | None) -> None:
    """A site that names only its endpoints has nothing to compare `iss` with."""
    pending = begun(found(issuer=None))
    assert code_in(callback(pending, iss=iss), pending, now=NOW) == "the-code"


def test_compares_what_is_decoded() -> None:
    """Plus signs and percent codes in the query are read before anything is compared."""
    pending = begun(found(issuer="https://a.example/x y+z"))
    query = f"code=the%2Bcode+1&state={pending.state}&iss=https:%2F%2Fa.example%2Fx+y%2Bz"
    assert code_in(query, pending, now=NOW) == "the+code 1"


@pytest.mark.parametrize("name", ["state", "iss", "code", "error"])
def test_refuses_a_field_that_is_there_twice(name: str) -> None:
    """Two values for one field are an attempt to have one checked and the other used."""
    pending = begun()
    with pytest.raises(SignInFailed, match="twice"):
        code_in(f"{callback(pending)}&{name}=x&{name}=y", pending, now=NOW)


@pytest.mark.parametrize("late", [timedelta(minutes=10, seconds=1), -timedelta(seconds=1)])
def test_lapses_after_ten_minutes(late: timedelta) -> None:
    """An answer that comes too late, or before it was asked for, counts for nothing."""
    pending = begun()
    assert pending.lapsed(NOW + late)
    with pytest.raises(SignInFailed, match="ten minutes"):
        code_in(callback(pending), pending, now=NOW + late)


def test_another_sign_ins_answer_is_not_taken() -> None:
    """Of two sign-ins under way each takes its own answer only."""
    first, second = begun(), begun()
    with pytest.raises(SignInFailed, match="another sign-in"):
        code_in(callback(first), second, now=NOW)


@settings(deadline=None)
@given(st.text())
def test_any_query(query: str) -> None:
    """Whatever comes back, it ends in an error of ours."""
    with pytest.raises(SignInFailed):
        code_in(query, begun(), now=NOW)
    with pytest.raises(SignInFailed):
        code_in("&".join(["a=b"] * 1000), begun(), now=NOW)
