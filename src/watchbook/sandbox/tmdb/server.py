"""Running TMDB's stand-in: in a thread of this process, or as a command until it is stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from watchbook.sandbox.serving import Host
from watchbook.sandbox.tmdb.app import TmdbApp
from watchbook.sandbox.tmdb.client import TmdbControl
from watchbook.sandbox.tmdb.options import TmdbOptions
from watchbook.sandbox.tmdb.world import World


class RunningTmdb(TmdbControl):
    """A stand-in that answers, with everything that is needed to ask it."""

    def __init__(self, world: World) -> None:
        """Describe a world that is being served."""
        super().__init__(world.url)
        self.api_url = world.url
        self.image_url = f"{world.url}/t/p"
        self.trakt_images = f"{world.url}/images"
        """Where the pictures lie that Trakt's answers name."""
        self.key = world.key
        self.token = world.token

    def line(self) -> dict[str, object]:
        """What the command prints first, to be written as one line of JSON."""
        names = ("url", "api_url", "image_url", "trakt_images", "key", "token")
        return {name: getattr(self, name) for name in names}


def _begin(options: TmdbOptions) -> tuple[Host, World, RunningTmdb]:
    world = World(options)  # before it listens: the faults may be wrong
    host = Host(options.port)
    world.url = host.urls[0]
    return host, world, RunningTmdb(world)


@contextmanager
def running(options: TmdbOptions | None = None) -> Iterator[RunningTmdb]:
    """Serve in a thread of this process while a block runs."""
    host, world, described = _begin(options or TmdbOptions())
    with host.running(lambda stopping: TmdbApp(world, stopping)):
        yield described


def serve(options: TmdbOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; the first thing announced is a line of JSON."""
    host, world, described = _begin(options)
    announce(json.dumps(described.line()))
    host.run(lambda stopping: TmdbApp(world, stopping))
