"""The auth host: authorize, token, device code and token, revoke, and the activation page."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import msgspec

from watchbook.sandbox.answer import Answer, Refusal, as_json, refused
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.trakt import broken, pages
from watchbook.sandbox.trakt.call import Call, Routes, not_found
from watchbook.sandbox.trakt.fault_table import AUTH_PATHS
from watchbook.sandbox.trakt.gate import edge_refusal
from watchbook.sandbox.trakt.grants import CODE_LIFE, OUT_OF_BAND, GrantError

AUTH = Routes()
"""The routes of the auth host."""

_DEVICE_STATUSES = {
    "device-pending": 400,
    "device-refused": 418,
    "device-expired": 410,
    "device-unknown": 404,
    "device-used": 409,
}


def answer(call: Call) -> Answer:
    """Answer one call to the auth host."""
    try:
        return _answer(call)
    except Refusal as refusal:
        return refusal.answer
    except GrantError as error:
        return refused(error.status, error.error, error.description)


def _answer(call: Call) -> Answer:
    named = call.path.startswith(AUTH_PATHS)
    for rule in call.world.faults.firing(call.path, "answer", named=named):
        return broken.answer(rule)
    found = AUTH.find(call.method, call.path)
    if found is None:
        return not_found()
    handler, call.params = found
    if handler is None:
        return Answer(405)
    reply = handler(call)
    return reply if isinstance(reply, Answer) else not_found()


def _fields(call: Call) -> dict[str, str]:
    """The JSON body; credentials count nowhere else."""
    refusal = edge_refusal(call)
    if refusal:
        raise Refusal(refusal)
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise GrantError("invalid_request", "The body must be JSON")
    try:
        found = msgspec.json.decode(call.body, type=dict[str, str | int | None])
    except msgspec.DecodeError:
        raise GrantError("invalid_request", "The body is not a JSON object of strings") from None
    return {name: str(value) for name, value in found.items() if value is not None}


def _need(fields: dict[str, str], *names: str) -> None:
    missing = [name for name in names if name not in fields]
    if missing:
        raise GrantError("invalid_request", f"missing: {', '.join(missing)}")


def _check_client(call: Call, fields: dict[str, str], *, secret: bool = True) -> None:
    known = compare_digest(fields.get("client_id", "").encode(), call.world.client_id.encode())
    if secret:
        given = fields.get("client_secret", "").encode()
        known = known and compare_digest(given, call.world.client_secret.encode())
    if not known:
        raise GrantError("invalid_client", "The client_id or client_secret is wrong", 401)


@AUTH.get("/oauth/authorize")
def authorize(call: Call) -> Answer:
    """Ask the person, who says yes at once; the answer goes to the redirect address."""
    query = call.query
    redirect = query.get("redirect_uri", "")
    if query.get("client_id") != call.world.client_id:
        return pages.problem("This app is not known here.", 400)
    if not _acceptable(redirect):
        return pages.problem("This redirect address is not acceptable.", 400)
    wrong = _authorize_error(call)
    rules = {rule.name: rule for rule in call.world.faults.firing(call.path, "consent")}
    if wrong or "consent-refused" in rules:
        return _redirect(call, redirect, {"error": wrong or "access_denied"})
    slug = _consenting(call, rules.get("consent-other"))
    code = call.world.grants.code(slug, redirect, query.get("code_challenge"))
    if redirect == OUT_OF_BAND:
        return pages.pin(code)
    return _redirect(call, redirect, {"code": code})


def _authorize_error(call: Call) -> str | None:
    if call.query.get("response_type") != "code":
        return "unsupported_response_type"
    if "code_challenge" in call.query and call.query.get("code_challenge_method") != "S256":
        return "invalid_request"
    return None


def _acceptable(redirect: str) -> bool:
    if redirect == OUT_OF_BAND:
        return True
    parts = urlsplit(redirect)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not parts.fragment


def _consenting(call: Call, rule: Rule | None) -> str:
    return call.world.slug_number(rule.number()) if rule else call.world.consenting


def _redirect(call: Call, redirect: str, result: dict[str, str]) -> Answer:
    if redirect == OUT_OF_BAND:
        return pages.problem("Access was denied.", 403)
    if "state" in call.query:
        result["state"] = call.query["state"]
    parts = urlsplit(redirect)
    query = "&".join(filter(None, (parts.query, urlencode(result))))
    target = urlunsplit(parts._replace(query=query))
    return Answer(302, b"", [(b"location", target.encode())])


@AUTH.on("POST", "/oauth/token")
def token(call: Call) -> Answer:
    """Swap a code or a refresh token for a pair of tokens."""
    fields = _fields(call)
    _need(fields, "grant_type", "client_id")
    kinds = {"authorization_code": _redeem, "refresh_token": _refresh}
    grant = kinds.get(fields["grant_type"])
    if grant is None:
        raise GrantError("unsupported_grant_type", "authorization_code or refresh_token")
    return grant(call, fields)


def _redeem(call: Call, fields: dict[str, str]) -> Answer:
    _need(fields, "code", "redirect_uri")
    verifier = fields.get("code_verifier")
    _check_client(call, fields, secret=verifier is None)
    found = call.world.grants.redeem(fields["code"], fields["redirect_uri"])
    if found.challenge is not None and (
        verifier is None or _challenge(verifier) != found.challenge
    ):
        raise GrantError("invalid_grant", "The code_verifier does not fit the code_challenge")
    if found.challenge is None and verifier is not None:
        raise GrantError("invalid_grant", "The code was asked for without a code_challenge")
    return as_json(call.world.grants.issue(found.slug, found.redirect_uri))


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refresh(call: Call, fields: dict[str, str]) -> Answer:
    rules = call.world.faults.firing(call.path, "refresh")
    for rule in rules:
        if rule.name in _REFUSED_REFRESH:
            return _REFUSED_REFRESH[rule.name](rule)
    _need(fields, "refresh_token", "redirect_uri")
    _check_client(call, fields)
    grants, spent = call.world.grants, fields["refresh_token"]
    if any(rule.name == "refresh-no-successor" for rule in rules):
        return as_json(grants.issue_access(grants.live(spent), None))
    pair = as_json(grants.rotate(spent))
    return _lost(rules[0].name) if rules else pair


def _waiting(rule: Rule) -> Answer:
    status = int(rule.name.removeprefix("refresh-"))
    headers = [(b"retry-after", str(int(rule.number())).encode())]
    return refused(status, "temporarily_unavailable", "Try again later", headers)


_REFUSED_REFRESH: dict[str, Callable[[Rule], Answer]] = {
    "refresh-429": _waiting,
    "refresh-503": _waiting,
    "refresh-invalid-grant": lambda _: refused(400, "invalid_grant", "session not found"),
    "refresh-invalid-client": lambda _: refused(401, "invalid_client", "unknown client"),
}


def _lost(name: str) -> Answer:
    """The swap is made, and the client does not learn of it."""
    if name == "refresh-lost-500":
        return refused(500, "server_error", "Something broke")
    if name == "refresh-lost-html":
        return broken.edge(200, "Just a moment...", "Checking your browser.")
    return Answer(200, wire="stall" if name == "refresh-lost-stall" else "reset")


@AUTH.on("POST", "/oauth/device/code")
def device_code(call: Call) -> Answer:
    """Start a device log-in."""
    for rule in call.world.faults.firing(call.path, "device-start"):
        wait = str(int(rule.number())).encode()
        return broken.plain(429, b"Too many requests", [(b"retry-after", wait)])
    fields = _fields(call)
    _check_client(call, fields, secret=False)
    found = call.world.grants.device()
    return as_json(
        {
            "device_code": found.device_code,
            "user_code": found.user_code,
            "verification_url": f"{call.world.auth_url}/activate",
            "expires_in": CODE_LIFE,
            "interval": call.world.options.device_interval,
        }
    )


@AUTH.on("POST", "/oauth/device/token")
def device_token(call: Call) -> Answer:
    """Poll for the tokens of a device; every status has its own meaning."""
    fields = _fields(call)
    _need(fields, "code")
    _check_client(call, fields)
    rules = {rule.name: rule for rule in call.world.faults.firing(call.path, "device")}
    if "device-slow" in rules:
        return refused(429, "slow_down", "Polling too fast")
    for name, status in _DEVICE_STATUSES.items():
        if name in rules:
            return Answer(status)
    slug = _consenting(call, rules.get("device-other"))
    status, found = call.world.grants.poll(fields["code"], slug)
    if found is None:
        return Answer(status)
    return as_json(call.world.grants.issue(found.slug or slug))


@AUTH.on("POST", "/oauth/revoke")
def revoke(call: Call) -> Answer:
    """Withdraw a consent."""
    fields = _fields(call)
    _need(fields, "token")
    _check_client(call, fields)
    call.world.grants.revoke(fields["token"])
    return as_json({})


@AUTH.get("/activate")
def activate(_: Call) -> Answer:
    """The page where a person types the code that a device shows."""
    return pages.activate()


@AUTH.on("POST", "/activate")
def activated(call: Call) -> Answer:
    """Let the device in."""
    code = parse_qs(call.body.decode("latin-1")).get("code", [""])[0]
    if call.world.grants.approve(code, call.world.consenting):
        return pages.message("Connected", "The device may go on now.")
    return pages.problem("There is no such code.", 404)
