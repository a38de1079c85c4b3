"""The ASGI application: one door for the API, the auth host, the control routes and the page."""

from __future__ import annotations

import time
from asyncio import Event
from itertools import count

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.app import App, Request
from watchbook.sandbox.record import Asked
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.trakt import control, gate, oauth, pages
from watchbook.sandbox.trakt.call import Call
from watchbook.sandbox.trakt.fault_table import AUTH_PATHS
from watchbook.sandbox.trakt.world import World


class SandboxApp(App):
    """Answers every request of a sandbox."""

    def __init__(self, world: World, stopping: Event, auth_port: int) -> None:
        """Serve a world until told to stop; one of the ports is the auth host's."""
        super().__init__(world, stopping)
        self.world = world
        self._auth_port = auth_port
        self._serial = count(1)

    def control(self, request: Request) -> Answer:
        """The answer to a request for a control route."""
        return control.answer(self.world, request)

    def reply(self, request: Request) -> tuple[Answer, list[Rule]]:
        """The answer to any other request, and the faults of the connection that strike it."""
        call = Call(
            self.world,
            request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
        )
        answer = self._answer(call, request.port)
        named = call.path.startswith(AUTH_PATHS)
        rules = self.world.faults.firing(call.path, "wire", named=named)
        self._note(call, answer)
        self._sign(answer, request.started)
        return answer, rules

    def _answer(self, call: Call, port: int) -> Answer:
        if call.path == "/" and "trakt-api-key" not in call.headers:
            return pages.home(self.world)
        if port == self._auth_port or call.path.startswith(AUTH_PATHS):
            return oauth.answer(call)
        return gate.answer(call)

    def _note(self, call: Call, answer: Answer) -> None:
        struck = self.world.faults.take_struck()
        slug = call.viewer.slug if call.viewer else None
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        self.world.record.note(Asked(call.method, call.path, query, answer.status, slug, struck))

    def _sign(self, answer: Answer, started: float) -> None:
        """The headers by which an answer of the application differs from one of the edge."""
        if all(name != b"cf-ray" for name, _ in answer.headers):
            spent = f"{time.perf_counter() - started:.6f}".encode()
            serial = f"{next(self._serial):032x}".encode()
            answer.headers += [(b"x-request-id", serial), (b"x-runtime", spent)]
