"""Cards in Chromium: as an image and part of a page, nothing leaves the card or lies on another."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import address, browser, page
from tests.hostile import TITLES
from tests.render.cards.examples import KINDS, drawn, look
from watchbook.render.cards.languages import LANGUAGES

__all__ = ["browser", "page"]

MEASURE = """
svgs => svgs.map(text => {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml')
  if (parsed.querySelector('parsererror')) return ['not well-formed']
  const card = document.body.appendChild(document.importNode(parsed.documentElement, true))
  const wide = card.width.baseVal.value, tall = card.height.baseVal.value
  const lines = [...card.querySelectorAll('text')].map(line => [line, line.getBBox()])
  const wrong = []
  lines.forEach(([line, box], number) => {
    if (box.x < -0.5 || box.x + box.width > wide + 0.5) wrong.push('leaves: ' + line.textContent)
    lines.slice(number + 1).forEach(([other, next]) => {
      const across = Math.min(box.x + box.width, next.x + next.width) - Math.max(box.x, next.x)
      const y = (of) => parseFloat(of.getAttribute('y'))
      const size = (of) => parseFloat(of.getAttribute('font-size'))
      const lower = y(line) > y(other) ? line : other
      const near = Math.abs(y(line) - y(other)) < size(lower) * 0.8
      if (across > 1 && near) wrong.push(line.textContent + ' lies on ' + other.textContent)
    })
  })
  card.remove()
  return wrong
})
"""


def wrong(page: Page, svgs: list[str]) -> list[str]:
    """What a browser finds wrong with each card, those without fault left out."""
    found: list[list[str]] = page.evaluate(MEASURE, svgs)
    return [text for told in found for text in told]


@pytest.mark.parametrize("kind", ["last", "now", "nothing", "year"])
@pytest.mark.parametrize("width", [280, 440, 800])
def test_hostile_titles_stay_in_their_lines(page: Page, kind: str, width: int) -> None:
    """With the fonts of this machine: no line leaves its card or lies on another, nothing runs."""
    page.goto("about:blank")
    cards = [drawn(kind, title, look(width), who="ann") for title in TITLES]
    assert wrong(page, cards) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_language_stays_in_its_lines(page: Page, kind: str) -> None:
    """Also where words are long."""
    page.goto("about:blank")
    sizes = (280, 360, 440, 560, 800, 1200)
    cards = [drawn(kind, "Heat", look(width, locale=one)) for one in LANGUAGES for width in sizes]
    assert wrong(page, cards) == []


@pytest.mark.parametrize("kind", KINDS)
def test_auto_is_light_and_dark_in_one(page: Page, tmp_path: Path, kind: str) -> None:
    """As an image in a page, by what the reader prefers."""
    data = b64encode(drawn(kind, "Heat", look()).encode()).decode()
    place = tmp_path / "page.html"
    place.write_text(f'<img src="data:image/svg+xml;base64,{data}">', "utf-8")
    shots = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        page.goto(address(place))
        shots.append(page.screenshot())
    assert shots[0] != shots[1]
