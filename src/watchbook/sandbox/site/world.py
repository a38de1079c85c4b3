"""Everything that one running site holds."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from watchbook.sandbox.clock import Clock
from watchbook.sandbox.record import Record
from watchbook.sandbox.rules import FaultBoard
from watchbook.sandbox.site.fault_table import FAULTS
from watchbook.sandbox.site.options import NAMES, SiteOptions
from watchbook.sandbox.site.posts import Post, Posts
from watchbook.sandbox.site.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose site it is; `home` is the path of their page."""

    name: str
    home: str

    @property
    def full_name(self) -> str:
        """The name that pages show."""
        return f"{self.name.title()} Example"


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded picture."""

    name: str
    content_type: str
    content: bytes


class World:
    """The people, their posts, pictures and tokens, the clock, the faults and the log."""

    def __init__(self, options: SiteOptions) -> None:
        """Prepare a site without posts; its `url` is known when it listens."""
        self.options = options
        self.url = ""
        self.clock = Clock(options.now)
        self.faults = FaultBoard(FAULTS, options.faults)
        self.record = Record()
        self.latency = options.latency
        self.tokens = Tokens(self.clock, options.expires_in)
        self.posts = Posts()
        self.media: dict[str, File] = {}
        names = NAMES[: options.people]
        alone = len(names) == 1
        self.people = {name: Person(name, "/" if alone else f"/{name}") for name in names}
        self.consenting: str | None = None
        """Who says yes to sign-ins; none is whoever is asked for."""

    @property
    def owner(self) -> Person:
        """The first person."""
        return next(iter(self.people.values()))

    def me(self, person: Person) -> str:
        """The address that a person is known by."""
        return f"{self.url}{person.home}"

    def known_as(self, me: str) -> Person | None:
        """The person of an address."""
        return next((one for one in self.people.values() if self.me(one) == me), None)

    def someone_else(self, name: str) -> str:
        """The address of another person than this one."""
        others = [one for one in self.people.values() if one.name != name]
        return self.me(others[0]) if others else "https://victim.example/"

    def person(self, name: object) -> Person:
        """The person of a name, the first one when there is no name.

        Raises:
            KeyError: there is nobody of that name.
        """
        return self.people[str(name)] if name else self.owner

    def there(self, post: Post) -> bool:
        """Whether a post has appeared and is not deleted."""
        return not post.deleted and post.appears <= self.clock.seconds()

    def post_at(self, url: str) -> Post | None:
        """The post of an address, once it has appeared; deleted ones, too."""
        parts = urlsplit(url)
        post = self.posts.at(parts.path) if url.startswith(f"{self.url}/") else None
        return post if post and post.appears <= self.clock.seconds() else None

    def posts_of(self, name: str | None = None) -> list[Post]:
        """The posts that are there, newest date first."""
        found = [p for p in self.posts if self.there(p) and name in (None, p.author)]
        return sorted(found, key=lambda post: (post.published, post.made), reverse=True)

    def url_of(self, post: Post) -> str:
        """The address of a post."""
        return f"{self.url}{post.path}"
