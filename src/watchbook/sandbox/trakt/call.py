"""Calls and replies inside the sandbox, and the table of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from watchbook.sandbox.answer import JSON_TYPE, Answer, Headers, Refusal, encode, refused
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.shapes import Form

if TYPE_CHECKING:
    from watchbook.sandbox.trakt.world import World


@dataclass(slots=True)
class Paged:
    """Rows to be served by page: how many there are, and how to get the bytes of some."""

    count: int
    rows: Callable[[int, int], list[bytes]]
    default: int = 100
    maximum: int = 250
    mapping: bool = False
    """Whether the rows are members of one object instead of an array's elements."""
    headers: Headers = field(default_factory=list)


Reply = Answer | Paged


@dataclass(eq=False)
class Call:
    """One request as a handler sees it."""

    world: World
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: dict[str, str] = field(default_factory=dict)
    viewer: Account | None = None
    """The account whose token came with the call."""

    @cached_property
    def extended(self) -> frozenset[str]:
        """The words of the `extended` parameter."""
        return frozenset(self.query.get("extended", "").split(","))

    @property
    def form(self) -> Form:
        """How much of every title is asked for."""
        return "full" if self.extended & {"full", "images"} else "plain"

    @property
    def account(self) -> Account:
        """The account that a call with a token is about: the one named, else the token's."""
        name = self.params.get("user", "me")
        if self.viewer is None:
            raise Refusal(unauthorized())
        return self.viewer if name == "me" else self.world.account(name)

    @property
    def own(self) -> bool:
        """Whether the caller asks for their own data."""
        return self.viewer is not None and self.account is self.viewer

    def flag(self, name: str) -> bool:
        """A yes-or-no parameter."""
        return self.query.get(name, "").lower() in ("true", "1")


def raw_json(body: bytes) -> Answer:
    """An answer with a body that is JSON already."""
    return Answer(200, body, [JSON_TYPE])


def unauthorized() -> Answer:
    """401: no token, or one that is unknown or has expired."""
    return refused(401, "invalid_token", "The access token is missing, invalid or expired")


def not_found() -> Answer:
    """404, without a body, as Trakt answers it."""
    return Answer(404, b"", [JSON_TYPE])


def listed(rows: Sequence[object], default: int = 100) -> Paged:
    """Plain rows to be served by page."""
    return Paged(len(rows), lambda low, high: [encode(row) for row in rows[low:high]], default)


Handler = Callable[[Call], Reply]


class Routes:
    """A tree of path segments; fixed segments win over `{parameters}`."""

    def __init__(self) -> None:
        """Start without routes."""
        self.children: dict[str, Routes] = {}
        self.handlers: dict[str, Handler] = {}
        self.patterns: list[str] = []

    def get(self, *patterns: str) -> Callable[[Handler], Handler]:
        """Register a handler for reading at some paths."""
        return self.on("GET", *patterns)

    def on(self, method: str, *patterns: str) -> Callable[[Handler], Handler]:
        """Register a handler for a method at some paths."""

        def register(handler: Handler) -> Handler:
            for pattern in patterns:
                self.patterns.append(f"{method} {pattern}")
                self._node(pattern).handlers[method] = handler
            return handler

        return register

    def _node(self, pattern: str) -> Routes:
        node = self
        for segment in pattern.strip("/").split("/"):
            node = node.children.setdefault(segment, Routes())
        return node

    def find(self, method: str, path: str) -> tuple[Handler | None, dict[str, str]] | None:
        """The handler of a path and its parameters; no handler for a wrong method."""
        found = self._walk(path.strip("/").split("/"))
        if found is None:
            return None
        handlers, params = found
        return handlers.get(method), params

    def _walk(self, parts: list[str]) -> tuple[dict[str, Handler], dict[str, str]] | None:
        if not parts:
            return (self.handlers, {}) if self.handlers else None
        exact = self.children.get(parts[0])
        found = exact._walk(parts[1:]) if exact else None  # noqa: SLF001
        return found or self._guess(parts)

    def _guess(self, parts: list[str]) -> tuple[dict[str, Handler], dict[str, str]] | None:
        for segment, child in self.children.items():
            found = child._walk(parts[1:]) if segment[:1] == "{" else None  # noqa: SLF001
            if found:
                return found[0], {**found[1], segment[1:-1]: parts[0]}
        return None


API = Routes()
"""The routes of the API; the modules of answers add to it."""
