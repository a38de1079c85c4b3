"""Rate limits: reads in a window, writes one a second, each for every user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from watchbook.sandbox.answer import Answer, Headers, as_json, encode
from watchbook.sandbox.clock import Clock
from watchbook.sandbox.trakt.options import SandboxOptions


@dataclass(slots=True)
class Window:
    """Calls counted since a moment."""

    opened: float
    used: int = 0


class Limiter:
    """Counts calls in windows of fixed length."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        """Take the limits from the options."""
        self._clock = clock
        self._on = options.rate_limit
        self._reads = options.rate_reads, options.rate_period
        self._windows: dict[tuple[str, str], Window] = {}

    def refuse(self, who: str, *, signed_in: bool, reading: bool) -> Answer | None:
        """Count a call, and answer 429 when it is one too many."""
        if not self._on:
            return None
        limit, period = self._reads if reading else (1, 1.0)
        name = f"{'AUTHED' if signed_in else 'UNAUTHED'}_API_{'GET' if reading else 'POST'}_LIMIT"
        now = self._clock.monotonic()
        window = self._windows.get((name, who))
        if window is None or now - window.opened >= period:
            window = self._windows[name, who] = Window(now)
        window.used += 1
        if window.used <= limit:
            return None
        return self.answer(name, limit, period, window.opened + period - now)

    def answer(self, name: str, limit: int, period: float, wait: float) -> Answer:
        """The 429 of the application."""
        until = self._clock.now() + timedelta(seconds=wait)
        told = {
            "name": name,
            "period": int(period),
            "limit": limit,
            "remaining": 0,
            "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        headers: Headers = [
            (b"x-ratelimit", encode(told)),
            (b"retry-after", str(max(1, -(-int(wait * 1000) // 1000))).encode()),
        ]
        return as_json({"error": "rate_limited"}, 429, headers)
