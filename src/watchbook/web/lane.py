"""The fast lane: views that stand in memory are answered before anything else is looked at.

The first answer to an address goes the long way, through the router, and is noted here with the
view and the parameters that were understood. After that an answer is two looks into memory, and
its headers are put together once for each change. Answers themselves are kept by the shelf alone,
which knows how much room they take.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import ReferenceType, ref

from starlette.datastructures import QueryParams
from starlette.types import Scope

from watchbook.web.answers import Answer
from watchbook.web.front import Front, View
from watchbook.web.security import Headers, Security

_MOST_ADDRESSES = 5000
_LONGEST = 512
"""Addresses longer than this go the long way each time."""


@dataclass(slots=True)
class Heads:
    """The headers of an answer, whole, and where the asker has it already."""

    whole: Headers = field(default_factory=list)
    unchanged: Headers = field(default_factory=list)


@dataclass(slots=True)
class Ready:
    """A view at an address, with the headers of what it answered last."""

    view: View
    path: Mapping[str, str]
    query: Mapping[str, str]
    of: ReferenceType[Answer] | None = None
    """Whose headers they are."""
    plain: Heads = field(default_factory=Heads)
    small: Heads = field(default_factory=Heads)
    """Those of the compressed form, where there is one."""


class Lane:
    """What stands ready at which address: path and query string, as they were asked for."""

    def __init__(self, front: Front, security: Security) -> None:
        self._front = front
        self._security = security
        self._ready: OrderedDict[tuple[str, bytes], Ready] = OrderedDict()

    def note(self, scope: Scope, view: View) -> None:
        """Remember that the question of ``scope``, as the router understood it, is for ``view``."""
        path, query = scope["path"], scope["query_string"]
        if len(path) + len(query) > _LONGEST:
            return
        self._ready[path, query] = Ready(view, scope["path_params"], QueryParams(query))
        if len(self._ready) > _MOST_ADDRESSES:
            self._ready.popitem(last=False)

    def at_hand(self, scope: Scope) -> tuple[Ready, Answer] | None:
        """What answers the question of ``scope`` at once; None when it has to go the long way."""
        address = (scope["path"], scope["query_string"])
        ready = self._ready.get(address)
        if ready is None:
            return None
        answer = self._front.at_hand(ready.view, ready.path, ready.query)
        if answer is None or answer.status != 200:
            return None
        if ready.of is None or ready.of() is not answer:
            ready.of = ref(answer)
            ready.plain = self._heads(answer)
            ready.small = self._heads(answer.small) if answer.small else Heads()
        self._ready.move_to_end(address)
        return ready, answer

    def _heads(self, answer: Answer) -> Heads:
        complete = self._security.complete
        return Heads(complete(answer.whole().raw_headers), complete(answer.unchanged().raw_headers))
