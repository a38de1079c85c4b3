"""``watchbook/account.json``: whose archive it is, their settings, how far each data set was read.

No secrets, and not where a half-done reading stopped: it does not go on from an archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from watchbook.store import shares
from watchbook.store.datasets import DataSetState
from watchbook.store.schema import accounts
from watchbook.values import keep_rule, period

ACCOUNT = "watchbook/account.json"


class AccountFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds; times are milliseconds since 1970.

    ``sync_every``, ``backup_every``, ``keep``, ``show_after`` and ``shared`` are missing in the
    first archives. ``shared`` names the parts that everybody could see; it is told to whoever
    reads the archive back, and nothing becomes public by that.
    """

    name: str
    trakt_slug: str | None
    trakt_uuid: str | None
    timezone: str | None
    created_at: int
    full_read_at: int | None
    sync_every: str | None = None
    backup_every: str | None = None
    keep: str | None = None
    show_after: str | None = None
    shared: Sequence[str] = ()
    data_sets: Sequence[DataSetState]

    def own_settings(self) -> dict[str, str | None]:
        """The account's own settings by column, but those that no setting takes."""
        return {
            "sync_every": _taken(self.sync_every, period),
            "backup_every": _taken(self.backup_every, period),
            "keep": _taken(self.keep, keep_rule),
            "show_after": _taken(self.show_after, period),
        }


_COLUMNS = [
    field for field in AccountFile.__struct_fields__ if field not in {"data_sets", "shared"}
]


def _taken(text: str | None, read: Callable[[str], object]) -> str | None:
    try:
        return text if text is not None and read(text) else None
    except ValueError:
        return None


def account_file(conn: sa.Connection, account_id: int, states: Iterable[DataSetState]) -> bytes:
    """The file's content for an account whose data sets are at ``states``."""
    query = sa.select(*(accounts.c[name] for name in _COLUMNS)).where(accounts.c.id == account_id)
    known = dict(zip(_COLUMNS, conn.execute(query).one(), strict=True))
    kept = [replace(state, position=None) for state in sorted(states, key=lambda one: one.name)]
    shared = sorted(shares.parts(conn, account_id))
    held = AccountFile(**known, shared=shared, data_sets=kept)
    return msgspec.json.format(msgspec.json.encode(held), indent=2) + b"\n"


def read_account_file(content: bytes) -> AccountFile:
    """Read it back; raises msgspec.DecodeError on another shape."""
    return msgspec.json.decode(content, type=AccountFile)
