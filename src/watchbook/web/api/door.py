"""Who may ask what: strangers get public parts from memory, tokens everything of their account.

Whatever is not public is answered alike, be it switched off, somebody else's or not there at
all. A token that is none is told so, since whoever shows one wants to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook import sharing
from watchbook.errors import InputError, StoreError
from watchbook.sharing import Part
from watchbook.store import accounts, tokens
from watchbook.store.opening import Store
from watchbook.store.tokens import Token
from watchbook.web.answers import FOR_ANYBODY, JSON, NOT_KEPT, Answer, kept_for
from watchbook.web.api.call import Call, NotThere
from watchbook.web.api.operations import Operation
from watchbook.web.api.parameters import Values, values_of
from watchbook.web.api.shapes import Last, Refused, Shape
from watchbook.web.front import PREFLIGHT, Asked, Front, View
from watchbook.web.last import FRESH, FRESH_OFFLINE
from watchbook.web.shelf import RETRY_AFTER, SILENT, Offline

_OWN = "private, no-cache"
_HEADERS = {
    **FOR_ANYBODY,
    "Access-Control-Expose-Headers": "ETag, Retry-After, WWW-Authenticate",
    "Vary": "Authorization",
}
_PREFLIGHT = {
    **PREFLIGHT,
    # A star would not stand for Authorization (Fetch, 4.9).
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, *",
}


def _told(what: Shape, status: int = 200, cache: str = NOT_KEPT, **headers: str) -> Answer:
    """``what`` as JSON; in the names of ``headers`` an underscore stands for a dash."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(msgspec.json.encode(what), JSON, status, cache, {**_HEADERS, **more})


NOT_PUBLIC = _told(Refused(reason="not public"), 404)
NO_TOKEN = _told(
    Refused(
        reason="This is no token, or one that was removed.",
        hint="`watchbook token add NAME` makes one; send it as: Authorization: Bearer TOKEN",
    ),
    401,
    WWW_Authenticate='Bearer realm="Watchbook", error="invalid_token"',
)
NOTHING_HERE = _told(
    Refused(reason="There is nothing at this address.", hint="/api/docs tells what there is."), 404
)
SILENCE = _told(Refused(reason=SILENT), 503, Retry_After=RETRY_AFTER)
NOTHING_KNOWN = _told(Last(ok=False, items=[], as_of=None, stale=True, reason=SILENT))
"""What a page on the web is told in its place: always an answer, and always an honest one."""


class Door:
    """Answers operations of the API."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._noting: dict[int, asyncio.Task[None]] = {}
        """What is written down of tokens at present, by their ids."""

    def route(self, operation: Operation) -> Route:
        """``operation`` as a route of the application."""
        view = _view(operation)

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=_PREFLIGHT)
            answer = await self._answer(operation, view, request)
            return answer.response(request)

        return Route(operation.address, endpoint, methods=["GET", "OPTIONS"])

    async def _answer(self, operation: Operation, view: View, request: Request) -> Answer:
        shown = request.headers.get("authorization")
        if shown is not None:
            if self._front.watcher.offline:
                return _silence(operation)
            answer, token = await run_in_threadpool(self._for_token, operation, request, shown)
            if token is not None:
                self._note_use(token)
            if answer is not None:
                return answer
        return await self._for_strangers(operation, view, request)

    async def _for_strangers(self, operation: Operation, view: View, request: Request) -> Answer:
        try:
            person = await self._front.person(request.path_params["name"])
        except Offline:
            return _silence(operation)
        part = None if person is None else operation.part_for(person)
        if part is None:
            return NOT_PUBLIC
        try:
            _values(operation, request.path_params, request.query_params.multi_items())
        except InputError as reason:
            return _refusal(reason)
        here = replace(view, part=part)
        return await self._front.answer(here, request.path_params, request.query_params)

    def _for_token(
        self, operation: Operation, request: Request, shown: str
    ) -> tuple[Answer | None, Token | None]:
        """The answer to who shows a token (None when it is of another account), and the token."""
        try:
            with self._front.store.database.read() as conn:
                found = _token_in(conn, shown)
                if found is None:
                    return NO_TOKEN, None
                return self._own(conn, found, operation, request), found
        except InputError as reason:
            return _refusal(reason), None
        except StoreError:
            return _silence(operation), None

    def _note_use(self, token: Token) -> None:
        """Write down that a token was used, if that is worth a line; no answer waits for it.

        Whoever imports a history holds the database for a while.
        """
        if tokens.is_used_anew(token) and token.id not in self._noting:
            task = asyncio.create_task(run_in_threadpool(_write_use, self._front.store, token))
            self._noting[token.id] = task
            task.add_done_callback(lambda _: self._noting.pop(token.id))

    def _own(
        self, conn: sa.Connection, token: Token, operation: Operation, request: Request
    ) -> Answer | None:
        account = accounts.get(conn, token.account_id)
        if account.name != request.path_params["name"]:
            return None
        call = Call(
            public=sharing.of_account(conn, account),
            own=True,
            values=_values(operation, request.path_params, request.query_params.multi_items()),
            base_url=self._front.base_url,
            sync_every=self._front.period_of(account),
        )
        return _told(operation.make(conn, call), cache=_OWN)


def _token_in(conn: sa.Connection, shown: str) -> Token | None:
    """The token in an ``Authorization`` header (RFC 6750, 2.1)."""
    scheme, _, token = shown.partition(" ")
    return tokens.find(conn, token.strip()) if scheme.lower() == "bearer" else None


def _write_use(store: Store, token: Token) -> None:
    with suppress(StoreError), store.database.write() as conn:
        tokens.note_use(conn, token)


def _view(operation: Operation) -> View:
    """What strangers are told; its part is said with each question."""

    def make(conn: sa.Connection, asked: Asked) -> Answer:
        call = Call(
            public=asked.public,
            own=False,
            values=_values(operation, asked.path, asked.query.items()),
            base_url=asked.base_url,
            sync_every=asked.sync_every,
        )
        try:
            return _told(operation.make(conn, call), cache=kept_for(FRESH))
        except NotThere as reason:
            return _refusal(reason)

    def offline(last: Answer | None, why: str) -> Answer:
        if last is None or operation.answer is not Last:
            return last or _silence(operation)
        known = msgspec.json.decode(last.body, type=Last)
        stale = msgspec.structs.replace(known, stale=True, reason=why)
        return _told(stale, cache=kept_for(FRESH_OFFLINE))

    names = tuple(one.name for one in operation.query)
    return View(operation.address, Part.LAST, make, names, NOT_PUBLIC, offline)


def _silence(operation: Operation) -> Answer:
    """What is said while the store cannot be read; the same of every account, and to everybody."""
    return NOTHING_KNOWN if operation.answer is Last else SILENCE


def _values(
    operation: Operation, path: Mapping[str, str], query: Iterable[tuple[str, str]]
) -> Values:
    """The parameters of a question; raises InputError."""
    inside = [one for one in operation.parameters if one.place == "path"]
    given = ((one.name, path[one.name]) for one in inside)
    return {**values_of(inside, given), **values_of(operation.query, query)}


def _refusal(reason: InputError) -> Answer:
    hint = reason.hint or UNSET
    status = 404 if isinstance(reason, NotThere) else 400
    return _told(Refused(reason=reason.message, hint=hint), status)
