"""How much one client may ask: a bucket of questions for each, in memory.

A bucket fills by itself. What stands in memory already costs least, what has to be made costs
more (the more, the longer it took), and what is refused (a view that is not there, a wrong token,
an odd parameter) costs most. What is under way has paid a deposit, since its cost is not known yet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from watchbook.clock import monotonic

AT_ONCE = 1200.0
"""Questions that cost 1 which may be asked at once."""
PER_SECOND = 20.0
COST_OF_ASKING = 1
COST_OF_MAKING = 4.0
COST_OF_A_SECOND = 100
"""Of making: drawing a picture keeps everybody else waiting."""
COST_OF_REFUSAL = 40.0
DEPOSIT = 20.0
"""For what has to be made, until it is: so one client has no more than 60 of them under way."""
_LONGEST_MAKING = 1.0
"""Seconds that are counted at most: beyond that somebody else kept us waiting."""
_DEBT = 100.0
"""How far a bucket may be overdrawn by what was under way; so nobody waits for long."""
_MOST_CLIENTS = 20_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limits:
    """The buckets of all clients, those asked for longest ago forgotten when there are too many."""

    def __init__(
        self, clock: Callable[[], float] = monotonic, most_clients: int = _MOST_CLIENTS
    ) -> None:
        self._clock = clock
        self._most = most_clients
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are counted."""
        return len(self._buckets)

    def ask(self, client: str | None) -> float:
        """Count a question; the seconds to wait when it is one too many, else 0."""
        if client is None:
            return 0
        return self._take(client, COST_OF_ASKING)

    def begin(self, client: str | None) -> float:
        """Take the deposit for what is not at hand; the seconds to wait when there is none left."""
        return 0 if client is None else self._take(client, DEPOSIT)

    def _take(self, client: str, cost: float) -> float:
        bucket = self._filled(client)
        if bucket.left < cost:
            return (cost - bucket.left) / PER_SECOND
        bucket.left -= cost
        return 0

    def charge(self, client: str | None, status: int, seconds: float = 0) -> None:
        """Count what was begun: it was made, or refused with ``status``. The deposit goes back."""
        if client is None:
            return
        cost = COST_OF_REFUSAL if 400 <= status < 500 else COST_OF_MAKING
        cost += min(seconds, _LONGEST_MAKING) * COST_OF_A_SECOND - COST_OF_ASKING - DEPOSIT
        bucket = self._filled(client)
        bucket.left = max(bucket.left - cost, -_DEBT)

    def _filled(self, client: str) -> _Bucket:
        moment = self._clock()
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(AT_ONCE, moment)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(client)
        bucket.left = min(AT_ONCE, bucket.left + (moment - bucket.at) * PER_SECOND)
        bucket.at = moment
        return bucket
