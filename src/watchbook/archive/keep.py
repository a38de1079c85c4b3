"""Which archives of a series stay, and why: a rule of days, weeks, months and years.

The rule speaks of calendar days, weeks (ISO 8601), months and years by a person's own clock. Only
good archives count: in each of the newest periods that have one, the newest stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from watchbook.values import KeepRule

LATEST = "latest good"
_UNSURE = "newer than the latest good"
_NO_GOOD = "there is no good one"


@dataclass(frozen=True)
class Candidate:
    """An archive that might go; ``good`` when it holds everything and is whole."""

    name: str
    written_at: datetime
    good: bool


def kept(
    candidates: Iterable[Candidate], rule: KeepRule, zone: tzinfo | None = None
) -> dict[str, str]:
    """The names of those that stay, newest first, each with its reason in words.

    ``zone`` is where days begin, None the zone of this machine. The newest good one stays
    whatever the rule says, and so does everything that is newer than it, good or not: what is
    not good goes only when there is something better.
    """
    newest_first = sorted(candidates, key=lambda one: (one.written_at, one.name), reverse=True)
    reasons: dict[str, list[str]] = {one.name: [] for one in newest_first}
    for one in newest_first:
        if one.good:
            reasons[one.name].append(LATEST)
            break
        reasons[one.name].append(_UNSURE)
    else:
        return dict.fromkeys(reasons, _NO_GOOD)
    good = [one for one in newest_first if one.good]
    for name, period in _chosen(good, rule, zone):
        reasons[name].append(f"newest of {period}")
    return {name: ", ".join(why) for name, why in reasons.items() if why}


def _chosen(
    good: Sequence[Candidate], rule: KeepRule, zone: tzinfo | None
) -> Iterator[tuple[str, str]]:
    """The newest good archive of each period that the rule asks for, and that period's name."""
    for count, called in (
        (rule.daily, _day),
        (rule.weekly, _week),
        (rule.monthly, _month),
        (rule.yearly, _year),
    ):
        newest: dict[str, str] = {}
        for one in good:
            newest.setdefault(called(one.written_at.astimezone(zone)), one.name)
        for period in list(newest)[:count]:
            yield newest[period], period


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


def _year(moment: datetime) -> str:
    return f"{moment:%Y}"
