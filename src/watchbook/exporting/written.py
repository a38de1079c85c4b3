"""What every export has in common: how it ended, and how its files are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Written:
    """What an export wrote: files, rows by kind, and in words what it had to leave out."""

    paths: list[Path] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        """Count rows of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + number
