"""What the public routes stand on, and how a route becomes an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook import sharing
from watchbook.clock import now
from watchbook.errors import InputError
from watchbook.sharing import Part, People, Public
from watchbook.store import changes
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.values import period
from watchbook.web.answers import FOR_ANYBODY, Answer, as_json
from watchbook.web.refusals import refusal, wants_page
from watchbook.web.shelf import OLDEST, RETRY_AFTER, SILENT, SLOW, Key, Offline, Shelf, Watcher

NOT_PUBLIC = as_json({"ok": False, "reason": "not public"}, status=404)
_METHODS = "GET, HEAD, OPTIONS"
PREFLIGHT = {
    **FOR_ANYBODY,
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
    "Allow": _METHODS,
}
"""What is said to a browser that asks first whether it may ask."""
_EVERYBODY = ("people",)
_USUAL_PERIOD = timedelta(minutes=5)
_SPARE = 8
"""Threads for what is made without the store."""


@dataclass(frozen=True)
class Asked:
    """What a view is asked for: of whom, and with which of the parameters that it knows."""

    public: Public
    path: Mapping[str, str]
    query: Mapping[str, str]
    base_url: str
    store: Store
    sync_every: timedelta = _USUAL_PERIOD
    """How often the account is brought up to date."""


Make = Callable[[sa.Connection, Asked], Answer]
"""Makes a view, in a thread and within one transaction.

Raises InputError for odd parameters, and Offline when the last answer has to stand.
"""


@dataclass(frozen=True)
class View:
    """A public route: its address, the part that has to be on, and what makes its answer."""

    path: str
    part: Part
    make: Make
    query: tuple[str, ...] = ()
    """Parameters that it knows; all others change nothing."""
    refused: Answer = NOT_PUBLIC
    """What is said when the part is not public, or there is no such account."""
    offline: Callable[[Answer | None, str], Answer] | None = None
    """What is said while the store cannot be read, made of the last answer (if any) and why;
    without it the last answer as it was, else ``instead``, else 503."""
    instead: Callable[[Mapping[str, str]], Answer] | None = None
    """Made in a thread of the parameters alone, while the store cannot be read and there is no
    last answer, or one that is not true any more: an honest answer for who can show no other.
    It is the same for every account. Raises InputError and Offline, as ``make`` does."""


class Front:
    """Accounts and views as strangers see them, from memory."""

    def __init__(self, store: Store, base_url: str, sync_every: timedelta = _USUAL_PERIOD) -> None:
        self.store = store
        self.base_url = base_url
        self.watcher = Watcher(store.database)
        self._sync_every = sync_every
        self._people: Shelf[People] = Shelf(self.watcher, give_old=False)
        self._views: Shelf[Answer] = Shelf(self.watcher, weigh=attrgetter("weight"), lasts=_lasts)
        self._spare = CapacityLimiter(_SPARE)

    async def person(self, name: str | None) -> Public | None:
        """The account called ``name``, else the owner's; None for a stranger. Raises Offline."""

        def find() -> People:
            with self.store.database.read() as conn:
                return sharing.people(conn)

        return (await self._people.get(_EVERYBODY, (changes.PEOPLE,), find)).of(name)

    def period_of(self, account: Account) -> timedelta:
        """How often ``account`` is brought up to date."""
        return period(account.sync_every) if account.sync_every else self._sync_every

    def counts(self) -> tuple[int, int, int]:
        """How often a view was at hand, how many were made, and how many are kept."""
        return self._views.given, self._views.made, len(self._views)

    def at_hand(
        self, view: View, path: Mapping[str, str], query: Mapping[str, str]
    ) -> Answer | None:
        """The answer of ``view`` if it is in memory and as new as the store; without a thread."""
        people = self._people.at_hand(_EVERYBODY, (changes.PEOPLE,))
        if people is None:
            return None
        person = people.of(_name(path, query))
        if person is None or not person.shows(view.part):
            return view.refused
        return self._views.at_hand(_key(view, person, path, query), _topics(person))

    async def answer(self, view: View, path: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """The answer of ``view``, made anew only when the store has changed."""
        found = self.at_hand(view, path, query)
        if found is not None:
            return found
        try:
            return await self._answer(view, path, query)
        except InputError as reason:
            told = {"ok": False, "reason": reason.message, "hint": reason.hint}
            return as_json(told, status=400)

    async def _answer(
        self, view: View, path: Mapping[str, str], query: Mapping[str, str]
    ) -> Answer:
        try:
            answer = await self._last_answer(view, path, query)
        except Offline as away:
            return await self._away(view, None, away.why, query)
        if answer is view.refused or not self.watcher.offline:
            return answer
        return await self._away(view, answer, SILENT, query)

    async def _last_answer(
        self, view: View, path: Mapping[str, str], query: Mapping[str, str]
    ) -> Answer:
        """The newest answer that there is; raises Offline when there is none."""
        person = await self.person(_name(path, query))
        if person is None or not person.shows(view.part):
            return view.refused
        asked = Asked(
            person,
            path,
            _known(view, query),
            self.base_url,
            self.store,
            self.period_of(person.account),
        )

        def make() -> Answer:
            with self.store.database.read() as conn:
                return view.make(conn, asked)

        return await self._views.get(_key(view, person, path, query), _topics(person), make)

    async def _away(
        self, view: View, last: Answer | None, why: str, query: Mapping[str, str]
    ) -> Answer:
        """What is said while nothing can be made: the last answer, or that there is none."""
        if view.offline is not None:
            return view.offline(last, why)
        if last is not None and (view.instead is None or _holds(last)):
            return last
        if view.instead is not None and why in {SILENT, SLOW}:
            with suppress(Offline):
                # Threads that wait for the store may be all that there are usually.
                known = _known(view, query)
                return await to_thread.run_sync(view.instead, known, limiter=self._spare)
        return away(why)

    def route(self, view: View) -> Route:
        """``view`` as a route of the application."""

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=PREFLIGHT)
            answer = await self.answer(view, request.path_params, request.query_params)
            return self._for_who_asks(answer, request).response(request)

        return Route(view.path, endpoint, methods=["GET", "OPTIONS"])

    def _for_who_asks(self, answer: Answer, request: Request) -> Answer:
        """``answer``, as a small page for a person where it is a refusal made for programs."""
        if answer is NOT_PUBLIC and wants_page(request.scope):
            return refusal(request.scope, 404, self.base_url)
        if "Retry-After" in answer.headers and wants_page(request.scope):
            return refusal(request.scope, answer.status, self.base_url, answer.headers)
        return answer


def away(why: str = SILENT) -> Answer:
    """That nothing can be said at the moment, and why: programs ask again, and keep what they have.

    A feed or a calendar without entries would say that there are none.
    """
    told = as_json({"ok": False, "reason": why}, status=503)
    return replace(told, headers={**told.headers, "Retry-After": RETRY_AFTER})


def _name(path: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    return path.get("name") or query.get("account")


def _known(view: View, query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in view.query if name in query}


def _key(view: View, person: Public, path: Mapping[str, str], query: Mapping[str, str]) -> Key:
    """Where an answer stands: when other parts may be seen it is another place.

    So what was made while a part was on is never given once it was seen that it is off; nor is
    what was made of an account that was removed given of the next one with its number.
    """
    asked = (*sorted(path.items()), ("?", ""), *sorted(_known(view, query).items()))
    flat = (text for pair in asked for text in pair)
    account = person.account
    return (view.path, account.id, account.name, person.parts, person.delay, *flat)


def _topics(person: Public) -> tuple[str, str]:
    return changes.of_account(person.account.id), changes.PICTURES


def _lasts(answer: Answer) -> float:
    if answer.ends_at is None:
        return OLDEST
    return min(OLDEST, max(0.0, (answer.ends_at - now()).total_seconds()))


def _holds(answer: Answer) -> bool:
    """Whether an answer is still true, as far as that can be known without the store."""
    return answer.ends_at is None or now() < answer.ends_at
