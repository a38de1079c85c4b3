"""Controlling a site from a test, in this process or another."""

from __future__ import annotations

from typing import Any

from watchbook.sandbox.client import Control


class SiteControl(Control):
    """The control routes of a running site as methods; `person` is a name such as ``alice``."""

    def posts(self) -> list[dict[str, Any]]:
        """All posts in the order of their making, deleted ones and those to come included.

        Each has `url`, `person`, `slug` (as asked for), `type`, `properties`, `deleted`,
        `there`, `revision` (1 when new) and `creates` (requests that ended in this post).
        """
        found: list[dict[str, Any]] = self.call("posts")["posts"]
        return found

    def slugs(self) -> dict[str, int]:
        """How many posts there are of each slug that was asked for."""
        found: dict[str, int] = self.call("slugs")
        return found

    def count(self, slug: str) -> int:
        """How many posts there are of a slug."""
        return self.slugs().get(slug, 0)

    def media(self) -> list[dict[str, Any]]:
        """The pictures that were uploaded: `name` and `bytes`."""
        found: list[dict[str, Any]] = self.call("media")["media"]
        return found

    def delete_post(self, url: str, *, forget: bool = False) -> None:
        """Delete a post behind the client's back; `forget` leaves no trace of it."""
        self.call("posts/delete", {"url": url, "forget": forget})

    def edit_post(self, url: str, **properties: list[Any]) -> None:
        """Set properties of a post behind the client's back; `_` stands for `-` in names."""
        named = {name.replace("_", "-"): values for name, values in properties.items()}
        self.call("posts/edit", {"url": url, "properties": named})

    def revoke_tokens(self, person: str | None = None) -> None:
        """Take all tokens of a person back, or everybody's."""
        self.call("tokens/revoke", {"person": person})

    def expire_tokens(self, person: str | None = None) -> None:
        """Let all access tokens of a person, or everybody's, end now."""
        self.call("tokens/expire", {"person": person})

    def issue_tokens(self, person: str | None = None, *scopes: str) -> dict[str, Any]:
        """Further tokens of a person, good for some scopes or for everything."""
        wanted: dict[str, object] = {"person": person, "scopes": list(scopes)}
        found: dict[str, Any] = self.call("tokens/issue", wanted)
        return found

    def consent_as(self, person: str | None) -> None:
        """Choose who says yes to sign-ins; None leaves it to the request."""
        self.call("consent", {"person": person})
