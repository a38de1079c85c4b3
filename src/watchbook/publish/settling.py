"""Writing down how a request to a site ended: for the post it was about, and for the site.

One table says what each outcome means. What concerns one post never stops the others; what
concerns the site stops the pass, and every post that waits is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.micropub.citing import Properties
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.store import attempts, outbox, sites
from watchbook.store.outbox import Post, PostKind, PostState, Reason
from watchbook.store.sites import Site, SiteState

LOOKS = (timedelta(minutes=1), timedelta(minutes=4), timedelta(minutes=5))
"""Pauses before each look for a post whose answer was lost: three over ten minutes."""

TROUBLE = tuple(timedelta(minutes=m) for m in (5, 30, 120))
"""Pauses after a server's trouble with one post; then it is set aside."""

REST = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 360))
"""Pauses of a site that is down or asks for patience, longer each time."""

PROMISE = (timedelta(hours=1), timedelta(hours=5), timedelta(hours=18), timedelta(days=2))
"""Pauses before each look for a post that a site has promised to make: four over three days."""

_IN_A_ROW = 3
"""So many posts in a row refused, or their answers lost, and it is not the posts."""

_LONGEST_REST = timedelta(days=1)
"""However long a site asks to be left alone."""

_DONE = {
    PostKind.CREATE: "published",
    PostKind.UPDATE: "updated",
    PostKind.WITHDRAW: "deleted",
}
"""What a row that went through is counted as."""

_BROKEN = (
    "The site took it and said that it would be at {url} (status 202), and it is not there. Look "
    "at the site, then say: `watchbook publish --settle {id} posted|again|drop`."
)
_LOST = "The site's answer was lost, so it is not known whether the post was made."
_SIGN_IN_HINT = "Sign in with the site again: `watchbook site add`. What waits is kept."


@dataclass
class Settler:
    """Settles the requests of one pass over a site."""

    site: Site
    stopped: str | None = None
    """Why nothing more may be sent in this pass, in words."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows by how they ended: a state, or what was done."""
    _refused: list[int] = field(default_factory=list)
    _lost_in_a_row: int = 0
    _has_paused: bool = False
    """Whether it was this pass that has paused the site, and not its owner."""

    @property
    def refusals(self) -> bool:
        """Whether the site has refused so many posts in a row that it may not be the posts."""
        return len(self._refused) >= _IN_A_ROW

    def settle(
        self,
        conn: sa.Connection,
        post: Post,
        attempt: int,
        outcome: Outcome,
        sent: Properties | None = None,
    ) -> None:
        """Write down what became of ``post``; ``sent`` are its properties at the site by now."""
        attempts.end(conn, attempt, outcome.kind.value, outcome.status, outcome.words or None)
        self._refused = [*self._refused, post.id] if outcome.kind is Kind.REFUSED else []
        self._lost_in_a_row = self._lost_in_a_row + 1 if outcome.kind is Kind.UNKNOWN else 0
        if outcome.good:
            self._succeeded(conn, post, outcome, sent)
        else:
            self._actions[outcome.kind](conn, post, outcome)

    @property
    def _actions(self) -> Mapping[Kind, Callable[[sa.Connection, Post, Outcome], None]]:
        """What a request that did not succeed means."""
        return {
            Kind.REFUSED: self._refuse,
            Kind.TOO_LARGE: self._refuse,
            Kind.TYPE_REFUSED: self._refuse,
            Kind.TROUBLE: self._trouble,
            Kind.SIGN_IN: self._sign_in,
            Kind.MORE_SCOPE: self._more_scope,
            Kind.MOVED: self._moved,
            Kind.SLOW_DOWN: self._rest,
            Kind.DOWN: self._rest,
            Kind.UNKNOWN: self._lost,
        }

    def doubt(self, conn: sa.Connection, post: Post, words: str = _LOST) -> None:
        """A post that may be there: it is looked for before anything else.

        A change of one is asked for again without a look, after longer pauses each time.
        """
        values = {"due_at": later(LOOKS[0]), "looks": 0}
        if post.kind != PostKind.CREATE:
            pause = REST[min(post.tries, len(REST) - 1)]
            values |= {"due_at": later(pause), "tries": post.tries + 1}
        outbox.settle(conn, post.id, PostState.UNKNOWN, words, **values)
        self.count(PostState.UNKNOWN)

    def published(
        self, conn: sa.Connection, post: Post, url: str | None, sent: Properties | None
    ) -> None:
        """A post that is there, which shows that the site works."""
        kept = msgspec.json.encode(sent).decode() if sent is not None else post.sent
        outbox.settle(conn, post.id, PostState.PUBLISHED, url=url, sent=kept, reason=None)
        self.count(_DONE[PostKind(post.kind)])
        if self.site.failures or self.site.state != SiteState.WORKING:
            self._put(conn, SiteState.WORKING, failures=0, retry_at=None)

    def broken(self, conn: sa.Connection, post: Post) -> None:
        """A post that a site has promised and not made: only its owner can say what to do."""
        words, due_at = _BROKEN.format(url=post.url, id=post.id), later(_LONGEST_REST)
        outbox.settle(conn, post.id, PostState.UNKNOWN, words, due_at=due_at, looks=0)
        self.count("missing")

    def questioned(self, conn: sa.Connection, outcome: Outcome) -> None:
        """What a site answers that has refused post after post: some mean the token by that."""
        if outcome.kind not in {Kind.SIGN_IN, Kind.MORE_SCOPE}:
            return
        for post_id in self._refused:
            outbox.change(conn, post_id, state=PostState.WAITING, words=None)
        words = _said(outcome, "The site does not accept Watchbook's token any more")
        self._stop(conn, SiteState.SIGN_IN, words, _SIGN_IN_HINT)

    def finished(self, conn: sa.Connection, outcome: Outcome) -> None:
        """What came of the work after a pass; the posts stay as they are."""
        if not outcome.good:
            self._pause(conn, outcome.words, outcome.wait)
        elif self.site.state == SiteState.TROUBLED:
            self._put(conn, SiteState.WORKING, failures=0, retry_at=None)

    def count(self, end: str) -> None:
        """Count a row by its end."""
        self.counts[str(end)] = self.counts.get(end, 0) + 1

    def _succeeded(
        self, conn: sa.Connection, post: Post, outcome: Outcome, sent: Properties | None
    ) -> None:
        self.published(conn, post, outcome.url, sent)
        if outcome.promised and post.kind == PostKind.CREATE:
            promise = {"reason": Reason.PROMISED, "due_at": later(PROMISE[0]), "looks": 0}
            outbox.change(conn, post.id, **promise)
        if post.post_id is not None:
            self._tell_original(conn, post, outcome, sent)

    def _tell_original(
        self, conn: sa.Connection, post: Post, outcome: Outcome, sent: Properties | None
    ) -> None:
        """Write down at the post itself what an update or a withdrawal has done to it."""
        assert post.post_id is not None
        if post.kind == PostKind.UPDATE and sent is not None:
            kept = msgspec.json.encode(sent).decode()
            values = {"url": outcome.url, "sent": kept, "watched_at": post.watched_at}
            outbox.change(conn, post.post_id, **values)
        if post.kind == PostKind.WITHDRAW:
            original = outbox.get(conn, post.post_id)
            outbox.settle(conn, post.post_id, PostState.WITHDRAWN, "Deleted from the site.")
            if post.reason == Reason.REDATED and original is not None:
                outbox.make_anew(conn, original, post.watched_at)

    def _refuse(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        outbox.settle(conn, post.id, PostState.REJECTED, _said(outcome, "The site refuses it"))
        self.count(PostState.REJECTED)
        if self.refusals:
            words = f"The site refused {len(self._refused)} posts in a row."
            hint = "`watchbook site show` says why; `watchbook publish --retry` goes on."
            self._stop(conn, SiteState.PAUSED, words, hint)

    def _trouble(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        words = _said(outcome, "The site has trouble with it")
        if post.tries >= len(TROUBLE):
            outbox.settle(conn, post.id, PostState.REJECTED, words)
            self.count(PostState.REJECTED)
        else:
            due_at = later(TROUBLE[post.tries])
            self._put_back(conn, post, words, due_at=due_at, tries=post.tries + 1)

    def _sign_in(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        self._put_back(conn, post)
        words = _said(outcome, "The site does not accept Watchbook's token any more")
        self._stop(conn, SiteState.SIGN_IN, words, _SIGN_IN_HINT)

    def _more_scope(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        self._put_back(conn, post)
        words = _said(outcome, "The site has not given Watchbook leave for this")
        self._stop(conn, SiteState.SIGN_IN, words, _SIGN_IN_HINT)

    def _moved(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        self._put_back_in_doubt(conn, post)
        words = _said(outcome, "The site takes no posts at this address any more")
        self._stop(conn, SiteState.PAUSED, words, _SIGN_IN_HINT)

    def _rest(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        if outcome.kind is Kind.DOWN and outcome.status is not None:
            self._put_back_in_doubt(conn, post)
        else:
            self._put_back(conn, post)
        told = "asks for a pause" if outcome.kind is Kind.SLOW_DOWN else "does not answer"
        self._pause(conn, _said(outcome, f"The site {told}"), outcome.wait)

    def _pause(self, conn: sa.Connection, words: str, wait: float | None = None) -> None:
        """Leave the site alone for ``wait`` seconds, else longer each time."""
        pause = REST[min(self.site.failures, len(REST) - 1)]
        if wait is not None:
            pause = min(timedelta(seconds=wait), _LONGEST_REST)
        values = {"retry_at": later(pause), "failures": self.site.failures + 1}
        self._stop(conn, SiteState.TROUBLED, words, None, **values)

    def _lost(self, conn: sa.Connection, post: Post, outcome: Outcome) -> None:
        self.doubt(conn, post, _said(outcome, _LOST.removesuffix(".")))
        if self._lost_in_a_row >= _IN_A_ROW:
            self._pause(conn, f"The answers to {self._lost_in_a_row} posts in a row were lost.")

    def _put_back(
        self, conn: sa.Connection, post: Post, words: str | None = None, **values: object
    ) -> None:
        outbox.change(conn, post.id, state=PostState.WAITING, words=words, **values)
        self.count(PostState.WAITING)

    def _put_back_in_doubt(self, conn: sa.Connection, post: Post) -> None:
        """One that is looked for before it is sent again, as somebody answered.

        A gateway may have handed it on before it gave up; some sites make a post and then send
        its author on to it.
        """
        self._put_back(conn, post, tries=max(post.tries, 1))

    def _stop(
        self, conn: sa.Connection, state: SiteState, words: str, hint: str | None, **values: object
    ) -> None:
        self.stopped = words
        self._put(conn, state, words, hint, **values)

    def _put(
        self,
        conn: sa.Connection,
        state: SiteState,
        words: str | None = None,
        hint: str | None = None,
        **values: object,
    ) -> None:
        """Write down how the site stands, unless its owner has paused it meanwhile."""
        by_now = as_it_is(conn, self.site)
        paused = by_now is not None and by_now.state == SiteState.PAUSED
        if paused and not self._has_paused:
            return
        sites.set_state(conn, self.site.id, state, words, hint, **values)
        self._has_paused = state == SiteState.PAUSED


def as_it_is(conn: sa.Connection, site: Site) -> Site | None:
    """The site as it is by now; None when it was removed."""
    known = sites.all_sites(conn, site.account_id)
    return next((one for one in known if one.id == site.id), None)


def is_still(conn: sa.Connection, post: Post) -> bool:
    """Whether a row stands as it was found, and is due; nobody changes it in this transaction.

    Its owner may have settled it meanwhile, or an episode may have joined it.
    """
    by_now = outbox.get(conn, post.id, lock=True)
    return by_now is not None and by_now.state == post.state and by_now.due_at <= to_millis(now())


def later(span: timedelta) -> int:
    """So long from now, as the store keeps it."""
    return to_millis(now() + span)


def _said(outcome: Outcome, words: str) -> str:
    status = f" (status {outcome.status})" if outcome.status else ""
    return f"{words}{status}: {outcome.words}" if outcome.words else f"{words}{status}."
