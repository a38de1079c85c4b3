"""What an operation of the API is called with, and what makes its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import sqlalchemy as sa

from watchbook.errors import InputError
from watchbook.sharing import Part, Public
from watchbook.web.api.parameters import Page, Values, packed
from watchbook.web.api.shapes import Done

Row = TypeVar("Row")


class NotThere(InputError):
    """There is no such thing in this account, or not for who asks."""


@dataclass(frozen=True)
class Call:
    """A question: about whom, with which parameters, and whether the account itself asks."""

    public: Public
    own: bool
    """Whether a token of the account was shown."""
    values: Values
    base_url: str
    sync_every: timedelta

    @property
    def account_id(self) -> int:
        """Whose rows are read."""
        return self.public.account.id

    @property
    def seen_as(self) -> Public:
        """The account as who asks may see it: to itself nothing is hidden or delayed."""
        if not self.own:
            return self.public
        return replace(self.public, parts=frozenset(Part), delay=timedelta(0))

    @property
    def until(self) -> int | None:
        """Only what lies before this moment (milliseconds) may be seen; None when all may."""
        return None if self.own else self.public.until


Make = Callable[[sa.Connection, Call], Done]
"""Makes the answer of an operation, within one transaction; raises InputError and NotThere."""


def cut(
    rows: Sequence[Row], limit: int, page_of: Callable[[Row], Page]
) -> tuple[Sequence[Row], str | None]:
    """The first ``limit`` of ``rows`` and the cursor of the next page, if any row is left over."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], packed(page_of(rows[limit - 1]))
