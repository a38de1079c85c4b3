from __future__ import annotations

from datetime import date

import pytest

from watchbook.render.book import Day, Month, Tally, Year, months_of, span_of


@pytest.mark.parametrize(
    ("newest", "oldest", "words"),
    [
        ("2026-10-03", "2026-10-03", "3 October 2026"),
        ("2026-10-28", "2026-10-03", "3 to 28 October 2026"),
        ("2026-10-03", "2026-09-28", "28 September to 3 October 2026"),
        ("2026-01-01", "2025-12-31", "31 December 2025 to 1 January 2026"),
    ],
)
def test_days_in_words(newest: str, oldest: str, words: str) -> None:
    """Nothing is said twice, and days that are not known are left out."""
    dates = [date.fromisoformat(newest), date.fromisoformat(oldest), None]
    assert span_of([Day(one, []) for one in dates]) == words


def test_days_that_are_not_known_in_words() -> None:
    """They have a name of their own, unless there is no day at all."""
    assert span_of([Day(None, [])]) == "Some day"
    assert span_of([]) == ""


@pytest.mark.parametrize(
    ("films", "episodes", "words"),
    [(1, 0, "1 film"), (0, 2, "2 episodes"), (1204, 1, "1,204 films and 1 episode")],
)
def test_tallies_in_words(films: int, episodes: int, words: str) -> None:
    """What there is none of is not said."""
    assert Tally(Year(2026), films, episodes).words == words


def test_what_comes_after() -> None:
    """A year after a year, and January after December."""
    assert Year(2025).next == Year(2026)
    assert months_of(2025)[-1].next == Month(2026, 1)
    assert [str(one) for one in (Year(2025), Month(2025, 3))] == ["2025", "2025-03"]
