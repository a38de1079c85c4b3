"""The outbox: posts that are to go out, each once.

A row of kind ``create`` is one post for one play (or a binge's plays); updates and withdrawals
of it are rows of their own, which name it. Rows go through the states of :class:`PostState`;
every try at one is kept (:mod:`~watchbook.store.attempts`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.schema import outbox, outbox_plays, sites
from watchbook.store.sites import SiteState


class PostState(StrEnum):
    """How a row of the outbox stands."""

    WAITING = "waiting"
    SENDING = "sending"
    PUBLISHED = "published"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    HELD = "held"
    WITHDRAWN = "withdrawn"


class PostKind(StrEnum):
    """What a row asks of the site."""

    CREATE = "create"
    UPDATE = "update"
    WITHDRAW = "withdraw"


class Reason(StrEnum):
    """Why a row is held (what would set it free), or what else there is about it."""

    OLDER = "older"
    UNDATED = "undated"
    RATING = "rating"
    FIRST = "first"
    TEXT = "text"
    OWNER = "owner"
    REDATED = "redated"
    """Of a withdrawal: its play gets a new post, under its new date."""
    PROMISED = "promised"
    """Of a published post: the site has only said that it will make it, and is asked after it.
    Of an unknown one: it has not kept its word."""


OPEN = frozenset({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN, PostState.HELD})
"""States in which a row may still go out."""

_GOING = frozenset({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN})
"""Those in which something is done about it when its time has come."""


@dataclass(frozen=True)
class Post:
    """One row. Times are milliseconds since 1970; ``sent`` is the post as the site took it (JSON).

    ``post_id`` names the post that an update or a withdrawal is about.
    """

    id: int
    account_id: int
    site_id: int
    kind: str
    post_id: int | None
    slug: str | None
    show_key: str | None
    watched_at: int
    state: str
    reason: str | None
    words: str | None
    due_at: int
    made_at: int
    settled_at: int | None
    url: str | None
    sent: str | None
    tries: int
    looks: int


_CHUNK = 500
_COLUMNS = [outbox.c[name] for name in Post.__dataclass_fields__]


def offer(conn: sa.Connection, row: Mapping[str, Any], history_id: int) -> bool:
    """Put a new post for a play in; False when the play has one at the site already."""
    if is_known(conn, row["site_id"], history_id):
        return False
    insert = sa.insert(outbox).values(_blank() | dict(row)).returning(outbox.c.id)
    link(conn, row["site_id"], history_id, conn.execute(insert).scalar_one())
    return True


def _blank() -> dict[str, Any]:
    return {"kind": PostKind.CREATE, "made_at": to_millis(now()), "tries": 0, "looks": 0}


def is_known(conn: sa.Connection, site_id: int, history_id: int) -> bool:
    """Whether a play has a post at the site, however that stands."""
    ours = (outbox_plays.c.site_id == site_id) & (outbox_plays.c.history_id == history_id)
    return conn.scalar(sa.select(outbox_plays.c.outbox_id).where(ours)) is not None


def known_plays(conn: sa.Connection, site_id: int) -> set[int]:
    """The history ids that have a post at the site, however that stands."""
    query = sa.select(outbox_plays.c.history_id).where(outbox_plays.c.site_id == site_id)
    return set(conn.scalars(query))


def free_held(conn: sa.Connection, site_id: int, reason: Reason, since: int) -> int:
    """Let posts of plays since then go on that were held for ``reason``; returns how many."""
    held = sa.update(outbox).where(
        outbox.c.site_id == site_id,
        outbox.c.state == PostState.HELD,
        outbox.c.reason == reason,
        outbox.c.watched_at >= since,
    )
    values = {"state": PostState.WAITING, "reason": None, "words": None}
    return conn.execute(held.values(due_at=to_millis(now()), **values)).rowcount


def open_binge(conn: sa.Connection, site_id: int, show_key: str) -> Post | None:
    """The newest post that waits for more episodes of a show; nobody sends it meanwhile.

    One that the site may have been given before takes no more episodes.
    """
    query = sa.select(*_COLUMNS).where(
        outbox.c.site_id == site_id,
        outbox.c.show_key == show_key,
        outbox.c.kind == PostKind.CREATE,
        outbox.c.state == PostState.WAITING,
        outbox.c.tries == 0,
    )
    newest = query.order_by(outbox.c.id.desc()).limit(1)
    row = conn.execute(newest.with_for_update()).one_or_none()
    return Post(*row) if row else None


def link(conn: sa.Connection, site_id: int, history_id: int, outbox_id: int) -> None:
    """Let a play belong to a post."""
    row = {"site_id": site_id, "history_id": history_id, "outbox_id": outbox_id}
    conn.execute(sa.insert(outbox_plays).values(row))


def follow_up(
    conn: sa.Connection,
    post: Post,
    kind: PostKind,
    watched_at: int,
    reason: Reason | None = None,
) -> None:
    """Ask for an update or a withdrawal of a post, whose play was watched at that moment."""
    row = {
        "account_id": post.account_id,
        "site_id": post.site_id,
        "kind": kind,
        "post_id": post.id,
        "watched_at": watched_at,
        "state": PostState.WAITING,
        "reason": reason,
        "due_at": to_millis(now()),
    }
    conn.execute(sa.insert(outbox).values(_blank() | row))


def make_anew(conn: sa.Connection, post: Post, watched_at: int) -> None:
    """Let the plays of a post that was withdrawn have a new one, under another slug."""
    row = {
        "account_id": post.account_id,
        "site_id": post.site_id,
        "slug": f"{post.slug}-{post.id}",
        "watched_at": watched_at,
        "state": PostState.WAITING,
        "due_at": to_millis(now()),
    }
    insert = sa.insert(outbox).values(_blank() | row).returning(outbox.c.id)
    made = conn.execute(insert).scalar_one()
    theirs = outbox_plays.c.outbox_id == post.id
    conn.execute(sa.update(outbox_plays).where(theirs).values(outbox_id=made))


def published_since(conn: sa.Connection, site_id: int, moment: int) -> list[Post]:
    """The posts of a site that were published since then (millis)."""
    query = sa.select(*_COLUMNS).where(
        outbox.c.site_id == site_id,
        outbox.c.kind == PostKind.CREATE,
        outbox.c.state == PostState.PUBLISHED,
        outbox.c.settled_at >= moment,
    )
    return [Post(*row) for row in conn.execute(query.order_by(outbox.c.id))]


def newest_published(conn: sa.Connection, site_id: int) -> Post | None:
    """The post of a site that was published last and whose address and slug are known."""
    query = sa.select(*_COLUMNS).where(
        outbox.c.site_id == site_id,
        outbox.c.kind == PostKind.CREATE,
        outbox.c.state == PostState.PUBLISHED,
        outbox.c.url.is_not(None),
        outbox.c.slug.is_not(None),
    )
    row = conn.execute(query.order_by(outbox.c.settled_at.desc()).limit(1)).one_or_none()
    return Post(*row) if row else None


def pressing(conn: sa.Connection, moment: int) -> set[int]:
    """The accounts with something to do by then (millis), at sites that go on."""
    rested = sites.c.retry_at.is_(None) | (sites.c.retry_at <= moment)
    goes_on = sites.c.state.in_((SiteState.WORKING, SiteState.TROUBLED)) & rested
    query = (
        sa.select(outbox.c.account_id)
        .join(sites, sites.c.id == outbox.c.site_id)
        .where(goes_on, outbox.c.state.in_(_GOING), outbox.c.due_at <= moment)
    )
    owing = sa.select(sites.c.account_id).where(goes_on, sites.c.config.is_not(None))
    return set(conn.scalars(query.union(owing)))


def has_due(conn: sa.Connection, site_id: int, moment: int) -> bool:
    """Whether a site has something to send or to look for, or to finish, by then (millis)."""
    query = sa.select(outbox.c.id).where(
        outbox.c.site_id == site_id, outbox.c.state.in_(_GOING), outbox.c.due_at <= moment
    )
    owing = sa.select(sites.c.id).where(sites.c.id == site_id, sites.c.config.is_not(None))
    return conn.scalar(query.union_all(owing).limit(1)) is not None


def forget(conn: sa.Connection, outbox_ids: Collection[int]) -> None:
    """Forget rows with their attempts; their plays are as if they had never been posted."""
    for outbox_id in outbox_ids:
        conn.execute(sa.delete(outbox).where(outbox.c.id == outbox_id))


def get(conn: sa.Connection, outbox_id: int, *, lock: bool = False) -> Post | None:
    """The row with that id; with ``lock`` nobody else changes it before the transaction ends."""
    query = sa.select(*_COLUMNS).where(outbox.c.id == outbox_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return Post(*row) if row else None


def find(
    conn: sa.Connection,
    site_id: int,
    states: Collection[PostState],
    *,
    due: int | None = None,
    reason: Reason | None = None,
    newest_first: bool = False,
    limit: int | None = None,
) -> list[Post]:
    """Rows of a site in one of ``states``, in order of watching.

    With ``due`` those that are due by that moment, with ``reason`` those that have it.
    """
    query = sa.select(*_COLUMNS).where(outbox.c.site_id == site_id, outbox.c.state.in_(states))
    if due is not None:
        query = query.where(outbox.c.due_at <= due)
    if reason is not None:
        query = query.where(outbox.c.reason == reason)
    order = (outbox.c.watched_at, outbox.c.id)
    query = query.order_by(*((c.desc() for c in order) if newest_first else order)).limit(limit)
    return [Post(*row) for row in conn.execute(query)]


def page(
    conn: sa.Connection,
    account_id: int,
    limit: int,
    *,
    state: str | None = None,
    before: int | None = None,
) -> list[Post]:
    """Rows of all sites of an account, those made last first, from behind the row ``before`` on."""
    query = sa.select(*_COLUMNS).where(outbox.c.account_id == account_id)
    if state is not None:
        query = query.where(outbox.c.state == state)
    if before is not None:
        query = query.where(outbox.c.id < before)
    return [Post(*row) for row in conn.execute(query.order_by(outbox.c.id.desc()).limit(limit))]


def plays_of(conn: sa.Connection, outbox_id: int) -> list[int]:
    """The history ids of the plays that a post is about."""
    query = sa.select(outbox_plays.c.history_id).where(outbox_plays.c.outbox_id == outbox_id)
    return sorted(conn.scalars(query))


def posts_of_plays(conn: sa.Connection, outbox_ids: Collection[int]) -> dict[int, int]:
    """The post of each play that one of those posts is about, by history id."""
    query = sa.select(outbox_plays.c.history_id, outbox_plays.c.outbox_id)
    ids, found = list(outbox_ids), {}
    for start in range(0, len(ids), _CHUNK):
        some = outbox_plays.c.outbox_id.in_(ids[start : start + _CHUNK])
        found.update({row[0]: row[1] for row in conn.execute(query.where(some))})
    return found


def changes_of_posts(conn: sa.Connection, site_id: int) -> dict[int, list[Post]]:
    """The updates and withdrawals of a site's posts, by post, oldest first."""
    query = sa.select(*_COLUMNS).where(outbox.c.site_id == site_id, outbox.c.post_id.is_not(None))
    found: dict[int, list[Post]] = {}
    for post in (Post(*row) for row in conn.execute(query.order_by(outbox.c.id))):
        found.setdefault(post.post_id or 0, []).append(post)
    return found


def counts(conn: sa.Connection, site_id: int) -> dict[str, int]:
    """How many posts of a site are in each state; changes count while they are not done."""
    done = (PostState.PUBLISHED, PostState.WITHDRAWN)
    counting = (outbox.c.kind == PostKind.CREATE) | outbox.c.state.not_in(done)
    query = (
        sa.select(outbox.c.state, sa.func.count())
        .where(outbox.c.site_id == site_id, counting)
        .group_by(outbox.c.state)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def open_counts(conn: sa.Connection) -> dict[str, int]:
    """How many rows of all sites are waiting, sending, unknown and rejected."""
    states = (*_GOING, PostState.REJECTED)
    query = (
        sa.select(outbox.c.state, sa.func.count())
        .join(sites, sites.c.id == outbox.c.site_id)
        .where(outbox.c.state.in_(states))
        .group_by(outbox.c.state)
    )
    return dict.fromkeys(map(str, states), 0) | {row[0]: row[1] for row in conn.execute(query)}


def change(conn: sa.Connection, outbox_id: int, **values: object) -> None:
    """Set columns of a row."""
    conn.execute(sa.update(outbox).where(outbox.c.id == outbox_id).values(values))


def settle(
    conn: sa.Connection,
    outbox_id: int,
    state: PostState,
    words: str | None = None,
    **values: object,
) -> None:
    """Write down how a row stands now, and why."""
    told = {"state": state, "words": words, "settled_at": to_millis(now())}
    change(conn, outbox_id, **told | values)
