"""How the texts of a site would read for the person's last plays."""

from __future__ import annotations

import sqlalchemy as sa

from watchbook.publish.composing import composed
from watchbook.publish.facts import facts_of
from watchbook.publish.rules import read_rules
from watchbook.store import plays
from watchbook.store.accounts import Account
from watchbook.store.sites import Site

TEXT_RULES = frozenset({"film-text", "episode-text", "binge-text", "text-format"})


def samples(conn: sa.Connection, account: Account, site: Site, number: int) -> list[str]:
    """The texts of posts about the last plays, newest first: as HTML where the site has that."""
    rules = read_rules(site.rules)
    found = []
    for history_id in plays.newest_ids(conn, account.id, number):
        try:
            post = composed(facts_of(conn, account.id, [history_id]), rules, account)
        except ValueError as reason:
            found.append(str(reason))
        else:
            found.append(post.html or post.text)
    return found
