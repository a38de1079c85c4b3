"""Letters: texts are cut, measured and chosen without breaking what a reader takes for one."""

# ruff: noqa: RUF001 - letters of other scripts

from __future__ import annotations

import unicodedata
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.every import every
from tests.hostile import TITLES, label
from watchbook.render.cards import fonts, letters
from watchbook.render.cards.letters import Name

FAMILY = "👨‍👩‍👧"
UNFIT = {"Cc", "Cs", "Zl", "Zp"}
TURNING = {"\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2069"}


def test_any_title_is_fit_for_a_line() -> None:
    """No control, no surrogate, nothing that turns the text behind it, few accents; valid XML."""

    def check(title: str) -> None:
        line = letters.fit_for_line(title)
        assert not [char for char in line if unicodedata.category(char) in UNFIT]
        assert not TURNING & set(line)
        assert len(line) <= 400
        ET.fromstring(f"<a>{escape(line)}</a>")
        marks = "".join("m" if unicodedata.combining(char) else "-" for char in line)
        assert "mmmmm" not in marks

    every(TITLES, check, label)


@pytest.mark.parametrize("room", [40.0, 180.0, 600.0])
def test_any_title_keeps_to_its_room(room: float) -> None:
    """Lines are as wide as allowed at most, and not more than allowed."""

    def check(title: str) -> None:
        line = letters.fit_for_line(title)
        lines = letters.wrapped(line, room, 20, 2, bold=True)
        assert len(lines) <= 2
        assert all(letters.width(one, 20, bold=True) <= room for one in lines)

    every(TITLES, check, label)


@given(st.text(max_size=80), st.floats(30, 400))
def test_nothing_is_lost_but_what_has_no_room(text: str, room: float) -> None:
    """Lines together are the text, up to an ellipsis."""
    line = letters.fit_for_line(text)
    together = "".join(letters.wrapped(line, room, 16, 3)).removesuffix("…")
    assert line.replace(" ", "").startswith(together.replace(" ", "").removesuffix("…"))


def test_a_title_is_cut_between_characters() -> None:
    """An ellipsis never takes a member out of a family."""
    cut = letters.shortened(FAMILY * 9, 200, 20)
    assert cut.endswith("…")
    assert cut.removesuffix("…") == FAMILY * cut.count("👧")


def test_lines_are_broken_at_spaces_and_in_chinese_anywhere() -> None:
    """A line ends where a reader expects it."""
    assert letters.wrapped("one two three", 60, 16, 3) == ["one", "two", "three"]
    assert letters.wrapped("千と千尋の神隠し", 70, 16, 2) == ["千と千尋", "の神隠し"]


def test_what_is_written_from_the_right_is_isolated() -> None:
    """It turns nothing around it; other texts are left as they are."""
    assert letters.isolated("שלום (2)!") == "\u2068שלום (2)!\u2069"
    assert letters.isolated("Heat") == "Heat"


def test_names_that_can_be_written() -> None:
    """The title, else another name of it, else what can be written of it."""
    odd = "\U00016a4f\U0001e900"
    assert letters.as_writable(Name("Heat", ("x",))) == "Heat"
    assert letters.as_writable(Name(odd, (odd, "Their Name"))) == "Their Name"
    assert letters.as_writable(Name(f"Heat {odd}", ())) == "Heat"
    assert letters.as_writable(Name(odd, ())) == odd
    assert letters.missing(f"Heat {odd}{odd}") == odd


def test_our_fonts_are_read_as_they_are() -> None:
    """Widths and glyphs are those that the font's makers tell of it."""
    ours = fonts.ours()
    assert ours.advances[ord("A")] == pytest.approx(1401 / 2048)
    assert fonts.ours(bold=True).advances[ord("A")] == pytest.approx(1585 / 2048)
    assert ours.has("Ω")
    assert ours.has("ш")
    assert not ours.has("君")
    assert ours.path.is_file()


def test_a_broken_font_is_passed_over(tmp_path: Path) -> None:
    """Whatever lies in the folders of fonts, cards are drawn."""
    whole = fonts.ours().path.read_bytes()
    parts = (b"", b"x" * 100, whole[:2000], whole[:20], b"ttcf" + b"\xff" * 60)
    for number, data in enumerate(parts):
        path = tmp_path / f"{number}.ttf"
        path.write_bytes(data)
        assert fonts._read(path) is None
