"""Posts as servers give them back: read loosely, and told apart from all others.

Servers write hyphens as underscores, lists of one as the one, numbers as texts and texts as
numbers. A post of ours is known by its slug, else by the numbers of its plays, else by its date
and what was watched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from watchbook import clock
from watchbook.micropub.post import SLUG, Post, slug_of
from watchbook.urls import absolute

_TRAKT = re.compile(r"https?://(www\.|app\.)?trakt\.tv(?=/)", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """What a post is known by. ``published`` is None when the post has no date."""

    slug: str
    history_ids: frozenset[str]
    urls: frozenset[str]
    published: datetime | None

    @classmethod
    def of(cls, post: Post) -> Wanted:
        """What ``post`` will be known by."""
        dated = post.published not in {None, clock.UNKNOWN_DATE}
        return cls(
            post.slug or slug_of(post.watched),
            frozenset(str(one.history_id) for one in post.watched),
            frozenset(_path(url) for url in post.urls),
            post.published if dated else None,
        )

    def is_in(self, properties: Mapping[str, Any]) -> bool:
        """Whether these are the properties of that post."""
        slugs = _slugs(properties)
        if slugs:
            return self.slug in slugs
        cites = list(values(properties, "watch-of"))
        ids = _ids(cites)
        if ids:
            return ids == self.history_ids
        urls = {_path(one) for one in _addresses(cites)}
        return urls == self.urls and self._is_dated(properties)

    def is_denied_by(self, properties: Mapping[str, Any]) -> bool:
        """Whether these say of themselves that they are of another post, by whatever they tell."""
        cites = list(values(properties, "watch-of"))
        slugs, ids = _slugs(properties), _ids(cites)
        if ids or (slugs and self.slug not in slugs):
            return ids != self.history_ids
        urls = {_path(one) for one in _addresses(cites)}
        return bool(urls) and not urls & self.urls

    def _is_dated(self, properties: Mapping[str, Any]) -> bool:
        found = published(properties)
        if found is None or self.published is None:
            return False
        return abs(found - self.published) < timedelta(seconds=1)


def properties_of(item: Any) -> Mapping[str, Any]:
    """The properties of an item; empty for what is none."""
    found = item.get("properties") if isinstance(item, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def values(properties: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The values of a property, however its name is spelt and whether they are a list or not."""
    for spelt in dict.fromkeys((name, name.replace("-", "_"))):
        found = properties.get(spelt)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found


def texts(properties: Mapping[str, Any], name: str) -> list[str]:
    """The values of a property that are texts or numbers."""
    return [str(one) for one in values(properties, name) if isinstance(one, str | int)]


def url_of(properties: Mapping[str, Any]) -> str | None:
    """The post's own address."""
    found = (absolute(text, fragment=True) for text in texts(properties, "url"))
    return next(filter(None, found), None)


def published(properties: Mapping[str, Any]) -> datetime | None:
    """The post's date, None when it has none that can be read."""
    for text in texts(properties, "published"):
        try:
            return clock.from_iso(text)
        except ValueError:
            continue
    return None


def _ids(cites: Iterable[Any]) -> set[str]:
    """The numbers of the plays that a post is about."""
    return {one for cite in cites for one in texts(properties_of(cite), "trakt-watch-id")}


def _addresses(cites: Iterable[Any]) -> Iterator[str]:
    for cite in cites:
        if isinstance(cite, str):
            yield cite
        else:
            yield from texts(properties_of(cite), "url")


def _path(url: str) -> str:
    """A title's page, however the host of Trakt is written."""
    return _TRAKT.sub("", url).rstrip("/")


def _slugs(properties: Mapping[str, Any]) -> set[str]:
    """The slugs of our making by which the post goes."""
    given = {*texts(properties, "mp-slug"), *texts(properties, "slug")}
    return {one for one in given | _last_part(url_of(properties)) if SLUG.fullmatch(one)}


def _last_part(url: str | None) -> set[str]:
    """The last part of an address, without an ending such as ``.html``."""
    last = urlsplit(url or "").path.rstrip("/").rpartition("/")[2]
    return {last, last.partition(".")[0]}
