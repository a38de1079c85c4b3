"""Accounts: whose book it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import InputError
from watchbook.store import changes
from watchbook.store.schema import accounts

PROVISIONAL = "me"
"""Name of an account until Trakt has told its slug."""

HOW_TO_BEGIN = (
    "Run `watchbook connect` to sign in to Trakt, or `watchbook import FILE` with the export "
    "that Trakt gives to everybody, without an app."
)
"""What somebody without an account is told."""

_LONGEST_NAME = 60


@dataclass(frozen=True)
class Account:
    """One person's book. ``trakt_slug`` is None until Trakt or a ZIP has told it.

    ``sync_every``, ``backup_every`` and ``keep`` are written as the settings of these names,
    which hold where an account has none of its own.
    """

    id: int
    name: str
    trakt_slug: str | None
    trakt_uuid: str | None
    owner: bool
    timezone: str | None
    client_id: str | None
    client_secret_sealed: str | None
    full_read_at: int | None
    locked: str | None
    sync_every: str | None = None
    backup_every: str | None = None
    keep: str | None = None
    show_after: str | None = None

    @property
    def zone(self) -> tzinfo | None:
        """Where its days begin: the time zone that Trakt told; None is that of this machine."""
        try:
            return ZoneInfo(self.timezone) if self.timezone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None

    def is_of(self, slug: str, uuid: str | None) -> bool:
        """Whether it is that Trakt user's, as far as both are known."""
        if self.trakt_uuid and uuid:
            return self.trakt_uuid == uuid
        return self.trakt_slug is not None and self.trakt_slug == slug

    @property
    def own_settings(self) -> dict[str, str | None]:
        """What it has of its own, by the names of `account set`; None holds as installed."""
        return {
            "sync-every": self.sync_every,
            "backup-every": self.backup_every,
            "keep": self.keep,
        }

    @property
    def secret_place(self) -> str:
        """Where the client secret is sealed to."""
        return f"account:{self.id}:client_secret"


_COLUMNS = [accounts.c[name] for name in Account.__dataclass_fields__]


def all_accounts(conn: sa.Connection) -> list[Account]:
    """All accounts, the owner's first, then by name."""
    order = (accounts.c.owner.desc(), accounts.c.name)
    return [Account(*row) for row in conn.execute(sa.select(*_COLUMNS).order_by(*order))]


def find(conn: sa.Connection, name: str) -> Account | None:
    """The account called ``name``."""
    row = conn.execute(sa.select(*_COLUMNS).where(accounts.c.name == name)).one_or_none()
    return Account(*row) if row else None


def get(conn: sa.Connection, account_id: int) -> Account:
    """The account with that id."""
    return Account(*conn.execute(sa.select(*_COLUMNS).where(accounts.c.id == account_id)).one())


def by_id(conn: sa.Connection, account_id: int) -> Account | None:
    """The account with that id, unless it was removed."""
    row = conn.execute(sa.select(*_COLUMNS).where(accounts.c.id == account_id)).one_or_none()
    return Account(*row) if row else None


def of_user(conn: sa.Connection, slug: str, uuid: str | None) -> Account | None:
    """The account of a Trakt user, if there is one."""
    return next((one for one in all_accounts(conn) if one.is_of(slug, uuid)), None)


def choose(conn: sa.Connection, name: str | None) -> Account:
    """The account that a command works on: the named one, else the only one.

    Raises InputError when there is none, or several and none was named.
    """
    known = all_accounts(conn)
    if name is not None:
        account = find(conn, name)
        if account is None:
            names = ", ".join(a.name for a in known) or "none yet"
            raise InputError(
                f"There is no account called {name}.", hint=f"Known accounts: {names}."
            )
        return account
    if not known:
        raise InputError(
            "There is no account yet.",
            hint=HOW_TO_BEGIN,
        )
    if len(known) > 1:
        names = ", ".join(account.name for account in known)
        raise InputError(
            "There are several accounts.", hint=f"Say which with --account NAME: {names}."
        )
    return known[0]


def checked_name(name: str) -> str:
    """``name``, if it is safe in files, addresses and commands; raises InputError."""
    if len(name) > _LONGEST_NAME or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise InputError(
            f"{name!r} cannot be the name of an account.",
            hint=f"Small letters, digits, - and _, at most {_LONGEST_NAME}. Example: tom",
        )
    return name


def name_from(text: str) -> str:
    """A name that :func:`checked_name` takes, made of a slug or of whatever an archive says."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).lstrip("_-")[:_LONGEST_NAME]
    return plain.rstrip("-") or PROVISIONAL


def name_for(wanted: str | None, slug: str) -> str:
    """What a new account is called: as asked for, else by its slug; raises InputError."""
    return name_from(slug) if wanted is None else checked_name(wanted)


def add(conn: sa.Connection, name: str, **values: object) -> Account:
    """Make an account; the first one is the owner's. Raises InputError if the name is taken."""
    if find(conn, name) is not None:
        raise InputError(f"There is an account called {name} already.", hint="Choose another name.")
    first = conn.scalar(sa.select(sa.func.count()).select_from(accounts)) == 0
    row = {"name": name, "owner": first, "created_at": to_millis(now()), **values}
    insert = sa.insert(accounts).values(row).returning(accounts.c.id)
    changes.tell(conn, changes.PEOPLE)
    return get(conn, conn.execute(insert).scalar_one())


def change(conn: sa.Connection, account_id: int, **values: object) -> None:
    """Set columns of an account; who the people are changes only with what is known of one."""
    before = by_id(conn, account_id)
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values))
    changes.tell(conn, changes.of_account(account_id))
    if _as_known(before) != _as_known(by_id(conn, account_id)):
        changes.tell(conn, changes.PEOPLE)


def _as_known(account: Account | None) -> Account | None:
    return account and replace(account, full_read_at=None)


def remove(conn: sa.Connection, account_id: int) -> None:
    """Forget an account with everything that was kept for it."""
    conn.execute(sa.delete(accounts).where(accounts.c.id == account_id))
    changes.tell(conn, changes.of_account(account_id))  # its number may be given to somebody else
    changes.tell(conn, changes.PEOPLE)
