"""The desk where pictures are seen to: an account's wanted ones, a bounded number at a time.

All accounts share the pictures of titles. Each is fetched again within six months, as TMDB's
terms ask; one that could not be is let go then. What goes wrong with one picture is written down
with it, in words, and it is tried again after pauses that grow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from zlib import crc32

from watchbook.clock import monotonic, now, to_millis
from watchbook.connecting import Installation
from watchbook.errors import AuthorisationNeeded, Fate, RateLimited, StoreError, WatchbookError
from watchbook.http import HttpClient
from watchbook.logs import logger
from watchbook.pictures import keeping
from watchbook.pictures.making import Made, made
from watchbook.pictures.sources import (
    TMDB,
    TRAKT,
    Found,
    Source,
    at_tmdb,
    at_trakt,
    fetched,
    may_have,
)
from watchbook.settings import Settings
from watchbook.steps import hurried, step
from watchbook.store import picture_work as work
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.picture_work import Before, Subject, Wanted
from watchbook.store.pictures import Kind, State
from watchbook.tmdb import Tmdb

SIX_MONTHS = timedelta(days=180)
"""Nothing of TMDB's is kept longer than that without being fetched again."""

RENEW_AFTER = timedelta(days=120)
"""When a picture is fetched again, at the earliest; each has its own day in the month after."""

MOST = 60
LONGEST = timedelta(seconds=45)
"""A run ends after so many pictures, or that long; the next one goes on."""

_RENEWALS = timedelta(days=30)
_CLAIM = timedelta(minutes=15)
_SECOND_CHOICE = timedelta(days=1)
_LIMITED = timedelta(minutes=10)
_LONGEST_LIMIT = timedelta(hours=6)
_AFTER_FAILURES = (
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(days=1),
    timedelta(days=7),
)
_WITHOUT = (timedelta(days=7), timedelta(days=30))
_AWAY = 3
"""After so many failures in a row a source is left alone until the next run."""
_log = logger("pictures")


@dataclass
class Run:
    """What a run came to."""

    counts: Counter[State] = field(default_factory=Counter)
    waits: timedelta | None = None
    """How long the other side asks to be left alone."""
    more: bool = False
    """Whether there is more to fetch at once."""

    @property
    def again(self) -> timedelta | None:
        """How soon the first of what failed is tried again."""
        return _AFTER_FAILURES[0] if self.counts[State.FAILED] else None

    @property
    def words(self) -> str:
        """``38 pictures kept, 2 failed``; nothing when nothing was looked for."""
        names = {State.KEPT: "kept", State.NONE: "without", State.FAILED: "failed"}
        told = [f"{self.counts[state]} {word}" for state, word in names.items()]
        told = [one for one in told if not one.startswith("0 ")]
        return f"pictures: {', '.join(told)}" if told else ""


def client_of(http: HttpClient, settings: Settings) -> Tmdb | None:
    """TMDB, asked with the key that is set; None without one."""
    token = settings.tmdb_token
    if token is None:
        return None
    language = settings.tmdb_language
    return Tmdb(http, settings.tmdb_api_url, settings.tmdb_image_url, token, language)


def fetch(installation: Installation, account: Account, *, most: int = MOST) -> Run:
    """Fetch what is wanted for an account, up to ``most`` pictures; raises StoreError."""
    keeping.mend(installation.store)
    let_outdated_go(installation.store)
    return _Desk(installation).run(account, most)


def let_outdated_go(store: Store) -> None:
    """Let go what was not fetched again within six months; raises StoreError.

    That needs no account, no sign-in and no key: nobody may be left to fetch it again.
    """
    keeping.let_outdated_go(store, now() - SIX_MONTHS)


class _Desk:
    def __init__(self, installation: Installation) -> None:
        self._store = installation.store
        self._http = installation.http.naming_hosts()
        client = client_of(self._http, installation.settings)
        self._sources: dict[str, Source] = {TMDB: at_tmdb(client)} if client is not None else {}
        self._sources[TRAKT] = at_trakt
        self._left: dict[str, WatchbookError] = {}
        """Sources that are not asked any more in this run, and why."""
        self._failures: Counter[str] = Counter()

    def run(self, account: Account, most: int) -> Run:
        run, end = Run(), monotonic() + LONGEST.total_seconds()
        moment = to_millis(now())
        with self._store.database.read() as conn:
            wanted = work.wanted(conn, account.id, moment, most + 1)
        run.more = len(wanted) > most
        for one in wanted[:most]:
            if monotonic() > end:
                run.more = True
                break
            try:
                self._one(one, run)
            except RateLimited as reason:
                run.waits = _asked_for(reason)
                break
        return run

    def _one(self, one: Wanted, run: Run) -> None:
        """See to one picture, unless somebody else does; raises RateLimited and StoreError."""
        moment = now()
        with self._store.database.write() as conn:
            before = work.claim(conn, one, to_millis(moment), to_millis(moment + hurried(_CLAIM)))
            subject = work.subject(conn, one.title_key) if before else None
        if before is None or subject is None:
            return
        step("pictures.claimed")
        try:
            found = self._look(subject, one.kind, before)
        except RateLimited as reason:
            with self._store.database.write() as conn:
                work.put_off(conn, one, to_millis(now() + _asked_for(reason)))
            raise
        except WatchbookError as reason:
            if isinstance(reason, StoreError):
                raise
            run.counts[State.FAILED] += 1
            self._failed(one, before, reason)
        else:
            run.counts[State.NONE if found is None else State.KEPT] += 1
            self._ended(one, before, found)

    def _look(self, subject: Subject, kind: Kind, before: Before) -> tuple[Found, Made] | None:
        """The picture of a title from the first source that has a good one.

        Raises the first trouble there was when there is none, or when what is kept is better
        than what Trakt has.
        """
        trouble: WatchbookError | None = None
        for name, source in self._sources.items():
            try:
                if (found := self._ask(name, source, subject, kind)) is not None:
                    return found
            except RateLimited:
                raise
            except WatchbookError as reason:
                trouble = trouble or reason
                if before.state is State.KEPT and before.source == name:
                    break
        if trouble is not None:
            raise trouble
        return None

    def _ask(
        self, name: str, source: Source, subject: Subject, kind: Kind
    ) -> tuple[Found, Made] | None:
        """A picture from one source; one that was left alone fails as it did before."""
        if name in self._left:
            if not may_have(name, subject, kind):
                return None
            raise self._left[name]
        try:
            found = source(subject, kind)
            if found is None:
                return None
            host = urlsplit(found.url).hostname or found.source
            picture = made(fetched(self._http, found), kind, host)
        except WatchbookError as reason:
            self._note(name, reason)
            raise
        self._failures[name] = 0
        return found, picture

    def _note(self, name: str, trouble: WatchbookError) -> None:
        """Leave a source alone for this run when it refuses us, or fails again and again."""
        self._failures[name] += trouble.fate is Fate.TRANSIENT
        refused = isinstance(trouble, AuthorisationNeeded)
        if name not in self._left and (refused or self._failures[name] >= _AWAY):
            self._left[name] = trouble
            who = {TMDB: "TMDB", TRAKT: "Trakt's host of pictures"}[name]
            _log.warning(f"{who} is left alone for now. {trouble.message}", hint=trouble.hint)

    def _ended(self, one: Wanted, before: Before, found: tuple[Found, Made] | None) -> None:
        moment = now()
        if found is None:
            tries = before.tries + 1 if before.state is State.NONE else 1
            again = moment + _WITHOUT[min(tries, len(_WITHOUT)) - 1]
            keeping.none_found(self._store, one, tries, moment, again)
            return
        troubled = TMDB in self._left or self._failures[TMDB] > 0
        second = found[0].source != TMDB and troubled
        again = moment + (_SECOND_CHOICE if second else _own_day(one))
        keeping.keep(self._store, one, *found, (moment, again))

    def _failed(self, one: Wanted, before: Before, reason: WatchbookError) -> None:
        tries = before.tries + 1
        again = now() + _AFTER_FAILURES[min(tries, len(_AFTER_FAILURES)) - 1]
        with self._store.database.write() as conn:
            work.failed(conn, one, tries, to_millis(again), reason.message)


def _own_day(one: Wanted) -> timedelta:
    """When a picture is renewed: all of them on one day would be a crowd."""
    share = crc32(f"{one.title_key} {one.kind}".encode()) % 1000 / 1000
    return RENEW_AFTER + share * _RENEWALS


def _asked_for(reason: RateLimited) -> timedelta:
    asked = _LIMITED if reason.retry_after is None else timedelta(seconds=reason.retry_after)
    return min(asked, _LONGEST_LIMIT)
