"""How a stand-in for TMDB is set up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TmdbOptions:
    """Everything that can be chosen before it starts.

    With the same `plays`, `seed` and `now` as a stand-in for Trakt it knows the same titles.
    """

    plays: int = 10_000
    """Plays of the largest library; the catalogue is as large as that needs it."""
    seed: int = 1
    port: int = 0
    """Port on loopback; 0 takes a free one."""
    latency: float = 0.0
    """Seconds by which every answer is late."""
    faults: tuple[str, ...] = ()
    """Fault rules as `--fault` takes them."""
    now: datetime | None = None
    """A moment at which its clock stands still; none follows the real clock."""
