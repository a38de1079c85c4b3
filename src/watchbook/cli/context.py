"""What every command works with: settings, store, the way out and the way to speak."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from watchbook.connecting import Installation
    from watchbook.http import HttpClient
    from watchbook.settings import Settings
    from watchbook.store.accounts import Account
    from watchbook.store.opening import Store


@dataclass
class Context:
    """One command's run. Everything costly is made when it is first asked for."""

    account_name: str | None = None
    json: bool = False
    quiet: bool = False

    @cached_property
    def settings(self) -> Settings:
        """The settings in force; raises SettingsError. From here on the log obeys them.

        A command tells its own story, so unless a level was chosen its log holds only trouble.
        """
        from watchbook import logs
        from watchbook.settings import load

        settings = load(os.environ, Path.cwd())
        logs.configure("warning" if settings["log"].origin == "default" else settings.log)
        return settings

    @cached_property
    def store(self) -> Store:
        """The opened store; raises StoreError and SettingsError."""
        from watchbook.store.opening import open_store

        return open_store(self.settings)

    @cached_property
    def http(self) -> HttpClient:
        """The one way out."""
        from watchbook.addresses import AddressRule
        from watchbook.http import HttpClient, user_agent

        base_url = self.settings["base_url"]
        about = None if base_url.value == base_url.setting.default else base_url.value
        return HttpClient(
            AddressRule(self.settings.allowed_hosts), service="Trakt", agent=user_agent(about)
        )

    @cached_property
    def installation(self) -> Installation:
        """Store, settings and the way out together, as the services about grants take them."""
        from watchbook.connecting import Installation

        return Installation(self.store, self.settings, self.http)

    @cached_property
    def console(self) -> Console:
        """Standard output with colours on terminals only."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=not sys.stdout.isatty())

    def account(self) -> Account:
        """The account to work on; raises InputError when that is not clear."""
        from watchbook.store import accounts

        with self.store.database.read() as conn:
            return accounts.choose(conn, self.account_name)

    def say(self, text: str = "") -> None:
        """Print a line for a person as it stands; nothing with ``--json`` or ``--quiet``."""
        self.say_styled(plain(text))

    def say_styled(self, text: str) -> None:
        """Print a line with styles such as ``[bold]…[/]``; what others wrote is `plain` in it."""
        if not self.json and not self.quiet:
            self.console.print(text)

    def answer(self, data: Any) -> None:
        """Print ``data`` as JSON, for ``--json``."""
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())

    def close(self) -> None:
        """Give back what was opened."""
        for name in ("store", "http"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()


def plain(text: object) -> str:
    """A text without secrets, control characters and styles of its own, ready to be printed."""
    from rich.markup import escape

    from watchbook.redaction import redact, tame

    return escape(tame(redact(str(text))))
