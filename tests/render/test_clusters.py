"""Where a text may be cut."""

from __future__ import annotations

import pytest

from watchbook.render.clusters import clusters

FAMILY = "👨‍👩‍👧"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("abc", 3),
        ("e\u0301e\u0323\u0301", 2),
        (FAMILY * 2, 2),
        ("🇩🇪🇯🇵", 2),
        ("👍🏿👍", 2),
        ("\u1100\u1161\u11a8\u1100", 2),
        ("1\ufe0f\u20e32", 2),
    ],
)
def test_characters_are_those_of_a_reader(text: str, kept: int) -> None:
    """Accents, skin tones, families, flags and syllables stay whole."""
    assert len(list(clusters(text))) == kept
