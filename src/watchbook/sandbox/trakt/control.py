"""The control routes of Trakt's stand-in: truth, tokens and edits, besides those of all stand-ins.

`account` names an account by its slug, and the first one is meant when it is left out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from watchbook.sandbox.answer import Answer, Refusal, refused
from watchbook.sandbox.app import Request
from watchbook.sandbox.control import Data, Routes, real, texts
from watchbook.sandbox.library.entries import UNKNOWN_DATE, Comment, Play, UserList, stamp
from watchbook.sandbox.library.maker import kind_of
from watchbook.sandbox.library.titles import DAY, MINUTE, Episode, Film
from watchbook.sandbox.trakt import edits, export, truth
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.world import World

ROUTES = Routes[World]()
_on = ROUTES.on


def answer(world: World, request: Request) -> Answer:
    """Answer one control request."""
    route = f"{request.method} {request.path}"
    return ROUTES.answer(world, request.client, route, request.query, request.body)


def _account(world: World, data: Data) -> Account:
    return world.account(str(data.get("account") or world.slugs[0]))


def _number(data: Data, name: str, default: float = 0) -> int:
    return int(real(data, name, default))


def _minute(data: Data, name: str = "watched_at") -> int | None:
    """A time as ISO text, or "unknown" for the date that nobody knows."""
    text = data.get(name)
    if text is None:
        return None
    if text == "unknown":
        return UNKNOWN_DATE
    found = datetime.fromisoformat(str(text))
    return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp()) // MINUTE


def _title(world: World, data: Data) -> edits.Title | None:
    """The title that `movie`, `show`, `season` or `episode` names, by Trakt id or slug."""
    catalogue = world.catalogue
    for kind in ("movie", "show", "season", "episode"):
        if kind in data:
            key = str(data[kind])
            if kind in ("show", "season"):
                found = catalogue.show(key) if kind == "show" else catalogue.season(key)
            else:
                item = _item(world, data)
                found = None if item is None else catalogue.title(item)  # type: ignore[assignment]
            if found is None:
                raise Refusal(refused(404, "not_found", f"no {kind} {key}"))
            return found
    return None


def _need_title(world: World, data: Data) -> edits.Title:
    found = _title(world, data)
    if found is None:
        message = "name a movie, show, season or episode"
        raise ValueError(message)
    return found


def _item(world: World, data: Data) -> int | None:
    if "movie" in data:
        return world.catalogue.film_item(str(data["movie"]))
    return world.catalogue.episode_item(str(data["episode"])) if "episode" in data else None


def _told(world: World, plays: list[Play]) -> Data:
    return {
        "plays": [
            {
                "id": play.id,
                "watched_at": stamp(play.minute),
                "title": _name(world.catalogue.title(play.item)),
            }
            for play in plays
        ]
    }


def _name(title: Film | Episode) -> str:
    if isinstance(title, Film):
        return f"{title.title} ({title.year})"
    return f"{title.show.title} S{title.season} E{title.number}"


@_on("GET", "state")
def _state(world: World, data: Data) -> object:
    return truth.state(world, _account(world, data))


@_on("POST", "consent")
def _consent(world: World, data: Data) -> object:
    """Choose who is signed in at the auth host."""
    world.consenting = _account(world, data).slug
    return {"account": world.consenting}


@_on("POST", "tokens/expire")
def _expire(world: World, data: Data) -> object:
    """Let every access token of an account expire now."""
    slug = _account(world, data).slug
    for access in world.grants.access.values():
        if access.slug == slug:
            access.expires = 0
    return {}


@_on("POST", "tokens/issue")
def _issue(world: World, data: Data) -> object:
    """A further pair of tokens, as if the person had said yes once more."""
    return world.grants.issue(_account(world, data).slug)


@_on("POST", "plays/add")
def _add(world: World, data: Data) -> object:
    account, when = _account(world, data), _minute(data)
    action = str(data.get("action", "watch"))
    count = _number(data, "count", 1)
    return _told(world, edits.add_plays(world, account, count, when, _item(world, data), action))


@_on("POST", "plays/backdate")
def _backdate(world: World, data: Data) -> object:
    """Add plays that happened `days` ago."""
    when = world.clock.minute() - _number(data, "days", 400) * DAY
    count = _number(data, "count", 1)
    account = _account(world, data)
    return _told(world, edits.add_plays(world, account, count, when, _item(world, data)))


@_on("POST", "plays/delete")
def _delete(world: World, data: Data) -> object:
    """Delete plays by `ids`, some `count` of them, or a `share` of all."""
    account = _account(world, data)
    ids = [int(text) for text in texts(data, "ids")]
    if not ids:
        share = int(real(data, "share") * len(account.history.plays))
        count = _number(data, "count") or share
        ids = edits.pick(account, count, _number(data, "seed"))
    return _told(world, edits.delete_plays(world, account, ids))


@_on("POST", "plays/edit")
def _edit(world: World, data: Data) -> object:
    """Give the play `id` another `watched_at`; `keep_id` false gives it a new id as well."""
    when = _minute(data)
    if when is None:
        message = "watched_at is missing"
        raise ValueError(message)
    keep = bool(data.get("keep_id", True))
    number = _number(data, "id")
    edited = edits.edit_play(world, _account(world, data), number, when, keep_id=keep)
    return _told(world, [edited])


@_on("POST", "ratings/set")
def _rate(world: World, data: Data) -> object:
    edits.rate(world, _account(world, data), _need_title(world, data), _number(data, "rating", 8))
    return {}


@_on("POST", "ratings/remove")
def _unrate(world: World, data: Data) -> object:
    edits.rate(world, _account(world, data), _need_title(world, data), None)
    return {}


@_on("POST", "watchlist/add")
def _want(world: World, data: Data) -> object:
    edits.watchlist_add(world, _account(world, data), _need_title(world, data))
    return {}


@_on("POST", "watchlist/remove")
def _unwant(world: World, data: Data) -> object:
    edits.watchlist_remove(world, _account(world, data), _need_title(world, data))
    return {}


@_on("POST", "favorites/add")
def _favor(world: World, data: Data) -> object:
    edits.favorite(world, _account(world, data), _need_title(world, data), on=True)
    return {}


@_on("POST", "favorites/remove")
def _disfavor(world: World, data: Data) -> object:
    edits.favorite(world, _account(world, data), _need_title(world, data), on=False)
    return {}


def _list(world: World, data: Data) -> UserList:
    found = _account(world, data).find_list(str(data["list"]))
    if found is None:
        raise Refusal(refused(404, "not_found", f"no list {data['list']}"))
    return found


@_on("POST", "lists/add")
def _list_add(world: World, data: Data) -> object:
    name, privacy = str(data["name"]), str(data.get("privacy", "private"))
    made = edits.list_add(world, _account(world, data), name, privacy)
    return {"id": made.trakt, "slug": made.slug}


@_on("POST", "lists/rename")
def _list_rename(world: World, data: Data) -> object:
    made = _list(world, data)
    made.name = str(data["name"])
    edits.list_touch(world, _account(world, data), made)
    return {"id": made.trakt, "slug": made.slug}


@_on("POST", "lists/delete")
def _list_delete(world: World, data: Data) -> object:
    edits.list_delete(world, _account(world, data), _list(world, data))
    return {}


@_on("POST", "lists/items/add")
def _list_item_add(world: World, data: Data) -> object:
    made, account = _list(world, data), _account(world, data)
    edits.list_item(world, account, made.items, _need_title(world, data))
    edits.list_touch(world, account, made)
    return {"item_count": len(made.items)}


@_on("POST", "lists/items/remove")
def _list_item_remove(world: World, data: Data) -> object:
    """Take the item of a `rank` off a list, the first one unless told otherwise."""
    made = _list(world, data)
    del made.items[_number(data, "rank", 1) - 1]
    edits.list_touch(world, _account(world, data), made)
    return {"item_count": len(made.items)}


@_on("POST", "hidden/add")
def _hide(world: World, data: Data) -> object:
    section = str(data.get("section", "dropped"))
    edits.hide(world, _account(world, data), section, _need_title(world, data), on=True)
    return {}


@_on("POST", "hidden/remove")
def _unhide(world: World, data: Data) -> object:
    section = str(data.get("section", "dropped"))
    edits.hide(world, _account(world, data), section, _need_title(world, data), on=False)
    return {}


@_on("POST", "watching")
def _watching(world: World, data: Data) -> object:
    """Start a film or episode, or stop when none is named."""
    edits.watch_now(world, _account(world, data), _title(world, data))
    return {}


@_on("POST", "comments/add")
def _comment(world: World, data: Data) -> object:
    account, title = _account(world, data), _need_title(world, data)
    kind, now = kind_of(title), world.clock.minute()
    text = str(data.get("text", "Seen twice, still not sure about the ending."))
    made = Comment(next(account.numbers), 0, account.library.user, text, now, kind, title)
    account.library.comments.insert(0, made)
    edits.touch(world, account, f"{kind}s.commented_at")
    return {"id": made.id}


@_on("POST", "export")
def _export(world: World, data: Data) -> object:
    """Write the official export to `path`; `errors` are the files that fail."""
    path, numbered = Path(str(data["path"])), bool(data.get("numbered"))
    account, errors = _account(world, data), texts(data, "errors")
    export.write_zip(world, account, path, numbered=numbered, errors=errors)
    return {"path": str(path)}


@_on("POST", "settings")
def _settings(world: World, data: Data) -> object:
    """Change the time zone."""
    account = _account(world, data)
    parts = account.library.account["account"]
    if isinstance(parts, dict):
        parts["timezone"] = str(data.get("timezone", "Europe/Berlin"))
    edits.touch(world, account, "account.settings_at")
    return {}
