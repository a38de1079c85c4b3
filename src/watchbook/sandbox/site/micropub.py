"""Micropub: queries, and making, changing and deleting posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from watchbook.sandbox.answer import HTML_TYPE, TEXT_TYPE, Answer, Refusal, as_json, refused
from watchbook.sandbox.site import media, queries
from watchbook.sandbox.site.body import Body
from watchbook.sandbox.site.call import MOVED, Call
from watchbook.sandbox.site.posts import Naming, Post, Properties
from watchbook.sandbox.site.tokens import Access

_NOT_STORED = ("access_token", "h", "action", "url")
_NAMINGS: dict[str, Naming] = {
    "slug-ignored": "ignored",
    "slug-suffix": "suffix",
    "slug-by-time": "time",
}
_EMPTY = {"ID": {"data": {"error": "empty_content", "error_description": "It is empty"}}}
"""WordPress hides the error where an id should be."""


def answer(call: Call) -> Answer:
    """Answer one request to the endpoint."""
    if call.request.method == "GET":
        return _looked_at(call) if call.request.path == MOVED else queries.answer(call)
    if call.request.method != "POST":
        return refused(405, "method_not_allowed", "GET or POST")
    call.action = str(call.body.value("action") or "create")
    handler = _ACTIONS.get(call.action)
    if handler is None:
        _invalid("There is no such action")
    return handler(call)


def _looked_at(call: Call) -> Answer:
    """What a client sees that follows the redirect of a POST as if it were a page."""
    call.action = "followed"
    return Answer(200, b"<!DOCTYPE html><title>Hello</title><p>Hello.", [HTML_TYPE])


def _invalid(why: str) -> NoReturn:
    raise Refusal(refused(400, "invalid_request", why))


def _create(call: Call) -> Answer:
    access = call.sign_in("create")
    kind, properties = _wanted(call.body)
    for file in call.body.files:
        properties.setdefault(file.part, []).append(media.keep(call.world, file))
    if call.body.files:
        call.action = "create with files"
    post = _new(call, access, kind, properties)
    faults = call.fires("create")
    if "accepted-202-never" in faults:
        return _made(202, _never(call, post))
    if "location-empty" in faults:
        return as_json(_EMPTY, 201, [(b"location", b"")])
    later = faults.get("accepted-202-later")
    post.appears += later.number() if later else 0
    naming: Naming = next((_NAMINGS[name] for name in faults if name in _NAMINGS), "keep")
    kept = call.world.posts.make(post, naming, call.world.people[access.person].home)
    if "location-missing" in faults:
        return Answer(201, b"", [TEXT_TYPE])
    place = "undefined" if "location-undefined" in faults else call.world.url_of(kept)
    return _made(202 if later else 201, place)


def _wanted(body: Body) -> tuple[str, Properties]:
    """The kind and the properties of the post that a body describes."""
    if body.json is None:
        found: Properties = {}
        for name, value in body.fields:
            if name not in _NOT_STORED:
                found.setdefault(name, []).append(value)
        return f"h-{body.form.get('h', 'entry')}", found
    kinds, properties = body.json.get("type"), body.json.get("properties")
    if not isinstance(kinds, list) or not kinds or not str(kinds[0]).startswith("h-"):
        _invalid('`type` has to be an array such as ["h-entry"]')
    return str(kinds[0]), _lists(properties, "properties")


def _lists(found: object, name: str) -> Properties:
    """An object all of whose members are arrays."""
    if not isinstance(found, Mapping):
        _invalid(f"`{name}` has to be an object")
    for key, values in found.items():
        if not isinstance(values, list):
            _invalid(f"`{key}` has to be an array, though of one")
    return {str(key): list(values) for key, values in found.items()}


def _new(call: Call, access: Access, kind: str, properties: Properties) -> Post:
    """A post that nobody has kept yet; it has a date, and no commands among its properties."""
    slugs, now = properties.get("mp-slug"), call.world.clock.now()
    kept = {name: values for name, values in properties.items() if not name.startswith("mp-")}
    kept.setdefault("published", [now.isoformat(timespec="seconds")])
    wanted = _slug(str(slugs[0])) if slugs else None
    moment = now.timestamp()
    post = Post(access.person, "", wanted or None, kind, kept, moment, moment)
    _check_date(post)
    return post


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)[:100]


def _check_date(post: Post) -> None:
    try:
        _ = post.published
    except (ValueError, OverflowError):
        _invalid("`published` is no date")


def _never(call: Call, post: Post) -> str:
    home = call.world.people[post.author].home.rstrip("/")
    return f"{call.world.url}{home}/soon/{post.wanted or 'post'}"


def _made(status: int, place: str) -> Answer:
    return Answer(status, b"", [(b"location", place.encode()), TEXT_TYPE])


def _own(call: Call, access: Access) -> Post:
    """The post that the body names, when it is the person's own."""
    post = call.world.post_at(str(call.body.value("url") or ""))
    if post is None:
        _invalid("There is no such post")
    if post.author != access.person:
        raise Refusal(refused(403, "forbidden", "The post is somebody else's"))
    return post


def _update(call: Call) -> Answer:
    access = call.sign_in("update")
    post = _own(call, access)
    if call.body.json is None or post.deleted:
        _invalid("Updates come as JSON, and for posts that are there")
    before = dict(post.properties)
    post.properties = _changed(post.properties, call.body.json)
    try:
        _check_date(post)
    except Refusal:
        post.properties = before
        raise
    post.revision += 1
    moving = call.fires("update").get("update-moves")
    if moving is None:
        return Answer(204)
    call.world.posts.move(post, call.world.people[post.author].home)
    if moving.number() == 200:
        return Answer(200, b"", [TEXT_TYPE])
    return _made(201, call.world.url_of(post))


def _changed(properties: Properties, asked: Mapping[str, object]) -> Properties:
    """The properties after an update: replaced, added to, taken from."""
    deleted = asked.get("delete", [])
    wholly = deleted if isinstance(deleted, list) else []
    if not {"replace", "add", "delete"} & asked.keys():
        _invalid("An update has to replace, add or delete something")
    single = {} if isinstance(deleted, list) else _lists(deleted, "delete")
    found = {name: values for name, values in properties.items() if name not in wholly}
    found |= _lists(asked.get("replace", {}), "replace")
    for name, values in _lists(asked.get("add", {}), "add").items():
        found[name] = [*found.get(name, []), *values]
    for name, values in single.items():
        found[name] = [value for value in found.get(name, []) if value not in values]
    return {name: values for name, values in found.items() if values}


def _delete(call: Call) -> Answer:
    post = _own(call, call.sign_in("delete"))
    if post.deleted:
        if "delete-twice-500" in call.fires("delete"):
            return refused(500, "server_error", "Cannot read properties of undefined")
        _invalid("The post is deleted already")
    post.deleted = True
    return Answer(204)


def _undelete(call: Call) -> Answer:
    post = _own(call, call.sign_in("undelete", "delete"))
    post.deleted = False
    return Answer(204)


_ACTIONS: dict[str, Callable[[Call], Answer]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
    "undelete": _undelete,
}
