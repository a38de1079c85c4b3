"""Posters for posts: given to a site once for each title, before the first post that shows it.

A poster is never waited for. One that is not kept, or that the site does not take, is missing
from the post, and the attempt says why; after three tries it is not offered any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from watchbook.micropub.citing import Properties
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.parts import File, picture
from watchbook.publish.facts import Facts, facts_of
from watchbook.publish.outlets import Outlet
from watchbook.publish.rules import Rules, read_rules
from watchbook.steps import step
from watchbook.store import attempts, media, outbox, pictures
from watchbook.store.leases import Holding
from watchbook.store.opening import Store
from watchbook.store.outbox import Post
from watchbook.store.sites import Site

WIDTH = 400
"""Pixels that a poster is wide at a site, if it is kept as wide as that."""

WHAT = "poster"
"""What an attempt is called that gives a poster to a site."""

_MEDIA_TYPE = "image/jpeg"
_IN_A_ROW = 3
"""After so many failures no more posters are offered in a pass."""

_NOT_SENT = frozenset({Kind.DOWN, Kind.SLOW_DOWN})


def wanted(rules: Rules) -> bool:
    """Whether posts have posters by these rules; an address alone has no room for one."""
    return rules.poster == "featured" or (rules.poster == "cite" and rules.payload != "url")


def known(
    conn: sa.Connection, site: Site, rules: Rules, facts: Sequence[Facts]
) -> Mapping[str, str]:
    """Where the posters lie at the site that a post shows, by title."""
    return media.urls(conn, site.id, _keys(facts)) if wanted(rules) else {}


def kept(sent: Properties, facts: Sequence[Facts]) -> Mapping[str, str]:
    """The poster that a post was sent with, by title: a change of the post leaves it alone."""
    url = next(_pictures(sent), None)
    return dict.fromkeys(_keys(facts), url) if url else {}


@dataclass(frozen=True)
class _Offer:
    """A poster about to be sent, and the attempt that tells of it."""

    title_key: str
    file: File
    attempt: int


@dataclass
class Posters:
    """Gives posters to a site, in one pass over it."""

    store: Store
    site: Site
    outlet: Outlet
    lease: Holding
    _failures: int = field(default=0, init=False)

    def provide(self, post: Post) -> None:
        """See to it that the site has the poster of a post, if that can be."""
        if self._failures >= _IN_A_ROW or not wanted(read_rules(self.site.rules)):
            return
        offer = self._begin(post)
        if offer is None:
            return
        step("poster.begun")
        self.lease.check()
        outcome = self.outlet.upload(offer.file)
        step("poster.answered")
        self._end(offer, outcome)

    def _begin(self, post: Post) -> _Offer | None:
        """Choose the poster and count the try; None when there is nothing to offer."""
        with self.lease.write(durable=True) as conn:
            facts = facts_of(conn, self.site.account_id, outbox.plays_of(conn, post.id))
            title_key = next(iter(_keys(facts)), None)
            if title_key is None or not media.is_open(conn, self.site.id, title_key):
                return None
            found = self._file(conn, title_key)
            if found is None:
                return None
            key, file = found
            media.begin(conn, self.site.id, title_key, key)
            attempts.end_open(conn, post.id, Kind.UNKNOWN.value)
            return _Offer(title_key, file, attempts.begin(conn, post.id, WHAT))

    def _file(self, conn: sa.Connection, title_key: str) -> tuple[str, File] | None:
        """The kept poster of a title: the key of its file, and the file as it is sent."""
        there = pictures.of_titles(conn, [title_key]).get(title_key)
        chosen = pictures.best(there, WIDTH, _MEDIA_TYPE) if there else None
        content = pictures.bytes_of(self.store, conn, chosen.key) if chosen else None
        file = picture(content) if content else None
        return (chosen.key, file) if chosen and file else None

    def _end(self, offer: _Offer, outcome: Outcome) -> None:
        taken = outcome.good and outcome.url is not None
        self._failures = 0 if taken else self._failures + 1
        with self.lease.write(durable=True) as conn:
            if outcome.good and outcome.url is not None:
                media.taken(conn, self.site.id, offer.title_key, outcome.url)
            elif outcome.kind in _NOT_SENT:
                media.not_sent(conn, self.site.id, offer.title_key)
            kind = outcome.kind.value
            attempts.end(conn, offer.attempt, kind, outcome.status, outcome.words or None)


def _keys(facts: Sequence[Facts]) -> list[str]:
    return list(dict.fromkeys(one.poster_key for one in facts if one.poster_key))


def _pictures(sent: Properties) -> Iterator[str]:
    """The addresses of the pictures in a post's properties."""
    cites = [one["properties"] for one in sent.get("watch-of", []) if isinstance(one, Mapping)]
    cited: list[Any] = [one for properties in cites for one in properties.get("photo", [])]
    for found in (*sent.get("featured", []), *cited):
        yield found["value"]
