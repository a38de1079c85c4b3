"""Running a site: in a thread of this process, or as a command until it is stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from watchbook.sandbox.serving import Host
from watchbook.sandbox.site.app import SiteApp
from watchbook.sandbox.site.call import MEDIA, MICROPUB
from watchbook.sandbox.site.client import SiteControl
from watchbook.sandbox.site.options import SiteOptions
from watchbook.sandbox.site.world import World


@dataclass(frozen=True, slots=True)
class SitePerson:
    """One person of a running site, and tokens to begin with that any app may use."""

    name: str
    me: str
    token: str
    refresh_token: str


class RunningSite(SiteControl):
    """A site that answers, with everything that is needed to post to it and to control it."""

    def __init__(self, world: World, people: list[SitePerson]) -> None:
        """Describe a world that is being served."""
        super().__init__(world.url)
        self.people = people
        self.me = people[0].me
        self.token = people[0].token
        self.refresh_token = people[0].refresh_token
        self.micropub = f"{world.url}{MICROPUB}"
        self.media_endpoint = f"{world.url}{MEDIA}"

    def line(self) -> dict[str, object]:
        """What the command prints first, to be written as one line of JSON."""
        facts: dict[str, object] = {
            "url": self.url,
            "me": self.me,
            "micropub": self.micropub,
            "media": self.media_endpoint,
            "token": self.token,
            "refresh_token": self.refresh_token,
        }
        if len(self.people) > 1:
            facts["people"] = [asdict(person) for person in self.people]
        return facts


def _begin(options: SiteOptions) -> tuple[Host, World, RunningSite]:
    """Prepare a world, listen, and make the first tokens of everybody."""
    world = World(options)  # before it listens: the faults may be wrong
    host = Host(options.port)
    world.url = host.urls[0]
    people = []
    for person in world.people.values():
        made = world.tokens.issue(world.tokens.consent(person.name))
        tokens = str(made["access_token"]), str(made["refresh_token"])
        people.append(SitePerson(person.name, world.me(person), *tokens))
    return host, world, RunningSite(world, people)


@contextmanager
def running(options: SiteOptions | None = None) -> Iterator[RunningSite]:
    """Serve a site in a thread of this process while a block runs."""
    host, world, described = _begin(options or SiteOptions())
    with host.running(lambda stopping: SiteApp(world, stopping)):
        yield described


def serve(options: SiteOptions, announce: Callable[[str], None]) -> None:
    """Serve a site until SIGTERM or SIGINT; the first thing announced is a line of JSON."""
    host, world, described = _begin(options)
    announce(json.dumps(described.line()))
    host.run(lambda stopping: SiteApp(world, stopping))
