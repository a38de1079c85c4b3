"""One request as the handlers of a site see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie

from watchbook.sandbox.answer import Refusal, refused
from watchbook.sandbox.app import Request
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.site.body import Body, read
from watchbook.sandbox.site.tokens import Access
from watchbook.sandbox.site.world import World

MICROPUB = "/micropub"
MEDIA = "/media"
MOVED = "/micropub/moved"
"""Where redirects of a POST lead: a page to read, an endpoint to post to."""
COOKIE = "session"


@dataclass(eq=False)
class Call:
    """A request to a world."""

    world: World
    request: Request
    action: str = ""
    """What it turned out to ask for, for the log."""
    person: str | None = None
    """Whose token came with it."""
    _fired: dict[str, dict[str, Rule]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Path and query, which fault rules are compared with."""
        query = self.request.query_string
        return f"{self.request.path}?{query}" if query else self.request.path

    @property
    def route(self) -> str:
        """Method and path."""
        return f"{self.request.method} {self.request.path}"

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters; the last one of a name counts."""
        return self.request.query

    @cached_property
    def body(self) -> Body:
        """What was posted."""
        return read(self.request.headers.get("content-type", ""), self.request.body)

    def fires(self, scope: str) -> dict[str, Rule]:
        """The faults of a scope that strike this request, by name; it counts once for each."""
        if scope not in self._fired:
            rules = self.world.faults.firing(self.address, scope)
            self._fired[scope] = {rule.name: rule for rule in rules}
        return self._fired[scope]

    def fires_at_posts(self, scope: str) -> list[Rule]:
        """The same for faults that mean what is posted to Micropub, unless they name a path."""
        named = self.route != f"POST {MICROPUB}"
        return self.world.faults.firing(self.address, scope, named=named)

    @property
    def remembers(self) -> bool:
        """Whether the site sets a cookie and honours it."""
        return bool(self.fires("cookies"))

    @cached_property
    def cookie(self) -> str | None:
        """The session that came with the request."""
        try:
            found = SimpleCookie(self.request.headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        return found.value if found else None

    def sign_in(self, *scopes: str) -> Access:
        """What the token of the request stands for; one of the scopes is needed, if any is named.

        Raises:
            Refusal: there is no token, it is not good, or not for this.
        """
        access = self.world.tokens.who(self.token)
        if access is None:
            raise Refusal(refused(401, "invalid_token", "The token is unknown or has ended"))
        self.person = access.person
        if scopes and not access.scopes.intersection(scopes):
            raise Refusal(refused(403, "insufficient_scope", f"Needed: {scopes[0]}"))
        return access

    @property
    def token(self) -> str:
        """The token of the header or of the form; never both."""
        if self.remembers and self.cookie:
            return self.cookie
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        sent = self.body.form.get("access_token", "") if self.request.method == "POST" else ""
        if token and sent:
            raise Refusal(refused(400, "invalid_request", "Two tokens in one request"))
        if not (token or sent):
            raise Refusal(refused(401, "unauthorized", "There is no token"))
        return token or sent
