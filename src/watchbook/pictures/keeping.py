"""Where pictures are kept: files with SQLite, the database with PostgreSQL.

Files are written before their rows and deleted after them, so a row without its file means that
somebody took the file away (or that the database was moved): the picture is fetched again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from watchbook.clock import now, to_millis
from watchbook.files import file_errors, make_private_folder, write_private
from watchbook.pictures.making import Form, Made
from watchbook.pictures.sources import Found
from watchbook.steps import step
from watchbook.store import picture_work as work
from watchbook.store.opening import Store
from watchbook.store.picture_work import FileMade, Origin, Wanted
from watchbook.store.pictures import FOLDER, path_of

_OUTDATED = "It could not be fetched again within six months, so it was let go."
_STRAY = timedelta(hours=1)
"""A file without a row is younger than that while it is being kept."""


def keep(
    store: Store, one: Wanted, found: Found, made: Made, times: tuple[datetime, datetime]
) -> None:
    """Keep a picture; ``times`` are when it was fetched, and when it is fetched again."""
    files = [_named(store, one, form) for form in made.forms]
    in_files = store.database.on_sqlite
    if in_files:
        for file in files:
            path = path_of(store, one.title_key, file.key, file.media_type)
            make_private_folder(path.parent)
            write_private(path, file.body)
    step("pictures.written")
    origin = Origin(found.source, found.origin, found.language)
    look, moments = (made.colour, made.tiny), (to_millis(times[0]), to_millis(times[1]))
    with store.database.write() as conn:
        gone = work.keep(conn, one, origin, look, files, moments, bodies=not in_files)
    _delete(store, one, gone)


def _named(store: Store, one: Wanted, form: Form) -> FileMade:
    """A file under a name that changes with its bytes and that nobody can guess."""
    digest = hashlib.sha256(form.body).hexdigest()
    text = f"{one.title_key} {one.kind} {form.media_type} {form.width} {digest}"
    key = store.sealer.name(text, "picture")
    return FileMade(key, form.media_type, form.width, form.height, form.body)


def none_found(store: Store, one: Wanted, tries: int, looked: datetime, again: datetime) -> None:
    """Note that there is no such picture; what was kept of it is let go."""
    with store.database.write() as conn:
        gone = work.none_found(conn, one, tries, to_millis(looked), to_millis(again))
    _delete(store, one, gone)


def let_outdated_go(store: Store, before: datetime) -> None:
    """Let go what was last fetched before that moment."""
    with store.database.read() as conn:
        old = work.outdated(conn, to_millis(before))
    for one in old:
        with store.database.write() as conn:
            gone = work.let_go(conn, one, _OUTDATED)
        _delete(store, one, gone)


def mend(store: Store) -> None:
    """Let pictures be fetched again whose bytes are gone.

    Files that no row names, left by a process that was killed, are deleted.
    """
    with store.database.read() as conn:
        rows = work.files(conn)
    known = {path_of(store, title, key, kind): key for key, title, _, kind in rows}
    there: set[Path] = set()
    if store.database.on_sqlite:
        there = set((store.home / FOLDER).glob("*/*"))
        _sweep(there - known.keys())
    lost = [key for path, key in known.items() if path not in there]
    if lost:
        with store.database.write() as conn:
            work.lost(conn, lost, to_millis(now()))


def _sweep(strays: Iterable[Path]) -> None:
    youngest = (now() - _STRAY).timestamp()
    for path in strays:
        with suppress(OSError):
            if path.stat().st_mtime < youngest:
                path.unlink()


def _delete(store: Store, one: Wanted, files: Iterable[tuple[str, str]]) -> None:
    """Delete files that no row names any more, if there are any."""
    for key, media_type in files:
        path = path_of(store, one.title_key, key, media_type)
        with file_errors(path):
            path.unlink(missing_ok=True)
