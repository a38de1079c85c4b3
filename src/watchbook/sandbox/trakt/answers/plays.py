"""History, playback and what is running now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from watchbook.sandbox.answer import Answer, Refusal, refused
from watchbook.sandbox.library.entries import Entry, Play, stamp
from watchbook.sandbox.library.titles import MINUTE
from watchbook.sandbox.trakt.call import API, Call, Paged, Reply, not_found, raw_json
from watchbook.sandbox.trakt.history import window

_EPISODES = ("episode", "episodes", "shows", "show", "seasons", "season")


@API.get("/sync/history", "/users/{user}/history")
def history(call: Call) -> Reply:
    """All plays, the newest first."""
    return _page(call, call.account.history.plays)


@API.get("/sync/history/{type}", "/users/{user}/history/{type}")
def history_of_type(call: Call) -> Reply:
    """Plays of films, or of episodes; `shows` and `seasons` mean episodes too."""
    catalogue, kind = call.world.catalogue, call.params["type"]
    plays = call.account.history
    if kind == "all":
        return _page(call, plays.plays)
    if kind in ("movies", "movie"):
        return _page(call, plays.select("movies", catalogue.is_film))
    if kind in _EPISODES:
        return _page(call, plays.select("episodes", lambda item: not catalogue.is_film(item)))
    return not_found()


@API.get("/sync/history/{type}/{id}", "/users/{user}/history/{type}/{id}")
def history_of_title(call: Call) -> Reply:
    """Plays of one film, show, season or episode."""
    kind = call.params["type"].removesuffix("s")
    find = {"movie": _film, "show": _show, "season": _season, "episode": _episode}.get(kind)
    items = find(call, call.params["id"]) if find else None
    if items is None:
        return not_found()
    key = (kind, call.params["id"])
    return _page(call, call.account.history.select(key, items.__contains__))


def _film(call: Call, key: str) -> range | None:
    item = call.world.catalogue.film_item(key)
    return None if item is None else range(item, item + 1)


def _show(call: Call, key: str) -> range | None:
    show = call.world.catalogue.show(key)
    return call.world.catalogue.items_of(show) if show else None


def _season(call: Call, key: str) -> range | None:
    season = call.world.catalogue.season(key)
    if season is None:
        return None
    start = season.show.offsets[season.number]
    items = call.world.catalogue.items_of(season.show)
    return items[start : start + season.show.count(season.number)]


def _episode(call: Call, key: str) -> range | None:
    item = call.world.catalogue.episode_item(key)
    return None if item is None else range(item, item + 1)


def _page(call: Call, plays: list[Play]) -> Paged:
    low, high = window(plays, moment(call, "start_at"), moment(call, "end_at"))
    write = _writer(call)

    def rows(first: int, last: int) -> list[bytes]:
        chosen = plays[max(low, high - last) : high - first]
        return [write(play) for play in reversed(chosen)]

    return Paged(high - low, rows)


def _writer(call: Call) -> Callable[[Play], bytes]:
    catalogue, shapes, form = call.world.catalogue, call.world.shapes, call.form

    def write(play: Play) -> bytes:
        kind = "movie" if catalogue.is_film(play.item) else "episode"
        head = f'{{"id":{play.id},"watched_at":"{stamp(play.minute)}","action":"{play.action}",'
        subject = shapes.subject(kind, catalogue.title(play.item), form)
        return f'{head}"type":"{kind}",'.encode() + subject + b"}"

    return write


def moment(call: Call, name: str) -> int | None:
    """A time parameter as a minute; a bare date means its first moment, or its last for an end."""
    text = call.query.get(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Refusal(refused(400, "invalid_request", f"{name} is not a date")) from None
    found = found.replace(tzinfo=found.tzinfo or UTC)
    whole_day = len(text) == len("2026-11-21") and name == "end_at"
    seconds = int(found.timestamp())
    # Plays have no seconds: a start within a minute leaves that minute out.
    return seconds // MINUTE + 1439 if whole_day else _minute(seconds, name)


def _minute(seconds: int, name: str) -> int:
    return -(-seconds // MINUTE) if name == "start_at" else seconds // MINUTE


@API.get("/sync/playback", "/sync/playback/{type}")
def playback(call: Call) -> Reply:
    """Things stopped halfway, the last stopped first."""
    wanted = call.params.get("type", "all").removesuffix("s")
    start, end = moment(call, "start_at"), moment(call, "end_at")
    low = stamp(start) if start is not None else ""
    high = stamp(end) if end is not None else "~"
    chosen = [
        row
        for row in call.account.library.playback
        if wanted in ("all", row.kind) and low <= str(row.facts["paused_at"]) <= high
    ]
    return entries(call, chosen)


def entries(call: Call, chosen: list[Entry], default: int = 100) -> Paged:
    """Rows about titles, to be served by page in the form that the call asks for."""
    shapes, form = call.world.shapes, call.form

    def rows(first: int, last: int) -> list[bytes]:
        return [shapes.row(row, form) for row in chosen[first:last]]

    return Paged(len(chosen), rows, default)


@API.get("/users/{user}/watching")
def watching(call: Call) -> Reply:
    """What is running now, or 204."""
    found = call.account.library.watching
    if found is None or str(found.facts["expires_at"]) <= stamp(call.world.clock.minute()):
        return Answer(204)
    return raw_json(call.world.shapes.row(found, call.form))
