"""Where plays are published, and what was: ``sites.json``, ``posts.json``, ``posters.json``.

Nothing in them moves while the outbox rests: when a post is due or a site is tried again is left
out. What was on its way when the archive was written may have gone out afterwards, so it is told
as ``unknown``: after reading back it is looked for on the site before it is sent. Tokens stay
behind, and so does the command of a folder, which no file from elsewhere may bring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.archive.contents import CHUNK, array, by_bytes
from watchbook.archive.manifest import POSTERS, POSTS, SITES
from watchbook.archive.packing import Member, measured
from watchbook.clock import now, to_millis
from watchbook.store.outbox import PostKind, PostState
from watchbook.store.schema import media, outbox, outbox_plays, sites
from watchbook.store.sites import Kind, SiteState

_BATCH = 1_000
_COMMAND = "command"
_ON_THE_WAY = frozenset({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN})
_DOUBT = "It may have gone out after the archive was written, so it is looked for first."
_SIGN_IN = "A sign-in is never in an archive."
_PAUSED = "It came back from an archive, and nothing is written there before you say so."

_Lines = Callable[[sa.Connection, int], Iterator[bytes]]

_encode = msgspec.json.Encoder().encode


class SiteLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A site; how it stood does not last."""

    name: str
    kind: Kind
    me: str | None = None
    endpoint: str
    rules: Mapping[str, str] = {}


class PostLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the outbox, with the history ids of its plays; times are milliseconds since 1970.

    ``about`` is the post that an update or a withdrawal is about: its place in the file, from 1.
    ``words`` and ``settled_at`` are missing of what was on its way.
    """

    site: str
    kind: PostKind
    about: int | None = None
    plays: Sequence[int] = ()
    slug: str | None = None
    show_key: str | None = None
    watched_at: int
    made_at: int
    state: PostState
    reason: str | None = None
    words: str | None = None
    settled_at: int | None = None
    url: str | None = None
    sent: str | None = None


class PosterLine(msgspec.Struct, frozen=True, kw_only=True):
    """A poster that a site has: of which title, its file's key, and where it lies there."""

    site: str
    title_key: str
    picture: str
    url: str
    uploaded_at: int


_SITE = ("name", "kind", "me", "endpoint", "rules")
_POST = tuple(name for name in PostLine.__struct_fields__ if name not in {"site", "about", "plays"})


# Writing -----------------------------------------------------------------------------------


def publishing_members(conn: sa.Connection, account_id: int) -> list[Member]:
    """The files, each if there is anything to tell."""
    ours = (sites.c.account_id == account_id, outbox.c.account_id == account_id)
    files = (
        _member(conn, SITES, sa.select(sites.c.id).where(ours[0]), account_id, _site_lines),
        _member(conn, POSTS, sa.select(outbox.c.id).where(ours[1]), account_id, _post_lines),
        _member(conn, POSTERS, _poster_query(account_id), account_id, _poster_lines),
    )
    return [member for member in files if member.entry.rows]


def _member(
    conn: sa.Connection, path: str, rows: sa.Select[Any], account_id: int, lines: _Lines
) -> Member:
    def content() -> Iterator[bytes]:
        return array(lines(conn, account_id))

    query = sa.select(sa.func.count()).select_from(rows.order_by(None).subquery())
    count: int = conn.execute(query).scalar_one()
    return measured(path, "watchbook", content(), content, rows=lambda: count)


def _site_lines(conn: sa.Connection, account_id: int) -> Iterator[bytes]:
    query = sa.select(*(sites.c[name] for name in _SITE)).where(sites.c.account_id == account_id)
    for row in conn.execute(query.order_by(by_bytes(sites.c.name))):
        told = dict(zip(_SITE, row, strict=True))
        told["rules"] = _rules(msgspec.json.decode(row.rules, type=dict[str, str]))
        yield _encode(msgspec.convert(told, SiteLine))


def _rules(rules: Mapping[str, str]) -> dict[str, str]:
    return {name: rules[name] for name in sorted(rules) if name != _COMMAND}


def _post_lines(conn: sa.Connection, account_id: int) -> Iterator[bytes]:
    with conn.execute(_post_query(account_id), execution_options={"yield_per": CHUNK}) as rows:
        for batch in rows.partitions():
            plays = _plays_of(conn, [row.id for row in batch])
            yield b",\n".join(_post_line(row, plays.get(row.id, [])) for row in batch)


def _post_query(account_id: int) -> sa.Select[Any]:
    ours = outbox.c.account_id == account_id
    place = sa.func.row_number().over(order_by=outbox.c.id).label("place")
    places = sa.select(outbox.c.id, place).where(ours).subquery()
    return (
        sa.select(
            outbox.c.id,
            sites.c.name.label("site"),
            places.c.place.label("about"),
            *(outbox.c[name] for name in _POST),
        )
        .join(sites, sites.c.id == outbox.c.site_id)
        .outerjoin(places, places.c.id == outbox.c.post_id)
        .where(ours)
        .order_by(outbox.c.id)
    )


def _plays_of(conn: sa.Connection, outbox_ids: list[int]) -> dict[int, list[int]]:
    query = sa.select(outbox_plays.c.outbox_id, outbox_plays.c.history_id)
    query = query.where(outbox_plays.c.outbox_id.in_(outbox_ids))
    found: dict[int, list[int]] = {}
    for outbox_id, history_id in conn.execute(query.order_by(outbox_plays.c.history_id)):
        found.setdefault(outbox_id, []).append(history_id)
    return found


def _post_line(row: Any, plays: list[int]) -> bytes:
    told = {name: getattr(row, name) for name in ("site", "about", *_POST)}
    if row.state in _ON_THE_WAY:
        told |= {"state": PostState.UNKNOWN, "words": None, "settled_at": None}
    return _encode(msgspec.convert({**told, "plays": plays}, PostLine))


def _poster_query(account_id: int) -> sa.Select[Any]:
    columns = (media.c[name] for name in PosterLine.__struct_fields__ if name != "site")
    return (
        sa.select(sites.c.name.label("site"), *columns)
        .join(sites, sites.c.id == media.c.site_id)
        .where(sites.c.account_id == account_id, media.c.url.is_not(None))
        .order_by(by_bytes(sites.c.name), by_bytes(media.c.title_key))
    )


def _poster_lines(conn: sa.Connection, account_id: int) -> Iterator[bytes]:
    for row in conn.execute(_poster_query(account_id)):
        yield _encode(msgspec.convert(row, PosterLine, from_attributes=True))


# Reading back ------------------------------------------------------------------------------


def take_sites(conn: sa.Connection, account_id: int, lines: Iterable[bytes]) -> dict[str, int]:
    """Bring sites back, without their sign-ins; returns the id of each by its name in the file.

    They count as connected from now on: what was watched earlier may have been posted after the
    archive was written. A site that the account has already keeps its sign-in.
    """
    query = sa.select(sites.c.name, sites.c.me, sites.c.id).where(sites.c.account_id == account_id)
    known = conn.execute(query).all()
    taken, ids = {row.name for row in known}, {row.me: row.id for row in known if row.me}
    found = {}
    for line in lines:
        told = msgspec.json.decode(line, type=SiteLine)
        rules = _encode(_rules(told.rules)).decode()
        present = ids.get(told.me)
        if present is not None:
            conn.execute(sa.update(sites).where(sites.c.id == present).values(rules=rules))
        else:
            values = _standing(told) | {"name": _free(told.name, taken), "rules": rules}
            taken.add(values["name"])
            insert = sa.insert(sites).values(account_id=account_id, **values)
            present = conn.execute(insert.returning(sites.c.id)).scalar_one()
        found[told.name] = present
    return found


def _standing(told: SiteLine) -> dict[str, Any]:
    """The columns of a site that was not here, but its name and its rules."""
    moment = to_millis(now())
    values = {"kind": told.kind, "me": told.me, "endpoint": told.endpoint, "failures": 0}
    return {**values, **_state(told), "state_at": moment, "connected_at": moment}


def _state(told: SiteLine) -> dict[str, Any]:
    """How a site stands that came back, and why; an archive alone writes into no folder."""
    if told.kind == Kind.FOLDER:
        hint = f"If {told.endpoint} is yours: `watchbook site resume {told.name}`."
        return {"state": SiteState.PAUSED, "words": _PAUSED, "hint": hint}
    hint = f"Sign in again: `watchbook site add {told.me}`. Queue and rules are kept."
    return {"state": SiteState.SIGN_IN, "words": _SIGN_IN, "hint": hint}


def _free(name: str, taken: set[str]) -> str:
    names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def take_posts(
    conn: sa.Connection, account_id: int, site_ids: Mapping[str, int], lines: Iterable[bytes]
) -> None:
    """Bring the outbox back; what was on its way is due at once, to be looked for."""
    ids: dict[int, int] = {}
    moment, rest = to_millis(now()), iter(lines)
    insert = sa.insert(outbox).returning(outbox.c.id, sort_by_parameter_order=True)
    while batch := [msgspec.json.decode(line, type=PostLine) for line in islice(rest, _BATCH)]:
        rows = [_post_row(told, moment) for told in batch]
        for row, told in zip(rows, batch, strict=True):
            row |= {"account_id": account_id, "site_id": site_ids[told.site]}
        made = list(conn.scalars(insert, rows))
        ids |= enumerate(made, len(ids) + 1)
        _link(conn, zip(made, rows, batch, strict=True), ids)


def _post_row(told: PostLine, moment: int) -> dict[str, Any]:
    """The columns of a post; one that may still go out counts as tried, so it is looked for."""
    row = {name: getattr(told, name) for name in _POST} | {"due_at": moment, "looks": 0}
    row["tries"] = 1 if told.state == PostState.HELD else 0
    if told.state in _ON_THE_WAY:
        row |= {"state": PostState.UNKNOWN, "words": _DOUBT, "settled_at": moment}
    return row


def _link(
    conn: sa.Connection,
    made: Iterable[tuple[int, dict[str, Any], PostLine]],
    ids: Mapping[int, int],
) -> None:
    """Say which plays belong to which post, and which post a change is about."""
    plays, changes = [], []
    for post_id, row, told in made:
        site = row["site_id"]
        plays += [{"site_id": site, "history_id": n, "outbox_id": post_id} for n in told.plays]
        if told.about is not None:
            changes.append({"of": post_id, "about": ids[told.about]})
    if plays:
        conn.execute(sa.insert(outbox_plays), plays)
    if changes:
        about = sa.update(outbox).where(outbox.c.id == sa.bindparam("of"))
        conn.execute(about.values(post_id=sa.bindparam("about")), changes)


def take_posters(conn: sa.Connection, site_ids: Mapping[str, int], lines: Iterable[bytes]) -> None:
    """Bring back which posters the sites have, so that none is given to them a second time."""
    for line in lines:
        told = msgspec.json.decode(line, type=PosterLine)
        row = {name: getattr(told, name) for name in PosterLine.__struct_fields__ if name != "site"}
        row |= {"site_id": site_ids[told.site], "tries": 1, "tried_at": told.uploaded_at}
        this = (media.c.site_id == row["site_id"], media.c.title_key == told.title_key)
        conn.execute(sa.delete(media).where(*this))
        conn.execute(sa.insert(media).values(row))
