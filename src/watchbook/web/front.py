"""What the public routes stand on, and how a route becomes an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook import sharing
from watchbook.errors import InputError
from watchbook.sharing import Part, Public
from watchbook.store import changes
from watchbook.store.opening import Store
from watchbook.web.answers import Answer, as_json
from watchbook.web.shelf import Offline, Shelf, Watcher

NOT_PUBLIC = as_json({"ok": False, "reason": "not public"}, status=404)


@dataclass(frozen=True)
class Asked:
    """What a view is asked for: of whom, and with which of the parameters that it knows."""

    public: Public
    path: Mapping[str, str]
    query: Mapping[str, str]
    base_url: str
    store: Store


Make = Callable[[sa.Connection, Asked], Answer]
"""Makes a view, in a thread and within one transaction; raises InputError for odd parameters."""


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
    without it the last answer as it was, else ``refused`` with 503."""


class Front:
    """Accounts and views as strangers see them, from memory."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.base_url = base_url
        self.watcher = Watcher(store.database)
        self._people: Shelf[Public | None] = Shelf(self.watcher, give_old=0)
        self._views: Shelf[Answer] = Shelf(self.watcher)

    async def person(self, name: str | None) -> Public | None:
        """The account called ``name``, else the owner's; None for a stranger. Raises Offline."""

        def find() -> Public | None:
            with self.store.database.read() as conn:
                return sharing.public_of(conn, name)

        return await self._people.get(("person", name), (changes.PEOPLE,), find)

    async def answer(self, view: View, path: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """The answer of ``view``, made anew only when the store has changed."""
        try:
            person = await self.person(path.get("name") or query.get("account"))
        except Offline as reason:
            return _offline(view, None, str(reason))
        if person is None or not person.shows(view.part):
            return view.refused
        known = {name: query[name] for name in view.query if name in query}
        asked = Asked(person, path, known, self.base_url, self.store)
        account_id = person.account.id
        key = (view.path, account_id, *sorted(path.items()), *sorted(known.items()))
        topics = (changes.of_account(account_id), changes.PICTURES, changes.PEOPLE)

        def make() -> Answer:
            with self.store.database.read() as conn:
                return view.make(conn, asked)

        try:
            answer = await self._views.get(key, topics, make)
        except Offline as reason:
            return _offline(view, None, str(reason))
        except InputError as reason:
            told = {"ok": False, "reason": reason.message, "hint": reason.hint}
            return as_json(told, status=400)
        trouble = self.watcher.offline
        return answer if trouble is None else _offline(view, answer, trouble)

    def route(self, view: View) -> Route:
        """``view`` as a route of the application."""

        async def endpoint(request: Request) -> Response:
            answer = await self.answer(view, request.path_params, request.query_params)
            return answer.response(request)

        return Route(view.path, endpoint, methods=["GET"])


def _offline(view: View, last: Answer | None, why: str) -> Answer:
    if view.offline is not None:
        return view.offline(last, why)
    return last or as_json({"ok": False, "reason": why}, status=503)
