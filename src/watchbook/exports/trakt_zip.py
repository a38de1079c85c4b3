"""Trakt's own export: ``trakt-export-SLUG.zip``, or the folder that it unpacks to.

The website's exporter asks the ordinary API and writes a file for each endpoint: ``NAME.json``
when one page was all, else ``NAME-1.json``, ``NAME-2.json`` and so on. An endpoint without
rows has a file too. What failed is told in ``_errors.json``, with how many pages came.
Source: ``settings/export/runRawExport.ts`` of trakt-web.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

import msgspec

from watchbook.clock import counted, from_iso
from watchbook.errors import InputError
from watchbook.exports.container import Files, Limits, opened
from watchbook.exports.stream import object_of, rows_of
from watchbook.redaction import tame

KINDS = ("movies", "shows", "seasons", "episodes")
NOTES = (*KINDS, "people", "activities", "collection_items", "ratings")
ERRORS = "_errors.json"
LIST_ITEMS = "list_items"
_AGAIN = "Make a new export at Trakt (Settings, Data) and import that."

ENDPOINTS: Mapping[str, str] = {
    "user-settings": "users/settings",
    "user-profile": "users/me",
    "user-last-activities": "sync/last_activities",
    "user-stats": "users/me/stats",
    "user-saved-filters": "users/saved_filters",
    "hidden-calendar": "users/hidden/calendar",
    "hidden-progress-watched": "users/hidden/progress_watched",
    "hidden-progress-watched-reset": "users/hidden/progress_watched_reset",
    "hidden-progress-collected": "users/hidden/progress_collected",
    "hidden-recommendations": "users/hidden/recommendations",
    "network-followers-requests": "users/requests",
    "network-followers": "users/me/followers",
    "network-following": "users/me/following",
    "network-friends": "users/me/friends",
    "likes-comments": "users/likes/comments",
    "likes-lists": "users/likes/lists",
    **{f"comments-{kind}": f"users/me/comments/all/{kind}" for kind in (*KINDS, "lists")},
    **{f"notes-{kind}": f"users/me/notes/{kind}" for kind in NOTES},
    **{f"ratings-{kind}": f"users/me/ratings/{kind}" for kind in KINDS},
    "watched-movies": "users/me/watched/movies",
    "watched-shows": "users/me/watched/shows",
    "watched-history": "users/me/history",
    "watched-playback": "sync/playback",
    **{
        f"collection-{kind}": f"users/me/collection/{kind}"
        for kind in ("movies", "shows", "episodes")
    },
    "lists-watchlist": "users/me/watchlist",
    "lists-favorites": "users/me/favorites",
    "lists-collaborations": "users/me/lists/collaborations",
    "lists-lists": "users/me/lists",
}
"""Every bucket (a file, or several pages) and the endpoint that it was read from."""

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "user_settings": ("user-settings",),
    "user_profile": ("user-profile",),
    "user_last_activities": ("user-last-activities",),
    "user_stats": ("user-stats",),
    "saved_filters": ("user-saved-filters",),
    "hidden_calendar": ("hidden-calendar",),
    "hidden_progress_watched": ("hidden-progress-watched",),
    "hidden_progress_watched_reset": ("hidden-progress-watched-reset",),
    "hidden_progress_collected": ("hidden-progress-collected",),
    "hidden_recommendations": ("hidden-recommendations",),
    "requests": ("network-followers-requests",),
    "followers": ("network-followers",),
    "following": ("network-following",),
    "friends": ("network-friends",),
    "likes_comments": ("likes-comments",),
    "likes_lists": ("likes-lists",),
    "comments_all": tuple(f"comments-{kind}" for kind in (*KINDS, "lists")),
    **{f"notes_{kind}": (f"notes-{kind}",) for kind in NOTES},
    **{f"ratings_{kind}": (f"ratings-{kind}",) for kind in KINDS},
    "watched_movies": ("watched-movies",),
    "watched_shows": ("watched-shows",),
    "history": ("watched-history",),
    "playback": ("watched-playback",),
    "collection_movies": ("collection-movies",),
    "collection_shows": ("collection-shows",),
    "collection_episodes": ("collection-episodes",),
    "watchlist": ("lists-watchlist",),
    "favorites": ("lists-favorites",),
    "lists_collaborations": ("lists-collaborations",),
    "lists": ("lists-lists",),
}
"""The buckets of each data set of the catalogue that the export holds, but for list items."""

VIP_ONLY = frozenset({"saved_filters"})
"""Data sets that the export has for VIP members only."""

Kind = TypeVar("Kind", bound=msgspec.Struct)

_BY_ENDPOINT = {path: bucket for bucket, path in ENDPOINTS.items()}
_PAGE = re.compile(r"(?P<bucket>.+?)(?:-(?P<page>\d{1,6}))?\.json")
_LIST = re.compile(r"lists-list-(?P<id>\d{1,20})-(?P<slug>.*)\.json")
_LIST_ENDPOINT = re.compile(r"users/me/lists/(?P<list>[^/]+)/items")
_PLAIN = re.compile(r"[\w.@+-]{1,100}")
_LONGEST_WORDS = 200
_MOST_ROWS = 1 << 30
_MOST_FAILURES = 1_000
_NO_SLUGS = "settings|hidden|requests|likes|saved_filters"


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """What the exporter says about an endpoint that it could not read to its end."""

    endpoint: str
    error: str = "no reason given"
    fetched_pages: int | None = None
    total_pages: int | None = None

    @property
    def words(self) -> str:
        """The same for a person."""
        endpoint, error = (tame(text)[:_LONGEST_WORDS] for text in (self.endpoint, self.error))
        told = f"Trakt's exporter could not read {endpoint} ({error})"
        if self.fetched_pages and self.total_pages:
            told += f": {self.fetched_pages} of {counted(self.total_pages, 'page')} came"
        return told


@dataclass(frozen=True)
class Owner:
    """Whose export it is."""

    slug: str
    uuid: str | None
    timezone: str | None


class _Ids(msgspec.Struct):
    slug: str | None = None
    uuid: str | None = None


class _User(msgspec.Struct):
    ids: _Ids = msgspec.field(default_factory=_Ids)


class _Place(msgspec.Struct):
    timezone: str | None = None


class _Settings(msgspec.Struct):
    user: _User = msgspec.field(default_factory=_User)
    account: _Place | None = None


class TraktExport:
    """One export; rows come raw, and nothing of it is kept in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.label = files.label
        self._pages: dict[str, dict[int, str]] = {}
        self.strange: list[str] = []
        for name in sorted(files.sizes):
            self._sort_in(name)
        if not self._pages:
            raise _none_of_trakt(files)

    def _sort_in(self, name: str) -> None:
        page, of_list = _PAGE.fullmatch(name), _LIST.fullmatch(name)
        if of_list is not None:
            pages = self._pages.setdefault(f"{LIST_ITEMS}/{of_list['id']}", {})
            number = page["page"] if page else None
            pages[int(number or 0) if int(number or 0) not in pages else -len(pages)] = name
        elif page is not None and page["bucket"] in ENDPOINTS:
            self._pages.setdefault(page["bucket"], {})[int(page["page"] or 0)] = name
        elif name != ERRORS:
            self.strange.append(name)

    @cached_property
    def failures(self) -> Sequence[Failure]:
        """What the exporter itself says it could not read; raises ArchiveDamaged."""
        if ERRORS not in self._files.sizes:
            return ()
        with self._files.open(ERRORS) as stream:
            return [_failure(row) for row in islice(rows_of(stream, ERRORS), _MOST_FAILURES)]

    @cached_property
    def activities(self) -> Mapping[str, Any] | None:
        """The export's own ``last_activities``, by which exports are ordered."""
        return self._decoded("user-last-activities")

    @cached_property
    def stats(self) -> Mapping[str, Any]:
        """Trakt's own counts, as of the export."""
        return self._decoded("user-stats") or {}

    def statistic(self, paths: Sequence[str]) -> int | None:
        """The sum of some of Trakt's counts (``movies.plays``); None when one is missing."""
        found = []
        for path in paths:
            group, _, name = path.partition(".")
            part = self.stats.get(group)
            found.append(row_count(part.get(name)) if isinstance(part, dict) else None)
        known = [count for count in found if count is not None]
        return sum(known) if len(known) == len(found) else None

    @property
    def moment(self) -> datetime | None:
        """When anything last moved before it was made; None when it does not say."""
        text = (self.activities or {}).get("all")
        try:
            return from_iso(text) if isinstance(text, str) else None
        except ValueError:
            return None

    @cached_property
    def owner(self) -> Owner:
        """The Trakt user whose export it is; raises InputError when it does not say."""
        settings = _converted(self._decoded("user-settings"), _Settings)
        profile = _converted(self._decoded("user-profile"), _User)
        slug = _name(settings.user.ids.slug) or _name(profile.ids.slug)
        if slug is None:
            raise InputError(
                f"{self.label} does not say whose it is: user-settings.json and "
                "user-profile.json are missing or empty.",
                hint=_AGAIN,
            )
        zone = settings.account.timezone if settings.account else None
        uuid = _name(settings.user.ids.uuid) or _name(profile.ids.uuid)
        return Owner(slug, uuid, zone if zone in available_timezones() else None)

    def holds(self, data_set: str) -> bool:
        """Whether any file of a data set is there."""
        return any(bucket in self._pages for bucket in _buckets(data_set))

    def gaps(self, data_set: str, slug: str | None = None) -> list[str]:
        """Why a data set may not be whole, in words: files missing, or reading that failed.

        ``slug`` is that of the list, for ``list_items/ID``.
        """
        found = [word for bucket in _buckets(data_set) for word in self._page_gaps(bucket)]
        names = {*_buckets(data_set), *([f"{LIST_ITEMS}/{slug}"] if slug else [])}
        return [f.words for f in self.failures if _bucket_of(f.endpoint) in names] or found

    def _page_gaps(self, bucket: str) -> list[str]:
        pages = self._pages.get(bucket)
        if pages is None:
            return [f"{self.label} lacks {_file_name(bucket)}"]
        if bucket.startswith(LIST_ITEMS) and len(pages) == 1:
            return []  # its number may belong to the list's name
        lost = max(pages) - sum(number > 0 for number in pages)
        words = f"{self.label} lacks {counted(lost, 'page')} of {_file_name(bucket)}"
        return [words] if lost > 0 else []

    def pages(self, data_set: str) -> list[str]:
        """The names of its files, in their order."""
        return [
            name
            for bucket in _buckets(data_set)
            for _, name in sorted(self._pages.get(bucket, {}).items())
        ]

    def rows(self, page: str) -> Iterator[bytes]:
        """The rows of one file, raw; raises ArchiveDamaged."""
        with self._files.open(page) as stream:
            yield from rows_of(stream, page)

    def object(self, data_set: str) -> bytes | None:
        """A data set that is one object, raw; None when there is none."""
        for page in self.pages(data_set)[:1]:
            with self._files.open(page) as stream:
                return object_of(stream, page)
        return None

    def _decoded(self, bucket: str) -> dict[str, Any] | None:
        body = self.object(bucket.replace("-", "_"))
        try:
            return msgspec.json.decode(body, type=dict[str, Any]) if body else None
        except (ValueError, RecursionError):
            return None


def row_count(value: object) -> int | None:
    """A number of rows, unless it is none that can be."""
    return value if type(value) is int and 0 <= value < _MOST_ROWS else None


def _name(text: str | None) -> str | None:
    """A slug or uuid, unless it is none that Trakt gives."""
    return text if text and _PLAIN.fullmatch(text) else None


def _buckets(data_set: str) -> tuple[str, ...]:
    return (data_set,) if data_set.startswith(LIST_ITEMS + "/") else BUCKETS.get(data_set, ())


def _file_name(bucket: str) -> str:
    kind, _, number = bucket.partition("/")
    return f"lists-list-{number}" if kind == LIST_ITEMS else f"{bucket}.json"


def _failure(row: bytes) -> Failure:
    try:
        return msgspec.json.decode(row, type=Failure)
    except (ValueError, RecursionError):
        return Failure("something", row[:200].decode("utf-8", "replace"))


def _bucket_of(endpoint: str) -> str | None:
    """The bucket that an endpoint (or the name of a file) of ``_errors.json`` stands for."""
    path = endpoint.partition("?")[0].strip("/")
    path = re.sub(rf"^users/(?!(?:{_NO_SLUGS})(?:/|$))[^/]+", "users/me", path)
    of_list = _LIST.fullmatch(f"{path}.json")
    if of_list is not None:
        return f"{LIST_ITEMS}/{of_list['id']}"
    if path not in _BY_ENDPOINT and (named := _LIST_ENDPOINT.fullmatch(path)):
        return f"{LIST_ITEMS}/{named['list']}"
    return path if path in ENDPOINTS else _BY_ENDPOINT.get(path)


def _converted(value: object, kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(value or {}, kind)
    except msgspec.ValidationError:
        return kind()


def _none_of_trakt(files: Files) -> InputError:
    hint = "Trakt makes it at https://app.trakt.tv/settings/data: trakt-export-NAME.zip."
    if any(name.endswith(".csv") for name in files.sizes):
        hint = "This looks like the CSV form. Choose JSON when you make the export at Trakt."
    return InputError(f"{files.label} holds none of the files of Trakt's export.", hint=hint)


@contextmanager
def open_export(path: Path, limits: Limits | None = None) -> Iterator[TraktExport]:
    """Open the export at ``path``, a ZIP or a folder.

    Raises InputError (no export of Trakt), ArchiveDamaged and ArchiveUnsafe.
    """
    with opened(path, limits) as files:
        yield TraktExport(files)
