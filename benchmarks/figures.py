"""What a benchmark shows: figures, each with its aim, and the tables made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value in ``unit``; the aim, if there is one, is ``at_most`` or ``at_least``.

    ``low`` and ``high`` are the extremes of the ``runs`` of which ``value`` is the median.
    """

    what: str
    value: float
    unit: str = ""
    at_most: float | None = None
    runs: int = 1
    low: float | None = None
    high: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None when there is none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    def as_json(self) -> dict[str, Any]:
        """All of it, for ``--json``."""
        return {**asdict(self), "met": self.met}


def of_runs(
    what: str, values: Iterable[float], unit: str = "", at_most: float | None = None
) -> Figure:
    """The median of several runs, with their extremes."""
    found = list(values)
    return Figure(what, median(found), unit, at_most, len(found), min(found), max(found))


@dataclass(frozen=True)
class Result:
    """What one benchmark came to; ``remarks`` are whole sentences."""

    title: str
    figures: list[Figure]
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it, for ``--json``."""
        return {
            "title": self.title,
            "figures": [figure.as_json() for figure in self.figures],
            "remarks": self.remarks,
        }

    def as_markdown(self) -> str:
        """A heading, a table and the remarks."""
        rows: list[Sequence[str]] = [("what", "figure", "lowest to highest", "aim", "")]
        rows += [_row(figure) for figure in self.figures]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        rows.insert(1, ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:4]), "-"))
        lines = [f"## {self.title}", ""]
        lines += [_line(row, widths) for row in rows] if self.figures else []
        lines += ["", *(f"- {remark}" for remark in self.remarks)] if self.remarks else []
        return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    met = {True: "met", False: "MISSED", None: ""}[figure.met]
    spread = ""
    if figure.runs > 1 and figure.low is not None and figure.high is not None:
        spread = f"{_number(figure.low)} to {_number(figure.high)}, {figure.runs} runs"
    aim = "" if figure.at_most is None else f"≤ {_number(figure.at_most)}"
    aim = aim if figure.at_least is None else f"≥ {_number(figure.at_least)}"
    return (figure.what, f"{_number(figure.value)} {figure.unit}".strip(), spread, aim, met)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(row[n].rjust(widths[n]) for n in (1, 2, 3))]
    return "| " + " | ".join([*cells, row[4].ljust(widths[4])]) + " |"


def _number(value: float) -> str:
    """Counts in full, everything else with as many digits as mean something."""
    if value == int(value) and abs(value) >= 1:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
