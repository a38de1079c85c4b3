"""Sharing: which parts of an account everybody may see, and when a play begins to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store import accounts, shares, watching
from watchbook.store.accounts import Account
from watchbook.values import period


class Part(StrEnum):
    """A part of an account that is switched on or off for everybody by itself."""

    LAST = "last"
    NOW = "now"
    HISTORY = "history"
    RATINGS = "ratings"
    STATISTICS = "statistics"
    FEEDS = "feeds"
    SEARCH_ENGINES = "search-engines"


MEANINGS = {
    Part.LAST: "The last film or episode watched: the widget, its card and its embed.",
    Part.NOW: "What is being watched right now; Trakt is asked for it once a minute.",
    Part.HISTORY: "All plays, on the public page and in the API.",
    Part.RATINGS: "Ratings, beside the plays and in the API.",
    Part.STATISTICS: "Numbers about the plays, and the cards of the year and the heatmap.",
    Part.FEEDS: "Feeds of plays and the calendar.",
    Part.SEARCH_ENGINES: "Search engines may list the public page, where there is one.",
}
"""What switching a part on shows to everybody."""


@dataclass(frozen=True)
class Public:
    """An account as strangers may see it."""

    account: Account
    parts: frozenset[Part]
    delay: timedelta
    """How long after it was watched a play begins to show."""

    def shows(self, part: Part) -> bool:
        """Whether everybody may see ``part``."""
        return part in self.parts

    @property
    def until(self) -> int:
        """Only plays watched before this moment (milliseconds) are shown."""
        return to_millis(now() - self.delay)


@dataclass(frozen=True)
class People:
    """Everybody who has an account, as strangers may see them."""

    owner: Public | None
    by_name: Mapping[str, Public]

    def of(self, name: str | None) -> Public | None:
        """The account called ``name``, or the owner's; None when there is no such account."""
        return self.owner if name is None else self.by_name.get(name)


def people(conn: sa.Connection) -> People:
    """Everybody; two queries, however many they are."""
    switched_on = shares.all_parts(conn)
    found = [
        _public(account, switched_on.get(account.id, frozenset()))
        for account in accounts.all_accounts(conn)
    ]
    owner = next(iter(found), None)
    return People(owner, {public.account.name: public for public in found})


def switch_on(conn: sa.Connection, account_id: int, parts: Iterable[Part]) -> None:
    """Let everybody see ``parts``."""
    for part in parts:
        shares.switch_on(conn, account_id, part)


def switch_off(conn: sa.Connection, account_id: int, parts: Iterable[Part]) -> None:
    """Show ``parts`` to nobody any more; what was being watched is forgotten."""
    for part in parts:
        shares.switch_off(conn, account_id, part)
        if part is Part.NOW:
            watching.forget(conn, account_id)


def of_account(conn: sa.Connection, account: Account) -> Public:
    """What strangers may see of ``account``."""
    return _public(account, shares.parts(conn, account.id))


def _public(account: Account, switched_on: frozenset[str]) -> Public:
    known = {part.value for part in Part}
    on = frozenset(Part(name) for name in switched_on if name in known)
    return Public(account, on, period(account.show_after) if account.show_after else timedelta(0))
