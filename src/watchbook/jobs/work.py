"""What each kind of job does, and when its account's next slot is.

A job may be begun more than once, when its worker was killed. It does nothing a second time:
what it did is a run that names it, and it leaves its slot of the schedule in one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from watchbook import watching
from watchbook.archive.backup import back_up, recipients_for
from watchbook.archive.prune import prune, rule_for
from watchbook.clock import counted, monotonic, now, to_millis
from watchbook.connecting import Installation
from watchbook.environment import account_or_first
from watchbook.errors import (
    ArchiveDamaged,
    AuthorisationNeeded,
    RemoteError,
    StoreBusy,
    TakenOver,
    WatchbookError,
)
from watchbook.jobs import plan, schedule
from watchbook.jobs.plan import has_sign_in, period_of
from watchbook.jobs.port import Job, Kind
from watchbook.logs import logger
from watchbook.offsite.handing_on import CopyResult, after_backup, send_due
from watchbook.pictures import desk as pictures
from watchbook.publish import desk
from watchbook.steps import step
from watchbook.store import accounts, due, outbox, runs, sites
from watchbook.store.accounts import Account
from watchbook.store.due import Due
from watchbook.store.sites import Site
from watchbook.sync import SyncOptions, client_of, sync_account

_log = logger("jobs")


class Quiet:
    """A listener that has nobody to tell."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """A page was kept."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing goes on for that long."""


@dataclass(frozen=True)
class Done:
    """What a job came to, in words if any; ``sooner`` is the longest time to its next slot."""

    words: str
    sooner: timedelta | None = None


class Worker:
    """Does jobs of one installation; what the engine calls."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._do: dict[Kind, Callable[[Account, Job], Done]] = {
            Kind.SYNC: self._sync,
            Kind.BACKUP: self._back_up,
            Kind.COPY: self._copy,
            Kind.PUBLISH: self._publish,
            Kind.WATCHING: self._watch,
            Kind.PICTURES: self._fetch_pictures,
        }

    def __call__(self, job: Job) -> None:
        """Do a job and leave its slot; raises only when the slot cannot be left."""
        with self._installation.store.database.read() as conn:
            account = accounts.by_id(conn, job.account_id)
        if account is None:
            return
        try:
            next_at = self._work(account, job)
        except TakenOver as reason:
            _log.warning(f"{account.name}: {reason.message}", job=job.id)
            return  # the slot is somebody else's now
        step("job.worked")
        slot = Due(job.account_id, job.kind, job.slot, job.id)
        with self._installation.store.database.write() as conn:
            due.leave(conn, slot, next_at)
        step("job.left")

    def _work(self, account: Account, job: Job) -> int:
        """Do the job and say how it went; returns the moment of the next slot."""
        started = monotonic()
        try:
            done = self._do[job.kind](account, job)
        except TakenOver:
            raise
        except StoreBusy as reason:
            _log.info(f"{account.name}: {job.kind} waits. {reason.message}", job=job.id)
            return self._after(account, job, reason)
        except WatchbookError as reason:
            tell = _log.debug if job.kind is Kind.WATCHING else _log.warning  # each minute
            tell(f"{account.name}: {job.kind} failed. {reason.message}", hint=reason.hint)
            return self._after(account, job, reason)
        except Exception:  # noqa: BLE001 - one account's fault must not end the work of the others
            _log.exception(f"{account.name}: {job.kind} met a fault in Watchbook.", job=job.id)
            return self._regular(account, job, schedule.INCOMPLETE_PAUSE)
        seconds = round(monotonic() - started, 2)
        if done.words:
            _log.info(f"{account.name}: {done.words}", job=job.id, seconds=seconds)
        return self._regular(account, job, done.sooner)

    def _regular(self, account: Account, job: Job, sooner: timedelta | None = None) -> int:
        period, moment = period_of(self._installation.settings, account, job.kind), to_millis(now())
        if job.kind is Kind.WATCHING:
            return moment + schedule.millis(period)  # never sooner, however late this one was
        regular = schedule.next_slot(account.id, period, job.slot, moment)
        return regular if sooner is None else min(regular, moment + schedule.millis(sooner))

    def _after(self, account: Account, job: Job, reason: WatchbookError) -> int:
        return schedule.after(reason, self._regular(account, job), to_millis(now()))

    def _sync(self, account: Account, job: Job) -> Done:
        if ended := self._ended(job, "sync"):
            return _done_before(ended)
        installation = self._installation
        account = account_or_first(installation, account.name)
        with client_of(installation, account) as client:
            options = SyncOptions(schedule=True, job=job.id)
            report = sync_account(installation.store.database, account, client, Quiet(), options)
        return Done("nothing new" if report.nothing_new else f"sync {report.words}")

    def _back_up(self, account: Account, job: Job) -> Done:
        store, settings = self._installation.store, self._installation.settings
        if ended := self._ended(job, "backup"):
            self._prune(account, job)
            self._copy(account, job)
            return _done_before(ended)
        self._sync_first(account, job)
        written = back_up(store, account, recipients=recipients_for(settings, account), job=job.id)
        self._prune(account, job)
        _tell_copies(account, after_backup(store, settings, account, written.path))
        said = "holds the same, verified again" if written.unchanged else "written and verified"
        words = f"backup {written.archive.name} {said}"
        if written.complete:
            return Done(words)
        return Done(f"{words}; incomplete: {written.archive.words}", schedule.INCOMPLETE_PAUSE)

    def _prune(self, account: Account, job: Job) -> None:
        """Let archives go that nobody keeps; what hinders that does not hinder the backup."""
        if self._ended(job, "prune"):
            return
        rule = rule_for(self._installation.settings, account)
        try:
            prune(self._installation.store, account, rule, job=job.id)
        except TakenOver:
            raise
        except (ArchiveDamaged, StoreBusy) as reason:
            _log.warning(f"{account.name}: no archive was let go. {reason.message}")

    def _copy(self, account: Account, _job: Job) -> Done:
        installation = self._installation
        results = send_due(installation.store, installation.settings, account)
        _tell_copies(account, results)
        done = sum(not one.failed for one in results)
        return Done(f"{counted(done, 'copy', 'copies')} handed on")

    def _publish(self, account: Account, job: Job) -> Done:
        """Send what is due; publishing itself sees to it that nothing goes out twice.

        What has changed since (a rating, a deleted play) is looked for less often.
        """
        moment = to_millis(now())
        changes = plan.looks_for_changes(job.slot, moment)
        with self._installation.store.database.read() as conn:
            known = sites.all_sites(conn, account.id)
            busy = [one for one in known if changes or outbox.has_due(conn, one.id, moment)]
        told = [self._publish_at(account, one) for one in busy]
        return Done("; ".join(filter(None, told)))

    def _publish_at(self, account: Account, site: Site) -> str:
        """One site, in words where there are any; what hinders it does not hinder the others."""
        try:
            sent = desk.publish(self._installation, account, site)
        except TakenOver:
            raise
        except WatchbookError as reason:
            return f"{site.name}: {reason.message}"
        parts = [f"{number} {end}" for end, number in sent.counts.items()]
        told = "; ".join(filter(None, (", ".join(parts), sent.stopped if parts else None)))
        return f"{site.name}: {told}" if told else ""

    def _watch(self, account: Account, _job: Job) -> Done:
        watching.ask(self._installation, account)
        return Done("")

    def _fetch_pictures(self, account: Account, _job: Job) -> Done:
        """Fetch some of the pictures that are wanted; the rest has its turn at once."""
        run = pictures.fetch(self._installation, account)
        if run.waits is not None:
            return Done(run.words, run.waits)
        return Done(run.words, timedelta(0) if run.more else run.again)

    def _sync_first(self, account: Account, job: Job) -> None:
        """Bring the copy up to date; when Trakt is away, what is here is worth saving all the same.

        The sync's own run says what was wrong with it.
        """
        if not has_sign_in(self._installation, account):
            return
        try:
            self._sync(account, job)
        except (AuthorisationNeeded, RemoteError) as reason:
            _log.warning(f"{account.name}: the backup goes without a sync. {reason.message}")

    def _ended(self, job: Job, kind: str) -> runs.Run | None:
        with self._installation.store.database.read() as conn:
            return runs.ended(conn, job.id, kind)


def _done_before(run: runs.Run) -> Done:
    """What is left to say of a job that was begun again after its run had ended."""
    sooner = None if run.outcome == runs.COMPLETE else schedule.INCOMPLETE_PAUSE
    return Done(f"{run.kind} was done before: {run.words}", sooner)


def _tell_copies(account: Account, results: Iterable[CopyResult]) -> None:
    """Say what was not handed on; it is tried again by itself."""
    for one in results:
        if one.failed:
            said = f"{account.name}: {one.archive} could not be copied to {one.place}. {one.words}"
            _log.warning(said, hint=one.hint)
