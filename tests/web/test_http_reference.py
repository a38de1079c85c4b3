"""The reference of HTTP says what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import Route

from watchbook.store.opening import Store
from watchbook.web import limits
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.app import VIEWS, make_app
from watchbook.web.compression import WORTH
from watchbook.web.front import Front
from watchbook.web.metrics import Metrics, Traffic

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "http.md").read_text("utf-8")
MONITOR = (DOCS / "how-to" / "monitor.md").read_text("utf-8")


def test_every_address_is_told(store: Store) -> None:
    """Those of the API stand in its own reference."""
    app = make_app(lambda: {"status": "ok"}, b"{}", Front(store, "https://watch.example"))
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    paths -= {operation.address for operation in OPERATIONS}
    told = "\n".join(re.findall(r"^\| (`/.*?) \|", REFERENCE, re.MULTILINE))
    assert set(re.findall(r"`(/[^`]*)`", told)) == paths


def test_the_part_of_each_address_is_told() -> None:
    """By its name, as `watchbook share` knows it."""
    for view in VIEWS:
        assert f"\n| `{view.path}` | `{view.part}` | " in REFERENCE


def test_the_limits_are_told() -> None:
    """Their numbers are those of the code."""
    for number in (limits.AT_ONCE, limits.PER_SECOND):
        assert f" {number:,.0f} " in REFERENCE
    assert f"costs {limits.COST_OF_ASKING};" in REFERENCE
    assert f"costs {limits.COST_OF_MAKING:.0f}, and" in REFERENCE
    assert f"({limits.COST_OF_A_SECOND} for a second)" in REFERENCE
    assert f"costs {limits.COST_OF_REFUSAL:.0f}." in REFERENCE
    assert f"a deposit of {limits.DEPOSIT:.0f}," in REFERENCE
    assert f"at most {limits.AT_ONCE / limits.DEPOSIT:.0f} such" in REFERENCE


def test_what_is_compressed_is_told() -> None:
    """From which size on."""
    assert f"\nTexts of {WORTH:,} bytes and more " in REFERENCE


def test_every_metric_is_told() -> None:
    """And none that is not there."""
    moment = "2026-11-21T10:00:00Z"
    told = {
        "status": "ok",
        "accounts": 1,
        "signed_out": 0,
        "failing": 0,
        "workers": 1,
        "queue": {"waiting": 0, "running": 0, "oldest_waiting_seconds": 0},
        "outbox": {"waiting": 0},
        "last_sync": moment,
        "last_backup": moment,
    }
    metrics = Metrics(lambda: told, Traffic(), lambda: (0, 0, 0)).text().decode()
    there = set(re.findall(r"^# TYPE (watchbook_\w+)", metrics, re.MULTILINE))
    assert set(re.findall(r"`(watchbook_\w+)(?:\{[\w,]+\})?`", MONITOR)) == there
