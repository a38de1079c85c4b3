"""What /metrics tells: numbers in memory, no names, no secrets, and no question to the database."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from watchbook.clock import from_iso

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Standing = Callable[[], Mapping[str, Any]]
"""Says how the service stands, at once and from memory; its ``status`` may be ``down``."""
Shelves = Callable[[], tuple[int, int, int]]
"""Views that were at hand, views that were made, and how many stand in memory."""

_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds; what took longer than the last counts as ``+Inf``."""
_STATES = ("ok", "attention", "down")


class Traffic:
    """Questions by route and status, and how long they took; counted by the server's own thread."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.took = [0] * (len(_BOUNDS) + 1)
        self.seconds = 0.0

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count an answer of ``route`` (its pattern) that took ``seconds``."""
        self.answers[route, status] += 1
        self.took[bisect_left(_BOUNDS, seconds)] += 1
        self.seconds += seconds


class Metrics:
    """The metrics of this process, with a registry of their own."""

    def __init__(self, standing: Standing, traffic: Traffic, shelves: Shelves | None) -> None:
        self._standing = standing
        self._traffic = traffic
        self._shelves = shelves
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of them, in the format of Prometheus."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on nobody asking for it at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of ours, for the registry."""
        yield from _of_health(self._standing())
        yield from _of_traffic(self._traffic)
        if self._shelves is not None:
            yield from _of_shelves(*self._shelves())


def _of_health(told: Mapping[str, Any]) -> Iterator[Metric]:
    status = GaugeMetricFamily(
        "watchbook_status", "1 for the state in which the service is.", labels=["status"]
    )
    for name in _STATES:
        status.add_metric([name], told["status"] == name)
    yield status
    yield _gauge("accounts", "Accounts there are.", told["accounts"])
    yield _gauge("accounts_signed_out", "Accounts that have to sign in.", told["signed_out"])
    yield _gauge("accounts_failing", "Accounts whose last sync failed.", told["failing"])
    yield _gauge("workers", "Processes that work on the schedule.", told["workers"])
    queue = told["queue"]
    yield _gauge("jobs_waiting", "Jobs that wait.", queue["waiting"])
    yield _gauge("jobs_running", "Jobs that run.", queue["running"])
    oldest = queue["oldest_waiting_seconds"]
    yield _gauge("jobs_oldest_waiting_seconds", "How long the oldest job has waited.", oldest)
    for kind in ("sync", "backup"):
        if told[f"last_{kind}"]:
            moment = from_iso(told[f"last_{kind}"]).timestamp()
            words = f"When the last {kind} that did not fail ended."
            yield _gauge(f"last_{kind}_timestamp_seconds", words, moment)
    posts = GaugeMetricFamily(
        "watchbook_outbox_posts", "Posts of the outbox that are not done.", labels=["state"]
    )
    for state, number in told["outbox"].items():
        posts.add_metric([state], number)
    yield posts


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"watchbook_{name}", words, value)


def _of_traffic(traffic: Traffic) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "watchbook_http_requests", "Answers over HTTP.", labels=["route", "status"]
    )
    for (route, status), number in traffic.answers.items():
        answers.add_metric([route, str(status)], number)
    yield answers
    bounds = [*(str(bound) for bound in _BOUNDS), "+Inf"]
    took = list(zip(bounds, accumulate(traffic.took), strict=True))
    yield HistogramMetricFamily(
        "watchbook_http_seconds", "How long answers took.", took, traffic.seconds
    )


def _of_shelves(hits: int, made: int, kept: int) -> Iterator[Metric]:
    words = "Views asked for, by whether they were in memory or had to be made."
    views = CounterMetricFamily("watchbook_views", words, labels=["from"])
    views.add_metric(["memory"], hits)
    views.add_metric(["store"], made)
    yield views
    yield _gauge("views_kept", "Views in memory.", kept)
