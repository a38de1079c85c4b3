"""The control routes under `/_sandbox`, for tests: what all stand-ins have, and how more are added.

They answer to loopback only. Every body and answer is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from watchbook.sandbox.answer import JSON_TYPE, Answer, Refusal, as_json, refused
from watchbook.sandbox.clock import Clock
from watchbook.sandbox.record import Record
from watchbook.sandbox.rules import FaultBoard, FaultSyntaxError

PREFIX = "/_sandbox/"
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
Data = dict[str, object]


class Stage(Protocol):
    """What every stand-in's world has."""

    faults: FaultBoard
    record: Record
    clock: Clock
    latency: float


World = TypeVar("World", bound=Stage)


class Routes(Generic[World]):
    """Control routes of one kind of world, the common ones among them."""

    def __init__(self) -> None:
        """Start with the common routes."""
        self._actions: dict[str, Callable[[World, Data], object]] = {
            "GET requests": lambda world, _: world.record.as_json(),
            "POST requests/reset": _reset,
            "GET faults": _faults,
            "POST faults": _set_faults,
            "POST latency": _latency,
            "POST clock": _clock,
        }

    def on(
        self, method: str, path: str
    ) -> Callable[[Callable[[World, Data], object]], Callable[[World, Data], object]]:
        """Register an action."""

        def register(action: Callable[[World, Data], object]) -> Callable[[World, Data], object]:
            self._actions[f"{method} {path}"] = action
            return action

        return register

    def answer(
        self, world: World, client: str, route: str, query: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one request of `client` for a route such as `POST /_sandbox/clock`."""
        if client not in LOOPBACK:
            return refused(403, "forbidden", "control routes answer to this machine only")
        action = self._actions.get(route.replace(PREFIX, "", 1))
        if action is None:
            return Answer(404, b"", [JSON_TYPE])
        try:
            found: Data = msgspec.json.decode(body or b"{}", type=dict[str, object])
            return as_json(action(world, {**query, **found}))
        except Refusal as refusal:
            return refusal.answer
        except (FaultSyntaxError, KeyError, TypeError, ValueError, msgspec.DecodeError) as error:
            return refused(400, "invalid_request", f"{type(error).__name__}: {error}")


def real(data: Data, name: str, default: float = 0) -> float:
    """A number of a control request."""
    found = data.get(name, default)
    if isinstance(found, int | float | str):
        return float(found) if isinstance(found, str) else found
    message = f"{name} must be a number"
    raise ValueError(message)


def texts(data: Data, name: str) -> list[str]:
    """The texts of a list in a control request, or the one that stands there alone."""
    found = data.get(name, [])
    return [str(item) for item in found] if isinstance(found, list) else [str(found)]


def _reset(world: Stage, _: Data) -> object:
    world.record.reset()
    return {}


def _faults(world: Stage, _: Data) -> object:
    return {"faults": [{"name": rule.name, "seen": rule.seen} for rule in world.faults.rules]}


def _set_faults(world: Stage, data: Data) -> object:
    """Put `faults` into force; `clear` takes the earlier ones back first."""
    if data.get("clear"):
        world.faults.clear()
    world.faults.add(texts(data, "faults"))
    return _faults(world, data)


def _latency(world: Stage, data: Data) -> object:
    world.latency = real(data, "seconds")
    return {"seconds": world.latency}


def _clock(world: Stage, data: Data) -> object:
    """Move the clock on by `advance` seconds; `freeze` true stops it, false starts it again."""
    world.clock.advance(real(data, "advance"))
    if "freeze" in data:
        (world.clock.freeze if data["freeze"] else world.clock.thaw)()
    return {"now": world.clock.now().isoformat()}
