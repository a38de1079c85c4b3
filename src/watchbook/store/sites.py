"""Sites: where an account's plays are published, with sealed tokens and the site's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import InputError
from watchbook.seal import Sealer
from watchbook.store.accounts import Account
from watchbook.store.schema import sites


class Kind(StrEnum):
    """What a site is: a Micropub endpoint, or a folder of Markdown files."""

    MICROPUB = "micropub"
    FOLDER = "folder"


class SiteState(StrEnum):
    """How a site stands. A paused one keeps its queue."""

    WORKING = "working"
    TROUBLED = "troubled"
    """Down for now; tried again at ``retry_at``."""
    SIGN_IN = "sign in again"
    PAUSED = "paused"


@dataclass(frozen=True)
class Site:
    """One site of an account. Times are milliseconds since 1970; ``rules`` are those it has set.

    ``endpoint`` is the Micropub endpoint's address, or the folder. ``config`` is what a folder
    still waits for: the command after changes. ``sign_in`` says how its
    owner signed in (JSON). ``renewing`` is the fingerprint of a refresh token that was sent, as
    long as its answer is not known. Plays watched before ``connected_at`` are not news there.
    """

    id: int
    account_id: int
    name: str
    kind: str
    me: str | None
    endpoint: str
    sign_in: str | None
    renewing: str | None
    state: str
    words: str | None
    hint: str | None
    state_at: int
    retry_at: int | None
    failures: int
    connected_at: int
    config: str | None
    config_at: int | None
    rules: Mapping[str, str]
    _sealed: str | None = field(repr=False)

    def token(self, sealer: Sealer) -> str | None:
        """What was sealed with :func:`seal_token`; raises SettingsError for another key."""
        return None if self._sealed is None else sealer.open(self._sealed, _place(self.id))


_PLAIN = tuple(name for name in Site.__dataclass_fields__ if name not in {"rules", "_sealed"})
_COLUMNS = [sites.c[name] for name in (*_PLAIN, "rules", "token_sealed")]


def _place(site_id: int) -> str:
    return f"site:{site_id}:token"


def _site(row: Sequence[Any]) -> Site:
    *plain, rules, sealed = row
    texts = msgspec.json.decode(rules, type=dict[str, str])
    return Site(**dict(zip(_PLAIN, plain, strict=True)), rules=texts, _sealed=sealed)


def all_sites(conn: sa.Connection, account_id: int | None = None) -> list[Site]:
    """The sites of an account, or of all, by name."""
    query = sa.select(*_COLUMNS).order_by(sites.c.name)
    if account_id is not None:
        query = query.where(sites.c.account_id == account_id)
    return [_site(row) for row in conn.execute(query)]


def holders(conn: sa.Connection) -> set[int]:
    """The accounts that have a site which is not paused."""
    open_ = sites.c.state != SiteState.PAUSED
    return set(conn.scalars(sa.select(sites.c.account_id).where(open_).distinct()))


def get(conn: sa.Connection, site_id: int) -> Site:
    """The site with that id."""
    return _site(conn.execute(sa.select(*_COLUMNS).where(sites.c.id == site_id)).one())


def choose(conn: sa.Connection, account: Account, name: str | None) -> Site:
    """The site that a command works on: the named one, else the only one.

    Raises InputError when there is none, or several and none was named.
    """
    known = all_sites(conn, account.id)
    found = [site for site in known if name is None or site.name == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(site.name for site in known) or "none yet"
    if not known:
        raise InputError(
            f"{account.name} has no site yet.", hint="`watchbook site add ADDRESS` connects one."
        )
    if name is None:
        raise InputError("There are several sites.", hint=f"Say which: {names}.")
    raise InputError(f"There is no site called {name}.", hint=f"Known sites: {names}.")


def add(
    conn: sa.Connection, account: Account, name: str, kind: Kind, endpoint: str, **values: object
) -> Site:
    """Connect a site, from now on; raises InputError if the name is taken."""
    if any(site.name == name for site in all_sites(conn, account.id)):
        raise name_taken(name)
    moment = to_millis(now())
    row = {
        "account_id": account.id,
        "name": name,
        "kind": kind,
        "endpoint": endpoint,
        "state": SiteState.WORKING,
        "state_at": moment,
        "failures": 0,
        "connected_at": moment,
        "rules": "{}",
        **values,
    }
    insert = sa.insert(sites).values(row).returning(sites.c.id)
    return get(conn, conn.execute(insert).scalar_one())


def name_taken(name: str) -> InputError:
    """The error for a name that another site has."""
    return InputError(f"There is a site called {name} already.", hint="Choose another with --name.")


def change(conn: sa.Connection, site_id: int, **values: object) -> None:
    """Set columns of a site."""
    conn.execute(sa.update(sites).where(sites.c.id == site_id).values(values))


def set_state(
    conn: sa.Connection,
    site_id: int,
    state: SiteState,
    words: str | None = None,
    hint: str | None = None,
    **values: object,
) -> None:
    """Write down how a site stands, and why."""
    told = {"state": state, "words": words, "hint": hint, "state_at": to_millis(now())}
    change(conn, site_id, **told, **values)


def set_rules(conn: sa.Connection, site_id: int, rules: Mapping[str, str]) -> None:
    """Write the rules that the site has set."""
    change(conn, site_id, rules=msgspec.json.encode(dict(rules)).decode())


def seal_token(conn: sa.Connection, sealer: Sealer, site_id: int, token: str) -> None:
    """Write a new token (any text that holds it) over the old one; it is known by now."""
    change(conn, site_id, token_sealed=sealer.seal(token, _place(site_id)), renewing=None)


def seal_anew(conn: sa.Connection, sealer: Sealer) -> None:
    """Seal every token with the newest key."""
    for site in all_sites(conn):
        token = site.token(sealer)
        if token is not None:
            change(conn, site.id, token_sealed=sealer.seal(token, _place(site.id)))


def remove(conn: sa.Connection, site_id: int) -> None:
    """Forget a site, with its tokens and what was posted there."""
    conn.execute(sa.delete(sites).where(sites.c.id == site_id))
