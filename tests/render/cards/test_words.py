"""Words: each language is whole, and writes dates and numbers as its readers do."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import pytest

from watchbook.render.cards import fonts
from watchbook.render.cards.languages import LANGUAGES, words_of
from watchbook.render.cards.themes import NAMES, THEMES

EVENING = datetime.fromisoformat("2026-11-20T21:05:00")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_whole(language: str) -> None:
    """Twelve months, seven days, no empty word, and as many nouns as its plural asks for."""
    words = LANGUAGES[language]
    assert len(words.month_names()) == 12
    assert len(words.weekday_names()) == 7
    assert all(
        getattr(words, field.name) != "" for field in fields(words) if field.name != "between"
    )
    for forms in (words.plays, words.films, words.episodes, words.hours, words.streak):
        assert {words.noun(forms, count) for count in range(200)} == set(forms)


@pytest.mark.parametrize(
    ("locale", "moment", "number"),
    [
        ("en", "Fri, 20 Nov 2026, 21:05", "1,234,567"),
        ("en-US", "Fri, Nov 20, 2026, 9:05\u202fPM", "1,234,567"),
        ("de-AT", "Fr., 20. Nov. 2026, 21:05", "1.234.567"),
        ("fr", "ven. 20 nov. 2026, 21:05", "1\u202f234\u202f567"),
        ("es", "vie, 20 nov 2026, 21:05", "1.234.567"),
        ("it", "ven 20 nov 2026, 21:05", "1.234.567"),
        ("nl", "vr 20 nov 2026, 21:05", "1.234.567"),
        ("pt", "sex., 20 de nov. de 2026, 21:05", "1\u00a0234\u00a0567"),
        ("pt_BR", "sex., 20 de nov. de 2026, 21:05", "1.234.567"),
        ("sv", "fre 20 nov. 2026 21:05", "1\u00a0234\u00a0567"),
        ("pl", "pt., 20 lis 2026, 21:05", "1\u00a0234\u00a0567"),
        ("ja", "2026年11月20日(金) 21:05", "1,234,567"),
        ("tlh", "Fri, 20 Nov 2026, 21:05", "1,234,567"),
        ("", "Fri, 20 Nov 2026, 21:05", "1,234,567"),
        ("<script>", "Fri, 20 Nov 2026, 21:05", "1,234,567"),
    ],
)
def test_dates_and_numbers(locale: str, moment: str, number: str) -> None:
    """As written in each language; English for those that cards do not speak."""
    words = words_of(locale)
    assert words.moment(EVENING) == moment
    assert words.number(1234567) == number


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "1 film"), (2, "2 filmy"), (5, "5 filmów"), (12, "12 filmów"), (22, "22 filmy")],
)
def test_polish_counts_by_three_forms(count: int, told: str) -> None:
    """One, a few, many."""
    words = words_of("pl")
    assert words.counted(words.films, count) == told


def test_small_thousands_stand_together_where_they_do() -> None:
    """Spanish, Portuguese and Polish separate from 10,000 on."""
    assert words_of("es").number(9876) == "9876"
    assert words_of("en").number(9876) == "9,876"


@pytest.mark.parametrize(
    ("hour", "told"), [(0, "12:00"), (11, "11:00"), (12, "12:00"), (23, "11:00")]
)
def test_twelve_hours(hour: int, told: str) -> None:
    """Midnight and noon are twelve."""
    half = "AM" if hour < 12 else "PM"
    assert words_of("en-us").time(EVENING.replace(hour=hour, minute=0)) == f"{told}\u202f{half}"


def test_european_words_need_no_font_but_ours() -> None:
    """A PNG in such a language is drawn alike everywhere."""
    latin = [words for name, words in LANGUAGES.items() if name != "ja"]
    ours = fonts.ours()
    told = "".join(str(value) for words in latin for value in vars(words).values())
    assert [char for char in set(told) if not ours.has(char) and char != "\n"] == []


@pytest.mark.parametrize("name", THEMES)
def test_colours_can_be_read(name: str) -> None:
    """Text stands out from its ground: 4.5 to 1 at least (WCAG AA), 7 to 1 in `contrast`."""
    theme = THEMES[name]
    least = 7 if name == "contrast" else 4.5
    for colour in (theme.ink, theme.soft, theme.accent):
        assert contrast(colour, theme.back) >= least


def test_there_are_four_themes_and_auto() -> None:
    """As promised."""
    assert NAMES == ("auto", "light", "dark", "cinema", "contrast")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a colour."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
