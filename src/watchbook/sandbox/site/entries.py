"""Posts as h-entries: whatever was posted, shown as far as it is understood, and escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from watchbook.sandbox.site.cleaning import address, cleaned
from watchbook.sandbox.site.posts import Post, moment
from watchbook.sandbox.site.world import World

_PICTURES = ("photo", "featured")
_DATA = {
    "published": "dt-published",
    "uid": "u-uid",
    "trakt-watch-id": "p-trakt-watch-id",
    "trakt-id": "p-trakt-id",
    "imdb-id": "p-imdb-id",
    "tmdb-id": "p-tmdb-id",
    "tvdb-id": "p-tvdb-id",
}


def entry(world: World, post: Post, *, whole: bool = False) -> str:
    """One post; `whole` is for a page of its own."""
    parts = [
        _name(post, whole=whole),
        *(_watched(value) for value in post.properties.get("watch-of", [])),
        *(_picture(value, name) for name in _PICTURES for value in _values(post, name)),
        _words(post),
        _meta(world, post, whole=whole),
    ]
    return '<article class="h-entry">\n' + "\n".join(filter(None, parts)) + "\n</article>"


def title_of(post: Post) -> str:
    """A short text for the title of the page."""
    plain = post.text("name") or post.text("summary") or post.text("content")
    return plain[:80] or "A post"


def _values(post: Post, name: str) -> list[object]:
    return post.properties.get(name, [])


def _name(post: Post, *, whole: bool) -> str:
    name = escape(post.text("name"))
    if not name:
        return ""
    level = "h1" if whole else "h2"
    return f'<{level} class="p-name">{name}</{level}>'


def _watched(value: object) -> str:
    """The title that was watched: a citation, or an address alone."""
    if not isinstance(value, Mapping):
        url = escape(address(str(value)))
        shown = f'<a class="u-watch-of" href="{url}">{url}</a>' if url else escape(str(value))
        return f'<div class="watched"><p class="what">{shown}</p></div>'
    found = _members(value)
    pictures = "".join(_picture(one, "photo") for one in found.get("photo", [])[:1])
    lines = [_what(found), _place(found), *_data(found)]
    body = "\n".join(filter(None, lines))
    kind = (
        "u" if address(_first(found, "url")) else "p"
    )  # without an address its name stands for it
    return f'<div class="watched {kind}-watch-of h-cite">\n{pictures}<div>\n{body}\n</div>\n</div>'


def _members(item: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """The properties of an item, each a list, however they were sent."""
    found = item.get("properties")
    members = found if isinstance(found, Mapping) else {}
    return {
        str(name): values if isinstance(values, list) else [values]
        for name, values in members.items()
    }


def _first(found: Mapping[str, list[Any]], name: str) -> str:
    return next((str(v) for v in found.get(name, []) if isinstance(v, str | int)), "")


def _what(found: Mapping[str, list[Any]]) -> str:
    name, url = escape(_first(found, "name")), escape(address(_first(found, "url")))
    if not url:
        return f'<p class="what p-name">{name}</p>' if name else ""
    return f'<p class="what"><a class="p-name u-url" href="{url}">{name or url}</a></p>'


def _place(found: Mapping[str, list[Any]]) -> str:
    """Season, episode and show of an episode."""
    season, episode = escape(_first(found, "season")), escape(_first(found, "episode"))
    if not (season and episode):
        return ""
    numbers = (
        f'Season <span class="p-season">{season}</span>, '
        f'episode <span class="p-episode">{episode}</span>'
    )
    show = _show(found)
    return f'<p class="soft">{numbers}{" of " if show else ""}{show}</p>'


def _show(found: Mapping[str, list[Any]]) -> str:
    for one in found.get("episode-of", []):
        show = _members(one) if isinstance(one, Mapping) else {}
        name, url = escape(_first(show, "name")), escape(address(_first(show, "url")))
        if name and url:
            return (
                f'<span class="p-episode-of h-cite"><a class="p-name u-url" href="{url}">{name}</a>'
                "</span>"
            )
        if name:
            return f'<span class="p-episode-of h-cite"><span class="p-name">{name}</span></span>'
    name = escape(_first(found, "publication"))
    return f'<span class="p-publication">{name}</span>' if name else ""


def _data(found: Mapping[str, list[Any]]) -> Iterator[str]:
    """What is for machines: ids and dates, in elements that show nothing."""
    for name, marked in _DATA.items():
        value = escape(_first(found, name))
        if value:
            yield f'<data class="{marked}" value="{value}"></data>'


def _picture(value: object, name: str) -> str:
    url, alt = value, ""
    if isinstance(value, Mapping):
        url, alt = value.get("value"), str(value.get("alt", ""))
    shown = escape(address(str(url)))
    return f'<img class="u-{name}" src="{shown}" alt="{escape(alt)}">\n' if shown else ""


def _words(post: Post) -> str:
    """The content, and the summary where it says something else."""
    content, summary = _content(post), escape(post.text("summary"))
    if not content:
        return f'<p class="p-summary">{summary}</p>' if summary else ""
    if summary == content:
        return f'<div class="e-content p-summary">{content}</div>'
    told = f'<p class="p-summary soft">{summary}</p>\n' if summary else ""
    return f'{told}<div class="e-content">{content}</div>'


def _content(post: Post) -> str:
    values = post.properties.get("content", [])
    if values and isinstance(values[0], Mapping):
        html, plain = values[0].get("html"), values[0].get("value", "")
        return cleaned(html) if isinstance(html, str) else escape(str(plain))
    return escape(post.text("content"))


def _meta(world: World, post: Post, *, whole: bool) -> str:
    """Date, labels, and on a page of its own the author, whom a feed names once for all."""
    day = moment(post.properties, post.made)
    told = f"{day.day} {day:%B %Y, %H:%M}"
    url = escape(world.url_of(post))
    tags = [
        f'<span class="p-category">{escape(str(value))}</span>'
        for value in post.properties.get("category", [])
    ]
    link = (
        f'<a class="u-url" href="{url}"><time class="dt-published" '
        f'datetime="{day.isoformat()}">{told}</time></a>'
    )
    by = _author(world, post) if whole else ""
    return f'<p class="meta">{" ".join(filter(None, [link, by, *tags]))}</p>'


def _author(world: World, post: Post) -> str:
    author = world.people[post.author]
    me = escape(world.me(author))
    return f'<a class="p-author h-card" href="{me}">{escape(author.full_name)}</a>'
