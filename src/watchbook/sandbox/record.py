"""What was asked of the sandbox, for tests to look at."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass

_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and how it was answered; no header and no token is kept."""

    method: str
    path: str
    query: str
    status: int
    account: str | None
    faults: list[str]


class Record:
    """The last requests, and counts of all of them."""

    def __init__(self) -> None:
        """Start empty."""
        self.asked: deque[Asked] = deque(maxlen=_KEPT)
        self.statuses: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()

    def note(self, asked: Asked) -> None:
        """Write a request down."""
        self.asked.append(asked)
        self.statuses[str(asked.status)] += 1
        self.paths[f"{asked.method} {asked.path}"] += 1

    def reset(self) -> None:
        """Forget everything."""
        self.asked.clear()
        self.statuses.clear()
        self.paths.clear()

    def as_json(self) -> dict[str, object]:
        """The answer of the control route."""
        return {
            "total": sum(self.statuses.values()),
            "statuses": dict(self.statuses),
            "paths": dict(self.paths),
            "requests": [asdict(asked) for asked in self.asked],
        }
