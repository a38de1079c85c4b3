"""Where the site keeps its posts: in memory, as the library's own example does.

The example makes relative addresses and forgets with each request; what is added is no more than
that posts have whole addresses and stay.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from indieweb.handlers import InMemoryMicropubHandler, MicropubEntry

_ENTRIES: dict[str, MicropubEntry] = {}
_DELETED: dict[str, MicropubEntry] = {}


class Diary(InMemoryMicropubHandler):  # type: ignore[misc]
    """The posts of the site."""

    def __init__(self) -> None:
        """Open the diary."""
        super().__init__()
        self.entries, self.deleted_entries = _ENTRIES, _DELETED

    def create_entry(self, properties: dict[str, list[Any]], user: Any) -> MicropubEntry:
        """Keep a post under a whole address of its own."""
        self.counter = len(self.entries) + len(self.deleted_entries)
        entry = super().create_entry(properties, user)
        del self.entries[entry.url]
        entry.url = f"{settings.HOME}{entry.url}"
        self.entries[entry.url] = entry
        return entry

    def get_config(self, user: Any) -> dict[str, Any]:
        """What the library says, and where pictures go."""
        return {
            **super().get_config(user),
            "media-endpoint": f"{settings.HOME}/indieweb/media/",
        }
