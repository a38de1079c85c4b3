"""Controlling a sandbox from a test, in this process or another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from watchbook.sandbox.client import Control


class SandboxControl(Control):
    """The control routes of a running sandbox as methods.

    `account` is a slug everywhere; the first account is meant when it is left out. Titles are
    named by keyword: `movie=`, `show=`, `season=` or `episode=` with a Trakt id or slug.
    """

    def truth(self, account: str | None = None) -> dict[str, Any]:
        """Live plays (`id`, `watched_at`), row counts, timestamps and statistics."""
        found: dict[str, Any] = self.call(f"state?{urlencode({'account': account or ''})}")
        return found

    def consent_as(self, account: str) -> None:
        """Choose who says yes at the auth host from now on."""
        self.call("consent", {"account": account})

    def expire_tokens(self, account: str | None = None) -> None:
        """Let all access tokens of an account expire now."""
        self.call("tokens/expire", {"account": account})

    def issue_tokens(self, account: str | None = None) -> dict[str, Any]:
        """A further pair of tokens, under a consent of its own."""
        found: dict[str, Any] = self.call("tokens/issue", {"account": account})
        return found

    def add_plays(
        self,
        count: int = 1,
        watched_at: str | None = None,
        *,
        account: str | None = None,
        **title: object,
    ) -> list[dict[str, Any]]:
        """Add plays, now or at a time (ISO or "unknown"); answers `id`, `watched_at`, `title`."""
        data = {"count": count, "watched_at": watched_at, "account": account, **title}
        return self._plays("plays/add", data)

    def backdate(
        self, count: int = 1, days: int = 400, *, account: str | None = None, **title: object
    ) -> list[dict[str, Any]]:
        """Add plays that happened some days ago."""
        data = {"count": count, "days": days, "account": account, **title}
        return self._plays("plays/backdate", data)

    def delete_plays(
        self,
        count: int = 0,
        *,
        share: float = 0.0,
        ids: Iterable[int] = (),
        seed: int = 0,
        account: str | None = None,
    ) -> list[dict[str, Any]]:
        """Delete given plays, some number of them, or a share of all; answers what is gone."""
        wanted = {"count": count, "share": share, "ids": list(ids), "seed": seed}
        return self._plays("plays/delete", {**wanted, "account": account})

    def edit_play(
        self, play: int, watched_at: str, *, keep_id: bool = True, account: str | None = None
    ) -> dict[str, Any]:
        """Give a play another date; answers it as it is now."""
        data = {"id": play, "watched_at": watched_at, "keep_id": keep_id, "account": account}
        return self._plays("plays/edit", data)[0]

    def _plays(self, path: str, data: dict[str, object]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(path, data)["plays"]
        return found

    def rate(self, rating: int | None, *, account: str | None = None, **title: object) -> None:
        """Rate a title, or take its rating back with None."""
        path = "ratings/remove" if rating is None else "ratings/set"
        data = {} if rating is None else {"rating": rating}
        self.call(path, {**data, "account": account, **title})

    def watchlist(self, change: str, *, account: str | None = None, **title: object) -> None:
        """`add` a title to the watchlist or `remove` it."""
        self.call(f"watchlist/{change}", {"account": account, **title})

    def favorites(self, change: str, *, account: str | None = None, **title: object) -> None:
        """`add` a film or show to the favourites or `remove` it."""
        self.call(f"favorites/{change}", {"account": account, **title})

    def add_list(self, name: str, privacy: str = "private", account: str | None = None) -> int:
        """Make an empty list; answers its id."""
        made = self.call("lists/add", {"name": name, "privacy": privacy, "account": account})
        return int(made["id"])

    def rename_list(self, made: int, name: str, account: str | None = None) -> None:
        """Give a list another name; its id and slug stay."""
        self.call("lists/rename", {"list": made, "name": name, "account": account})

    def delete_list(self, made: int, account: str | None = None) -> None:
        """Delete a list."""
        self.call("lists/delete", {"list": made, "account": account})

    def list_item(
        self, change: str, made: int, *, account: str | None = None, **title: object
    ) -> None:
        """`add` a title to a list, or `remove` the item of a `rank`."""
        self.call(f"lists/items/{change}", {"list": made, "account": account, **title})

    def hide(
        self, section: str = "dropped", *, account: str | None = None, **title: object
    ) -> None:
        """Hide a title in a section."""
        self.call("hidden/add", {"section": section, "account": account, **title})

    def unhide(
        self, section: str = "dropped", *, account: str | None = None, **title: object
    ) -> None:
        """Show a title in a section again."""
        self.call("hidden/remove", {"section": section, "account": account, **title})

    def watching(self, account: str | None = None, **title: object) -> None:
        """Start a film or episode; stop it when none is named."""
        self.call("watching", {"account": account, **title})

    def comment(self, text: str, account: str | None = None, **title: object) -> int:
        """Write a comment; answers its id."""
        return int(self.call("comments/add", {"text": text, "account": account, **title})["id"])

    def export_zip(
        self,
        path: Path,
        *,
        numbered: bool = False,
        errors: Iterable[str] = (),
        account: str | None = None,
    ) -> Path:
        """Write Trakt's official export to a path on this machine, and answer the path.

        With `numbered` long answers come in pages, `NAME-1.json` and so on. `errors` are names
        of files that cannot be read (`watched-history@2`: after two pages).
        """
        wanted = {"path": str(path), "numbered": numbered, "errors": list(errors)}
        return Path(self.call("export", {**wanted, "account": account})["path"])

    def change_settings(self, timezone: str, account: str | None = None) -> None:
        """Change the account's time zone."""
        self.call("settings", {"timezone": timezone, "account": account})
