"""What became of a request, so that whoever asked can act without looking at statuses.

The table below is data: one row for each way in which servers say no, most telling first. The
server's own word for the error counts before the status, since servers agree on words rather
than on numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl, urlsplit

from watchbook.errors import AddressRefused, OutcomeUnknown, RemoteUnavailable, WatchbookError
from watchbook.http import Answer
from watchbook.remarks import Remark, decoded, hidden_error, remark
from watchbook.urls import absolute


class Kind(Enum):
    """What to do next."""

    PUBLISHED = "published"
    DONE = "done"
    """An update or a deletion went through; ``url`` is where the post is from now on."""
    REFUSED = "refused"
    """This request will never be taken: set it aside and go on with the next."""
    SIGN_IN = "sign in again"
    """Renew the token and repeat, once; then only the person can go on."""
    MORE_SCOPE = "more scope"
    """Only the person can go on, by signing in with more leave."""
    MOVED = "endpoint moved"
    """Look for the endpoint again, once; then wait for the person."""
    TOO_LARGE = "too large"
    TYPE_REFUSED = "type refused"
    """Of a post: send it as a form. Of a picture: go without."""
    SLOW_DOWN = "slow down"
    """Wait ``wait`` seconds; without a number, longer each time."""
    TROUBLE = "server trouble with this post"
    """Try a few times with growing pauses, then set it aside and go on."""
    DOWN = "server down"
    """Nothing was done. Let the site rest and try later."""
    UNKNOWN = "unknown"
    """It may have been done: find out before it is sent again."""


@dataclass(frozen=True)
class Outcome:
    """How a request ended.

    ``url`` is the post's address, ``provisional`` when another one may follow, ``promised`` when
    the server has taken the post and will make it later (202). ``words`` are the server's own, at
    most 500 characters without markup and secrets; ``status`` is None when no answer came.
    """

    kind: Kind
    url: str | None = None
    provisional: bool = False
    promised: bool = False
    wait: float | None = None
    words: str = ""
    status: int | None = None
    content_type: str = ""

    @property
    def good(self) -> bool:
        """Whether what was asked for has happened."""
        return self.kind in {Kind.PUBLISHED, Kind.DONE}


@dataclass(frozen=True)
class Row:
    """One line of the table; without ``errors`` the statuses decide, without both anything fits."""

    kind: Kind
    statuses: frozenset[int] = frozenset()
    errors: frozenset[str] = frozenset()

    def fits(self, status: int, error: str | None) -> bool:
        """Whether this line is about such an answer."""
        known = not self.statuses or status in self.statuses
        return known and (not self.errors or error in self.errors)


def _row(kind: Kind, *statuses: int, errors: str = "") -> Row:
    return Row(kind, frozenset(statuses), frozenset(errors.split()))


_CLIENT_ERRORS = range(400, 500)
_SERVER_ERRORS = range(500, 600)

TABLE: tuple[Row, ...] = (
    _row(Kind.MORE_SCOPE, 400, 401, 403, errors="insufficient_scope"),
    _row(Kind.SIGN_IN, 400, 401, 403, errors="invalid_token unauthorized expired_token"),
    # 401 and 403 are about the token, whatever is said: for another person, or not sent at all.
    _row(Kind.SIGN_IN, 401, 403),
    _row(Kind.MOVED, 300, 301, 302, 303, 304, 305, 306, 307, 308),
    _row(Kind.MOVED, 404, 405, 410, 421),
    # The gateway gave up waiting, and nobody told the server behind it.
    _row(Kind.UNKNOWN, 408, 504, 524),
    _row(Kind.TOO_LARGE, 413),
    _row(Kind.TYPE_REFUSED, 415),
    _row(Kind.SLOW_DOWN, 420, 425, 429),
    _row(Kind.REFUSED, *_CLIENT_ERRORS),
    # Often this one post, for ever: a date, a `%`, a value of the wrong shape.
    _row(Kind.TROUBLE, 500),
    _row(Kind.REFUSED, 501, 505),
    _row(Kind.DOWN, *_SERVER_ERRORS),
    _row(Kind.UNKNOWN),
)
"""The first row that fits counts. A test goes through all of them."""

_LOCATION = re.compile(r"(https?:)?//|[/?]", re.IGNORECASE)
_PREVIEWS = frozenset({"p", "page_id", "preview"})


def created(answer: Answer, *, draft: bool = False) -> Outcome:
    """What the answer to making a post, or uploading a picture, means.

    Only 201 and 202 with a real address are a success: one server says 201 and makes nothing.
    """
    if not 200 <= answer.status < 300:
        return _failure(answer)
    url, hidden = location(answer), hidden_error(decoded(answer))
    if hidden is not None and url is None:
        return _told(answer, Kind.REFUSED)
    if url is None or answer.status not in {200, 201, 202, 204}:
        return _told(answer, Kind.UNKNOWN)
    provisional = draft or answer.status == 202 or _is_preview(url)
    return Outcome(
        Kind.PUBLISHED,
        url,
        provisional,
        promised=answer.status == 202 and not draft,
        status=answer.status,
        content_type=answer.content_type,
    )


def changed(answer: Answer, url: str) -> Outcome:
    """What the answer to an update, a deletion or its reversal of the post at ``url`` means."""
    if not 200 <= answer.status < 300:
        return _failure(answer)
    if hidden_error(decoded(answer)) is not None:
        return _told(answer, Kind.REFUSED)
    return Outcome(
        Kind.DONE,
        location(answer) or url,
        status=answer.status,
        content_type=answer.content_type,
    )


def asked(answer: Answer) -> Outcome:
    """What the answer to a query says about the token and the endpoint."""
    if answer.status == 200:
        return Outcome(Kind.DONE, status=200, content_type=answer.content_type)
    # Some servers send visitors to a log-in page when they have had too many of them.
    kind = Kind.UNKNOWN if 300 <= answer.status < 400 else None
    return _told(answer, kind) if kind else _failure(answer)


def lost(reason: WatchbookError) -> Outcome:
    """What a request means that was not answered: not sent, or nobody knows.

    An address that may not be connected to reads like one where nobody answers.
    """
    if isinstance(reason, OutcomeUnknown):
        return Outcome(Kind.UNKNOWN, words=reason.message, status=reason.status)
    silent = isinstance(reason, AddressRefused | RemoteUnavailable)
    return Outcome(
        Kind.DOWN, words="The server could not be reached." if silent else reason.message
    )


def location(answer: Answer) -> str | None:
    """The address in ``Location``, whole; None when there is none that a post can have.

    A bare word is no address: one server writes ``undefined``.
    """
    text = answer.headers.get("location", "").strip()
    return absolute(text, answer.url, fragment=True) if _LOCATION.match(text) else None


def _failure(answer: Answer) -> Outcome:
    said = remark(answer)
    return _told(answer, kind_of(answer.status, said.error), said)


def kind_of(status: int, error: str | None) -> Kind:
    """The kind of the first row that fits."""
    return next(row.kind for row in TABLE if row.fits(status, error))


def _told(answer: Answer, kind: Kind, said: Remark | None = None) -> Outcome:
    return Outcome(
        kind,
        wait=answer.retry_after if kind in {Kind.SLOW_DOWN, Kind.DOWN} else None,
        words=(said or remark(answer)).words,
        status=answer.status,
        content_type=answer.content_type,
    )


def _is_preview(url: str) -> bool:
    """Whether the address is one that WordPress gives to drafts and to what is scheduled."""
    return bool(_PREVIEWS & dict(parse_qsl(urlsplit(url).query)).keys())
