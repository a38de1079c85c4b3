"""The API's door: edge, headers, app, token, limits and faults, in the order of the real one."""

from __future__ import annotations

import re

from watchbook.sandbox.answer import Answer, Refusal, as_json, refused
from watchbook.sandbox.trakt import answers as _answers  # noqa: F401  (fills the table of routes)
from watchbook.sandbox.trakt import broken
from watchbook.sandbox.trakt.call import API, Call, not_found, unauthorized
from watchbook.sandbox.trakt.paging import serve

_LIBRARY_AGENTS = re.compile(
    r"(python-|httpx|aiohttp|urllib|requests|go-http|java|okhttp|axios|node|undici|libwww)[\w.-]*/",
    re.IGNORECASE,
)
_READING = ("GET", "HEAD")


def answer(call: Call) -> Answer:
    """Answer one call to the API."""
    try:
        return _answer(call)
    except Refusal as refusal:
        return refusal.answer


def _answer(call: Call) -> Answer:
    for rule in call.world.faults.firing(call.path, "answer"):
        return broken.answer(rule)
    refusal = edge_refusal(call) or _header_refusal(call) or _key_refusal(call)
    if refusal:
        return refusal
    _sign_in(call)
    _count(call)
    found = API.find(call.method, call.path)
    if found is None:
        return not_found()
    handler, params = found
    if handler is None:
        return Answer(405)
    call.params = params
    return serve(call, handler)


def edge_refusal(call: Call) -> Answer | None:
    """The edge turns away whoever does not say who they are."""
    agent = call.headers.get("user-agent", "").strip()
    return broken.blocked() if not agent or _LIBRARY_AGENTS.match(agent) else None


def _header_refusal(call: Call) -> Answer | None:
    kind = call.headers.get("content-type", "").split(";")[0].strip().lower()
    version = call.headers.get("trakt-api-version")
    if kind != "application/json" or version != "2" or "trakt-api-key" not in call.headers:
        return refused(412, "precondition_failed", "Content-Type, trakt-api-version, trakt-api-key")
    return None


def _key_refusal(call: Call) -> Answer | None:
    if call.headers["trakt-api-key"] == call.world.client_id:
        return None
    return as_json({"error": "forbidden", "error_description": "Invalid API key"}, 403)


def _sign_in(call: Call) -> None:
    """Find the token's account; only the catalogue may be read without one."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    slug = call.world.grants.who(token) if scheme.lower() == "bearer" else None
    if slug:
        call.viewer = call.world.account(slug)
    elif token or not call.path.startswith(("/movies/", "/shows/")):
        raise Refusal(unauthorized())


def _count(call: Call) -> None:
    viewer = call.viewer
    who = viewer.slug if viewer else call.headers["trakt-api-key"]
    reading = call.method in _READING
    refusal = call.world.limiter.refuse(who, signed_in=viewer is not None, reading=reading)
    if refusal:
        raise Refusal(refusal)
