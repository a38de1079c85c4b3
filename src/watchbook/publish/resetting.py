"""Forgetting what was posted to a site, so that it can be posted anew.

Posts that are on the site all the same would then be doubled. So they can be looked up first: one
that is there stays known, one that is surely not there is forgotten, and where the site does not
tell, the post stays known.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.micropub.lookup import Sight
from watchbook.micropub.post import Post as Entry
from watchbook.publish.composing import composed
from watchbook.publish.desk import outlet_of
from watchbook.publish.facts import facts_of
from watchbook.publish.outlets import Outlet
from watchbook.publish.rules import read_rules
from watchbook.store import leases, outbox, sites
from watchbook.store.accounts import Account
from watchbook.store.outbox import Post, PostKind, PostState
from watchbook.store.sites import Site


@dataclass(frozen=True)
class Forgotten:
    """What a reset came to: rows that were forgotten, and posts that stay known."""

    forgotten: int
    kept: int


def reset(installation: Installation, account: Account, site: Site, *, look_up: bool) -> Forgotten:
    """Forget the outbox of a site; plays are news from now on. Raises StoreBusy.

    With ``look_up`` posts that the site may have stay known.
    """
    database = installation.store.database
    with leases.holding(database, f"site:{site.id}", f"the reset of {site.name}") as lease:
        with database.read() as conn:
            site = sites.get(conn, site.id)
            rows = outbox.find(conn, site.id, list(PostState))
        kept = _there(installation, account, site, rows) if look_up else set()
        doomed = [post.id for post in rows if post.id not in kept and post.post_id not in kept]
        with lease.write(durable=True) as conn:
            outbox.forget(conn, doomed)
            sites.change(conn, site.id, connected_at=to_millis(now()))
    return Forgotten(len(doomed), len(kept))


def _there(installation: Installation, account: Account, site: Site, rows: list[Post]) -> set[int]:
    """The posts among ``rows`` that the site has, or may have."""
    outlet = outlet_of(installation, site)
    sent = (PostState.PUBLISHED, PostState.UNKNOWN, PostState.SENDING)
    made = [post for post in rows if post.kind == PostKind.CREATE and post.state in sent]
    with installation.store.database.read() as conn:
        entries = [(post, _entry(conn, account, site, post)) for post in made]
    return {post.id for post, entry in entries if _may_be_there(outlet, post, entry)}


def _entry(conn: sa.Connection, account: Account, site: Site, post: Post) -> Entry | None:
    facts = facts_of(conn, account.id, outbox.plays_of(conn, post.id))
    try:
        return composed(facts, read_rules(site.rules), account, post.slug) if facts else None
    except ValueError:
        return None


def _may_be_there(outlet: Outlet, post: Post, entry: Entry | None) -> bool:
    return entry is None or outlet.look(entry, post.url).sight is not Sight.ABSENT
