"""The table of a site's rules."""

from __future__ import annotations

from dataclasses import fields
from datetime import time, timedelta

import pytest

from watchbook.errors import InputError
from watchbook.publish.rules import RULES, QuietHours, Rules, read_rule, read_rules


def test_every_rule_has_a_field_and_a_default_that_reads() -> None:
    """The table and the struct name the same rules, and all defaults are good."""
    assert [rule.field for rule in RULES] == [field.name for field in fields(Rules)]
    rules = read_rules({})
    assert rules.types == {"movie", "episode"}
    assert rules.delay == timedelta(minutes=10)
    assert (rules.older, rules.binge, rules.living) == ("hold", False, False)


def test_what_a_site_has_set_holds() -> None:
    """A rule that was set is read as it was written."""
    rules = read_rules(
        {"types": "films", "only-shows": "The Wire, Dark", "quiet-hours": "23:00-07:00"}
    )
    assert rules.types == {"movie"}
    assert rules.only_shows == ("The Wire", "Dark")
    assert rules.quiet_hours == QuietHours(time(23), time(7))


BAD = {
    "types": "songs",
    "minimum-rating": "11",
    "delay": "soon",
    "quiet-hours": "23:00",
    "timezone": "Mars/Olympus",
    "pace": "many",
    "film-text": "{{ nothing }}",
    "living": "yes",
}


@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_a_bad_value_is_refused(name: str, text: str) -> None:
    """The error names the rule, quotes the value and says what the rule means."""
    with pytest.raises(InputError, match=name) as refused:
        read_rule(name, text)
    assert refused.value.hint


def test_an_unknown_rule_is_refused() -> None:
    """A rule that does not exist is no rule."""
    with pytest.raises(InputError, match="is no rule"):
        read_rule("colour", "blue")


@pytest.mark.parametrize(
    ("begin", "end", "inside", "outside"),
    [("23:00", "07:00", "02:00", "12:00"), ("12:00", "14:00", "13:00", "14:00")],
)
def test_quiet_hours_may_span_midnight(begin: str, end: str, inside: str, outside: str) -> None:
    """The begin belongs to the quiet hours, the end does not."""
    quiet = QuietHours(time.fromisoformat(begin), time.fromisoformat(end))
    assert quiet.holds(time.fromisoformat(begin))
    assert quiet.holds(time.fromisoformat(inside))
    assert not quiet.holds(time.fromisoformat(outside))
    assert not quiet.holds(time.fromisoformat(end))
