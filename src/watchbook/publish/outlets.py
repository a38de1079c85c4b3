"""What is asked of a place where posts go, whatever it is: a Micropub server, a folder of files."""

from __future__ import annotations

from typing import Protocol

from watchbook.micropub.citing import Properties
from watchbook.micropub.lookup import Lookup
from watchbook.micropub.outcome import Outcome
from watchbook.micropub.parts import File
from watchbook.micropub.post import Post


class Outlet(Protocol):
    """Sends once and never again by itself, unless it is certain that nothing was done."""

    def create(self, post: Post) -> Outcome:
        """Make a post."""

    def update(self, url: str, replace: Properties, post: Post, /) -> Outcome:
        """Replace properties of a post, which makes it ``post``."""

    def delete(self, url: str) -> Outcome:
        """Take a post away."""

    def upload(self, file: File) -> Outcome:
        """Keep a picture for posts to show; the outcome's ``url`` is how they name it."""

    def look(self, post: Post, expected: str | None = None, /) -> Lookup:
        """Find a post that may have been made, at its ``expected`` address and elsewhere."""

    def appeared(self, post: Post, url: str, /) -> Lookup:
        """Find out whether a post is where the place has said that it would be, or elsewhere."""

    def check(self) -> Outcome:
        """Find out whether the place takes anything from us at all; nothing is changed there."""

    def finish(self) -> Outcome | None:
        """Do what is left to do when posts have changed; None when that is nothing."""
