"""A person's website as an outlet: Micropub, with the token of whoever signed in there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import sqlalchemy as sa

from watchbook.clock import now
from watchbook.errors import OutcomeUnknown, WatchbookError
from watchbook.http import HttpClient
from watchbook.indieauth.discovery import moved_to
from watchbook.indieauth.endpoints import SignIn
from watchbook.indieauth.tokens import SiteToken, renew
from watchbook.micropub import lookup
from watchbook.micropub.citing import Properties
from watchbook.micropub.client import Micropub, Source
from watchbook.micropub.lookup import Lookup, Sight
from watchbook.micropub.media import upload
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.parts import File
from watchbook.micropub.post import Post, form, properties
from watchbook.micropub.reading import Wanted
from watchbook.publish.settling import as_it_is
from watchbook.seal import fingerprint
from watchbook.steps import step
from watchbook.store import sites
from watchbook.store.opening import Store
from watchbook.store.sites import Site


@dataclass
class Website:
    """A site with a Micropub endpoint. Made for one pass, under the site's lease."""

    http: HttpClient
    store: Store
    site: Site

    def __post_init__(self) -> None:
        """Open the token; raises SettingsError when the key is another."""
        self._kept = self.site.token(self.store.sealer)
        self._token = msgspec.json.decode(self._kept, type=SiteToken) if self._kept else None
        self._endpoint = self.site.endpoint
        self._renewed = self._searched = False

    def create(self, post: Post) -> Outcome:
        """Make a post; as a form where the server takes no JSON."""
        moment = now()
        draft = post.look.status == "draft"
        return self._create(properties(post, now=moment), form(post, now=moment), draft=draft)

    def send(self, found: Properties, *, draft: bool = False) -> Outcome:
        """Make a post of properties that are texts."""
        fields = {name: values[0] for name, values in found.items()}
        return self._create(found, {"h": "entry", **fields}, draft=draft)

    def read(self, url: str) -> Source:
        """What the site gives back of a post."""
        server = self._server()
        return server.source(url) if server is not None else Source(None, {})

    def update(self, url: str, changes: Properties, _post: Post) -> Outcome:
        """Replace properties of a post."""
        return self._ask(lambda server: server.update(url, changes))

    def delete(self, url: str) -> Outcome:
        """Take a post away; one that was gone before counts as taken away."""
        outcome = self._ask(lambda server: server.delete(url))
        if outcome.good or not self._is_gone(url):
            return outcome
        return Outcome(Kind.DONE, url, status=outcome.status, words=outcome.words)

    def upload(self, file: File) -> Outcome:
        """Give a picture to the media endpoint that the server names."""
        endpoint = self.media_endpoint
        if endpoint is None:
            return Outcome(Kind.DOWN, words="The site did not name a media endpoint.")
        return self._ask(lambda server: upload(self.http, endpoint, server.token, file))

    @cached_property
    def media_endpoint(self) -> str | None:
        """Where the site takes pictures, as it says itself; asked once in a pass."""
        self.check()
        server = self._server()
        return server.config().media_endpoint if server is not None else None

    def look(self, post: Post, expected: str | None = None) -> Lookup:
        """Find a post that may have been made, at its ``expected`` address and elsewhere."""
        if self._token is not None and self._is_to_renew(self._token):
            self._renew(self._token)
        found = self._look(post, expected)
        if found.sight is Sight.CANNOT_TELL and self._is_refused() and self._renew(self._token):
            found = self._look(post, expected)
        hidden = found.sight is Sight.ABSENT and self._is_hidden(post)
        return lookup.CANNOT_TELL if hidden else found

    def appeared(self, post: Post, url: str) -> Lookup:
        """Find a post where the site has promised it to be, as a visitor and by asking.

        Only a page that is missing says that it is not there.
        """
        shown = lookup.CANNOT_TELL if self._is_hidden(post) else lookup.shown_at(self.http, url)
        if shown.sight is Sight.FOUND:
            return shown
        found = self.look(post, url)
        return found if found.sight is Sight.FOUND else shown

    def check(self) -> Outcome:
        """Whether the site takes the token, asked by a query that changes nothing."""
        return self._ask(lambda server: server.test())

    def finish(self) -> Outcome | None:
        """Nothing is left to do: a website shows its posts itself."""
        return None

    def _create(
        self, found: Properties, fields: Mapping[str, str | list[str]], *, draft: bool
    ) -> Outcome:
        draft = draft or bool(self._token and self._token.makes_drafts)
        outcome = self._ask(lambda server: server.create(found, draft=draft))
        if outcome.kind is Kind.TYPE_REFUSED:
            outcome = self._ask(lambda server: server.create_by_form(fields, draft=draft))
        if outcome.kind is Kind.TYPE_REFUSED:  # it takes neither, whatever the post is
            outcome = replace(outcome, kind=Kind.REFUSED)
        return outcome

    def _look(self, post: Post, expected: str | None) -> Lookup:
        server = self._server()
        if server is None:
            return lookup.CANNOT_TELL
        pages = [self.site.me] if self.site.me else []
        return lookup.find(server, Wanted.of(post), expected=expected, pages=pages)

    def _is_hidden(self, post: Post) -> bool:
        """Whether a site may have a post and show it to nobody: then no page misses it."""
        drafts = self._token is not None and self._token.makes_drafts
        unseen = post.look.visibility in {"private", "unlisted"}
        return drafts or unseen or post.look.status == "draft"

    def _is_refused(self) -> bool:
        """Whether the site does not take the token: then it shows nothing, whatever is there."""
        server = self._server()
        return server is not None and server.test().kind is Kind.SIGN_IN

    def _is_gone(self, url: str) -> bool:
        server = self._server()
        return server is not None and lookup.gone(server, url) is True

    def _server(self) -> Micropub | None:
        return Micropub(self.http, self._endpoint, self._token.access) if self._token else None

    def _ask(self, act: Callable[[Micropub], Outcome]) -> Outcome:
        """Ask the server; once more with a new token, or at a new address, where that helps."""
        if self._token is not None and self._is_to_renew(self._token):
            self._renew(self._token)
        outcome = self._act(act)
        if outcome.kind is Kind.SIGN_IN and self._renew(self._token):
            outcome = self._act(act)
        if outcome.kind is Kind.MOVED and self._search():
            outcome = self._act(act)
        return outcome

    def _act(self, act: Callable[[Micropub], Outcome]) -> Outcome:
        server = self._server()
        if server is None:
            return Outcome(Kind.SIGN_IN, words="There is no token for this site.")
        return act(server)

    # --- Renewing the token ------------------------------------------------------------------

    def _is_to_renew(self, token: SiteToken) -> bool:
        """Whether the token's time has come; not while an answer to that is still out."""
        unclear = token.refresh is not None and self.site.renewing == fingerprint(token.refresh)
        return token.renew_at is not None and token.renew_at <= now() and not unclear

    def _renew(self, token: SiteToken | None) -> bool:
        """Swap the token, once in a pass: noted before it is sent, saved before it is used."""
        sign_in = self._sign_in()
        if token is None or token.refresh is None or self._renewed:
            return False
        if sign_in is None or sign_in.endpoints is None:
            return False
        self._renewed = True
        with self.store.database.write(durable=True) as conn:
            if self._adopt(conn):
                return True
            sites.change(conn, self.site.id, renewing=fingerprint(token.refresh))
        step("site.renewing")
        try:
            endpoint = sign_in.endpoints.token
            fresh = renew(self.http, endpoint, sign_in.client_id, token, now=now())
        except OutcomeUnknown:
            return False  # it stays noted: nobody knows which token counts
        except WatchbookError:
            with self.store.database.write() as conn:
                sites.change(conn, self.site.id, renewing=None)
            return False
        self._kept, self._token = msgspec.json.encode(fresh).decode(), fresh
        with self.store.database.write(durable=True) as conn:
            sites.seal_token(conn, self.store.sealer, self.site.id, self._kept)
        step("site.renewed")
        return True

    def _adopt(self, conn: sa.Connection) -> bool:
        """Take the token that somebody else has got while this process stood still, if any."""
        by_now = as_it_is(conn, self.site)
        kept = by_now.token(self.store.sealer) if by_now is not None else None
        if kept is None or kept == self._kept:
            return False
        self._kept, self._token = kept, msgspec.json.decode(kept, type=SiteToken)
        return True

    def _sign_in(self) -> SignIn | None:
        text = self.site.sign_in
        return msgspec.json.decode(text, type=SignIn) if text else None

    # --- Finding the endpoint again ------------------------------------------------------------

    def _search(self) -> bool:
        """Look for the endpoint anew, once in a pass; the token never goes to another host."""
        if self._searched or self.site.me is None:
            return False
        self._searched = True
        try:
            found = moved_to(self.http, self.site.me, self._endpoint)
        except WatchbookError:
            return False
        if found == self._endpoint:
            return False
        with self.store.database.write() as conn:
            sites.change(conn, self.site.id, endpoint=found)
        self._endpoint = found
        return True
