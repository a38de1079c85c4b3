"""Drawn pictures: the title's name on a colour of its own, whatever the name is."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.every import every
from tests.hostile import TITLES, label
from watchbook.render.cards.letters import width
from watchbook.render.placeholder import (
    SIZES,
    UNTITLED,
    address_of,
    colour_of,
    key_in,
    placeholder,
)
from watchbook.store.pictures import Kind

SVG = "{http://www.w3.org/2000/svg}"


def lines(svg: str) -> list[str]:
    """The lines of the name."""
    return [found.text or "" for found in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Heat", ["Heat"]),
        ("The Good, the Bad and the Ugly", ["The Good,", "the Bad and", "the Ugly"]),
        ("千と千尋の神隠し", ["千と千尋の神隠し"]),
        ("", [UNTITLED]),
        (None, [UNTITLED]),
    ],
)
def test_the_name_stands_in_lines(name: str | None, expected: list[str]) -> None:
    """One for a short name, more for a longer one."""
    assert lines(placeholder(name, "movie:1")) == expected


def is_whole(name: str) -> None:
    """Well-formed, at most four lines, of the right size, with nothing that runs or loads."""
    svg = placeholder(name, "movie:1", under=name)
    root = ET.fromstring(svg)
    assert (root.get("width"), root.get("height")) == ("400", "600")
    assert 1 <= len(lines(svg)) <= 5
    tags = {one.tag.removeprefix(SVG) for one in root.iter()}
    assert tags <= {"svg", "title", "rect", "g", "text"}
    names = {name for one in root.iter() for name in one.attrib}
    assert not any(name.startswith("on") or "href" in name for name in names)
    for line, size in sized(root):
        assert width(line, size, bold=True) <= 400


def sized(root: ET.Element) -> list[tuple[str, float]]:
    """The lines of the name with the size of their letters."""
    (group,) = root.iter(f"{SVG}g")
    own = [line for line in group if not line.get("font-size")]
    return [(line.text or "", float(group.get("font-size", 0))) for line in own]


@given(st.text(max_size=400))
def test_any_name_makes_a_whole_picture(name: str) -> None:
    """Whose words stay inside by the widths of our font."""
    is_whole(name)


def test_hostile_names_make_whole_pictures() -> None:
    """Every one of them."""
    every(TITLES, is_whole, label)


def test_colours_differ_and_stay() -> None:
    """The same title has the same colour; a hundred titles have about as many."""
    found = {colour_of(f"movie:{number}") for number in range(100)}
    assert len(found) > 90
    assert colour_of("movie:1") == colour_of("movie:1")


def test_white_words_can_be_read_on_every_colour() -> None:
    """A contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    for number in range(300):
        colour = colour_of(f"show:{number}")
        red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def test_an_episode_is_wider_than_high() -> None:
    """As its still would be."""
    root = ET.fromstring(placeholder("Severance", "episode:1", Kind.STILL, "S2 E7"))
    assert (int(root.get("width", 0)), int(root.get("height", 0))) == SIZES[Kind.STILL]


def test_a_long_word_is_cut_between_letters() -> None:
    """Thai is written without spaces: no line begins with a vowel of the line before."""
    name = "ผู้หญิงที่กินน้ำผึ้งในคืนที่ไม่มีดวงจันทร์"
    found = lines(placeholder(name, "movie:1"))
    assert len(found) > 1
    assert "".join(found) == name
    assert not any(unicodedata.combining(line[0]) for line in found)


def test_its_address_names_the_title() -> None:
    """And is read back; a play of which nothing is known has one, too."""
    address = address_of("movie:12000", "https://watch.example")
    assert address == "https://watch.example/images/title/movie-12000.svg"
    assert key_in("movie-12000") == "movie:12000"
    assert address_of(None) == "/images/title/unknown.svg"
