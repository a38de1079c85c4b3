"""Reading Trakt's answers: rows kept raw, and from each what queries need.

Shapes are those of the API contract of July 2026. Everything but the identity of a row is
optional: unknown fields are kept in the raw text, odd ones cost a column, never a row.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from watchbook.clock import from_iso, to_millis
from watchbook.errors import RemoteChanged
from watchbook.trakt.datasets import DataSet

REDACTED = "[redacted]"
MAX_ID = 2**63 - 1
MAX_COUNT = 2**31 - 1
TITLE_TYPES = ("movie", "show", "season", "episode")
_SUBJECTS = ("movie", "episode", "season", "show", "person", "user", "list", "comment")
_BOM = b"\xef\xbb\xbf"
_LONGEST_KEY = 200
_SLUG = re.compile(r"[\w.~-]{1,200}")
_UNREADABLE = (ValueError, RecursionError)
"""What msgspec raises for a text that is no JSON, its own errors and UnicodeDecodeError among
them, and for one of another shape than asked for."""


class Ids(msgspec.Struct):
    """Numbers of a title here and elsewhere."""

    trakt: int | None = None
    slug: str | None = None
    imdb: str | None = None
    tmdb: int | None = None
    tvdb: int | None = None


class Images(msgspec.Struct):
    """Addresses of pictures, most of them without a scheme; the first one is the best."""

    poster: list[str] | None = None
    screenshot: list[str] | None = None


class Title(msgspec.Struct):
    """A film, show, season or episode; the lower half comes only with ``extended=full``."""

    title: str | None = None
    year: int | None = None
    ids: Ids = msgspec.field(default_factory=Ids)
    season: int | None = None
    number: int | None = None
    runtime: int | None = None
    released: str | None = None
    first_aired: str | None = None
    genres: list[str] | None = None
    country: str | None = None
    language: str | None = None
    network: str | None = None
    status: str | None = None
    certification: str | None = None
    aired_episodes: int | None = None
    images: Images | None = None


_NOTHING = msgspec.Raw(b"null")


class _HistoryRow(msgspec.Struct):
    id: int
    watched_at: str
    action: str
    type: str
    movie: msgspec.Raw = _NOTHING
    episode: msgspec.Raw = _NOTHING
    show: msgspec.Raw = _NOTHING


class ParsedPlay(NamedTuple):
    """A row of history: columns of the store's ``plays``, and the titles it names."""

    history_id: int
    type: str
    watched_at: int
    action: str
    raw: str
    title_key: str | None
    titles: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """A row of any other data set: columns of the store's ``items``, and its titles."""

    key: str
    type: str | None
    raw: str
    title_key: str | None
    titles: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read, as it came, with the reason in words."""

    reason: str
    raw: str


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()
_play = msgspec.json.Decoder(_HistoryRow)
_title = msgspec.json.Decoder(Title)
_scan = json.JSONDecoder(strict=False).raw_decode
_first_row = re.compile(r"\s*\[\s*")
_after_row = re.compile(r"\s*([,\]])\s*")


def decode_any(body: bytes) -> Any:
    """Decode one JSON answer; raises RemoteChanged when it is none."""
    try:
        return _any.decode(body.removeprefix(_BOM))
    except _UNREADABLE as reason:
        raise _not_json(reason) from None


def split_rows(body: bytes) -> list[bytes]:
    """The rows of an answer that is an array, each as it came; raises RemoteChanged.

    A row that is no JSON (NaN, half a surrogate pair) does not take the others along.
    """
    body = body.removeprefix(_BOM)
    try:
        return [bytes(row) for row in _rows.decode(body)]
    except _UNREADABLE as reason:
        rows = _split_loosely(body.decode("utf-8", "surrogateescape"))
        if rows is None:
            raise _not_json(reason) from None
        return rows


def _split_loosely(text: str) -> list[bytes] | None:
    """The rows of an array as a more forgiving reader finds them; None when it is no array."""
    mark = _first_row.match(text)
    rows: list[bytes] = []
    try:
        while mark is not None and (not rows or mark[1] == ","):
            _, end = _scan(text, mark.end())
            rows.append(text[mark.end() : end].encode("utf-8", "surrogateescape"))
            mark = _after_row.match(text, end)
    except _UNREADABLE:
        return None
    return rows if mark is not None and mark.end() == len(text) else None


def object_row(body: bytes) -> list[bytes]:
    """An answer that is one object, as its only row; raises RemoteChanged."""
    if not isinstance(decode_any(body), dict):
        raise RemoteChanged(
            "Trakt's answer is not the object that its contract promises.", service="Trakt"
        )
    return [body.removeprefix(_BOM).strip()]


def _not_json(reason: Exception) -> RemoteChanged:
    return RemoteChanged(
        f"Trakt's answer is not what its contract says ({reason}).",
        service="Trakt",
        hint="Try again later; if it stays so, look for a newer Watchbook.",
    )


def parse_play(raw: bytes) -> ParsedPlay | Reject:
    """Read one row of history."""
    try:
        row = _play.decode(raw)
        watched_at = to_millis(from_iso(row.watched_at))
        show = _short_title("show", bytes(row.show), None) if row.type == "episode" else None
        show_key = show["key"] if show else None
        subject = bytes(row.movie if row.type == "movie" else row.episode)
        title = _short_title(row.type, subject, show_key)
    except _UNREADABLE as reason:
        return Reject(f"not a play: {reason}", _text(raw))
    if not 0 < row.id <= MAX_ID:
        return Reject("not a play: its id is outside of 64 bits", _text(raw))
    if row.type not in {"movie", "episode"}:
        return Reject(f"not a play of a film or episode but of {_word(row.type)!r}", _text(raw))
    titles = tuple(found for found in (show, title) if found)
    key = title["key"] if title else None
    return ParsedPlay(row.id, row.type, watched_at, _word(row.action), _text(raw), key, titles)


@lru_cache(maxsize=4_096)
def _short_title(kind: str, raw: bytes, show_key: str | None) -> dict[str, Any] | None:
    """The row of a title as plays name it; most plays name a title that another has named."""
    try:
        title: Title | None = _title.decode(raw)
    except _UNREADABLE:
        title = _convert(_any.decode(raw))
    key = _title_key(kind, title)
    if key is None or title is None:
        return None
    return _title_row(key, kind, title, show_key if kind == "episode" else None)


def parse_item(raw: bytes, data_set: DataSet, place: int) -> ParsedItem | Reject:
    """Read one row of ``data_set``, the ``place``-th of its reading (counted from 0)."""
    try:
        row = _any.decode(raw)
    except _UNREADABLE as reason:
        return Reject(f"not readable: {reason}", _text(raw))
    if not isinstance(row, dict):
        return Reject(f"not an object but {type(row).__name__}", _text(raw))
    kind = _kind(row)
    subjects = {name: _convert(row.get(name)) for name in TITLE_TYPES}
    key = _item_key(row, data_set.key, kind, raw, place)
    title_key = _title_key(kind, subjects.get(kind)) if kind in TITLE_TYPES else None
    return ParsedItem(key, kind, _text(raw), title_key, _titles(subjects))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\\u0000")


def _convert(value: object) -> Title | None:
    if not isinstance(value, dict):
        return None
    try:
        return msgspec.convert(value, Title, strict=False)
    except _UNREADABLE:
        ids = value.get("ids")
        return Title(**_fitting(value, Title), ids=Ids(**_fitting(ids, Ids)))


def _fitting(value: object, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Those fields of ``value`` that are what ``kind`` says, one by one."""
    found = {}
    for part in msgspec.structs.fields(kind):
        if isinstance(value, dict) and part.name in value and part.type is not Ids:
            with suppress(*_UNREADABLE):
                found[part.name] = msgspec.convert(value[part.name], part.type, strict=False)
    return found


def _word(text: str) -> str:
    """A type or an action: a word that is short and that both databases take."""
    return text.replace("\0", "")[:40]


def _kind(row: Mapping[str, Any]) -> str | None:
    """The type of a row: as it says itself, else by the object it holds."""
    kind = row.get("type")
    if isinstance(kind, str):
        return _word(kind)
    return next((name for name in _SUBJECTS if isinstance(row.get(name), dict)), None)


def _item_key(row: Mapping[str, Any], spec: str, kind: str | None, raw: bytes, place: int) -> str:
    if not spec:
        return f"row {place}"
    value = _subject_id(row, kind) if spec == "subject" else lookup(row, spec)
    if isinstance(value, int | str) and not isinstance(value, bool) and value != "":
        key = f"{kind}:{value}" if spec == "subject" else str(value)
        if len(key) <= _LONGEST_KEY and "\0" not in key:
            return key
    return "digest:" + hashlib.sha256(raw).hexdigest()[:32]


def _subject_id(row: Mapping[str, Any], kind: str | None) -> object:
    subject: dict[str, Any]
    subject = next((row[k] for k in (kind, *_SUBJECTS) if k and isinstance(row.get(k), dict)), {})
    found: object = lookup(subject, "ids.trakt")
    return found if found is not None else subject.get("username")


def lookup(row: object, path: str) -> Any:
    """The value at a dotted ``path`` of decoded JSON, or None."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _title_key(kind: str | None, title: Title | None) -> str | None:
    if title is None or title.ids.trakt is None or not 0 < title.ids.trakt <= MAX_ID:
        return None
    return f"{kind}:{title.ids.trakt}"


def _titles(subjects: Mapping[str, Title | None]) -> tuple[dict[str, Any], ...]:
    """Rows of the store's ``titles``, a show before its seasons and episodes."""
    show_key = _title_key("show", subjects.get("show"))
    found = []
    for kind in ("show", "movie", "season", "episode"):
        title = subjects.get(kind)
        key = _title_key(kind, title)
        if key is not None and title is not None:
            parent = show_key if kind in {"season", "episode"} else None
            found.append(_title_row(key, kind, title, parent))
    return tuple(found)


def _title_row(key: str, kind: str, title: Title, show_key: str | None) -> dict[str, Any]:
    detailed = any(told is not None for told in (title.genres, title.runtime, title.images))
    genres = ",".join(filter(None, map(_clean, title.genres or ())))
    return {
        "key": key,
        "type": kind,
        "trakt_id": title.ids.trakt,
        "show_key": show_key,
        "season": _within(MAX_COUNT, title.number if kind == "season" else title.season),
        "number": _within(MAX_COUNT, title.number) if kind == "episode" else None,
        "title": _clean(title.title),
        "year": _within(MAX_COUNT, title.year),
        "slug": _slug(title.ids.slug),
        "imdb": _clean(title.ids.imdb),
        "tmdb": _within(MAX_ID, title.ids.tmdb),
        "tvdb": _within(MAX_ID, title.ids.tvdb),
        "runtime": _within(MAX_COUNT, title.runtime),
        "released": _clean(title.released or title.first_aired),
        "genres": genres or None,
        "country": _clean(title.country),
        "language": _clean(title.language),
        "network": _clean(title.network),
        "status": _clean(title.status),
        "certification": _clean(title.certification),
        "aired_episodes": _within(MAX_COUNT, title.aired_episodes),
        "images": _pictures(title.images),
        "detailed": detailed,
    }


def _pictures(images: Images | None) -> str | None:
    """The first picture of each kind that we show, as JSON: ``{"poster": "host/path"}``."""
    if images is None:
        return None
    kinds = {"poster": images.poster, "still": images.screenshot}
    first = {kind: _clean(found[0]) for kind, found in kinds.items() if found}
    return msgspec.json.encode(first).decode() if first else None


def _slug(text: str | None) -> str | None:
    """A slug that can be part of an address; whoever has another one goes by the number."""
    return text if text and _SLUG.fullmatch(text) else None


def _clean(text: str | None) -> str | None:
    return text.replace("\0", "") if text else None


def _within(most: int, number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= most else None


def redact(raw: bytes, secrets: Iterable[str]) -> tuple[bytes, tuple[str, ...]]:
    """Take the fields named by ``secrets`` out of ``raw``; says which were there.

    A name is the end of a dotted path; lists on the way do not count. Without any of the names
    in it, the raw text stays byte for byte as it came.
    """
    wanted = [name for name in secrets if b'"%s"' % name.rpartition(".")[2].encode() in raw]
    if not wanted:
        return raw, ()
    try:
        row = _any.decode(raw)
        found: set[str] = set()
        _redact_inside(row, "", wanted, found)
    except _UNREADABLE:
        return b'"%s"' % REDACTED.encode(), tuple(wanted)
    return (msgspec.json.encode(row), tuple(sorted(found))) if found else (raw, ())


def _redact_inside(value: object, path: str, wanted: list[str], found: set[str]) -> None:
    if isinstance(value, list):
        for entry in value:
            _redact_inside(entry, path, wanted, found)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        inner_path = f"{path}.{name}"
        if inner and any(inner_path.endswith("." + end) for end in wanted):
            value[name] = REDACTED
            found.add(inner_path.removeprefix("."))
        else:
            _redact_inside(inner, inner_path, wanted, found)
