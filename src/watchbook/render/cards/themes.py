"""Themes: the colours of a card by what they are for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``."""

    back: str
    edge: str
    """The line around the card and around posters."""
    ink: str
    """Titles and numbers."""
    soft: str
    """Everything said beside them."""
    accent: str
    """Signs, bars, and what the eye should find."""
    level0: str
    """A day without a play, and the track that a bar runs on."""
    level1: str
    level2: str
    level3: str
    level4: str
    """The days with the most plays."""


THEMES = {
    "light": Theme(
        back="#ffffff",
        edge="#d8dee4",
        ink="#1a2027",
        soft="#57616b",
        accent="#0b6e75",
        level0="#eceff2",
        level1="#b4dfdc",
        level2="#6cc0bc",
        level3="#2a9696",
        level4="#0b5f66",
    ),
    "dark": Theme(
        back="#0f141a",
        edge="#2e3740",
        ink="#f1f4f7",
        soft="#9ba6b1",
        accent="#4fd1c5",
        level0="#1c242c",
        level1="#124a4d",
        level2="#1a7a79",
        level3="#2bb0a9",
        level4="#83ebdf",
    ),
    "cinema": Theme(
        back="#1a080b",
        edge="#52202a",
        ink="#fff3ea",
        soft="#dba9a2",
        accent="#ff6a57",
        level0="#2f1218",
        level1="#661d25",
        level2="#9c2b2f",
        level3="#d9443f",
        level4="#ff8b70",
    ),
    "contrast": Theme(
        back="#000000",
        edge="#ffffff",
        ink="#ffffff",
        soft="#f2f2f2",
        accent="#ffe100",
        level0="#262626",
        level1="#6e6100",
        level2="#a39000",
        level3="#d6bd00",
        level4="#fff3a1",
    ),
}
AUTO = "auto"
"""The light theme, and the dark one for whoever prefers it, in one SVG."""
NAMES = (AUTO, *THEMES)
