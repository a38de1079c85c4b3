"""Checks of where pictures come from: TMDB's key works, and how many pictures are kept."""

from __future__ import annotations

from collections.abc import Iterator

from watchbook.checkup.check import Check, guarded, ok, warning
from watchbook.clock import counted
from watchbook.http import HttpClient
from watchbook.pictures.desk import client_of
from watchbook.settings import Settings
from watchbook.store import pictures
from watchbook.store.database import Database
from watchbook.store.pictures import State
from watchbook.tmdb import KEYS

_FEW_FAILURES = 0.1
"""Of all pictures; so many may fail without a word about it."""


def check_pictures(
    settings: Settings, http: HttpClient | None, database: Database | None
) -> Iterator[Check]:
    """TMDB, asked with the key; and the pictures, where there is a database."""
    if settings.tmdb_token is None:
        words = f"no key is set, so Trakt's own pictures serve; a free one is at {KEYS}"
        yield ok("TMDB", words)
    elif http is not None:
        yield guarded("TMDB", lambda: _asked(settings, http), "Posters stay as they are meanwhile.")
    if database is not None:
        yield guarded("pictures", lambda: _counted(database))


def _asked(settings: Settings, http: HttpClient) -> Check:
    client = client_of(http.naming_hosts(), settings)
    assert client is not None
    client.check()
    return ok("TMDB", f"takes the key; posters in {settings.tmdb_language!r} where there are any")


def _counted(database: Database) -> Check:
    with database.read() as conn:
        counts = pictures.counts(conn)
    kept, failed = counts.get(State.KEPT, 0), counts.get(State.FAILED, 0)
    if failed > _FEW_FAILURES * sum(counts.values()):
        words = f"{counted(failed, 'picture')} could not be fetched, {kept:,} are kept"
        return warning("pictures", words, "Nothing to do: they are tried again by `serve`.")
    return ok("pictures", f"{counted(kept, 'picture')} kept")
