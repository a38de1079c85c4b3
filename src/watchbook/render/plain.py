"""Texts of other people made fit for any document: XML, calendars, pages."""

from __future__ import annotations

import re

# What no XML document can hold, controls, what turns the direction of the text behind it, and
# characters that are none. Joiners stay: emoji and Persian are written with them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufffe\uffff]"
)


LONGEST = 300
"""Characters; no title is longer, and a page that shows one which is would be unreadable."""


def plain(text: str) -> str:
    """``text`` on one line, cut where it has no end, without what would break a document."""
    found = " ".join(_UNFIT.sub(" ", text).split())
    return found if len(found) <= LONGEST else f"{found[: LONGEST - 1].rstrip()}…"
