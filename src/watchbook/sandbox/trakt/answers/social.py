"""Followers, friends, requests, blocked members, likes and reactions."""

from __future__ import annotations

from watchbook.sandbox.answer import encode
from watchbook.sandbox.library.entries import Comment, Entry, Facts
from watchbook.sandbox.trakt.answers.plays import entries
from watchbook.sandbox.trakt.call import API, Call, Reply, not_found, raw_json


@API.get("/users/{user}/followers")
def followers(call: Call) -> Reply:
    """Who follows the account."""
    return entries(call, call.account.library.followers)


@API.get("/users/{user}/following")
def following(call: Call) -> Reply:
    """Whom the account follows; one of them is a deleted member."""
    return entries(call, call.account.library.following)


@API.get("/users/{user}/friends")
def friends(call: Call) -> Reply:
    """Who follows and is followed."""
    return entries(call, call.account.library.friends)


@API.get("/users/requests")
def requests(call: Call) -> Reply:
    """Who asks to follow the account."""
    return _whole(call, call.account.library.requests)


@API.get("/users/requests/following")
def pending(call: Call) -> Reply:
    """Whom the account has asked."""
    return _whole(call, call.account.library.pending)


@API.get("/users/blocked")
def blocked(call: Call) -> Reply:
    """Whom the account has blocked."""
    return _whole(call, call.account.library.blocked)


def _whole(call: Call, rows: list[Entry]) -> Reply:
    encoded = [call.world.shapes.row(row, call.form) for row in rows]
    return raw_json(b"[" + b",".join(encoded) + b"]")


@API.get("/users/likes/{type}", "/users/{user}/likes/{type}")
def likes(call: Call) -> Reply:
    """Lists or comments that the account likes."""
    kind = call.params["type"]
    if kind == "lists":
        return entries(call, call.account.library.liked_lists)
    if kind != "comments":
        return not_found()
    rows = call.account.library.liked_comments
    if "comments" in call.extended:
        rows = [_with_subject(call, row) for row in rows]
    return entries(call, rows)


def _with_subject(call: Call, row: Entry) -> Entry:
    if not isinstance(row.subject, Comment):
        return row
    about = row.subject
    trailing: Facts = {"comment_type": about.kind}
    found = call.world.shapes.members(about.kind, about.subject, call.form)
    return Entry(row.kind, row.subject, row.facts, {**trailing, **found})


@API.get("/users/reactions/comments")
def reactions(call: Call) -> Reply:
    """The account's reactions to comments."""
    return entries(call, call.account.library.reactions)


@API.get("/users/{user}/{circle}/activities")
def activities(_: Call) -> Reply:
    """What other people do: nothing, in a sandbox."""
    return raw_json(encode([]))
