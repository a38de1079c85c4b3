"""How a site is set up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
"""The people there can be, in the order in which they come."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Everything that can be chosen before a site starts."""

    people: int = 1
    """One person owns the whole site; several share it, each below a path: `/alice`, `/bob`."""
    port: int = 0
    """Port on loopback; 0 takes a free one."""
    latency: float = 0.0
    """Seconds by which every answer is late."""
    faults: tuple[str, ...] = ()
    """Fault rules as `--fault` takes them."""
    consent: Literal["yes", "asks"] = "yes"
    """Whether a sign-in is approved at once or by a button on a page."""
    expires_in: int = 1_209_600
    """Seconds that an access token lives."""
    now: datetime | None = None
    """A moment at which the site's clock stands still; none follows the real clock."""
