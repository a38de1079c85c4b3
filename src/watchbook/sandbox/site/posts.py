"""The posts of a site: slugs and their collisions, changes, deletion. No HTTP here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Literal

Properties = dict[str, list[object]]
Naming = Literal["keep", "ignored", "suffix", "time"]
"""What becomes of the slug that is asked for.

``keep``: a second post of a name is the first one, left as it is. ``ignored``: posts are numbered.
``suffix``: the second one is called name-2. ``time``: the name is made of ``published`` alone.
"""


@dataclass(slots=True, eq=False)
class Post:
    """One post; `path` is its address at the site. Times are seconds since 1970."""

    author: str
    path: str
    wanted: str | None
    """The slug that was asked for."""
    type: str
    properties: Properties
    made: float
    appears: float
    deleted: bool = False
    revision: int = 1
    creates: int = 1
    """Requests for a new post that ended in this one."""

    @property
    def published(self) -> float:
        """When it says it was published."""
        return moment(self.properties, self.made).timestamp()

    def text(self, name: str) -> str:
        """The first value of a property when it is a text."""
        values = self.properties.get(name, [])
        return values[0] if values and isinstance(values[0], str) else ""


def moment(properties: Properties, otherwise: float) -> datetime:
    """The date that properties claim, with its own offset.

    Raises:
        ValueError: it is no date.
    """
    values = properties.get("published")
    if not values:
        return datetime.fromtimestamp(otherwise, UTC)
    found = datetime.fromisoformat(str(values[0]))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Posts:
    """Every post of a site by its path."""

    def __init__(self) -> None:
        """Start without posts."""
        self._by_path: dict[str, Post] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Post]:
        return iter(self._by_path.values())

    def at(self, path: str) -> Post | None:
        """The post of a path, deleted or not."""
        return self._by_path.get(path)

    def make(self, post: Post, naming: Naming, home: str) -> Post:
        """Keep a new post below `home` and give it its path; answers the post that there is then.

        Raises:
            ValueError: its date is none.
        """
        day = moment(post.properties, post.made)
        slug = self._slug(post, naming, day)
        post.path = _path(home, day, slug)
        if naming == "suffix":
            post.path = self._free(post.path)
        there = self._by_path.get(post.path)
        if there is not None and not there.deleted:
            there.creates += 1
            return there
        self._by_path[post.path] = post
        return post

    def move(self, post: Post, home: str) -> None:
        """Give a post the address of its date, and another one than it has."""
        slug = post.path.rpartition("/")[2]
        path = self._free(_path(home, moment(post.properties, post.made), slug))
        del self._by_path[post.path]
        post.path = path
        self._by_path[path] = post

    def remove(self, post: Post) -> None:
        """Forget a post as if it had never been."""
        del self._by_path[post.path]

    def _slug(self, post: Post, naming: Naming, day: datetime) -> str:
        if naming == "time":
            return sha256(str(day.timestamp()).encode()).hexdigest()[:5]
        if naming == "ignored" or post.wanted is None:
            return str(next(self._numbers))
        return post.wanted

    def _free(self, path: str) -> str:
        """A path that no post has."""
        if path not in self._by_path:
            return path
        return next(p for n in count(2) if (p := f"{path}-{n}") not in self._by_path)


def _path(home: str, day: datetime, slug: str) -> str:
    return f"{home.rstrip('/')}/{day:%Y/%m/%d}/{slug}"
