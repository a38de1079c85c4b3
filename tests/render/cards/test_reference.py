"""The how-to of cards names what there is: each card, parameter, theme, language and width."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from watchbook.render.cards.languages import LANGUAGES
from watchbook.render.cards.themes import NAMES
from watchbook.web.cards import CARDS, NARROWEST, WIDEST

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "cards.md").read_text("utf-8")


def row(name: str) -> list[str]:
    """What the table says of a parameter: for which cards, and which values."""
    found = re.search(rf"^\| `{name}` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert found is not None
    return [found[1], found[2]]


def named(text: str) -> list[str]:
    """What stands there as code."""
    return re.findall(r"`([^`]+)`", text)


def test_cards_are_named_with_their_part() -> None:
    """All of them."""
    for card in CARDS:
        assert f"| `/card/{card.name}.svg` |" in PAGE
        assert f"`watchbook share on {card.part}`" in PAGE


def test_parameters_are_all_there() -> None:
    """Each with the cards that know it."""
    table = set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE))
    own = {name for card in CARDS for name in card.query}
    assert table == {"theme", "width", "locale", "account", *own}
    for name in own:
        assert named(row(name)[0]) == [card.name for card in CARDS if name in card.query]


def test_values_are_those_of_the_code() -> None:
    """Themes, widths and languages."""
    assert tuple(named(row("theme")[1])) == NAMES
    assert set(named(row("locale")[1])) == set(LANGUAGES)
    assert f"{NARROWEST} to {WIDEST}" in row("width")[1]
    assert {str(card.width) for card in CARDS} == {"440", "800"}


def test_the_pictures_are_those_that_the_code_draws() -> None:
    """The SVG examples are what `scripts/make_cards.py` draws today."""
    spec = importlib.util.spec_from_file_location("make_cards", ROOT / "scripts" / "make_cards.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    drawn = script.cards("auto")
    for name in ("last", "now", "year", "heatmap"):
        kept = (ROOT / "docs" / "images" / f"card-{name}.svg").read_text("utf-8")
        assert re.sub('base64,[^"]*', "", kept) == re.sub('base64,[^"]*', "", drawn[name][0])
