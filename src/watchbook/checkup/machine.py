"""Checks of the machine: folder, disk, key, database, time zones. They change nothing."""

from __future__ import annotations

import math
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import available_timezones

import sqlalchemy as sa

from watchbook.checkup.check import Check, ok, problem, warning
from watchbook.seal import KEY_FILE
from watchbook.settings import Settings
from watchbook.store.database import Database
from watchbook.store.opening import SCHEMA_VERSION, schema_version
from watchbook.values import Rate

LITTLE_ROOM = 1_000_000_000
NO_ROOM = 50_000_000
"""Bytes."""

TRAKT_LIMIT = Rate(500, 300)
"""Reads that Trakt itself allows an account."""


def check_spelling(settings: Settings) -> Check:
    """All settings could be read; says how many there are, and whether the budget is too large."""
    rate = settings.trakt_budget
    if rate.count * max(1, math.ceil(TRAKT_LIMIT.seconds / rate.seconds)) > TRAKT_LIMIT.count:
        return warning(
            "settings",
            f"WATCHBOOK_TRAKT_BUDGET is {rate}, more than the "
            f"{TRAKT_LIMIT.count} reads in {TRAKT_LIMIT.seconds} s that Trakt allows",
            f"Set it to {settings['trakt_budget'].setting.default}.",
        )
    chosen = sum(one.origin != "default" for one in settings)
    return ok("settings", f"readable, {chosen} set; `watchbook config` lists them")


def check_home(home: Path) -> Check:
    """Whether the home folder is ours alone and can be written to."""
    name = "home folder"
    if not home.exists():
        return ok(name, f"{home} is made by the first command")
    if not home.is_dir():
        return problem(name, f"{home} is no folder", "Set WATCHBOOK_HOME to a folder.")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return problem(name, f"{home} cannot be written to", "Run as the user who owns it.")
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        return warning(name, f"{home} is open to others ({mode:04o})", f"chmod 700 {home}")
    return ok(name, f"{home} is private and can be written to")


def check_room(home: Path, little: int = LITTLE_ROOM, none: int = NO_ROOM) -> Check:
    """Whether there is room left on the disk of the home folder; the limits are bytes."""
    name = "disk space"
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    words = f"{in_bytes(free)} free"
    remedy = "Free some space; `watchbook backup list` shows what archives take."
    if free < none:
        return problem(name, words, remedy)
    return warning(name, words, remedy) if free < little else ok(name, words)


def in_bytes(count: int) -> str:
    """``6_217_289`` as ``6 MB``, and from a thousand of these on as GB."""
    megabytes = count / 1_000_000
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def check_key_file(settings: Settings) -> Check:
    """Whether the key file is there and readable by its owner alone."""
    name, path = "secret key", settings.home / KEY_FILE
    if settings.secret_keys is not None:
        return ok(name, "given by WATCHBOOK_SECRET_KEY")
    if not path.exists():
        return ok(name, f"{path} is made by the first command")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return problem(name, f"{path} is open to others ({mode:04o})", f"chmod 600 {path}")
    return ok(name, f"{path} is private")


def check_schema(database: Database) -> Check:
    """Whether the database answers and has this program's schema."""
    found = schema_version(database)
    if found is None:
        return ok("database", "empty; the first command sets it up")
    if found < SCHEMA_VERSION:
        return ok("database", f"schema {found}; the next command upgrades it to {SCHEMA_VERSION}")
    if found > SCHEMA_VERSION:
        return problem(
            "database",
            f"schema {found} is of a newer Watchbook, this one knows up to {SCHEMA_VERSION}",
            "Install the newer Watchbook again.",
        )
    return ok("database", f"answers, schema {found} is current")


def check_integrity(database: Database) -> Check:
    """Whether SQLite finds its file sound; PostgreSQL sees to that itself."""
    name = "integrity"
    if not database.on_sqlite:
        return ok(name, "PostgreSQL looks after its files itself")
    with database.read() as conn:
        found = list(conn.scalars(sa.text("PRAGMA quick_check(3)")))
    if found != ["ok"]:
        words = f"SQLite finds the file damaged: {'; '.join(found)}"
        remedy = "Put back the latest copy made by `watchbook backup --instance`."
        return problem(name, words, remedy)
    return ok(name, "SQLite finds its file sound")


def check_zones(zones: Iterable[str | None]) -> Check:
    """Whether the system knows the world's time zones, those of the accounts among them."""
    name, known = "time zones", available_timezones()
    remedy = "Install the system's time zone data (Debian: the package tzdata)."
    unknown = sorted({zone for zone in zones if zone} - known)
    if unknown or not known:
        return problem(name, f"unknown here: {', '.join(unknown) or 'all of them'}", remedy)
    return ok(name, f"{len(known)} known")
