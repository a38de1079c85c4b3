"""PNG: the card as it is drawn, by a program that reads nothing else and may fall over."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.every import every
from tests.hostile import TITLES
from tests.render.cards.examples import KINDS, drawn, look
from watchbook.render.cards import fonts, letters, png
from watchbook.render.cards.facts import Last, Shot
from watchbook.render.cards.letters import Name
from watchbook.render.cards.png import NotDrawn, look_of_png, png_of
from watchbook.render.cards.shot import last_card


def picture(svg: str) -> Image.Image:
    """The card as a picture."""
    return Image.open(io.BytesIO(png_of(svg))).convert("RGBA")


def shades(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many colours are in a part of a picture."""
    return len(image.crop(box).getcolors(100_000) or [])


@pytest.mark.parametrize("kind", KINDS)
def test_each_card_is_drawn_twice_as_large(kind: str) -> None:
    """Sharp on screens with small pixels; round corners let the page show through."""
    svg = drawn(kind, "Heat", look_of_png(look(480, "dark")))
    image = picture(svg)
    assert image.width == 960
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert image.getpixel((image.width // 2, 6)) == (0x0F, 0x14, 0x1A, 255)
    assert shades(image, (0, 0, *image.size)) > 50


@pytest.mark.parametrize("title", ["Heat", "שלום עולם", "مرحبا", "Анна Каренина", "Ζορμπάς"])
def test_letters_of_our_font_are_there(title: str) -> None:
    """No box, no gap: the title is drawn as it is, by our font alone."""
    assert letters.as_writable(Name(title, ("x",))) == title
    with_title = picture(drawn("last", title, look_of_png(look())))
    without = picture(drawn("last", " ", look_of_png(look())))
    assert with_title.tobytes() != without.tobytes()


def test_hostile_titles_do_not_stop_the_press() -> None:
    """Every one of them is drawn, as title, on its drawn poster, and as whose card it is."""
    how, tall = look_of_png(look(280, "dark")), 145

    def card(place: int, title: str) -> str:
        name = Name(title)
        drawn = last_card(Last(title, Shot(name, film=True, subtitle=name)), how)
        assert f'height="{tall}"' in drawn
        return drawn.replace("<svg", f'<svg overflow="visible" y="{place * tall}"', 1)

    def check(some: Sequence[str]) -> None:
        size = f'width="280" height="{len(some) * tall}"'
        cards = "".join(card(place, title) for place, title in enumerate(some))
        image = picture(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{cards}</svg>')
        for place in range(len(some)):
            assert shades(image, (0, place * 2 * tall, 560, (place + 1) * 2 * tall)) > 20

    every([TITLES[at : at + 33] for at in range(0, len(TITLES), 33)], check)


def test_no_file_is_read(tmp_path: Path) -> None:
    """A card names data only; the program that draws would read a file that is named."""
    secret = tmp_path / "secret.png"
    Image.new("RGB", (10, 10), "#ff00ff").save(secret)
    title = f'"><image href="{secret}" width="400" height="100"/>'
    image = picture(drawn("last", title, look_of_png(look())))
    pixels = {colour for _, colour in image.getcolors(1_000_000) or []}
    assert (255, 0, 255, 255) not in pixels


def test_a_press_that_falls_over_is_an_error_with_a_remedy() -> None:
    """The service goes on, and the next card is drawn."""
    with pytest.raises(NotDrawn, match="could not be drawn") as caught:
        png_of("<svg")
    assert "svg" in (caught.value.hint or "")
    assert png_of(drawn("empty", "", look())).startswith(b"\x89PNG")


def test_a_crowd_is_told_to_come_again() -> None:
    """A few wait for their turn, all others are not kept waiting; afterwards there is room."""
    cards = [drawn("last", f"Number {number}", look()) for number in range(30)]

    def trouble(card: str) -> str:
        try:
            png_of(card)
        except NotDrawn as reason:
            return reason.message
        return ""

    with ThreadPoolExecutor(len(cards)) as crowd:
        told = list(crowd.map(trouble, cards))
    assert set(told) == {"", "Too many cards are drawn at once."}
    assert told.count("") >= 8
    assert trouble(cards[-1]) == ""


def test_the_press_imports_nothing_of_ours() -> None:
    """It begins in no time, and knows no secret."""
    told = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", str(png._PRESS)],
        input=b"{}",
        capture_output=True,
        check=False,
    )
    assert b"resvg_py" in told.stderr
    assert b"watchbook." not in told.stderr.replace(b"watchbook/", b"")


def test_a_card_is_drawn_once() -> None:
    """The same card is given from memory, also to many at once."""
    svg = drawn("empty", "", look(555))
    first = png_of(svg)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(png_of(svg))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one is first for one in found)


def test_a_png_is_light_where_auto_cannot_be() -> None:
    """It has one theme, and our font."""
    how = look_of_png(look(theme="auto"))
    assert (how.theme, how.family) == ("light", "DejaVu Sans")


def test_fonts_of_the_machine_come_after_ours() -> None:
    """Theirs are taken for what ours lack, and only then."""
    ours = [fonts.ours().path, fonts.ours(bold=True).path]
    assert list(png._needed("Heat")) == ours
    theirs = [font for font in fonts.installed() if font.has("君")]
    needed = list(png._needed("君"))
    assert needed[:2] == ours
    assert (len(needed) > 2) == bool(theirs)


def test_the_licence_of_the_fonts_comes_along() -> None:
    """As it asks for."""
    told = (fonts.ours().path.parent / "LICENSE").read_text("utf-8")
    assert "Bitstream Vera Fonts Copyright" in told
