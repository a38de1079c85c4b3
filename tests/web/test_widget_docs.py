"""What the how-to says of the widget is what its source does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tests.web.elsewhere import SCRIPT
from watchbook.render.embed import LAYOUTS, THEMES
from watchbook.render.widget import KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "widget.md").read_text("utf-8")
SOURCE = SCRIPT.read_text("utf-8")
REACT = Path(__file__).parents[2] / "integrations" / "react" / "src"


def rows(head: str) -> set[str]:
    """The names in code at the head of each line of the table whose first column is ``head``."""
    table = PAGE.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    firsts = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


def test_every_variable_is_told() -> None:
    """The table names the variables that the styles read, those and no others."""
    assert rows("variable") == set(re.findall(r"var\((--watchbook-[a-z-]+)", SOURCE))


def test_every_attribute_is_told() -> None:
    """The table names the attributes that are followed."""
    found = re.search(r"observedAttributes = (\[.*?\])", SOURCE)
    assert found is not None
    assert rows("attribute") == set(json.loads(found[1]))


def test_every_part_is_told() -> None:
    """The table names every part that something is made with."""
    made = re.findall(r'make\(\s*"[a-z]+",\s*(?:[a-z]+ \? )?"([a-z ]+)"(?: : "([a-z ]+)")?', SOURCE)
    parts = {part for some in made for names in some for part in names.split()}
    parts |= set(re.findall(r'this\.#link\(\w+, "([a-z]+)"', SOURCE))
    assert {"title", "poster", "live", "wait", "bone", "source"} <= parts
    assert parts | {"root"} == rows("part")


def test_every_text_is_told() -> None:
    """The words that a page may bring are named, and React knows the same."""
    found = re.search(r"const TEXTS = \{(.*?)\};", SOURCE, re.DOTALL)
    assert found is not None
    keys = re.findall(r"^\s+(\w+):", found[1], re.MULTILINE)
    listed = PAGE.split("keys are ", 1)[1].split("|", 1)[0]
    assert re.findall(r"`(\w+)`", listed) == keys
    react = (REACT / "WatchbookLast.tsx").read_text("utf-8")
    for line in found[1].strip().splitlines():
        assert line.strip() in react


def test_layouts_and_themes_are_the_same_everywhere() -> None:
    """The frame, the element and the page speak of the same layouts and themes."""
    for name in (*LAYOUTS, *THEMES):
        assert f"`{name}`" in PAGE


def test_snippets_of_dashboards_are_right() -> None:
    """Every piece of YAML is YAML, and names keys that the answer has."""
    snippets = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(snippets) == 4
    for snippet in snippets:
        assert yaml.safe_load(snippet)
    fields = re.findall(r"field: (\w+)", PAGE)
    fields += re.findall(r'\.JSON\.\w+ "(\w+)"', PAGE)
    fields += re.findall(r"value_json\.(\w+)", PAGE)
    fields += yaml.safe_load(snippets[2])["rest"][0]["sensor"][0]["json_attributes"]
    assert len(fields) > 12
    assert set(fields) <= set(KEYS)
