"""Many cases in one test: all are tried, and those that failed are named.

A test of its own for each of hundreds of titles costs more than what it looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

Case = TypeVar("Case")
_TOLD = 20


def every(
    cases: Iterable[Case], check: Callable[[Case], object], named: Callable[[Case], str] = repr
) -> None:
    """Check every case; fails with the names of those that failed, and why."""
    number, failed = 0, []
    for number, case in enumerate(cases, 1):  # noqa: B007 - how many there were
        try:
            check(case)
        except Exception as reason:  # noqa: BLE001 - whatever it is, the other cases are tried
            failed.append(f"{named(case)}: {type(reason).__name__}: {reason}")
    assert number, "there was no case"
    if failed:
        told = "\n".join(failed[:_TOLD])
        pytest.fail(f"{len(failed)} of {number} cases failed:\n{told}", pytrace=False)
