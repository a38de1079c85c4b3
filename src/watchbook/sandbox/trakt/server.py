"""Running a sandbox: in a thread of this process, or as a command until it is stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from watchbook.sandbox.serving import Host
from watchbook.sandbox.trakt.app import SandboxApp
from watchbook.sandbox.trakt.client import SandboxControl
from watchbook.sandbox.trakt.options import SandboxOptions
from watchbook.sandbox.trakt.world import World


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    """One account of a running sandbox and the tokens to begin with."""

    slug: str
    access_token: str
    refresh_token: str


class RunningSandbox(SandboxControl):
    """A sandbox that answers, with everything that is needed to sign in and to control it."""

    def __init__(self, world: World, accounts: list[SandboxAccount]) -> None:
        """Describe a world that is being served."""
        super().__init__(world.url)
        self.auth_url = world.auth_url
        self.client_id = world.client_id
        self.client_secret = world.client_secret
        self.accounts = accounts
        self.access_token = accounts[0].access_token
        self.refresh_token = accounts[0].refresh_token

    def line(self) -> dict[str, object]:
        """What the command prints first, to be written as one line of JSON."""
        facts: dict[str, object] = {
            "url": self.url,
            "auth_url": self.auth_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
        }
        if len(self.accounts) > 1:
            facts["accounts"] = [asdict(account) for account in self.accounts]
        return facts


def _begin(options: SandboxOptions) -> tuple[Host, World, RunningSandbox]:
    """Prepare a world, listen, and make the first tokens of every account."""
    world = World(options)  # before it listens: the faults may be wrong
    host = Host(options.port, 0)
    world.url, world.auth_url = host.urls
    accounts = []
    for slug in world.slugs:
        pair = world.grants.issue(slug)
        tokens = str(pair["access_token"]), str(pair["refresh_token"])
        accounts.append(SandboxAccount(slug, *tokens))
    return host, world, RunningSandbox(world, accounts)


@contextmanager
def running(options: SandboxOptions | None = None) -> Iterator[RunningSandbox]:
    """Serve a sandbox in a thread of this process while a block runs."""
    host, world, described = _begin(options or SandboxOptions())
    with host.running(lambda stopping: SandboxApp(world, stopping, host.ports[1])):
        yield described


def serve(options: SandboxOptions, announce: Callable[[str], None]) -> None:
    """Serve a sandbox until SIGTERM or SIGINT; the first thing announced is a line of JSON."""
    host, world, described = _begin(options)
    announce(json.dumps(described.line()))
    host.run(lambda stopping: SandboxApp(world, stopping, host.ports[1]))
