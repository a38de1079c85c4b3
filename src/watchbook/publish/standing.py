"""How the sites of an account stand, in numbers and words; it only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from watchbook.clock import from_millis
from watchbook.indieauth.endpoints import SignIn
from watchbook.store import outbox, sites
from watchbook.store.outbox import PostState
from watchbook.store.sites import Site


@dataclass(frozen=True)
class SiteStanding:
    """One site: its state with the reason and what to do, and its posts by state.

    ``proven`` says whether its owner has signed in there: with a token that was given by hand
    nobody knows whose ``me`` is, and a folder has none. Plays watched before ``connected_at`` are
    not news there; ``published_at`` is when its last post went out, ``retry_at`` until when it is
    left alone.
    """

    name: str
    me: str | None
    proven: bool | None
    endpoint: str
    state: str
    words: str | None
    hint: str | None
    connected_at: datetime
    retry_at: datetime | None
    published_at: datetime | None
    posts: Mapping[str, int]


def standing(conn: sa.Connection, site: Site) -> SiteStanding:
    """How a site stands."""
    newest, counts = outbox.newest_published(conn, site.id), outbox.counts(conn, site.id)
    settled = newest.settled_at if newest is not None else None
    return SiteStanding(
        site.name,
        site.me,
        _is_proven(site),
        site.endpoint,
        site.state,
        site.words,
        site.hint,
        from_millis(site.connected_at),
        from_millis(site.retry_at) if site.retry_at is not None else None,
        from_millis(settled) if settled is not None else None,
        {state.value: counts.get(state, 0) for state in PostState},
    )


def _is_proven(site: Site) -> bool | None:
    if site.me is None:
        return None
    sign_in = msgspec.json.decode(site.sign_in, type=SignIn) if site.sign_in else None
    return sign_in is not None and sign_in.endpoints is not None


def standings(conn: sa.Connection, account_id: int) -> list[SiteStanding]:
    """How every site of an account stands, by name."""
    return [standing(conn, site) for site in sites.all_sites(conn, account_id)]
