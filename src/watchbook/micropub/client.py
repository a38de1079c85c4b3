"""One Micropub endpoint, asked with one person's token.

The token goes into the ``Authorization`` header of requests to this endpoint and nowhere else:
no redirect is followed, no cookie kept. Nothing is repeated here. Requests that change something
end in an :class:`~watchbook.micropub.outcome.Outcome`; queries that a server does not know, or
answers with something else, count as empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchbook.errors import WatchbookError
from watchbook.http import Answer, HttpClient, Timeouts
from watchbook.micropub import outcome
from watchbook.micropub.citing import Properties
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.parts import Fields, File, multipart
from watchbook.micropub.post import Post, entry, form, properties
from watchbook.micropub.reading import properties_of
from watchbook.remarks import decoded, hidden_error
from watchbook.urls import absolute, appended, is_https

ANSWER_BYTES = 1024 * 1024
PATIENCE = Timeouts(connect=5, read=60, total=60)
"""Making a post may take a while: some sites tell others about it meanwhile."""

Params = Mapping[str, str] | Iterable[tuple[str, str]]

_QUERY_PATIENCE = Timeouts(connect=5, read=15, total=15)


@dataclass(frozen=True)
class Target:
    """Where copies of a post may go; ``uid`` is what is sent back to choose it."""

    uid: str
    name: str


@dataclass(frozen=True)
class Config:
    """What a server says about itself; everything may be empty.

    ``queries`` are those that it says it answers; ``visibility`` what it says it knows.
    """

    media_endpoint: str | None = None
    syndicate_to: tuple[Target, ...] = ()
    categories: tuple[str, ...] = ()
    queries: frozenset[str] = frozenset()
    visibility: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a server answers for a post's source; ``status`` is None when it did not answer."""

    status: int | None
    properties: Mapping[str, Any]

    @property
    def deleted(self) -> bool:
        """Whether the server keeps the post as a deleted one."""
        return bool(self.properties.get("deleted"))

    @property
    def there(self) -> bool:
        """Whether the post can be read."""
        return bool(self.properties) and not self.deleted


@dataclass(frozen=True)
class Micropub:
    """The endpoint at ``endpoint``, asked with ``token``."""

    http: HttpClient
    endpoint: str
    token: str = field(repr=False)

    def publish(self, post: Post, *, now: datetime) -> Outcome:
        """Make a post: as JSON, and where the server takes none, which does nothing, as a form."""
        draft = post.look.status == "draft"
        found = self.create(properties(post, now=now), draft=draft)
        if found.kind is not Kind.TYPE_REFUSED:
            return found
        return self.create_by_form(form(post, now=now), draft=draft)

    def create(self, found: Properties, *, draft: bool = False) -> Outcome:
        """Make a post."""
        return self._create(draft=draft, json=entry(found))

    def create_by_form(self, fields: Fields, *, draft: bool = False) -> Outcome:
        """Make a post, for servers that take no JSON."""
        return self._create(draft=draft, form=fields)

    def create_with_files(self, fields: Fields, files: Mapping[str, File]) -> Outcome:
        """Make a post that brings its files along, for servers without a media endpoint."""
        content_type, body = multipart(files, fields)
        return self._create(draft=False, content=body, headers={"Content-Type": content_type})

    def update(
        self,
        url: str,
        replace: Properties | None = None,
        *,
        add: Properties | None = None,
        delete: Properties | list[str] | None = None,
    ) -> Outcome:
        """Replace properties of a post, add values, delete values or whole properties by name.

        Posts of Watchbook's are changed with ``replace`` alone: one widespread server refuses an
        update that only deletes.
        """
        asked = {"replace": replace, "add": add, "delete": delete}
        changes = {name: value for name, value in asked.items() if value}
        return self._change({"action": "update", "url": url, **changes})

    def delete(self, url: str) -> Outcome:
        """Delete a post. A failure may mean that it is gone already, which `lookup.gone` tells."""
        return self._change({"action": "delete", "url": url})

    def undelete(self, url: str) -> Outcome:
        """Bring a deleted post back."""
        return self._change({"action": "undelete", "url": url})

    def test(self) -> Outcome:
        """Whether the endpoint takes the token: the configuration is asked for."""
        answer = self._ask({"q": "config"})
        return outcome.asked(answer) if isinstance(answer, Answer) else outcome.lost(answer)

    def config(self) -> Config:
        """What the server says about itself; to be kept for hours, not asked for each post."""
        found = self.query({"q": "config"})
        media = found.get("media-endpoint")
        return Config(
            self._endpoint(media) if isinstance(media, str) and media else None,
            _targets(found),
            _words(found.get("categories")),
            frozenset(_words(found.get("q"))),
            _words(found.get("visibility")),
        )

    def syndicate_to(self) -> tuple[Target, ...]:
        """Where copies of a post may go."""
        return _targets(self.query({"q": "syndicate-to"}))

    def categories(self) -> tuple[str, ...]:
        """The categories that the site has."""
        return _words(self.query({"q": "category"}).get("categories"))

    def source(self, url: str, names: Iterable[str] = ()) -> Source:
        """A post's properties, all or those in ``names``; perhaps more than asked for."""
        wanted = [("properties[]", name) for name in names]
        status, found = self._query([("q", "source"), ("url", url), *wanted])
        return Source(status, properties_of(found))

    def source_list(self, limit: int, offset: int = 0) -> list[Mapping[str, Any]] | None:
        """The properties of posts, in the server's own order; None when it does not list any."""
        page = {"q": "source", "limit": str(limit), "offset": str(offset)}
        items = self.query(page).get("items")
        if not isinstance(items, list):
            return None
        return [found for found in map(properties_of, items) if found]

    def query(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        """The object that a query is answered with; empty for every other answer."""
        return self._query(params)[1]

    def _endpoint(self, text: str) -> str | None:
        """An address to which the token may go: as well protected as this endpoint."""
        found = absolute(text, self.endpoint)
        return found if found and (is_https(found) or not is_https(self.endpoint)) else None

    def _query(self, params: Params) -> tuple[int | None, Mapping[str, Any]]:
        answer = self._ask(params)
        if not isinstance(answer, Answer):
            return None, {}
        found = decoded(answer) if answer.status == 200 else None
        usable = isinstance(found, Mapping) and hidden_error(found) is None
        return answer.status, found if isinstance(found, Mapping) and usable else {}

    def _ask(self, params: Params) -> Answer | WatchbookError:
        try:
            return self.http.request(
                "GET",
                appended(self.endpoint, params),
                headers=bearer(self.token),
                timeout=_QUERY_PATIENCE,
                max_bytes=ANSWER_BYTES,
            )
        except WatchbookError as reason:
            return reason

    def _create(self, *, draft: bool, **body: Any) -> Outcome:
        answer = self._send(**body)
        if isinstance(answer, Answer):
            return outcome.created(answer, draft=draft)
        return outcome.lost(answer)

    def _change(self, body: Mapping[str, Any]) -> Outcome:
        answer = self._send(json=body)
        if isinstance(answer, Answer):
            return outcome.changed(answer, body["url"])
        return outcome.lost(answer)

    def _send(
        self, headers: Mapping[str, str] | None = None, **body: Any
    ) -> Answer | WatchbookError:
        try:
            return self.http.request(
                "POST",
                self.endpoint,
                headers={**bearer(self.token), **(headers or {})},
                timeout=PATIENCE,
                max_bytes=ANSWER_BYTES,
                **body,
            )
        except WatchbookError as reason:
            return reason


def bearer(token: str) -> dict[str, str]:
    """The headers of every request; without ``Accept`` some servers explain errors as pages."""
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _targets(found: Mapping[str, Any]) -> tuple[Target, ...]:
    listed = found.get("syndicate-to")
    offered = (
        [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    )
    pairs = [(one.get("uid"), one.get("name")) for one in offered]
    return tuple(
        Target(uid, name if isinstance(name, str) else uid)
        for uid, name in pairs
        if isinstance(uid, str) and uid
    )


def _words(value: Any) -> tuple[str, ...]:
    """The texts of a list, and nothing of what is none."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
