"""The ASGI application: one door for sign-in, Micropub, pictures, pages and control routes."""

from __future__ import annotations

from asyncio import Event
from dataclasses import dataclass
from html import escape

from watchbook.sandbox.answer import HTML_TYPE, Answer, Refusal
from watchbook.sandbox.app import App, Request
from watchbook.sandbox.record import Asked
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.site import auth, control, media, micropub, pages, troubles
from watchbook.sandbox.site.call import COOKIE, MEDIA, MICROPUB, MOVED, Call
from watchbook.sandbox.site.world import World


@dataclass(frozen=True, slots=True)
class Received(Asked):
    """A request to a site; `action` is what it asked Micropub for, `cookie` whether one came."""

    action: str
    cookie: bool


class SiteApp(App):
    """Answers every request of a site."""

    def __init__(self, world: World, stopping: Event) -> None:
        """Serve a world until told to stop."""
        super().__init__(world, stopping)
        self.world = world

    def control(self, request: Request) -> Answer:
        """The answer to a request for a control route."""
        return control.answer(self.world, request)

    def reply(self, request: Request) -> tuple[Answer, list[Rule]]:
        """The answer to any other request, and the faults of the connection that strike it."""
        call = Call(self.world, request)
        answer = self._answer(call)
        late = call.fires_at_posts("late")
        self._note(call, answer)
        return answer, late

    def _answer(self, call: Call) -> Answer:
        try:
            answer = _refused(call) or _answered(call)
        except Refusal as refusal:
            answer = refusal.answer
        for rule in call.fires_at_posts("after"):
            answer.wire = rule.name.partition("-")[0]
        if answer.status >= 400 and call.fires("errors"):
            _as_page(answer)
        return answer

    def _note(self, call: Call, answer: Answer) -> None:
        self.world.record.note(
            Received(
                call.request.method,
                call.request.path,
                _told(call),
                answer.status,
                call.person,
                self.world.faults.take_struck(),
                call.action,
                call.cookie is not None,
            )
        )


def _told(call: Call) -> str:
    """The query of a request; that of a sign-in holds what is nobody's business."""
    return "" if call.request.path.startswith(auth.PREFIX) else call.request.query_string


def _refused(call: Call) -> Answer | None:
    """What a fault answers in place of the site."""
    found = [troubles.answer(rule, call) for rule in call.fires_at_posts("answer")]
    return next(filter(None, found), None)


def _answered(call: Call) -> Answer:
    path = call.request.path
    if path.startswith(f"{auth.PREFIX}/"):
        return auth.answer(call)
    if path in (MICROPUB, MOVED):
        return _remembered(call, micropub.answer(call))
    if call.route == f"POST {MEDIA}":
        return _remembered(call, media.answer(call))
    return media.show(call) if path.startswith(f"{MEDIA}/") else pages.answer(call)


def _remembered(call: Call, answer: Answer) -> Answer:
    """Set the cookie that some servers set."""
    if call.remembers and call.person:
        cookie = f"{COOKIE}={call.token}; Path=/; HttpOnly; SameSite=Lax"
        answer.headers.append((b"set-cookie", cookie.encode()))
    return answer


def _as_page(answer: Answer) -> None:
    title = f"Error {answer.status}"
    shown = escape(answer.body.decode(errors="replace"))
    body = f"<!DOCTYPE html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{shown}</p>"
    answer.body = body.encode()
    kept = [header for header in answer.headers if header[0] != HTML_TYPE[0]]
    answer.headers[:] = [HTML_TYPE, *kept]
