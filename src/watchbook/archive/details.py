"""``watchbook/titles.json``: what is known of titles beyond what the rows about them say.

A sync reads details of new plays' titles that stay in no row. So the details of every title that
a row of the account is about are kept apart, with the moment that they were learnt.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec
import sqlalchemy as sa

from watchbook.archive.contents import Part, by_bytes
from watchbook.store.schema import items, plays, titles
from watchbook.store.titles import DETAILS

TITLES = "watchbook/titles.json"

_BATCH = 1_000
_COLUMNS = ("key", "detailed_at", *DETAILS)


def details_part(account_id: int) -> Part:
    """The file, with a line for each title that has details, and for its show."""
    named = sa.union(
        *(sa.select(t.c.title_key).where(t.c.account_id == account_id) for t in (plays, items))
    ).scalar_subquery()
    shows = sa.select(titles.c.show_key).where(titles.c.key.in_(named))
    query = (
        sa.select(*(titles.c[name] for name in _COLUMNS))
        .where(titles.c.detailed_at.is_not(None))
        .where(sa.or_(titles.c.key.in_(named), titles.c.key.in_(shows)))
        .order_by(by_bytes(titles.c.key))
    )
    return Part(TITLES, "watchbook", None, query)


def take_details(conn: sa.Connection, lines: Iterable[bytes]) -> None:
    """Give titles that are there the details of the file, unless later ones are known."""
    at = sa.bindparam("at", type_=sa.BigInteger)
    older = sa.or_(titles.c.detailed_at.is_(None), titles.c.detailed_at < at)
    new = {name: sa.bindparam(name, type_=titles.c[name].type) for name in DETAILS}
    values = {name: sa.func.coalesce(value, titles.c[name]) for name, value in new.items()}
    statement = (
        sa.update(titles)
        .where(titles.c.key == sa.bindparam("of"), older)
        .values(**values, detailed_at=at)
    )
    rest = iter(lines)
    while batch := list(islice(rest, _BATCH)):
        conn.execute(statement, [_values(line) for line in batch])


def _values(line: bytes) -> dict[str, object]:
    told = msgspec.json.decode(line, type=dict[str, str | int | None])
    found = {name: told.get(name) for name in DETAILS}
    return {"of": told["key"], "at": told["detailed_at"], **found}
