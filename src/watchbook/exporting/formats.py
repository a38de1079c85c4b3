"""The formats of an export: one line each, and a module of its own behind it.

A module has ``write(store, account, selection, target) -> Written``. It writes ``target``, and
further files beside or inside it, as if nothing were there: :mod:`watchbook.exporting.placing`
hands it a place of its own and moves what it wrote to where it was asked for, whole.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from watchbook.exporting.written import Written

Write = Callable[..., Written]


@dataclass(frozen=True)
class Format:
    """One format: what it is for, how its file is called, and the module that writes it."""

    meaning: str
    suffix: str
    """The end of the name of its file: ``.csv``, ``-trakt.zip``."""
    module: str
    printable: bool = False
    """Whether its one file of text may go to standard output."""
    options: tuple[str, ...] = ()
    """Options of the command that its ``write`` knows, by name."""

    @property
    def write(self) -> Write:
        """What writes it; its module is imported when it is needed."""
        found: Write = importlib.import_module(self.module).write
        return found


FORMATS: dict[str, Format] = {
    "csv": Format(
        "a table for spreadsheets",
        ".csv",
        "watchbook.exporting.spreadsheet",
        printable=True,
        options=("what", "folder"),
    ),
    "json": Format(
        "everything in one document", ".json", "watchbook.exporting.document", printable=True
    ),
    "letterboxd": Format(
        "films for Letterboxd",
        "-letterboxd.csv",
        "watchbook.exporting.letterboxd",
        options=("reviews",),
    ),
    "trakt-zip": Format(
        "the form of Trakt's own export", "-trakt.zip", "watchbook.exporting.trakt_zip"
    ),
    "sqlite": Format("a database for Datasette and SQL", ".sqlite", "watchbook.exporting.database"),
    "html": Format("a page to look at, without a server", ".html", "watchbook.exporting.html"),
}
"""Every format by the name that the command takes, in the order of its help."""
