"""Whether the fonts of this machine can write the titles that cards show as PNG."""

from __future__ import annotations

import sqlalchemy as sa

from watchbook.checkup.book import about
from watchbook.checkup.check import Check, ok, warning
from watchbook.render.cards import letters
from watchbook.sharing import Part, of_account
from watchbook.store.accounts import Account
from watchbook.store.watched import newest

CARDS = frozenset({Part.LAST, Part.NOW, Part.STATISTICS})
"""Parts of which there are cards."""
_RECENT = 300
"""Plays whose titles are looked at."""
_OF_EASTERN_ASIA = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_OF_EMOJI = ((0x2600, 0x27BF), (0x1F000, 0x1FAFF), (0xE0020, 0xE007F))
_ELSE = "fonts-noto-core"


def check_fonts(conn: sa.Connection, account: Account) -> Check | None:
    """Whether recent titles can be written; None for an account that shows no card."""
    if not of_account(conn, account).parts & CARDS:
        return None
    plays = newest(conn, account.id, _RECENT)
    titles = [text for play in plays for text in (play.title, play.show_title) if text]
    name = about("fonts for the cards", account)
    lacking = {
        char: title for title in titles for char in letters.missing(letters.fit_for_line(title))
    }
    if not lacking:
        return ok(name, "every recent title can be written")
    packages = ", ".join(sorted({package_for(char) for char in lacking}))
    example = letters.fit_for_line(next(iter(lacking.values())))
    words = f"{example!r} cannot be written in a PNG, so another name stands there"
    return warning(name, words, f"Install {packages} (as Debian calls it) and start again.")


def package_for(char: str) -> str:
    """The package of Debian that brings a font for ``char``."""
    code = ord(char)
    if any(first <= code <= last for first, last in _OF_EASTERN_ASIA):
        return "fonts-noto-cjk"
    if any(first <= code <= last for first, last in _OF_EMOJI):
        return "fonts-noto-color-emoji"
    return _ELSE
