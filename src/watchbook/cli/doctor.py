"""``watchbook doctor``: looks at everything that can go wrong and says what to do about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from watchbook.cli.columns import Row, show
from watchbook.clock import counted
from watchbook.errors import SettingsError

if TYPE_CHECKING:
    from watchbook.checkup.check import Check
    from watchbook.cli.context import Context

UNWELL = 1
"""Exit code when there is a problem; warnings alone end with 0."""

_STYLES = {"ok": "", "warning": "yellow", "problem": "bold red"}


@click.command(short_help="Check everything, and say what to do.")
@click.option("--offline", is_flag=True, help="Ask nothing over the network.")
@click.pass_obj
def doctor(context: Context, *, offline: bool) -> int:
    """Check everything that can go wrong, and say what to do about it.

    Changes nothing. Ends with 1 when there is a problem, with 0 when there are only warnings.

    Example: watchbook doctor --offline
    """
    found = _looked(context, offline=offline)
    if context.json:
        context.answer({"checks": found})
    show(context, [_row(check) for check in found])
    counts = Counter(check.state.value for check in found)
    context.say(
        f"{counted(len(found), 'check')}, {counted(counts['problem'], 'problem')}, "
        f"{counted(counts['warning'], 'warning')}."
    )
    return UNWELL if counts["problem"] else 0


def _looked(context: Context, *, offline: bool) -> list[Check]:
    """Do all checks; where the settings cannot be read, that is the only one."""
    from watchbook.checkup.check import problem
    from watchbook.checkup.rounds import rounds

    try:
        settings = context.settings
        http = None if offline else context.http
    except SettingsError as reason:
        return [problem("settings", reason.message, reason.hint or "See `watchbook config`.")]
    return list(rounds(settings, http))


def _row(check: Check) -> Row:
    remedy = f" -> {check.remedy}" if check.remedy else ""
    return Row(check.state, f"{check.name}: {check.words}{remedy}", _STYLES[check.state])
