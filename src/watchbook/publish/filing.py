"""What a Markdown file says of a post: its front matter and its body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from watchbook.clock import UNKNOWN_DATE, now
from watchbook.micropub.post import Post, slug_of
from watchbook.micropub.titles import Episode, Film, Watched, page_of
from watchbook.publish.frontmatter import MARK, document
from watchbook.publish.generators import Generator
from watchbook.publish.markdown import escaped, raw_html

_LONGEST_TITLE = 200
_SLUG = re.compile(r"[A-Za-z0-9-]+")


def written(post: Post, generator: Generator, language: str) -> str:
    """The file of a post; the same post gives the same text."""
    body = raw_html(post.html) if post.html else escaped(post.text)
    return document(_fields(post, generator), body, language)


def slug_for(post: Post) -> str:
    """The name that a post's file has and its mark holds."""
    slug = post.slug or slug_of(post.watched)
    assert _SLUG.fullmatch(slug), slug
    return slug


def local(post: Post) -> datetime | None:
    """The moment in the site's zone, None if nobody knows it; generators hide what is to come."""
    if post.published is None or post.published == UNKNOWN_DATE:
        return None
    return min(post.published, now()).astimezone(post.look.zone)


def _fields(post: Post, generator: Generator) -> dict[str, Any]:
    title = " ".join(post.text.split())
    draft = generator.draft if post.look.status == "draft" else {}
    return {
        MARK: slug_for(post),
        "title": title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}…",
        "date": local(post),
        **draft,
        "tags": list(post.categories) or None,
        **_pictured(post, generator),
        "watched": [_cited(one) for one in post.watched],
    }


def _pictured(post: Post, generator: Generator) -> Mapping[str, Any]:
    """The fields of the poster: a post has one, as a binge is of one show."""
    poster = next((one.poster for one in post.watched if one.poster is not None), None)
    if poster is None or post.look.poster == "off":
        return {}
    place = generator.place(slug_for(post), local(post))
    return generator.pictured(poster.url, poster.alt, place)


def _cited(watched: Watched) -> dict[str, Any]:
    what = watched.what
    about: dict[str, Any] = {"type": "film" if isinstance(what, Film) else "episode"}
    about |= {"title": what.name, "year": what.year if isinstance(what, Film) else None}
    if isinstance(what, Episode):
        about |= {"show": what.show.name, "show-year": what.show.year}
        about |= {"season": what.season, "episode": what.number}
        about |= {"show-url": page_of(what.show), "show-ids": asdict(what.show.ids)}
    about |= {"rating": watched.rating, "url": page_of(what), "ids": asdict(what.ids)}
    return about | {"play": watched.history_id}
