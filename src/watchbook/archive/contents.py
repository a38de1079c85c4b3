"""What the store holds for an archive: each file's rows, as the bytes that are written.

Rows are read in chunks from one open transaction, so memory stays flat however many there are,
and raw JSON goes out as it came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.archive.layout import Layout
from watchbook.archive.manifest import Kind
from watchbook.clock import from_iso, from_millis, to_millis
from watchbook.store.schema import items, plays, rejects

CHUNK = 100
REJECTED = "watchbook/rejected.json"

Batches = Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Part:
    """One file of rows and the query that reads them, in the order of the file.

    An ``optional`` file is left out when it has no rows.
    """

    path: str
    kind: Kind
    data_set: str | None
    query: sa.Select[Any]
    single: bool = False
    optional: bool = False


def parts_of(layout: Layout, account_id: int, *, available: bool) -> list[Part]:
    """The files of one data set: what is at Trakt, and what once was.

    A data set that is not ``available`` has files only for what was read before.
    """
    table, query = _play_query(account_id) if layout.plays else _item_query(account_id, layout.name)
    found = []
    for stem, which, odd in _files(layout, table):
        here = query.where(which, table.c.removed_at.is_(None))
        gone = query.where(which, table.c.removed_at.is_not(None))
        optional = odd or not available
        found += [
            Part(f"{stem}.json", "data", layout.name, here, layout.single, optional),
            Part(f"removed/{stem}.json", "removed", layout.name, gone, optional=True),
        ]
    return found


def _files(layout: Layout, table: sa.Table) -> list[tuple[str, sa.ColumnElement[bool], bool]]:
    """Each file's stem, which rows belong into it, and whether only odd ones do."""
    if not layout.split:
        return [(layout.stem, sa.true(), False)]
    types = {kind: kind.removesuffix("s") for kind in layout.split}
    odd = sa.or_(table.c.type.is_(None), table.c.type.not_in(types.values()))
    known = [(f"{layout.stem}_{kind}", table.c.type == types[kind], False) for kind in types]
    return [*known, (f"{layout.stem}_others", odd, True)]


def _play_query(account_id: int) -> tuple[sa.Table, sa.Select[Any]]:
    query = sa.select(plays).where(plays.c.account_id == account_id)
    return plays, query.order_by(plays.c.watched_at.desc(), plays.c.history_id.desc())


def _item_query(account_id: int, data_set: str) -> tuple[sa.Table, sa.Select[Any]]:
    ours = (items.c.account_id == account_id) & (items.c.data_set == data_set)
    return items, sa.select(items).where(ours).order_by(items.c.place, by_bytes(items.c.key))


def by_bytes(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """An order of texts that is the same in every database, whatever language it sorts in."""
    plain = sa.String(collation="C").with_variant(sa.String(), "sqlite")
    return sa.cast(text, plain)


def rejected_part(account_id: int) -> Part:
    """What could not be read, kept as it came, with the reason."""
    query = (
        sa.select(rejects)
        .where(rejects.c.account_id == account_id)
        .order_by(by_bytes(rejects.c.data_set), by_bytes(rejects.c.digest))
    )
    return Part(REJECTED, "rejected", None, query, optional=True)


def batches(conn: sa.Connection, part: Part) -> Iterator[Sequence[Any]]:
    """The rows of ``part`` in chunks, as the database gives them."""
    with conn.execute(part.query, execution_options={"yield_per": CHUNK}) as rows:
        yield from rows.partitions()


def chunks(part: Part, rows: Batches) -> Iterator[bytes]:
    """The bytes of the file of ``part``: an array with a row per line, or one object."""
    if part.single:
        kept = [_row(part, row) for batch in rows for row in batch]
        yield from [(kept or [b"null"])[0] + b"\n"] if len(kept) <= 1 else array(iter(kept))
    else:
        yield from array(b",\n".join(_row(part, row) for row in batch) for batch in rows)


def array(lines: Iterator[bytes]) -> Iterator[bytes]:
    """A JSON array of lines."""
    first = next(lines, None)
    if first is None:
        yield b"[]\n"
        return
    yield b"[\n" + first
    for line in lines:
        yield b",\n" + line
    yield b"\n]\n"


def _row(part: Part, row: Any) -> bytes:
    if part.kind == "removed":
        gone = exact_iso(row.removed_at)
        return f'{{"removed_at": "{gone}", "item": {row.raw}}}'.encode()
    if part.kind == "watchbook":
        return msgspec.json.encode({n: v for n, v in row._mapping.items() if v is not None})  # noqa: SLF001 - documented by SQLAlchemy
    if part.kind == "rejected":
        return msgspec.json.encode({"data_set": row.data_set, "reason": row.reason, "raw": row.raw})
    raw: str = row.raw
    return raw.encode()


def taken_apart(row: bytes) -> tuple[str, int]:
    """A row of a file of removed rows: its raw text, and when it was removed."""
    head, _, rest = row.decode().partition('", "item": ')
    return rest.removesuffix("}"), to_millis(from_iso(head.removeprefix('{"removed_at": "')))


def exact_iso(millis: int) -> str:
    """Stored milliseconds as ``2026-11-21T20:15:00.123Z``, losing nothing."""
    return from_millis(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")
