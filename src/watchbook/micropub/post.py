"""A post, and how it travels: as JSON, as a form, as the changes of an update.

What is never sent: ``uid`` on the entry (one server breaks on it, another refuses), ``photo`` and
``name`` on the entry (they make it another kind of post), empty values, and anything that Trakt
does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from watchbook.clock import UNKNOWN_DATE
from watchbook.errors import InputError
from watchbook.micropub.citing import Payload, Properties, cited, pictured
from watchbook.micropub.titles import Picture, Watched, page_of

SLUG = re.compile(r"trakt-\d+")
"""What our slugs look like."""

_MOVES_THE_POST = "published"
_ENTRY = {"type": ["h-entry"]}


@dataclass(frozen=True)
class Look:
    """How a site wants its posts, the same for all of them.

    ``text_in`` is content, summary or both; ``status`` (published, draft), ``visibility``
    (public, unlisted, private) are sent when they are set, and the site decides when not.
    ``rated`` posts have the ratings; they are for files, as no server knows what to do with them.
    """

    payload: Payload = Payload.STANDARD
    text_in: str = "both"
    poster: str = "off"
    status: str | None = None
    visibility: str | None = None
    syndicate_to: tuple[str, ...] = ()
    zone: tzinfo = UTC
    rated: bool = False


@dataclass(frozen=True)
class Post:
    """A post about one play, or about the episodes of a binge, in the order of watching.

    ``text`` is plain; ``html`` says the same as HTML and takes its place in the content.
    ``published`` is None, or 1970, for a play whose date nobody knows; ``slug`` is the name it is
    to have at the site, else that of its first play. Raises InputError for a post without a word:
    WordPress takes it for empty and does not make it.
    """

    watched: Sequence[Watched]
    text: str
    published: datetime | None = None
    html: str | None = None
    categories: tuple[str, ...] = ()
    look: Look = Look()
    slug: str | None = None

    def __post_init__(self) -> None:
        """See to it that there is something to post."""
        if not self.text.strip():
            raise InputError(
                "The post has no text.", hint="Check the template of the site's posts."
            )

    @property
    def urls(self) -> tuple[str, ...]:
        """The pages at Trakt of what was watched."""
        return tuple(page_of(one.what) for one in self.watched)


def slug_of(watched: Sequence[Watched]) -> str:
    """A name of its own for each post: servers make equal addresses of equal times."""
    return f"trakt-{watched[0].history_id}"


def properties(post: Post, *, now: datetime) -> Properties:
    """The properties of the post, each a list, as JSON carries them."""
    look = post.look
    found: Mapping[str, Sequence[Any] | None] = {
        "published": _published(post, now),
        "summary": [post.text] if look.text_in in {"summary", "both"} else None,
        "content": _content(post) if look.text_in in {"content", "both"} else None,
        "category": post.categories,
        "featured": [pictured(picture) for picture in _featured(post)],
        "post-status": look.status and [look.status],
        "visibility": look.visibility and [look.visibility],
        "rating": [str(one.rating) for one in post.watched if look.rated and one.rating],
        "mp-slug": [post.slug or slug_of(post.watched)],
        "mp-syndicate-to": look.syndicate_to,
        "watch-of": [
            cited(one, look.payload, picture=look.poster == "cite") for one in post.watched
        ],
    }
    return {name: list(values) for name, values in found.items() if values}


def entry(found: Properties) -> dict[str, Any]:
    """The body of a request that makes a post with these properties."""
    return {**_ENTRY, "properties": found}


def form(post: Post, *, now: datetime) -> dict[str, str | list[str]]:
    """The post as a form, for servers that take no JSON.

    A form holds texts only: what was watched is an address, the content is plain. Names of
    values that are several end in ``[]``.
    """
    found = properties(post, now=now) | {"watch-of": list(post.urls)}
    if "content" in found:
        found["content"] = [post.text]
    if "featured" in found:
        found["featured"] = [picture.url for picture in _featured(post)]
    fields: dict[str, str | list[str]] = {"h": "entry"}
    for name, values in found.items():
        fields |= {name: values[0]} if len(values) == 1 else {f"{name}[]": values}
    return fields


def replacement(before: Properties, after: Properties, *, move: bool = False) -> Properties:
    """What an update replaces to make a post of ``before`` into one of ``after``.

    Commands (``mp-``) are for making a post only, and what has gone cannot be taken away by
    replacing. A new date moves the post on many sites, so it counts only with ``move``.
    """
    return {
        name: values
        for name, values in after.items()
        if before.get(name) != values
        if not name.startswith("mp-") and (move or name != _MOVES_THE_POST)
    }


def _published(post: Post, now: datetime) -> list[str] | None:
    """The moment with the person's own offset; never in the future, which would schedule it."""
    if post.published is None or post.published == UNKNOWN_DATE:
        return None
    moment = min(post.published, now).astimezone(post.look.zone)
    return [moment.isoformat(timespec="seconds")]


def _content(post: Post) -> list[Any]:
    return [{"html": post.html}] if post.html else [post.text]


def _featured(post: Post) -> list[Picture]:
    """The first poster alone: a binge is of one show, and a post has one picture."""
    if post.look.poster != "featured":
        return []
    return [one.poster for one in post.watched if one.poster is not None][:1]
