"""Trakt's official export of an account, as the website's exporter would write it.

It asks the sandbox's own API, page by page, so its rows are those that a client reads:
``NAME.json`` for one page, ``NAME-1.json`` and so on for several.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from watchbook.sandbox.answer import Answer, encode
from watchbook.sandbox.trakt import answers as _answers  # noqa: F401  (fills the table of routes)
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.call import API, Call, Paged
from watchbook.sandbox.trakt.world import World

PAGE = 250
_KINDS = ("movies", "shows", "seasons", "episodes")
_NOTES = (*_KINDS, "people", "activities", "collection_items", "ratings")
_HIDDEN = ("calendar", "progress_watched", "progress_watched_reset", "progress_collected")


def endpoints(account: Account) -> Iterator[tuple[str, str]]:
    """The exporter's files and the endpoints that it reads them from, in its order."""
    user = f"users/{account.slug}"
    yield "user-settings", "users/settings?extended=sharing,browsing,gdpr"
    yield "user-profile", f"{user}?extended=full,vip"
    yield "user-last-activities", "sync/last_activities"
    yield "user-stats", f"{user}/stats"
    if account.library.user.vip:
        yield "user-saved-filters", "users/saved_filters"
    for section in (*_HIDDEN, "recommendations"):
        yield f"hidden-{section.replace('_', '-')}", f"users/hidden/{section}"
    yield "network-followers-requests", "users/requests"
    yield from (
        (f"network-{who}", f"{user}/{who}") for who in ("followers", "following", "friends")
    )
    yield from ((f"likes-{what}", f"users/likes/{what}") for what in ("comments", "lists"))
    for kind in (*_KINDS, "lists"):
        yield f"comments-{kind}", f"{user}/comments/all/{kind}?include_replies=true"
    yield from ((f"notes-{kind}", f"{user}/notes/{kind}?extended=gdpr") for kind in _NOTES)
    yield from ((f"ratings-{kind}", f"{user}/ratings/{kind}") for kind in _KINDS)
    yield from ((f"watched-{kind}", f"{user}/watched/{kind}") for kind in ("movies", "shows"))
    yield "watched-history", f"{user}/history?extended=gdpr"
    yield "watched-playback", "sync/playback?extended=gdpr"
    for kind in ("movies", "shows", "episodes"):
        yield f"collection-{kind}", f"{user}/collection/{kind}?extended=metadata,gdpr"
    for name in ("watchlist", "favorites"):
        yield f"lists-{name}", f"{user}/{name}"
    yield "lists-collaborations", f"{user}/lists/collaborations"
    yield "lists-lists", f"{user}/lists"
    for made in account.library.lists:
        yield f"lists-list-{made.trakt}-{made.slug}", f"{user}/lists/{made.slug}/items"


def write_zip(
    world: World, account: Account, path: Path, *, numbered: bool, errors: Iterable[str] = ()
) -> None:
    """Write the export to ``path``.

    With ``numbered`` long answers come in numbered pages, as Trakt's exporter does it, else
    each in one file. ``errors`` are names of files that the exporter fails to read;
    ``NAME@2`` fails after two pages.
    """
    failing = dict(_failing(errors))
    told: list[dict[str, object]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, endpoint in endpoints(account):
            pages = list(_pages(world, account, endpoint, PAGE if numbered else 1 << 40))
            came = failing.get(name, len(pages))
            if name in failing:
                counts = {"fetchedPages": came, "totalPages": len(pages)}
                told.append({"endpoint": endpoint, "error": "HTTP 503", **counts})
            for number, body in enumerate(pages[:came], 1):
                suffix = f"-{number}" if len(pages) > 1 else ""
                packed.writestr(f"{name}{suffix}.json", body)
        if told:
            packed.writestr("_errors.json", encode(told))


def _failing(errors: Iterable[str]) -> Iterator[tuple[str, int]]:
    for text in errors:
        name, _, pages = text.partition("@")
        yield name, int(pages or 0)


def _pages(world: World, account: Account, endpoint: str, size: int) -> Iterator[bytes]:
    path, _, text = endpoint.partition("?")
    query = dict(part.split("=") for part in text.split("&") if part)
    found = API.find("GET", f"/{path}")
    assert found is not None
    handler, params = found
    assert handler is not None
    call = Call(world, "GET", f"/{path}", query, {}, b"", params, account)
    reply = handler(call)
    if isinstance(reply, Answer):
        yield reply.body
    else:
        yield from _cut(reply, size)


def _cut(paged: Paged, size: int) -> Iterator[bytes]:
    for low in range(0, max(paged.count, 1), size):
        yield b"[" + b",".join(paged.rows(low, min(paged.count, low + size))) + b"]"
