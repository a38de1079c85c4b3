"""The rule which archives stay: newest of so many periods, and never the latest good one gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbook.archive.keep import Candidate, kept
from watchbook.values import KeepRule, keep_rule

BERLIN = ZoneInfo("Europe/Berlin")


def at(*moments: str) -> list[Candidate]:
    """Good archives written at these moments, each called by its own; ``!`` marks a bad one."""
    return [
        Candidate(text, datetime.fromisoformat(f"{text.rstrip('!')}+00:00"), "!" not in text)
        for text in moments
    ]


def names(rule: str, *moments: str, zone: ZoneInfo | None = None) -> set[str]:
    """Which of them stay."""
    return set(kept(at(*moments), keep_rule(rule), zone or ZoneInfo("UTC")))


# --- Examples --------------------------------------------------------------------------------


def test_the_newest_of_each_of_the_newest_days_stays() -> None:
    """Of a day only its newest; days without an archive do not count."""
    assert names(
        "2 daily",
        "2026-11-21T20:00",
        "2026-11-21T08:00",
        "2026-11-19T20:00",
        "2026-11-18T20:00",
    ) == {"2026-11-21T20:00", "2026-11-19T20:00"}


def test_weeks_begin_on_monday() -> None:
    """2026-11-22 is a Sunday; the week is that of ISO 8601."""
    assert names("2 weekly", "2026-11-23T10:00", "2026-11-22T10:00", "2026-11-16T10:00") == {
        "2026-11-23T10:00",
        "2026-11-22T10:00",
    }


def test_a_week_across_new_year_is_one_week() -> None:
    """The first days of January may belong to the last week of December."""
    assert names("2 weekly", "2027-01-02T10:00", "2026-12-30T10:00", "2026-12-20T10:00") == {
        "2027-01-02T10:00",
        "2026-12-20T10:00",
    }


def test_all_keeps_one_of_every_period() -> None:
    """`all yearly` has no end."""
    years = [f"{year}-06-01T10:00" for year in range(2000, 2026)]
    assert names("all yearly", *years, "2025-01-01T10:00") == set(years)


def test_days_are_those_of_the_person() -> None:
    """What is one day in UTC may be two in Berlin."""
    both = ("2026-11-21T22:30", "2026-11-21T23:30")
    assert names("7 daily", *both) == {"2026-11-21T23:30"}
    assert names("7 daily", *both, zone=BERLIN) == set(both)


def test_reasons_are_said() -> None:
    """Each that stays says why, the newest first."""
    candidates = at("2026-11-21T20:00", "2026-10-31T20:00", "2026-10-30T20:00")
    found = kept(candidates, keep_rule("1 daily, 2 weekly, 2 monthly"), ZoneInfo("UTC"))
    assert list(found.items()) == [
        (
            "2026-11-21T20:00",
            "latest good, newest of 2026-11-21, newest of 2026-W47, newest of 2026-11",
        ),
        ("2026-10-31T20:00", "newest of 2026-W44, newest of 2026-10"),
    ]


def test_what_is_not_good_takes_no_place() -> None:
    """An incomplete archive does not stand for its day, and goes when a newer one is good."""
    assert names("2 daily", "2026-11-21T20:00", "2026-11-20T20:00!", "2026-11-19T20:00") == {
        "2026-11-21T20:00",
        "2026-11-19T20:00",
    }


def test_what_is_newer_than_the_latest_good_stays() -> None:
    """An incomplete archive with nothing better after it is kept."""
    found = kept(at("2026-11-21T20:00!", "2026-11-20T20:00"), KeepRule(yearly=1), BERLIN)
    assert found["2026-11-21T20:00!"] == "newer than the latest good"
    assert found["2026-11-20T20:00"].startswith("latest good, newest of 2026")


def test_without_a_good_one_all_stay() -> None:
    """Nothing goes while nothing is better."""
    found = kept(at("2026-11-21T20:00!", "2026-01-20T20:00!"), KeepRule(daily=1), BERLIN)
    assert set(found.values()) == {"there is no good one"}
    assert len(found) == 2


def test_no_archives_no_reasons() -> None:
    """An empty series is no error."""
    assert kept([], KeepRule(daily=1), BERLIN) == {}


@pytest.mark.parametrize("zone", [None, BERLIN])
def test_the_zone_of_the_machine_serves_who_has_none(zone: ZoneInfo | None) -> None:
    """Without a zone the machine's own is taken."""
    assert len(kept(at("2026-11-21T12:00"), KeepRule(daily=1), zone)) == 1


# --- What holds for every series and every rule ----------------------------------------------

counts = st.one_of(st.none(), st.integers(0, 6))
rules = st.builds(KeepRule, daily=counts, weekly=counts, monthly=counts, yearly=counts)
START = datetime(2019, 12, 20, tzinfo=UTC)
hours = st.one_of(st.integers(0, 24 * 40), st.integers(0, 24 * 1200))
series = st.lists(st.tuples(hours, st.booleans()), max_size=40).map(
    lambda found: [
        Candidate(f"{number:02}", START + timedelta(hours=hour), good)
        for number, (hour, good) in enumerate(found)
    ]
)
zones = st.sampled_from([ZoneInfo("UTC"), BERLIN, ZoneInfo("Pacific/Kiritimati")])


def newest(candidates: list[Candidate]) -> Candidate:
    """The one written last."""
    return max(candidates, key=lambda one: (one.written_at, one.name))


@given(series, rules, zones)
def test_the_latest_good_one_always_stays(
    candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo
) -> None:
    """Whatever the rule, the newest archive that is good is never pruned."""
    good = [one for one in candidates if one.good]
    if good:
        assert kept(candidates, rule, zone)[newest(good).name].startswith("latest good")


@given(series, rules, zones)
def test_no_series_is_emptied(candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo) -> None:
    """Something stays of whatever there is, the newest at least."""
    if candidates:
        assert newest(candidates).name in kept(candidates, rule, zone)


@given(series, rules, zones)
def test_pruning_again_takes_nothing(
    candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo
) -> None:
    """What stayed once stays for the same reasons."""
    found = kept(candidates, rule, zone)
    left = [one for one in candidates if one.name in found]
    assert kept(left, rule, zone).keys() == found.keys()


@given(series, rules, zones, st.sampled_from(["daily", "weekly", "monthly", "yearly"]))
def test_a_larger_count_keeps_more(
    candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo, name: str
) -> None:
    """A rule that asks for more never lets something go that the smaller one keeps."""
    count = getattr(rule, name)
    larger = replace(rule, **{name: None if count is None else count + 1})
    assert kept(candidates, rule, zone).keys() <= kept(candidates, larger, zone).keys()


@given(series, rules, zones)
def test_what_is_not_good_stays_only_without_a_better_one(
    candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo
) -> None:
    """A bad archive stays exactly when no good one is newer."""
    found = kept(candidates, rule, zone)
    for one in candidates:
        if not one.good:
            order = (one.written_at, one.name)
            better = any(o.good and (o.written_at, o.name) > order for o in candidates)
            assert (one.name in found) is not better


@given(series, rules, zones, st.randoms())
def test_the_order_of_the_candidates_does_not_matter(
    candidates: list[Candidate], rule: KeepRule, zone: ZoneInfo, chance: Random
) -> None:
    """A folder may be listed in any order."""
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert kept(shuffled, rule, zone) == kept(candidates, rule, zone)
