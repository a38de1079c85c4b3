"""Controlling TMDB's stand-in from a test, in this process or another."""

from __future__ import annotations

from watchbook.sandbox.client import Control


class TmdbControl(Control):
    """The control routes of a running stand-in as methods."""

    def new_artwork(self) -> int:
        """Draw every picture anew, under another path; says how often that was done."""
        edition: int = self.call("artwork", {})["edition"]
        return edition

    def asked_for(self, part: str) -> int:
        """How many requests had `part` in their path since the last reset."""
        return sum(count for path, count in self.requests()["paths"].items() if part in path)
