"""A free account lives on exports alone, and changes to the API and back, without a doubled play.

Everything happens as it does for a person: commands in processes of their own, files on a disk,
a Trakt that answers over HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.clock import from_iso, to_millis
from watchbook.exporting.formats import FORMATS
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running
from watchbook.store.database import Database
from watchbook.store.schema import items, plays

WEEK = 7 * 86_400


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Person:
    """Somebody without VIP: an account at Trakt, and a book that is filled from its exports."""

    trakt: RunningSandbox
    folder: Path
    database_url: str
    numbered: bool
    """Whether the next export names its files `NAME-1.json` and so on, or `NAME.json`."""
    exports: int = 0
    ever: set[int] = field(default_factory=set)
    """History ids of all plays that there ever were."""

    def watchbook(self, *arguments: str) -> Ended:
        """Run a command, whatever becomes of it."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("WATCHBOOK_")}
        ended = subprocess.run(
            [sys.executable, "-m", "watchbook", *arguments],
            env={**env, **self._settings()},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def _settings(self) -> dict[str, str]:
        return {
            "WATCHBOOK_HOME": str(self.folder / "home"),
            "WATCHBOOK_DATABASE_URL": self.database_url,
            "WATCHBOOK_TRAKT_API_URL": self.trakt.url,
            "WATCHBOOK_TRAKT_AUTH_URL": self.trakt.auth_url,
            "WATCHBOOK_TRAKT_CLIENT_ID": self.trakt.client_id,
            "WATCHBOOK_TRAKT_CLIENT_SECRET": self.trakt.client_secret,
        }

    def well(self, *arguments: str) -> str:
        """What a command prints that ends well."""
        ended = self.watchbook(*arguments)
        assert ended.code == 0, (arguments, ended)
        return ended.out

    def answer(self, *arguments: str) -> Any:
        """What a command answers in JSON that ends well."""
        return json.loads(self.well("--json", *arguments))

    def export(self) -> Path:
        """Trakt's export as it is now; the form of its names changes from one to the next."""
        self.exports += 1
        path = self.folder / f"trakt-export-{self.exports}.zip"
        self.trakt.export_zip(path, numbered=self.numbered)
        self.numbered = not self.numbered
        self.ever |= set(self.at_trakt())
        return path

    def take(self, path: Path) -> dict[str, Any]:
        """Import an export; the report, by its history's outcome."""
        (report,) = self.answer("import", str(path))
        history = [found for found in report["data_sets"] if found["name"] == "history"]
        return history[0] if history else {"added": 0, "removed": 0, "changed": 0}

    def back_up(self) -> Path:
        """Write an archive, which must be complete."""
        answer = self.answer("backup")
        assert answer["archive"]["verdict"] == "complete"
        return Path(answer["path"])

    def told_apart(self, before: Path, after: Path) -> dict[str, int]:
        """What `backup diff` counts of the plays of two archives; none may be lost."""
        answer = self.answer("backup", "diff", str(before), str(after))
        assert not any(found["lost"] for found in answer["data_sets"])
        (history,) = (found for found in answer["data_sets"] if found["name"] == "history")
        return {change: history[change] for change in ("added", "changed", "removed")}

    def at_trakt(self) -> dict[int, int]:
        """History id and moment of every play at Trakt."""
        found = self.trakt.truth()["plays"]
        return {play["id"]: to_millis(from_iso(play["watched_at"])) for play in found}

    def rows(self, query: sa.Select[Any]) -> list[Any]:
        """The answer of a query on the book."""
        database = Database(self.database_url)
        try:
            with database.read() as conn:
                return list(conn.execute(query))
        finally:
            database.close()

    def kept(self) -> dict[int, int]:
        """History id and moment of every play in the book that is not removed."""
        query = sa.select(plays.c.history_id, plays.c.watched_at)
        return {row[0]: row[1] for row in self.rows(query.where(plays.c.removed_at.is_(None)))}

    def all_rows(self) -> list[Any]:
        """Every play and row of the book, removed ones too, with all that is known of them."""
        return [sorted(map(tuple, self.rows(sa.select(t))), key=repr) for t in (plays, items)]

    def watch(self) -> set[int]:
        """A week goes by; the plays that are gone at Trakt afterwards."""
        trakt, before = self.trakt, self.at_trakt()
        self.ever |= set(before)
        trakt.advance(WEEK)
        trakt.delete_plays(3, seed=self.exports)
        trakt.add_plays(5)
        trakt.backdate(2)
        kept_id, new_id = list(self.at_trakt())[20:22]
        trakt.edit_play(kept_id, "2019-05-04T20:00:00Z")
        trakt.edit_play(new_id, "2019-05-05T20:00:00Z", keep_id=False)
        after = self.at_trakt()
        self.ever |= set(after)
        return set(before) - set(after)

    def check(self, waiting: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        """The book has Trakt's plays, each once and at its time, and lost none that there was.

        Beside them it has those ``waiting`` for a second look.
        """
        kept, truth = self.kept(), self.at_trakt()
        assert {i: at for i, at in kept.items() if i not in waiting} == truth
        assert set(kept) - set(truth) == waiting
        every = Counter(row[0] for row in self.rows(sa.select(plays.c.history_id)))
        assert set(every) == self.ever
        assert max(every.values()) == 1


@pytest.fixture(
    params=[False, pytest.param(True, marks=pytest.mark.long)],
    ids=["plain-names", "numbered-names"],
)
def person(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Person]:
    """Somebody with 320 plays, a fortnight ago."""
    begin = datetime.now(UTC) - timedelta(seconds=2 * WEEK)
    options = SandboxOptions(plays=320, vip=False, now=begin, rate_limit=False, device_polls=0)
    with running(options) as trakt:
        yield Person(trakt, tmp_path, database_url, request.param)


@pytest.mark.daily(1)
def test_a_free_account_lives_on_exports_and_changes_to_the_api_and_back(person: Person) -> None:
    """Import, backup, diff and export; then the API; then exports again. No play twice."""
    first = person.export()
    archive = _begins_with_an_export(person, first)
    archive = _goes_on_with_another(person, archive)
    _writes_for_other_programs(person)
    _goes_over_to_the_api(person, archive)
    _goes_back_to_exports(person, first)


def _begins_with_an_export(person: Person, export: Path) -> Path:
    """The first export makes the account, and nobody is asked to sign in."""
    assert person.take(export)["added"] == 320
    person.check()
    person.well("status")
    return person.back_up()


def _goes_on_with_another(person: Person, before: Path) -> Path:
    """A week later; what is gone waits for a second look, and the archives tell what is new."""
    gone = person.watch()
    assert len(gone) == 4
    history = person.take(person.export())
    assert (history["added"], history["removed"]) == (8, 0)
    person.check(waiting=gone)
    person.well("status")
    after = person.back_up()
    assert person.told_apart(before, after) == {"added": 8, "changed": 1, "removed": 0}
    return after


def _writes_for_other_programs(person: Person) -> None:
    """Every format holds what it can; Trakt's own, taken in again, brings nothing new."""
    before = person.kept()
    for name in FORMATS:
        answer = person.answer("export", name, "-o", str(person.folder / f"written-{name}"))
        assert all(Path(file).stat().st_size for file in answer["files"])
        counts = answer["counts"]
        films_only = name == "letterboxd"
        assert films_only or counts.get("plays", counts.get("history")) == len(before)
    assert person.take(person.folder / "written-trakt-zip")["added"] == 0
    assert person.kept() == before


def _goes_over_to_the_api(person: Person, before: Path) -> None:
    """The first sync confirms what is gone, and doubles nothing."""
    gone = set(person.kept()) - set(person.at_trakt())
    gone |= person.watch()
    person.trakt.freeze(frozen=False)
    person.well("connect")
    person.well("sync")
    person.check()
    assert gone.isdisjoint(person.kept())
    assert person.answer("sync")["nothing_new"]
    told = person.told_apart(before, person.back_up())
    assert told == {"added": 8, "changed": 1, "removed": len(gone)}


def _goes_back_to_exports(person: Person, first: Path) -> None:
    """Without the permission the book goes on with exports, and an old one does no harm."""
    person.well("disconnect")
    gone = {play["id"] for play in person.trakt.delete_plays(2)}
    person.trakt.add_plays(3)
    third = person.export()
    assert person.take(third)["added"] == 3
    person.check(waiting=gone)
    person.well("status")
    before = person.all_rows()
    for export in (third, first):
        assert person.take(export)["added"] == 0
        assert person.all_rows() == before
    person.trakt.add_plays(1)
    assert person.take(person.export())["removed"] == 2
    person.check()
    person.back_up()
