"""IndieAuth: the metadata document, the consent, codes, tokens and their end."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from watchbook.sandbox.answer import TEXT_TYPE, Answer, Refusal, as_json, refused
from watchbook.sandbox.site import consent_page
from watchbook.sandbox.site.call import Call
from watchbook.sandbox.site.tokens import ALL_SCOPES, Consent, GrantError, Reuse
from watchbook.sandbox.site.world import World

PREFIX = "/indieauth"
METADATA = f"{PREFIX}/metadata"
AUTHORIZE = f"{PREFIX}/authorize"
TOKEN = f"{PREFIX}/token"
REVOKE = f"{PREFIX}/revoke"

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_NEEDED = ("client_id", "redirect_uri", "state", "code_challenge")


def answer(call: Call) -> Answer:
    """Answer one request of the sign-in."""
    handler = _HANDLERS.get(call.route)
    if handler is None:
        return refused(404, "not_found", "There is nothing here")
    try:
        return handler(call)
    except GrantError as error:
        return refused(400, error.error, error.description)


def issuer(world: World) -> str:
    """Who signs people in here."""
    return f"{world.url}/"


def _metadata(call: Call) -> Answer:
    url = call.world.url
    return as_json(
        {
            "issuer": issuer(call.world),
            "authorization_endpoint": f"{url}{AUTHORIZE}",
            "token_endpoint": f"{url}{TOKEN}",
            "revocation_endpoint": f"{url}{REVOKE}",
            "revocation_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ALL_SCOPES.split(),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


def _authorize(call: Call) -> Answer:
    """Ask the person, or have them say yes at once."""
    asked = call.query
    _check_client(call, asked)
    if _wrong(asked):
        return _back(call, asked, {"error": "invalid_request"})
    if "consent-refused" in call.fires("consent"):
        return _back(call, asked, {"error": "access_denied"})
    if call.world.options.consent == "asks":
        return consent_page.ask(call.world, asked, AUTHORIZE)
    hinted = call.world.known_as(asked.get("me", ""))
    name = call.world.consenting or (hinted or call.world.owner).name
    return _yes(call, asked, name)


def _decided(call: Call) -> Answer:
    """The button that was pressed; or an app that wants to know who somebody is, and no more."""
    fields = call.body.form
    if "grant_type" in fields:
        consent = call.world.tokens.redeem(fields)
        return as_json(_who(call.world, consent))
    asked = dict(parse_qsl(fields.get("asked", "")))
    _check_client(call, asked)
    name = fields.get("answer", "")
    if name not in call.world.people or _wrong(asked):
        return _back(call, asked, {"error": "access_denied"})
    return _yes(call, asked, name)


def _yes(call: Call, asked: Mapping[str, str], name: str) -> Answer:
    tokens = call.world.tokens
    consent = tokens.consent(name, asked["client_id"], asked.get("scope", ""))
    code = tokens.code(consent, asked["redirect_uri"], asked["code_challenge"])
    return _back(call, asked, {"code": code})


def _check_client(call: Call, asked: Mapping[str, str]) -> None:
    """Send nobody away to a place that is not the app's own.

    Raises:
        Refusal: the app or its redirect address will not do.
    """
    app, back = urlsplit(asked.get("client_id", "")), urlsplit(asked.get("redirect_uri", ""))
    good = app.scheme in ("http", "https") and app.path and not (app.fragment or app.username)
    if not good:
        raise Refusal(consent_page.problem("The client_id is not an address with a path."))
    if not _of_one_app(app, back, strict="redirect-strict" in call.fires("consent")):
        raise Refusal(consent_page.problem("The redirect_uri is not one of this app."))


def _of_one_app(app: SplitResult, back: SplitResult, *, strict: bool) -> bool:
    """Whether an app may be answered there: at home, or on this machine at any port (RFC 8252)."""
    local = app.hostname in _THIS_MACHINE and back.hostname in _THIS_MACHINE
    if local and back.scheme == "http" and not strict:
        return True
    return (app.scheme, app.netloc) == (back.scheme, back.netloc)


def _wrong(asked: Mapping[str, str]) -> bool:
    return (
        any(not asked.get(name) for name in _NEEDED)
        or asked.get("response_type") != "code"
        or asked.get("code_challenge_method") != "S256"
    )


def _back(call: Call, asked: Mapping[str, str], result: dict[str, str]) -> Answer:
    """Send the person back to the app."""
    faults = call.fires("consent").keys() | call.fires("page").keys()
    state = asked.get("state", "")
    result["state"] = f"{state}x" if "state-wrong" in faults else state
    if not faults & {"iss-missing", "no-metadata"}:
        wrong = "iss-wrong" in faults
        result["iss"] = "https://issuer.example/" if wrong else issuer(call.world)
    parts = urlsplit(asked["redirect_uri"])
    query = "&".join(filter(None, (parts.query, urlencode(result))))
    place = urlunsplit(parts._replace(query=query))
    return Answer(302, b"", [(b"location", place.encode()), (b"cache-control", b"no-store")])


def _token(call: Call) -> Answer:
    """Swap a code or a refresh token for tokens."""
    fields = call.body.form
    if fields.get("action") == "revoke":
        return _revoke(call)
    kind = fields.get("grant_type")
    if kind == "authorization_code":
        consent = call.world.tokens.redeem(fields)
        if not consent.scope:
            raise GrantError("invalid_scope", "No scope, no token: ask the authorization endpoint")
        return _issued(call, consent)
    if kind != "refresh_token":
        raise GrantError("unsupported_grant_type", "authorization_code or refresh_token")
    return _issued(call, _renewed(call, fields))


def _renewed(call: Call, fields: Mapping[str, str]) -> Consent:
    faults = call.fires("refresh")
    reuse: Reuse = "theft" if "refresh-theft" in faults else "refused"
    if "refresh-reusable" in faults:
        reuse = "allowed"
    token, client = fields.get("refresh_token", ""), fields.get("client_id", "")
    return call.world.tokens.spend(token, client, reuse)


def _issued(call: Call, consent: Consent) -> Answer:
    faults = call.fires("token").keys()
    found = call.world.tokens.issue(consent, forever="token-forever" in faults)
    found |= _who(call.world, consent)
    if "me-other" in faults:
        found["me"] = call.world.someone_else(consent.person)
    for name, members in _LEFT_OUT.items():
        for member in members if name in faults else ():
            found.pop(member, None)
    status = 201 if "token-201" in faults else 200
    if "token-form-encoded" in faults:
        return _as_form(found, status)
    return as_json(found, status, [(b"cache-control", b"no-store")])


_LEFT_OUT = {
    "token-no-type": ("token_type",),
    "token-no-scope": ("scope",),
    "token-untold": ("expires_in", "refresh_token"),
    "me-missing": ("me",),
}


def _as_form(found: Mapping[str, object], status: int) -> Answer:
    plain = {name: value for name, value in found.items() if not isinstance(value, dict)}
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    return Answer(status, urlencode(plain).encode(), [kind, (b"cache-control", b"no-store")])


def _who(world: World, consent: Consent) -> dict[str, object]:
    person = world.people[consent.person]
    me = world.me(person)
    if "profile" not in consent.scope.split():
        return {"me": me}
    return {"me": me, "profile": {"name": person.full_name, "url": me}}


def _revoke(call: Call) -> Answer:
    call.world.tokens.revoke(call.body.form.get("token", ""))
    return Answer(200, b"", [TEXT_TYPE])


_HANDLERS = {
    f"GET {METADATA}": _metadata,
    f"GET {AUTHORIZE}": _authorize,
    f"POST {AUTHORIZE}": _decided,
    f"POST {TOKEN}": _token,
    f"POST {REVOKE}": _revoke,
}
