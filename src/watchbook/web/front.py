"""What the public routes stand on, and how a route becomes an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter

import sqlalchemy as sa
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
from watchbook.web.shelf import OLDEST, SILENT, Key, Offline, Shelf, Watcher

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
    without it the last answer as it was, else 503."""


class Front:
    """Accounts and views as strangers see them, from memory."""

    def __init__(self, store: Store, base_url: str, sync_every: timedelta = _USUAL_PERIOD) -> None:
        self.store = store
        self.base_url = base_url
        self.watcher = Watcher(store.database)
        self._sync_every = sync_every
        self._people: Shelf[People] = Shelf(self.watcher, give_old=False)
        self._views: Shelf[Answer] = Shelf(self.watcher, weigh=attrgetter("weight"), lasts=_lasts)

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
        except Offline as away:
            return _offline(view, None, away.why)
        except InputError as reason:
            told = {"ok": False, "reason": reason.message, "hint": reason.hint}
            return as_json(told, status=400)

    async def _answer(
        self, view: View, path: Mapping[str, str], query: Mapping[str, str]
    ) -> Answer:
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

        key = _key(view, person, path, query)
        answer = await self._views.get(key, _topics(person), make)
        return _offline(view, answer, SILENT) if self.watcher.offline else answer

    def route(self, view: View) -> Route:
        """``view`` as a route of the application."""

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=PREFLIGHT)
            answer = await self.answer(view, request.path_params, request.query_params)
            if answer is NOT_PUBLIC and wants_page(request.scope):
                answer = refusal(request.scope, 404, self.base_url)
            return answer.response(request)

        return Route(view.path, endpoint, methods=["GET", "OPTIONS"])


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


def _offline(view: View, last: Answer | None, why: str) -> Answer:
    if view.offline is not None:
        return view.offline(last, why)
    return last or as_json({"ok": False, "reason": why}, status=503)
