"""Finding out what became of a post whose answer was lost, so that it is not posted twice.

Micropub has no way to ask that. There are three places to look: the address that the post would
have, the server's list of posts, and the site's own pages. "Absent" is said only where the post
would have shown; a server that lists nothing, or a page that shows other things, proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from watchbook.errors import RemoteChanged, WatchbookError
from watchbook.http import HttpClient, Timeouts
from watchbook.micropub.client import ANSWER_BYTES, Micropub
from watchbook.micropub.page import entries
from watchbook.micropub.reading import Wanted, published, url_of, values

_PAGE = 50
_MOST_PAGES = 10
_PATIENCE = Timeouts(connect=5, read=10, total=15)


class Sight(Enum):
    """What a look-up gave."""

    FOUND = "found"
    ABSENT = "absent"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Lookup:
    """What was seen; the ``url`` of a post that was found may be unknown all the same."""

    sight: Sight
    url: str | None = None


ABSENT = Lookup(Sight.ABSENT)
CANNOT_TELL = Lookup(Sight.CANNOT_TELL)


def find(
    micropub: Micropub, wanted: Wanted, *, expected: str | None = None, pages: Iterable[str] = ()
) -> Lookup:
    """Look for a post: at its ``expected`` address, in the server's list, on ``pages``.

    One look proves little where a site is built with a delay; ask again after some minutes.
    """
    seen: list[Lookup] = []
    for look in _looks(micropub, wanted, expected, pages):
        seen.append(look)
        if look.url is not None or look is ABSENT:
            break
    order = list(Sight)
    return min(seen, key=lambda look: (order.index(look.sight), look.url is None))


def shown_at(http: HttpClient, url: str) -> Lookup:
    """Whether a visitor finds a page at ``url``: only 404 and 410 say that there is none.

    A redirect to a page of another name, such as that of a log-in, says nothing.
    """
    try:
        answer = http.request(
            "GET", url, follow_redirects=True, timeout=_PATIENCE, max_bytes=ANSWER_BYTES
        )
    except RemoteChanged as reason:  # more than is read of a page
        return Lookup(Sight.FOUND, url) if reason.status == 200 else CANNOT_TELL
    except WatchbookError:
        return CANNOT_TELL
    if answer.status in {404, 410}:
        return ABSENT
    same = _last_part(answer.url) == _last_part(url)
    return Lookup(Sight.FOUND, url) if answer.status == 200 and same else CANNOT_TELL


def gone(micropub: Micropub, url: str) -> bool | None:
    """Whether the post at ``url`` is deleted; None when the server does not tell.

    That it answers 400 counts only where it answers other such queries: some refuse them all.
    """
    source = micropub.source(url)
    if source.properties:
        return source.deleted
    if source.status in {404, 410}:
        return True
    return True if source.status == 400 and micropub.source_list(1) is not None else None


def foreseen(
    url: str, slug: str, dated: datetime | None, wanted: Wanted, local: datetime | None
) -> str | None:
    """The address that a post will have, from that of another post of the same site.

    ``url``, ``slug`` and ``dated`` are the other's; dates are local. None when the other's
    address does not hold its slug.
    """
    if slug not in url:
        return None
    before, _, after = url.rpartition(slug)
    day, other = _day(dated), _day(local)
    if day and day in before:
        if other is None:
            return None
        before = before.replace(day, other)
    return f"{before}{wanted.slug}{after}"


def _last_part(url: str) -> str:
    """What a page is called, without slashes and endings."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2].partition(".")[0]


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"/{moment:%Y/%m/%d}/"


def _looks(
    micropub: Micropub, wanted: Wanted, expected: str | None, pages: Iterable[str]
) -> Iterator[Lookup]:
    if expected is not None:
        yield _at(micropub, wanted, expected)
    yield _listed(micropub, wanted)
    for page in pages:
        yield _shown(micropub.http, wanted, page)


def _at(micropub: Micropub, wanted: Wanted, url: str) -> Lookup:
    """A post that is not there may have got another address, so nothing else is certain.

    Some servers answer with another post than the one asked for: what that tells of itself counts
    before its address does.
    """
    source = micropub.source(url)
    found = source.properties
    there = source.there and wanted.is_in({"url": [url], **found})
    if wanted.is_denied_by(found):
        return CANNOT_TELL
    return Lookup(Sight.FOUND, url) if there else CANNOT_TELL


def _listed(micropub: Micropub, wanted: Wanted) -> Lookup:
    """Go through the list, newest posts first, by whichever date the server puts them in order."""
    before: list[Mapping[str, Any]] | None = None
    for number in range(_MOST_PAGES):
        posts = micropub.source_list(_PAGE, number * _PAGE)
        if posts is None or posts == before:  # some servers give one page, however often
            return CANNOT_TELL
        found = next((post for post in posts if wanted.is_in(post)), None)
        if found is not None:
            return Lookup(Sight.FOUND, url_of(found))
        if not posts:
            return ABSENT if number else CANNOT_TELL
        if _all_older(posts, wanted):
            return ABSENT
        before = posts
    return CANNOT_TELL


def _shown(http: HttpClient, wanted: Wanted, page: str) -> Lookup:
    """A page proves that a post is missing when it shows older posts of the same kind."""
    try:
        answer = http.request(
            "GET", page, follow_redirects=True, timeout=_PATIENCE, max_bytes=ANSWER_BYTES
        )
    except WatchbookError:
        return CANNOT_TELL
    posts = entries(answer) if answer.status == 200 else []
    found = next((post for post in posts if wanted.is_in(post)), None)
    if found is not None:
        return Lookup(Sight.FOUND, url_of(found))
    alike = [post for post in posts if any(values(post, "watch-of"))]
    return ABSENT if any(_is_older(post, wanted) for post in alike) else CANNOT_TELL


def _all_older(posts: Iterable[Mapping[str, Any]], wanted: Wanted) -> bool:
    return all(_is_older(post, wanted) for post in posts)


def _is_older(post: Mapping[str, Any], wanted: Wanted) -> bool:
    date = published(post)
    return date is not None and wanted.published is not None and date < wanted.published
