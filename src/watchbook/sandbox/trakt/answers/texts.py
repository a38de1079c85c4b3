"""Comments with their replies, likes and reactions, and notes."""

from __future__ import annotations

from watchbook.sandbox.answer import Refusal, as_json, encode
from watchbook.sandbox.library.entries import Comment, Entry, Facts
from watchbook.sandbox.trakt.answers.plays import entries
from watchbook.sandbox.trakt.call import API, Call, Paged, Reply, listed, not_found, raw_json
from watchbook.sandbox.trakt.shapes import comment, shape


@API.get("/users/{user}/comments")
@API.get("/users/{user}/comments/{comment_type}")
@API.get("/users/{user}/comments/{comment_type}/{type}")
def comments(call: Call) -> Reply:
    """Comments the account wrote; `include_replies` adds replies, or `only` those."""
    wanted = call.params.get("type", "all").removesuffix("s")
    length = call.params.get("comment_type", "all")
    replies = call.query.get("include_replies", "false")
    rows = [
        Entry(made.kind, made.subject, {"type": made.kind, "comment": comment(made)})
        for made in call.account.own_comments()
        if wanted in ("all", made.kind) and _length(made, length) and _depth(made, replies)
    ]
    return entries(call, rows, default=10)


def _length(made: Comment, wanted: str) -> bool:
    return wanted == "all" or made.review == (wanted == "reviews")


def _depth(made: Comment, replies: str) -> bool:
    return replies == "true" or bool(made.parent_id) == (replies == "only")


def _find(call: Call) -> Comment:
    found = call.viewer.find_comment(call.params["id"]) if call.viewer else None
    if found is None:
        raise Refusal(not_found())
    return found


@API.get("/comments/{id}")
def one_comment(call: Call) -> Reply:
    """One comment."""
    return as_json(comment(_find(call)))


@API.get("/comments/{id}/item")
def comment_item(call: Call) -> Reply:
    """What a comment is about, bare: a title or a list."""
    return as_json(shape(_find(call).subject, call.form))


@API.get("/comments/{id}/replies")
def comment_replies(call: Call) -> Reply:
    """Answers to a comment."""
    return listed([comment(reply) for reply in _find(call).replies], default=10)


@API.get("/comments/{id}/likes")
def comment_likes(call: Call) -> Reply:
    """Who likes a comment."""
    made = _find(call)
    followers = call.account.library.followers[: made.likes]
    facts: list[Facts] = [{"liked_at": row.facts["followed_at"]} for row in followers]
    rows = [Entry("user", row.subject, fact) for row, fact in zip(followers, facts, strict=True)]
    return entries(call, rows, default=10)


@API.get("/comments/{id}/reactions")
def comment_reactions(call: Call) -> Reply:
    """Reactions to a comment: as many as it has likes, all of them laughter."""
    made = _find(call)
    rows = []
    for row in call.account.library.followers[: made.likes]:
        facts: Facts = {"reacted_at": row.facts["followed_at"], "reaction": {"type": "laugh"}}
        rows.append(Entry("user", row.subject, facts))
    return entries(call, rows, default=10)


@API.get("/comments/{id}/reactions/summary")
def comment_reactions_summary(call: Call) -> Reply:
    """Reactions to a comment, counted."""
    count = min(_find(call).likes, len(call.account.library.followers))
    words = dict.fromkeys(("like", "dislike", "love", "laugh", "shocked", "bravo", "spoiler"), 0)
    return as_json(
        {"reaction_count": count, "user_count": count, "distribution": {**words, "laugh": count}}
    )


@API.get("/users/{user}/notes")
@API.get("/users/{user}/notes/{type}")
def notes(call: Call) -> Reply:
    """Notes of one of the eight kinds, or of all."""
    kind = call.params.get("type", "all")
    table = call.account.library.notes
    if kind not in (*table, "all"):
        return not_found()
    chosen = [note for name, rows in table.items() if kind in (name, "all") for note in rows]

    def rows(first: int, last: int) -> list[bytes]:
        return [_note(call, note) for note in chosen[first:last]]

    return Paged(len(chosen), rows, 10)


def _note(call: Call, note: Facts) -> bytes:
    return encode({**note, "item": _item(call, note)})


def _item(call: Call, note: Facts) -> Facts:
    row = note["item"]
    if not isinstance(row, Entry):
        raise Refusal(not_found())
    return {**row.facts, **call.world.shapes.members(row.kind, row.subject, call.form)}


def _find_note(call: Call) -> Facts:
    found = [note for rows in call.account.library.notes.values() for note in rows]
    for note in found:
        if str(note["id"]) == call.params["id"]:
            return note
    raise Refusal(not_found())


@API.get("/notes/{id}")
def one_note(call: Call) -> Reply:
    """One note."""
    return raw_json(_note(call, _find_note(call)))


@API.get("/notes/{id}/item")
def note_item(call: Call) -> Reply:
    """What a note is attached to, and the title it is about."""
    note = _find_note(call)
    return as_json({"attached_to": note["attached_to"], **_item(call, note)})
