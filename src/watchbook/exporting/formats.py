"""The formats of an export: one line each, and a module of its own behind it.

A module has ``write(store, account, selection, target) -> Written``. It writes ``target``, and
further files beside or inside it, as if nothing were there: :mod:`watchbook.exporting.placing`
hands it a place of its own and moves what it wrote to where it was asked for, whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchbook.exporting.written import Written

Write = Callable[..., Written]


@dataclass(frozen=True)
class Format:
    """One format: what it is for, how its file is called, and what writes it."""

    meaning: str
    suffix: str
    """The end of the name of its file, ``.csv``; ``""`` for a folder."""
    load: Callable[[], Write]
    """Imports the module and gives its ``write``."""
    printable: bool = False
    """Whether its one file of text may go to standard output."""
    options: tuple[str, ...] = ()
    """Options of the command that its ``write`` knows, by name."""


FORMATS: dict[str, Format] = {}
"""Every format by the name that the command takes."""
