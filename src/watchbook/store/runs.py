"""Runs: every attempt at something leaves a row, so that nothing fails in silence."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import StoreError, TakenOver, WatchbookError
from watchbook.store import changes
from watchbook.store.database import Database
from watchbook.store.schema import runs

RUNNING = "running"
COMPLETE = "complete"
INCOMPLETE = "incomplete"
FAILED = "failed"
INTERRUPTED = "interrupted"
_AGAIN = "Run the same command again."


@dataclass(frozen=True)
class Run:
    """One attempt. Times are milliseconds since 1970; ``report`` is JSON text."""

    id: int
    account_id: int
    kind: str
    started_at: int
    finished_at: int | None
    outcome: str
    words: str | None
    hint: str | None
    requests: int
    report: str | None


_COLUMNS = [runs.c[name] for name in Run.__dataclass_fields__]


def start(conn: sa.Connection, account_id: int, kind: str, job: str | None = None) -> int:
    """Write that a run of ``kind`` began; an earlier one that never ended was interrupted.

    ``job`` names what of the schedule it is for. Raises TakenOver when that has been done: a
    worker that was thought dead came to its end after all.
    """
    if job is not None and ended(conn, job, kind):
        raise TakenOver("Another Watchbook process has done the same job meanwhile.")
    same = (runs.c.account_id == account_id) & (runs.c.kind == kind)
    conn.execute(
        sa.update(runs)
        .where(same, runs.c.outcome == RUNNING)
        .values(outcome=INTERRUPTED, words="The process ended before the run did.")
    )
    row = {
        "account_id": account_id,
        "kind": kind,
        "started_at": to_millis(now()),
        "outcome": RUNNING,
        "requests": 0,
        "job": job,
    }
    run_id: int = conn.execute(sa.insert(runs).values(row).returning(runs.c.id)).scalar_one()
    return run_id


def finish(
    conn: sa.Connection,
    run_id: int,
    outcome: str,
    words: str,
    *,
    hint: str | None = None,
    requests: int = 0,
    report: object = None,
) -> None:
    """Write how a run ended, in words; ``report`` is kept as JSON.

    One that was called interrupted in the meantime stays so: somebody else has taken over.
    """
    values = {
        "finished_at": to_millis(now()),
        "outcome": outcome,
        "words": words,
        "hint": hint,
        "requests": requests,
        "report": msgspec.json.encode(report).decode() if report is not None else None,
    }
    ours = (runs.c.id == run_id) & (runs.c.outcome == RUNNING)
    ended = sa.update(runs).where(ours).values(values).returning(runs.c.account_id)
    for account_id in conn.scalars(ended).all():
        changes.tell(conn, changes.of_account(account_id))


def fail(
    database: Database, run_id: int, reason: BaseException, *, about: str = "", requests: int = 0
) -> None:
    """Write that ``reason`` ended a run; ``about`` comes before its words.

    Never raises StoreError: when the database is what failed, the next run finds this one
    unfinished.
    """
    hint: str | None = "Please report it."
    outcome, words = FAILED, f"A fault: {type(reason).__name__}."
    if isinstance(reason, KeyboardInterrupt):
        outcome, words, hint = INTERRUPTED, "Stopped from the keyboard.", _AGAIN
    if isinstance(reason, WatchbookError):
        words, hint = reason.message, reason.hint
    with suppress(StoreError), database.write() as conn:
        finish(conn, run_id, outcome, f"{about}{words}", hint=hint, requests=requests)


def ended(conn: sa.Connection, job: str, kind: str) -> Run | None:
    """The run of ``kind`` with which ``job`` came to an end, well or not."""
    query = sa.select(*_COLUMNS).where(
        runs.c.job == job,
        runs.c.kind == kind,
        runs.c.finished_at.is_not(None),
        runs.c.outcome != INTERRUPTED,
    )
    row = conn.execute(query).first()
    return Run(*row) if row else None


def forget_quiet(conn: sa.Connection, before: int) -> int:
    """Delete syncs from before that moment which found nothing new; returns how many.

    Twelve an hour say nothing that the next one does not. An account's last good one stays: it
    says up to when the copy is known to be true.
    """
    good = sa.select(sa.func.max(runs.c.id)).where(
        runs.c.kind == "sync", runs.c.outcome == COMPLETE
    )
    quiet = sa.delete(runs).where(
        runs.c.id.not_in(good.group_by(runs.c.account_id)),
        runs.c.kind == "sync",
        runs.c.outcome == COMPLETE,
        runs.c.requests <= 1,
        runs.c.finished_at < before,
    )
    return conn.execute(quiet).rowcount


def latest(conn: sa.Connection, account_id: int, kind: str, *, limit: int = 1) -> list[Run]:
    """The newest runs of ``kind``, newest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(runs.c.account_id == account_id, runs.c.kind == kind)
        .order_by(runs.c.id.desc())
        .limit(limit)
    )
    return [Run(*row) for row in conn.execute(query)]


def recent(conn: sa.Connection, account_id: int, limit: int) -> list[Run]:
    """The newest runs of every kind, newest first."""
    query = sa.select(*_COLUMNS).where(runs.c.account_id == account_id)
    return [Run(*row) for row in conn.execute(query.order_by(runs.c.id.desc()).limit(limit))]


def last_success(conn: sa.Connection, account_id: int, kinds: Collection[str]) -> int | None:
    """When the last run of ``kinds`` that ended well began (millis); None if none ever did."""
    began: int | None = conn.scalar(
        sa.select(sa.func.max(runs.c.started_at)).where(
            runs.c.account_id == account_id,
            runs.c.kind.in_(kinds),
            runs.c.outcome.in_((COMPLETE, INCOMPLETE)),
        )
    )
    return began
