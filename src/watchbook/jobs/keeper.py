"""The keeper: the one thread that looks, every few seconds, at what is due and who is alive.

Several keepers on one database do no harm: a job is named by its slot, so it is queued once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from watchbook.clock import monotonic, now, to_millis
from watchbook.connecting import Installation
from watchbook.errors import StoreError
from watchbook.jobs import health, plan
from watchbook.jobs.health import DOWN, Health
from watchbook.jobs.port import Job, Jobs, Kind, Stand
from watchbook.jobs.reaper import Pulse, Reaper
from watchbook.logs import logger
from watchbook.pictures import desk
from watchbook.steps import hurried, step
from watchbook.store import due, outbox, runs
from watchbook.store.due import Due

LOOK_EVERY = timedelta(seconds=5)
SILENCE = timedelta(seconds=30)
"""After that long without a look that went well the service is down."""

_QUEUED_AT_ONCE = 100
"""Jobs queued at a look: more would keep it from giving a sign of life. The next look goes on."""
_EVERY_MINUTE = timedelta(minutes=1)
_EVERY_DAY = timedelta(days=1)
_KEPT_JOBS = timedelta(days=7)
_KEPT_QUIET_RUNS = timedelta(days=30)
_log = logger("jobs")


class Keeper:
    """Queues what is due, keeps signs of life, and knows how everything stands."""

    def __init__(self, installation: Installation, jobs: Jobs, pulse: Pulse) -> None:
        self._installation = installation
        self._database = installation.store.database
        self._jobs = jobs
        self._pulse = pulse
        self._reaper = None
        if not self._database.on_sqlite:
            self._reaper = Reaper(self._database, jobs, pulse.worker)
        self._seen = DOWN
        self._seen_at = float("-inf")
        self._last_done: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    @property
    def health(self) -> Health:
        """How everything stood at the last look; down when that is too long ago."""
        fresh = monotonic() - self._seen_at < SILENCE.total_seconds()
        return self._seen if fresh else DOWN

    def start(self) -> None:
        """Look once, so that what is wrong is raised here, and go on in a thread."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Queue nothing any more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        well = True
        while not self._stopped.wait(hurried(LOOK_EVERY).total_seconds()):
            try:
                self.look()
            except StoreError as reason:
                if well:
                    _log.error(f"The schedule stands still. {reason.message}", hint=reason.hint)
                well = False
            except Exception:  # noqa: BLE001 - it would end the schedule of everybody, and nobody would see it
                _log.exception("The keeper of the schedule met a fault in Watchbook.")
                well = False
            else:
                if not well:
                    _log.info("The schedule goes on.")
                well = True

    def look(self) -> None:
        """Do everything that is to be done now; raises StoreError."""
        self._pulse.hold()
        self._at_most_every("beat", timedelta(seconds=15), self._pulse.beat)
        rows = plan.keep_rows(self._installation)
        self._queue(rows)
        if self._reaper is not None:
            self._reaper.look()
        self._at_most_every("mend", _EVERY_MINUTE, lambda: self._mend(rows))
        self._at_most_every("tidy", _EVERY_DAY, self._tidy)
        self._seen = health.look(self._database)
        self._seen_at = monotonic()

    def _at_most_every(self, name: str, pause: timedelta, act: Callable[[], None]) -> None:
        if monotonic() - self._last_done.get(name, float("-inf")) >= hurried(pause).total_seconds():
            act()
            self._last_done[name] = monotonic()

    def _queue(self, rows: list[Due]) -> None:
        """Queue what is due: first with the engine, which knows it by name, then in the row."""
        moment = to_millis(now())
        waiting = [row for row in rows if row.job is None and row.next_at <= moment]
        with self._database.read() as conn:
            pressing = outbox.pressing(conn, moment)
        waiting = [row for row in waiting if plan.is_worth_a_job(row, pressing, moment)]
        for row in waiting[:_QUEUED_AT_ONCE]:
            job = _job_of(row)
            self._jobs.enqueue(job)
            step("job.queued")
            with self._database.write() as conn:
                due.queued(conn, row, job.id)

    def _mend(self, rows: list[Due]) -> None:
        """Find slots whose job ended without leaving them, or is not known to the engine."""
        old = to_millis(now() - hurried(_EVERY_MINUTE))
        stuck = {row.job: row for row in rows if row.job is not None and row.next_at <= old}
        for id_, stand in self._jobs.stands(stuck).items():
            if stand is not Stand.OPEN:
                self._put_right(stuck[id_], stand)

    def _put_right(self, row: Due, stand: Stand) -> None:
        next_at = row.next_at if stand is Stand.UNKNOWN else to_millis(now())
        with self._database.write() as conn:
            done = due.leave(conn, row, next_at)
        if done:
            _log.warning("A job was lost, and its slot is free again.", job=row.job)

    def _tidy(self) -> None:
        jobs = self._jobs.forget_ended(to_millis(now() - _KEPT_JOBS))
        with self._database.write() as conn:
            quiet = runs.forget_quiet(conn, to_millis(now() - _KEPT_QUIET_RUNS))
        if jobs or quiet:
            _log.info("Tidied.", jobs=jobs, quiet_syncs=quiet)
        desk.let_outdated_go(self._installation.store)


def _job_of(row: Due) -> Job:
    return Job(Kind(row.kind), row.account_id, row.next_at)
