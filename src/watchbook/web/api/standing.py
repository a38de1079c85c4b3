"""The account itself and how its copy, backups and posts stand, as the API tells them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from watchbook.archive import ledger
from watchbook.archive.ledger import Archive
from watchbook.freshness import freshness
from watchbook.redaction import redact
from watchbook.sharing import Part
from watchbook.store import attempts, datasets, outbox, plays, runs, sites
from watchbook.store.datasets import DataSetState
from watchbook.web.api import standing_shapes as shapes
from watchbook.web.api.call import Call, cut
from watchbook.web.api.parameters import Page
from watchbook.web.api.shapes import moment, moment_of

_FEW_RUNS = 20
_FEW_TRIES = 10


def person(_conn: sa.Connection, call: Call, paths: Mapping[str, Part | None]) -> shapes.Person:
    """What may be seen of the account; ``paths`` are those of the operations with their parts."""
    public = call.public
    root = f"{call.base_url}/api/v1/accounts/{public.account.name}"
    seen = {
        path: f"{root}/{path}"
        for path, part in paths.items()
        if call.own or (part is not None and public.shows(part))
    }
    return shapes.Person(
        account=public.account.name,
        shares=sorted(public.parts),
        own=call.own,
        time_zone=public.account.timezone if call.own else None,
        links=seen,
    )


def backups(conn: sa.Connection, call: Call) -> shapes.Backups:
    """Every archive that is recorded."""
    return shapes.Backups(items=list(map(_copy, ledger.recorded(conn, call.public.account))))


def _copy(one: Archive) -> shapes.Copy:
    return shapes.Copy(
        name=one.name,
        written_at=moment_of(one.written_at),
        bytes=one.bytes,
        sha256=one.sha256,
        verdict=one.verdict,
        words=_clean(one.words),
        encrypted=one.recipients is not None,
        checked_at=moment(one.checked_at),
        check=one.check_outcome,
        check_words=_clean(one.check_words),
    )


def posts(conn: sa.Connection, call: Call) -> shapes.Outbox:
    """A page of the outbox."""
    values, limit = call.values, call.values["limit"]
    before = values["cursor"].number if values["cursor"] else None
    found = outbox.page(conn, call.account_id, limit + 1, state=values["state"], before=before)
    some, after = cut(found, limit, lambda post: Page(0, str(post.id)))
    names = {site.id: site.name for site in sites.all_sites(conn, call.account_id)}
    return shapes.Outbox(items=[_post(conn, one, names[one.site_id]) for one in some], next=after)


def _post(conn: sa.Connection, one: outbox.Post, site: str) -> shapes.Post:
    tries = attempts.of_post(conn, one.id)[-_FEW_TRIES:]
    return shapes.Post(
        id=one.id,
        site=site,
        kind=one.kind,
        post_id=one.post_id,
        state=one.state,
        reason=one.reason,
        words=_clean(one.words),
        url=one.url,
        watched_at=moment(one.watched_at),
        made_at=moment_of(one.made_at),
        due_at=moment_of(one.due_at),
        settled_at=moment(one.settled_at),
        plays=outbox.plays_of(conn, one.id),
        tries=list(map(_try, tries)),
    )


def _try(one: attempts.Attempt) -> shapes.Try:
    return shapes.Try(
        what=one.what,
        began_at=moment_of(one.began_at),
        ended_at=moment(one.ended_at),
        outcome=one.outcome,
        status=one.status,
        words=_clean(one.words),
    )


def health(conn: sa.Connection, call: Call) -> shapes.Health:
    """How the copy stands."""
    fresh = freshness(conn, call.public.account, call.sync_every)
    return shapes.Health(
        as_of=fresh.as_of.replace(microsecond=0) if fresh.as_of else None,
        stale=fresh.stale,
        reason=fresh.reason,
        plays=plays.count(conn, call.account_id),
        runs=list(map(_run, runs.recent(conn, call.account_id, _FEW_RUNS))),
        data_sets=list(map(_set, datasets.all_states(conn, call.account_id).values())),
    )


def _run(one: runs.Run) -> shapes.Run:
    return shapes.Run(
        kind=one.kind,
        started_at=moment_of(one.started_at),
        finished_at=moment(one.finished_at),
        outcome=one.outcome,
        words=_clean(one.words),
        hint=_clean(one.hint),
        requests=one.requests,
    )


def _set(one: DataSetState) -> shapes.KnownSet:
    return shapes.KnownSet(
        name=one.name,
        state=one.state,
        words=_clean(one.words),
        kept=one.kept,
        claimed=one.claimed,
        read_at=moment(one.read_at),
    )


def _clean(words: str | None) -> str | None:
    """Words that others may have had a part in, without secrets."""
    return None if words is None else redact(words)
