"""Answers that a site gives when something is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from watchbook.sandbox.answer import Answer, Headers, refused
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.site.call import MOVED, Call

_ERRORS = {
    400: ("invalid_request", "The site does not take this"),
    401: ("unauthorized", "The token is not good here"),
    403: ("forbidden", "The token is not good for this"),
    404: ("not_found", "There is nothing here"),
    405: ("method_not_allowed", "Not like this"),
    409: ("conflict", "There is such a post"),
    410: ("gone", "There is nothing here any more"),
    413: ("too_large", "That is too much"),
    415: ("unsupported_media_type", "Not of this type"),
    422: ("unprocessable", "The site does not take this post"),
    429: ("too_many_requests", "Slow down"),
    500: ("server_error", "Something broke"),
    501: ("not_implemented", "The site cannot do that"),
    502: ("bad_gateway", "The site behind this one is down"),
    503: ("temporarily_unavailable", "The site is being looked after"),
    504: ("gateway_timeout", "The site behind this one is slow"),
}


def answer(rule: Rule, call: Call) -> Answer | None:
    """What a rule puts in place of the right answer; None when it has changed something else."""
    if rule.name in _SPECIAL:
        return _SPECIAL[rule.name](rule, call)
    status = int(rule.name.removeprefix("http-").removesuffix("-bare"))
    wait: Headers = [(b"retry-after", str(int(rule.number())).encode())] if rule.value else []
    return refused(status, *_ERRORS[status], wait)


def _scope(rule: Rule, _: Call) -> Answer:
    return refused(int(rule.number()), "insufficient_scope", "The token is not good for this")


def _redirect(rule: Rule, call: Call) -> Answer:
    place = f"{call.world.url}{MOVED}".encode()
    return Answer(int(rule.number()), b"", [(b"location", place)])


def _revoke(_: Rule, call: Call) -> None:
    call.world.tokens.revoke_all()


def _expire(_: Rule, call: Call) -> None:
    call.world.tokens.expire_all()


_SPECIAL: dict[str, Callable[[Rule, Call], Answer | None]] = {
    "insufficient-scope": _scope,
    "redirect-post": _redirect,
    "reset-before-accept": lambda *_: Answer(500, wire="reset"),
    "token-revoked": _revoke,
    "token-expired": _expire,
}
