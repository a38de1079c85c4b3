"""One pass over a site's outbox: every post goes out once, however often this is interrupted.

What is about to be sent is written down and committed first. When the answer is lost, or this
process dies, the post is *unknown*, and an unknown post is never sent again before a look at the
site has shown, three times over ten minutes, that it is not there. One bad post holds nobody up;
a site that refuses the token, or is down, is left alone and keeps its queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from watchbook.clock import in_words, now, sleep, to_millis
from watchbook.micropub.outcome import Kind
from watchbook.micropub.post import Post as Entry
from watchbook.micropub.post import properties
from watchbook.publish import posters
from watchbook.publish.composing import composed, zone_of
from watchbook.publish.deciding import SEND, Decision, decided
from watchbook.publish.facts import Facts, facts_by_post, facts_of
from watchbook.publish.living import Difference, ask_for_changes, difference
from watchbook.publish.looking import Looker
from watchbook.publish.outlets import Outlet
from watchbook.publish.posters import Posters
from watchbook.publish.rules import Rules, read_rules
from watchbook.publish.settling import Settler, as_it_is, is_still
from watchbook.steps import step
from watchbook.store import attempts, datasets, outbox
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.leases import Holding
from watchbook.store.opening import Store
from watchbook.store.outbox import Post, PostKind, PostState, Reason
from watchbook.store.sites import Site, SiteState

_PASSING = frozenset({Reason.RATING, Reason.FIRST, Reason.TEXT})
"""Reasons to hold a post that go away by themselves."""
_AT_A_TIME = 200

_LOOKS = 20
"""So many posts are looked for in a pass, and so many promised ones asked after: each look is some
requests, and sites count them."""

_A_BREATH = 5.0
"""Seconds that are waited for the pace within a pass: the next pass is a minute away."""

REMOVED = "The site was removed meanwhile."
_NEW_RULES = "The site's rules were changed meanwhile; what waits goes by the new ones."


@dataclass(frozen=True)
class Sent:
    """What a pass came to: rows by how they ended, and why it stopped early, in words.

    Ends are the states of the outbox, ``updated`` and ``deleted``, and ``missing`` for posts that
    a site has promised and not made.
    """

    counts: Mapping[str, int]
    stopped: str | None


class Pass:
    """A pass over one site, under its lease."""

    def __init__(
        self,
        lease: Holding,
        account: Account,
        site: Site,
        outlet: Outlet,
        store: Store | None = None,
    ) -> None:
        """Work under ``lease``; without ``store``, where pictures lie, no poster is given away."""
        self._lease = lease
        self._database: Database = lease.database
        self._account = account
        self._site = site
        self._rules: Rules = read_rules(site.rules)
        self._outlet = outlet
        self._settler = Settler(site)
        self._looker = Looker(lease, account, site, outlet, self._settler, self._composed)
        self._posters = Posters(store, site, outlet, lease) if store is not None else None

    def run(self) -> Sent:
        """Do everything that is due; what waits for later stays."""
        self._recover()
        with self._write() as conn:
            ask_for_changes(conn, self._account, self._site, self._rules)
            self._free_held(conn)
        closed = _why_closed(self._site)
        if not closed:
            self._look()
        stopped = quiet = closed or self._is_over()
        while not stopped and self._has_due():
            stopped = self._out_of_breath() or self._send_all(self._wanted())
        if self._settler.refusals:
            self._question()
        if not (quiet or self._settler.stopped):
            self._finish()
        return Sent(self._settler.counts, stopped or self._settler.stopped)

    # --- What was left ---------------------------------------------------------------------

    def _recover(self) -> None:
        """What says that it is being sent was left by a process that died: nobody else is here."""
        with self._write() as conn:
            for post in outbox.find(conn, self._site.id, [PostState.SENDING]):
                attempts.end_open(conn, post.id, Kind.UNKNOWN.value)
                self._settler.doubt(conn, post, "The process ended before the site had answered.")

    def _free_held(self, conn: sa.Connection) -> None:
        """Let posts go on whose reason to be held has passed: a rating came, a text was mended."""
        held = outbox.find(conn, self._site.id, [PostState.HELD])
        passing = [post for post in held if post.reason in _PASSING]
        known = facts_by_post(conn, self._site, passing)
        for post in passing:
            _, decision = self._decided(conn, post, known[post.id])
            if decision.state is not PostState.HELD:
                outbox.change(conn, post.id, state=PostState.WAITING, reason=None, words=None)

    def _look(self) -> None:
        """Look for posts of which nobody knows, and ask after those that were promised."""
        with self._database.read() as conn:
            unknown = self._due(conn, PostState.UNKNOWN, _LOOKS)
            promised = self._due(conn, PostState.PUBLISHED, _LOOKS, Reason.PROMISED)
        for post in (*unknown, *promised):
            if self._has_changed():
                return
            if post.state == PostState.UNKNOWN:
                self._looker.look(post)
            else:
                self._looker.ask_after(post)

    def _due(
        self, conn: sa.Connection, state: PostState, limit: int, reason: Reason | None = None
    ) -> list[Post]:
        return outbox.find(
            conn,
            self._site.id,
            [state],
            due=to_millis(now()),
            reason=reason,
            newest_first=self._rules.order == "newest-first",
            limit=limit,
        )

    def _has_due(self) -> bool:
        with self._database.read() as conn:
            return bool(self._due(conn, PostState.WAITING, 1))

    # --- Sending ---------------------------------------------------------------------------

    def _send_all(self, posts: Iterable[Post]) -> str | None:
        """Send what is due; why that ended early, in words."""
        for post in posts:
            stopped = self._settler.stopped or self._is_over() or self._out_of_breath()
            if stopped:
                return stopped
            self._send(post)
        return self._settler.stopped or self._is_over()

    def _is_over(self) -> str | None:
        """Why nothing may be sent by now, in words."""
        return self._has_changed() or self._is_quiet()

    def _has_changed(self) -> str | None:
        """Why nothing more may be asked of the site that others have changed, in words."""
        with self._database.read() as conn:
            by_now = as_it_is(conn, self._site)
        if by_now is None:
            return REMOVED
        if by_now.rules != self._site.rules:
            return _NEW_RULES
        return _why_closed(by_now)

    def _is_quiet(self) -> str | None:
        """Say so when nothing is to be sent at this time of day."""
        local = now().astimezone(zone_of(self._rules, self._account)).time()
        quiet = self._rules.quiet_hours
        return "These are quiet hours." if quiet is not None and quiet.holds(local) else None

    def _out_of_breath(self) -> str | None:
        """Say so when the pace lets nothing more out for now."""
        pace = self._rules.pace
        since = to_millis(now() - timedelta(seconds=pace.seconds))
        with self._database.read() as conn:
            sent = attempts.sent_since(conn, self._site.id, since + 1)
        if len(sent) < pace.count:
            return None
        seconds = (sent[-pace.count] - since) / 1000
        if seconds <= _A_BREATH:
            sleep(seconds)
            return None
        return f"No more than {pace.count} posts in {in_words(timedelta(seconds=pace.seconds))}."

    def _send(self, post: Post) -> None:
        if post.kind == PostKind.CREATE:
            self._create(post)
        else:
            self._follow_up(post)

    def _wanted(self) -> list[Post]:
        """What is due and may be sent; what the rules keep back is settled, in one transaction."""
        with self._write() as conn:
            posts = self._due(conn, PostState.WAITING, _AT_A_TIME)
            known = facts_by_post(conn, self._site, posts)
            complete, wanted = self._is_complete(conn), []
            for post in posts:
                decision = decided(known[post.id], self._rules, complete=complete)
                if post.kind != PostKind.CREATE or decision == SEND:
                    wanted.append(post)
                else:
                    self._leave(conn, post, decision)
        return wanted

    def _create(self, post: Post) -> None:
        if post.tries and self._looker.was_made(post):
            return
        if self._posters is not None:
            self._posters.provide(post)
        prepared = self._prepare(post)
        if prepared is None:
            return
        entry, attempt = prepared
        step("publish.begun")
        self._lease.check()
        outcome = self._outlet.create(entry)
        step("publish.answered")
        sent = properties(entry, now=now())
        with self._write() as conn:
            self._settler.settle(conn, post, attempt, outcome, sent)
        step("publish.settled")

    def _prepare(self, post: Post) -> tuple[Entry, int] | None:
        """Decide about a post and note that it is being sent; None when it is not."""
        with self._write() as conn:
            if not is_still(conn, post):
                return None
            facts = facts_of(conn, self._account.id, outbox.plays_of(conn, post.id))
            entry, decision = self._decided(conn, post, facts)
            if entry is None:
                self._leave(conn, post, decision)
                return None
            outbox.change(conn, post.id, state=PostState.SENDING, reason=None, words=None)
            return entry, attempts.begin(conn, post.id, "send")

    def _decided(
        self, conn: sa.Connection, post: Post, facts: list[Facts]
    ) -> tuple[Entry | None, Decision]:
        """How a post stands by the rules, and what to send where it may go."""
        decision = decided(facts, self._rules, complete=self._is_complete(conn))
        return self._composed(conn, post, facts) if decision == SEND else (None, decision)

    def _composed(
        self, conn: sa.Connection, post: Post, facts: list[Facts]
    ) -> tuple[Entry | None, Decision]:
        shown = posters.known(conn, self._site, self._rules, facts)
        try:
            return composed(facts, self._rules, self._account, post.slug, shown), SEND
        except ValueError as reason:
            return None, Decision(PostState.HELD, str(reason), Reason.TEXT)

    def _leave(self, conn: sa.Connection, post: Post, decision: Decision) -> None:
        """A post that is not sent: held, or not wanted."""
        outbox.settle(conn, post.id, decision.state, decision.words, reason=decision.reason)
        self._settler.count(decision.state)

    def _is_complete(self, conn: sa.Connection) -> bool:
        return datasets.find(conn, self._account.id, "watched_history").state == datasets.COMPLETE

    # --- Updates and withdrawals -------------------------------------------------------------

    def _follow_up(self, post: Post) -> None:
        prepared = self._prepare_change(post)
        if prepared is None:
            return
        url, found, attempt = prepared
        step("publish.begun")
        self._lease.check()
        if found is not None:
            outcome = self._outlet.update(url, found.replace, found.entry)
        else:
            outcome = self._outlet.delete(url)
        step("publish.answered")
        with self._write() as conn:
            self._settler.settle(conn, post, attempt, outcome, found.after if found else None)
        step("publish.settled")

    def _prepare_change(self, post: Post) -> tuple[str, Difference | None, int] | None:
        """Where to change what (None: to delete it), and the attempt; None for nothing."""
        with self._write() as conn:
            if not is_still(conn, post):
                return None
            about = outbox.get(conn, post.post_id) if post.post_id else None
            if about is None or about.url is None or about.state != PostState.PUBLISHED:
                self._leave(conn, post, Decision(PostState.WITHDRAWN, "The post is gone."))
                return None
            found = self._difference(conn, about) if post.kind == PostKind.UPDATE else None
            if post.kind == PostKind.UPDATE and not (found and found.replace):
                self._leave(conn, post, Decision(PostState.WITHDRAWN, "Nothing differs by now."))
                return None
            outbox.change(conn, post.id, state=PostState.SENDING, words=None)
            return about.url, found, attempts.begin(conn, post.id, "send")

    def _difference(self, conn: sa.Connection, about: Post) -> Difference | None:
        facts = facts_of(conn, self._account.id, outbox.plays_of(conn, about.id))
        return difference(conn, about, facts, self._account, self._rules) if facts else None

    def _question(self) -> None:
        """Ask a site that refuses one post after the other whether it is the token."""
        self._lease.check()
        outcome = self._outlet.check()
        with self._write() as conn:
            self._settler.questioned(conn, outcome)

    def _finish(self) -> None:
        """Let the outlet do what is left when posts have changed."""
        self._lease.check()
        outcome = self._outlet.finish()
        if outcome is not None:
            with self._write() as conn:
                self._settler.finished(conn, outcome)

    def _write(self) -> AbstractContextManager[sa.Connection]:
        return self._lease.write(durable=True)


def _why_closed(site: Site) -> str | None:
    """Why a site may not be asked anything now, in words."""
    if site.state not in {SiteState.WORKING, SiteState.TROUBLED}:
        return site.words or site.state
    resting = site.retry_at is not None and site.retry_at > to_millis(now())
    return (site.words or site.state) if resting else None
