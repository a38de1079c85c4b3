"""Looking for posts of which nobody knows whether they are there.

An answer was lost, a server had trouble, or the site has only promised to make the post (202).
What is seen is written down at once, unless the post's owner has settled it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.micropub.lookup import CANNOT_TELL, Lookup, Sight, foreseen
from watchbook.micropub.post import Post as Entry
from watchbook.micropub.post import properties
from watchbook.micropub.reading import Wanted
from watchbook.publish.composing import zone_of
from watchbook.publish.deciding import Decision
from watchbook.publish.facts import Facts, facts_of
from watchbook.publish.outlets import Outlet
from watchbook.publish.rules import read_rules
from watchbook.publish.settling import LOOKS, PROMISE, Settler, is_still, later
from watchbook.store import attempts, outbox
from watchbook.store.accounts import Account
from watchbook.store.leases import Holding
from watchbook.store.outbox import Post, PostKind, PostState, Reason
from watchbook.store.sites import Site

_APART = (timedelta(minutes=5), timedelta(days=1))
"""The least and the most time between looks that showed nothing either way."""

_ASK = (
    "It is not known whether the post was made, and the site shows no way to find out. Look at "
    "the site, then say: `watchbook publish --settle {id} posted|again|drop`."
)
_NOT_SHOWN = "The site has taken it to make it later (202), and does not show whether it did."

Compose = Callable[[sa.Connection, Post, list[Facts]], tuple[Entry | None, Decision]]


@dataclass
class Looker:
    """Looks for posts of a site, in one pass over it."""

    lease: Holding
    account: Account
    site: Site
    outlet: Outlet
    settler: Settler
    compose: Compose

    def look(self, post: Post) -> None:
        """Look for a post that may be there; it waits again after three looks that show none.

        One that was promised never does: its owner decides. To update or to delete once more
        does no harm, so that is done without a look.
        """
        if post.kind != PostKind.CREATE:
            with self.lease.write(durable=True) as conn:
                if is_still(conn, post):
                    outbox.settle(conn, post.id, PostState.WAITING, post.words)
            return
        entry, found = self._seek(post)
        with self.lease.write(durable=True) as conn:
            if is_still(conn, post):
                _note(conn, post, found)
                self._seen(conn, post, found, entry)

    def was_made(self, post: Post) -> bool:
        """Whether a post was made after all, for which the site had only reported trouble."""
        entry, found = self._seek(post)
        with self.lease.write(durable=True) as conn:
            if not is_still(conn, post):
                return True
            _note(conn, post, found)
            if found.sight is Sight.FOUND:
                self._seen(conn, post, found, entry)
        return found.sight is Sight.FOUND

    def ask_after(self, post: Post) -> None:
        """Look for a post that the site has promised; a promise may take days to keep."""
        _, found = self._seek(post)
        with self.lease.write(durable=True) as conn:
            if not is_still(conn, post):
                return
            _note(conn, post, found)
            if found.sight is Sight.FOUND:
                outbox.change(conn, post.id, reason=None, url=found.url or post.url)
            elif post.looks + 1 < len(PROMISE):
                looks = post.looks + 1
                outbox.change(conn, post.id, looks=looks, due_at=later(PROMISE[looks]))
            elif found.sight is Sight.ABSENT:
                self.settler.broken(conn, post)
            else:
                outbox.change(conn, post.id, reason=None, words=_NOT_SHOWN)

    def _seek(self, post: Post) -> tuple[Entry | None, Lookup]:
        """Look for a post, also for one whose play was deleted while nobody knew of it."""
        with self.lease.database.read() as conn:
            ids = outbox.plays_of(conn, post.id)
            facts = facts_of(conn, self.account.id, ids, removed=True)
            entry, _ = self.compose(conn, post, facts) if facts else (None, None)
            expected = self._expected(conn, entry) if entry is not None else None
        if entry is None:
            return None, CANNOT_TELL
        if post.reason == Reason.PROMISED and post.url is not None:
            return entry, self.outlet.appeared(entry, post.url)
        return entry, self.outlet.look(entry, expected)

    def _seen(self, conn: sa.Connection, post: Post, found: Lookup, entry: Entry | None) -> None:
        if found.sight is Sight.FOUND:
            sent = properties(entry, now=now()) if entry is not None else None
            self.settler.published(conn, post, found.url or post.url, sent)
        elif post.reason == Reason.PROMISED:
            outbox.change(conn, post.id, due_at=later(_APART[1]))
        elif found.sight is Sight.ABSENT and post.looks + 1 >= len(LOOKS):
            words = "It is not on the site, so it is sent again."
            outbox.settle(conn, post.id, PostState.WAITING, words, due_at=to_millis(now()))
        elif found.sight is Sight.ABSENT:
            looks = post.looks + 1
            outbox.change(conn, post.id, looks=looks, due_at=later(LOOKS[looks]))
        else:
            since = now() - from_millis(post.settled_at or post.made_at)
            pause = min(max(since, _APART[0]), _APART[1])
            outbox.change(conn, post.id, due_at=later(pause), words=_ASK.format(id=post.id))

    def _expected(self, conn: sa.Connection, entry: Entry) -> str | None:
        """The address that a post has, going by that of another one of the site."""
        other = outbox.newest_published(conn, self.site.id)
        if other is None or other.url is None or other.slug is None:
            return None
        zone, wanted = zone_of(read_rules(self.site.rules), self.account), Wanted.of(entry)
        dated = from_millis(other.watched_at).astimezone(zone)
        local = wanted.published and wanted.published.astimezone(zone)
        return foreseen(other.url, other.slug, dated, wanted, local)


def _note(conn: sa.Connection, post: Post, found: Lookup) -> None:
    attempt = attempts.begin(conn, post.id, "look")
    attempts.end(conn, attempt, found.sight.value, None, found.url)
