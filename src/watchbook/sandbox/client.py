"""Controlling a stand-in from a test, in this process or another: what all of them have."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec


class ControlError(Exception):
    """The sandbox did not accept a control request; the message says why."""


class Control:
    """The control routes that every running stand-in has, as methods."""

    def __init__(self, url: str) -> None:
        """Talk to the stand-in at an address such as `http://127.0.0.1:4711`."""
        self.url = url
        self._host = urlsplit(url).netloc

    def call(self, path: str, data: dict[str, object] | None = None) -> Any:
        """Send one control request: read a path, or post data to it."""
        connection = HTTPConnection(self._host, timeout=60)
        try:
            body = None if data is None else msgspec.json.encode(data)
            connection.request("POST" if data is not None else "GET", f"/_sandbox/{path}", body)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(f"{path}: {response.status} {text.decode(errors='replace')}")
        return msgspec.json.decode(text)

    def requests(self) -> dict[str, Any]:
        """Requests since the last reset: `total`, `statuses`, `paths`, and one row for each."""
        found: dict[str, Any] = self.call("requests")
        return found

    def reset_requests(self) -> None:
        """Forget the requests so far."""
        self.call("requests/reset", {})

    def set_faults(self, *rules: str) -> None:
        """Put these fault rules into force, and no others."""
        self.call("faults", {"faults": list(rules), "clear": True})

    def clear_faults(self) -> None:
        """Take all fault rules back."""
        self.set_faults()

    def set_latency(self, seconds: float) -> None:
        """Answer so many seconds late from now on."""
        self.call("latency", {"seconds": seconds})

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on: tokens age, the calendar turns, what waits arrives."""
        self.call("clock", {"advance": seconds})

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop the sandbox's clock, or start it again."""
        self.call("clock", {"freeze": frozen})
