"""What tests may ask of a process: to die at a named step, or to let its clock run faster.

``_WATCHBOOK_DIE_AT=sync.page.committed`` ends the process with SIGKILL at that step,
``…@3`` at its third passing. Without the variable a step costs one comparison.
``_WATCHBOOK_SPEED=60`` makes an hour of the schedule a minute, and a lease of a minute a second.
"""

from __future__ import annotations

import os
import signal
from datetime import timedelta

_name, _, _count = os.environ.get("_WATCHBOOK_DIE_AT", "").partition("@")
_left = int(_count or 1)
_speed = float(os.environ.get("_WATCHBOOK_SPEED", "1"))


def hurried(span: timedelta) -> timedelta:
    """``span`` as long as it takes in this process."""
    return span / _speed


def step(name: str) -> None:
    """Pass the step called ``name``."""
    global _left  # noqa: PLW0603 - counts passings in this process, nothing else
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
