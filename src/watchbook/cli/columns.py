"""Two columns, what and how it stands: broken at the edge of a terminal, one line each elsewhere.

Whatever is shown may come from outside, so it is tamed and never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from watchbook.cli.context import Context


@dataclass(frozen=True)
class Row:
    """A line: what it is about, what it says, and its colour on a terminal."""

    topic: str
    words: str
    style: str = ""


def show(context: Context, rows: Iterable[Row], *, head: str = "", aside: str = "") -> None:
    """Print ``rows`` below a bold ``head``; nothing with ``--json`` or ``--quiet``."""
    if context.json or context.quiet:
        return
    tamed = [Row(_plain(row.topic), _plain(row.words), row.style) for row in rows]
    if head:
        _show_head(context.console, _plain(head), _plain(aside))
    if context.console.is_terminal:
        _show_grid(context.console, tamed)
    else:
        _show_lines(context.console, tamed)


def _plain(text: str) -> str:
    from watchbook.redaction import redact, tame

    return tame(redact(text))


def _show_head(console: Console, head: str, aside: str) -> None:
    from rich.text import Text

    line = Text(head, style="bold")
    if aside:
        line.append(f"  {aside}", style="not bold dim")
    console.print(line)


def _show_grid(console: Console, rows: list[Row]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(Text(row.topic, style="dim"), Text(row.words, style=row.style))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _show_lines(console: Console, rows: list[Row]) -> None:
    from rich.text import Text

    width = max((len(row.topic) for row in rows), default=0)
    for row in rows:
        console.print(Text(f"  {row.topic:<{width}}  {row.words}".rstrip()), soft_wrap=True)
