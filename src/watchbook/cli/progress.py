"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from watchbook.clock import in_words, monotonic

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_LINE_EVERY = 5.0
"""Seconds between plain lines."""


class Progress:
    """Shows how far a sync is; implements :class:`watchbook.desk.Listener`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._last_line = monotonic()
        self._waits: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Start the bar, where there is a terminal to draw it on."""
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("pages"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _reason: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def reading(self, name: str, page: int, pages: int) -> None:
        """``page`` of at least ``pages`` pages of a data set have been kept."""
        if self._bar is None:
            self._plain(f"{name}: {page} of {pages} pages")
            return
        if self._task is None or name != self._name:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=pages)
            self._name = name
        self._bar.update(self._task, completed=page, total=pages)

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing goes on for that long; waits of a second or two are not worth a word.

        Several lanes wait for the same thing at once: that is said once, until it is over.
        """
        moment = monotonic()
        if seconds < 2 or moment < self._waits.get(why, 0.0):
            return
        self._waits[why] = moment + seconds
        text = f"Waiting {in_words(timedelta(seconds=seconds))}: {why}"
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            click.echo(text, err=True)

    def _plain(self, text: str) -> None:
        if not self._quiet and monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = monotonic()
            click.echo(text, err=True)
