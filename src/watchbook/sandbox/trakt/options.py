"""How a sandbox is set up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Everything that can be chosen before a sandbox starts.

    Two sandboxes with the same `plays` (or `crowd`), `seed` and `now` serve the same libraries.
    """

    plays: int = 10_000
    """Plays of each account."""
    seed: int = 1
    accounts: int = 1
    """Accounts, each with tokens and a library of its own."""
    crowd: tuple[tuple[int, int], ...] = ()
    """Accounts of several sizes, in place of `accounts` of `plays`: how many, with how many plays.

    ``((1_000, 100), (5, 50_000))`` are 1,005 accounts that share one catalogue, which is as large
    as the largest of them needs it.
    """
    port: int = 0
    """Port of the API on loopback; 0 takes a free one. The auth host always takes a free one."""
    latency: float = 0.0
    """Seconds by which every answer is late."""
    faults: tuple[str, ...] = ()
    """Fault rules as `--fault` takes them."""
    rate_limit: bool = True
    rate_reads: int = 500
    """Reads allowed to a user within `rate_period`."""
    rate_period: float = 300.0
    """Seconds."""
    vip: bool = True
    refresh: Literal["strict", "grace"] = "strict"
    """Whether a refresh token that comes a second time is theft or a retry."""
    grace: float = 60.0
    """Seconds during which a retry gets the same new pair again, when `refresh` is `grace`."""
    expires_in: int = 604_800
    """Seconds that an access token lives."""
    device_polls: int = 1
    """Polls answered "pending" before a device is approved; negative waits for `/activate`."""
    device_interval: int = 1
    """Seconds that a device should wait between polls."""
    pictures: str = ""
    """Where the pictures lie that it names, such as ``http://127.0.0.1:4711/images``.

    Without it no title has one, so that nobody asks a host that is not of this machine.
    """
    now: datetime | None = None
    """A moment at which the sandbox's clock stands still; none follows the real clock."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Plays of each account, in the order of the accounts."""
        groups = self.crowd or ((self.accounts, self.plays),)
        return tuple(plays for count, plays in groups for _ in range(count))
