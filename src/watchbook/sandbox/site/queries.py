"""What can be asked of the Micropub endpoint."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from watchbook.sandbox.answer import HTML_TYPE, TEXT_TYPE, Answer, as_json, refused
from watchbook.sandbox.site.call import MEDIA, Call
from watchbook.sandbox.site.posts import Post

_TARGETS = [{"uid": "https://fedi.example/@alice", "name": "fedi.example"}]
_PAGE = 20


def answer(call: Call) -> Answer:
    """Answer one query."""
    call.action = call.query.get("q", "")
    call.sign_in()
    handler = _QUERIES.get(call.action)
    return handler(call) if handler else refused(400, "invalid_request", "Not a query known here")


def _config(call: Call) -> Answer:
    for name in call.fires("config"):
        return _NO_CONFIG[name](call)
    return as_json(
        {
            "media-endpoint": f"{call.world.url}{MEDIA}",
            "syndicate-to": _TARGETS,
            "post-types": [
                {"type": "note", "name": "Note", "properties": ["content", "category"]},
                {"type": "watch", "name": "Watched", "properties": ["watch-of", "content"]},
            ],
            "categories": _known_categories(call),
            "visibility": ["public", "unlisted", "private"],
            "q": list(_QUERIES),
        }
    )


def _login(call: Call) -> Answer:
    return Answer(302, b"", [(b"location", f"{call.world.url}/session/login".encode())])


_NO_CONFIG: dict[str, Callable[[Call], Answer]] = {
    "no-config": lambda _: refused(400, "invalid_request", "There is no such query"),
    "no-config-text": lambda _: Answer(200, b"me=https%3A%2F%2Falice.example%2F", [TEXT_TYPE]),
    "no-config-html": lambda _: Answer(200, b"<!DOCTYPE html><p>Micropub lives here.", [HTML_TYPE]),
    "no-config-login": _login,
}


def _syndicate_to(_: Call) -> Answer:
    return as_json({"syndicate-to": _TARGETS})


def _categories(call: Call) -> Answer:
    return as_json({"categories": _known_categories(call)})


def _known_categories(call: Call) -> list[str]:
    values = (post.properties.get("category", []) for post in call.world.posts_of(call.person))
    return sorted({str(value) for found in values for value in found})


def _source(call: Call) -> Answer:
    faults = call.fires("source").keys()
    if "no-source" in faults:
        return refused(400, "invalid_request", "There is no such query")
    if "no-source-hidden" in faults:
        found = {"error": "invalid_request", "error_description": "Not found"}
        return as_json({"data": found, "status": 400})
    if "url" in call.query:
        return _one(call, shows_deleted="source-deleted" in faults)
    if "no-source-list" in faults:
        return refused(501, "not_implemented", "Posts are not listed here")
    return _list(call, with_url="source-without-url" not in faults)


def _one(call: Call, *, shows_deleted: bool) -> Answer:
    post = call.world.post_at(call.query["url"])
    if post is None or post.author != call.person or (post.deleted and not shows_deleted):
        return refused(400, "invalid_request", "There is no such post")
    names = [value for name, value in _pairs(call) if name in ("properties", "properties[]")]
    found = _told(call, post)
    if post.deleted:
        found["deleted"] = [call.world.clock.now().isoformat(timespec="seconds")]
    if names:
        return as_json({"properties": {name: found[name] for name in names if name in found}})
    return as_json({"type": [post.type], "properties": found})


def _pairs(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.request.query_string, keep_blank_values=True)


def _list(call: Call, *, with_url: bool) -> Answer:
    limit, offset = _number(call, "limit", _PAGE), _number(call, "offset", 0)
    posts = call.world.posts_of(call.person)[offset : offset + max(1, min(limit, 100))]
    return as_json({"items": [_item(call, post, with_url=with_url) for post in posts]})


def _number(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else otherwise


def _item(call: Call, post: Post, *, with_url: bool) -> object:
    found = _told(call, post)
    if not with_url:
        del found["url"]
    return {"type": [post.type], "properties": found}


def _told(call: Call, post: Post) -> dict[str, object]:
    return {**post.properties, "url": [call.world.url_of(post)]}


_QUERIES: dict[str, Callable[[Call], Answer]] = {
    "config": _config,
    "source": _source,
    "syndicate-to": _syndicate_to,
    "category": _categories,
}
