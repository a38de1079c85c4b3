"""Living posts: what has changed since a post was made becomes an update or a withdrawal of it.

Nothing is asked of a site here; rows of their own in the outbox ask for it, with the same care as
new posts. A play counts as deleted when the store says so, which the wire against mass deletions
has guarded before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.micropub.citing import Properties
from watchbook.micropub.post import Post as Entry
from watchbook.micropub.post import properties, replacement
from watchbook.publish import posters
from watchbook.publish.composing import composed
from watchbook.publish.facts import Facts, facts_by_post
from watchbook.publish.rules import Rules
from watchbook.store import outbox
from watchbook.store.accounts import Account
from watchbook.store.outbox import Post, PostKind, PostState, Reason
from watchbook.store.sites import Site

_GONE = "The play was deleted at Trakt; its post stays, as the site's rules say."
_MOVED = "The date was mended at Trakt; the post keeps its own, as the site's rules say."
_MINUTE = 60_000


@dataclass(frozen=True)
class Difference:
    """What a post should be by now; ``replace`` is what an update would have to say."""

    entry: Entry
    replace: Properties
    after: Properties
    redated: bool


def ask_for_changes(conn: sa.Connection, account: Account, site: Site, rules: Rules) -> None:
    """Ask for the changes that a site's living posts need by now."""
    since = to_millis(now() - rules.living_for)
    young, changes = outbox.published_since(conn, site.id, since), {}
    if young:
        changes = outbox.changes_of_posts(conn, site.id)
    known = facts_by_post(conn, site, young)
    for post in young:
        if post.url is None or _is_followed(changes.get(post.id, [])):
            continue
        if facts := known[post.id]:
            found = difference(conn, post, facts, account, rules)
            _follow(conn, post, found, facts[-1].play.watched_at, rules)
        else:
            _withdraw(conn, post, rules)


def _is_followed(rows: Sequence[Post]) -> bool:
    """Whether a change is under way, or the last one was refused by the site or by the owner."""
    if any(row.state in outbox.OPEN for row in rows):
        return True
    last = rows[-1] if rows else None
    dropped = last is not None and last.reason == Reason.OWNER
    return last is not None and (last.state == PostState.REJECTED or dropped)


def difference(
    conn: sa.Connection, post: Post, facts: list[Facts], account: Account, rules: Rules
) -> Difference | None:
    """What differs between a post as the site took it and as it should be; None when unknown.

    A binge that has lost an episode has no other date for that.
    """
    if post.sent is None:
        return None
    before = msgspec.json.decode(post.sent, type=dict[str, list[Any]])
    try:
        entry = composed(facts, rules, account, post.slug, posters.kept(before, facts))
    except ValueError:
        return None
    after = properties(entry, now=now())
    redated = abs(facts[-1].play.watched_at - post.watched_at) >= _MINUTE
    redated = redated and len(facts) == len(outbox.plays_of(conn, post.id))
    move = redated and rules.on_new_date == "update"
    if not move:
        entry = replace(entry, published=_dated(before))
    return Difference(entry, replacement(before, after, move=move), after, redated)


def _dated(before: Properties) -> datetime | None:
    """The date that a post has at the site."""
    texts = before.get("published")
    return datetime.fromisoformat(texts[0]) if texts else None


def _follow(
    conn: sa.Connection, post: Post, found: Difference | None, moment: int, rules: Rules
) -> None:
    if found is None:
        return
    if found.redated and rules.on_new_date == "recreate":
        outbox.follow_up(conn, post, PostKind.WITHDRAW, moment, Reason.REDATED)
        return
    if found.redated and rules.on_new_date == "leave" and post.words != _MOVED:
        outbox.change(conn, post.id, words=_MOVED)
    if found.replace and (rules.living or "published" in found.replace):
        outbox.follow_up(conn, post, PostKind.UPDATE, moment)


def _withdraw(conn: sa.Connection, post: Post, rules: Rules) -> None:
    if rules.on_removal == "delete":
        outbox.follow_up(conn, post, PostKind.WITHDRAW, post.watched_at)
    elif post.words != _GONE:
        outbox.change(conn, post.id, words=_GONE)
