"""The control routes of a site: its posts, edits behind the client's back, tokens, consent."""

from __future__ import annotations

from collections import Counter
from typing import cast

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.app import Request
from watchbook.sandbox.control import Data, Routes, texts
from watchbook.sandbox.site.posts import Post, Properties
from watchbook.sandbox.site.world import World

ROUTES = Routes[World]()


def answer(world: World, request: Request) -> Answer:
    """Answer one control request."""
    route = f"{request.method} {request.path}"
    return ROUTES.answer(world, request.client, route, request.query, request.body)


def _told(world: World, post: Post) -> Data:
    return {
        "url": world.url_of(post),
        "person": post.author,
        "slug": post.wanted,
        "type": post.type,
        "properties": post.properties,
        "deleted": post.deleted,
        "there": world.there(post),
        "revision": post.revision,
        "creates": post.creates,
    }


@ROUTES.on("GET", "posts")
def _posts(world: World, _: Data) -> object:
    """All posts in the order of their making, deleted ones and those to come included."""
    return {"posts": [_told(world, post) for post in world.posts]}


@ROUTES.on("GET", "slugs")
def _slugs(world: World, _: Data) -> object:
    """How many posts there are of each slug that was asked for."""
    return dict(Counter(post.wanted or "" for post in world.posts if world.there(post)))


@ROUTES.on("GET", "media")
def _media(world: World, _: Data) -> object:
    kept = world.media.values()
    return {"media": [{"name": one.name, "bytes": len(one.content)} for one in kept]}


def _post(world: World, data: Data) -> Post:
    url = str(data["url"])
    found = next((post for post in world.posts if world.url_of(post) == url), None)
    if found is None:
        message = f"no post at {url}"
        raise ValueError(message)
    return found


@ROUTES.on("POST", "posts/delete")
def _delete(world: World, data: Data) -> object:
    """Delete a post; `forget` leaves no trace of it."""
    post = _post(world, data)
    post.deleted = True
    if data.get("forget"):
        world.posts.remove(post)
    return _told(world, post)


@ROUTES.on("POST", "posts/edit")
def _edit(world: World, data: Data) -> object:
    """Set some `properties` of a post, as the person would in the site's own editor."""
    post = _post(world, data)
    changes = cast(Properties, data["properties"])
    if not all(isinstance(values, list) for values in changes.values()):
        message = "properties are lists"
        raise TypeError(message)
    post.properties = {**post.properties, **changes}
    post.revision += 1
    return _told(world, post)


def _name(world: World, data: Data) -> str | None:
    return world.person(data["person"]).name if data.get("person") else None


@ROUTES.on("POST", "tokens/revoke")
def _revoke(world: World, data: Data) -> object:
    """Take all tokens of a person back, or everybody's."""
    world.tokens.revoke_all(_name(world, data))
    return {}


@ROUTES.on("POST", "tokens/expire")
def _expire(world: World, data: Data) -> object:
    """Let all access tokens of a person, or everybody's, end now."""
    world.tokens.expire_all(_name(world, data))
    return {}


@ROUTES.on("POST", "tokens/issue")
def _issue(world: World, data: Data) -> object:
    """Further tokens of a person, good for some `scopes` or for everything."""
    person = world.person(data.get("person"))
    scopes = texts(data, "scopes")
    tokens = world.tokens
    return tokens.issue(
        tokens.consent(person.name, scope=" ".join(scopes))
        if scopes
        else tokens.consent(person.name)
    )


@ROUTES.on("POST", "consent")
def _consent(world: World, data: Data) -> object:
    """Choose who says yes to sign-ins; nobody in particular leaves it to the request."""
    world.consenting = _name(world, data)
    return {"person": world.consenting}
