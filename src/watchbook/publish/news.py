"""News: which plays become posts, decided in the transaction that stores them.

A play is news at a site when it was watched after the site was connected (or in that minute: Trakt
tells whole minutes), and not long before
the last successful check that came before its discovery: so an outage of ours loses nothing, and
what a person enters about last year does not flood the site. What the first check brings is
never news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from watchbook.store import outbox, plays, runs, sites
from watchbook.store.outbox import Post, PostState, Reason
from watchbook.store.plays import PlayRow
from watchbook.store.sites import Site

if TYPE_CHECKING:
    from watchbook.publish.rules import Rules

CHECKS = ("sync", "import")
"""Kinds of runs that look for plays."""

_MINUTE = 60_000

_WORDS = {
    Reason.OLDER: "Watched before this site was connected, or entered long afterwards.",
    Reason.UNDATED: "Trakt does not know when it was watched.",
}


def offer(
    conn: sa.Connection,
    account_id: int,
    rows: Iterable[PlayRow],
    new: Collection[int],
    moment: int,
) -> None:
    """Put those of ``rows`` that are ``new`` into the outbox of each of the account's sites.

    Nothing happens before the first successful check has ended. ``moment`` is now (millis).
    """
    connected = sites.all_sites(conn, account_id) if new else []
    checked = runs.last_success(conn, account_id, CHECKS) if connected else None
    if checked is None:
        return
    fresh = [row for row in rows if row.history_id in new]
    for site in connected:
        enter(conn, site, fresh, checked, moment)


def enter(
    conn: sa.Connection, site: Site, found: Sequence[PlayRow], checked: int, moment: int
) -> None:
    """Make the posts of ``found`` at one site, held where its rules say so."""
    from watchbook.publish.rules import read_rules  # noqa: PLC0415 - loads Jinja, for sites only

    rules = read_rules(site.rules)
    episodes = [row.title_key for row in found if row.type == "episode" and row.title_key]
    shows = plays.show_keys(conn, episodes) if rules.binge else {}
    for row in sorted(found, key=lambda row: (row.watched_at, row.history_id)):
        reason = _held_because(row, site, rules, checked)
        show = shows.get(row.title_key or "") if reason is None else None
        if show is None or not _join_binge(conn, site, row, show, rules, moment):
            due_at = _due(row, rules, show, moment)
            post = post_of(site, row, f"trakt-{row.history_id}", due_at, reason, show)
            outbox.offer(conn, post, row.history_id)


def post_of(
    site: Site,
    row: PlayRow,
    slug: str,
    due_at: int,
    reason: Reason | None = None,
    show: str | None = None,
) -> Mapping[str, Any]:
    """The outbox's row for a play; held for ``reason``, or waiting."""
    return {
        "account_id": site.account_id,
        "site_id": site.id,
        "slug": slug,
        "show_key": show,
        "watched_at": row.watched_at,
        "state": PostState.WAITING if reason is None else PostState.HELD,
        "reason": reason,
        "words": _WORDS[reason] if reason else None,
        "due_at": due_at,
    }


def _held_because(row: PlayRow, site: Site, rules: Rules, checked: int) -> Reason | None:
    if not row.watched_at:
        return None if rules.unknown_dates == "undated" else Reason.UNDATED
    connected = site.connected_at - site.connected_at % _MINUTE  # Trakt's plays have no seconds
    oldest = max(connected, checked - _millis(rules.news_days))
    if row.watched_at < oldest and rules.older == "hold":
        return Reason.OLDER
    return None


def _due(row: PlayRow, rules: Rules, show: str | None, moment: int) -> int:
    """When the post may go out; one that may become a binge waits for more episodes."""
    settled = moment + _millis(rules.delay)
    return settled if show is None else max(settled, row.watched_at + _millis(rules.binge_pause))


def _join_binge(
    conn: sa.Connection, site: Site, row: PlayRow, show: str, rules: Rules, moment: int
) -> bool:
    """Let an episode join the post that waits for episodes of its show, if there is one."""
    open_post = outbox.open_binge(conn, site.id, show)
    if open_post is None or not _is_within(conn, open_post, row, rules):
        return False
    if not outbox.is_known(conn, site.id, row.history_id):
        outbox.link(conn, site.id, row.history_id, open_post.id)
        due_at = max(open_post.due_at, _due(row, rules, show, moment))
        latest = max(open_post.watched_at, row.watched_at)
        outbox.change(conn, open_post.id, due_at=due_at, watched_at=latest)
    return True


def _is_within(conn: sa.Connection, open_post: Post, row: PlayRow, rules: Rules) -> bool:
    """Whether an episode was watched while the binge went on, a pause at either end included."""
    found = plays.by_ids(conn, open_post.account_id, outbox.plays_of(conn, open_post.id))
    moments, pause = [play.watched_at for play in found], _millis(rules.binge_pause)
    return bool(moments) and min(moments) - pause <= row.watched_at <= max(moments) + pause


def _millis(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
