"""What has to be said where other people's data and pictures are shown.

TMDB asks for this very notice where its pictures are used, and to be named less prominently than
oneself; Trakt to be named as the source, and never to be looked like. TMDB also asks for its logo
in credits. That is a drawing of TMDB's which does not come with Watchbook: whoever shows the
pictures adds it to a page of their own (docs/how-to/posters.md says how).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribution:
    """Whose it is, what has to be said, and where they are."""

    name: str
    notice: str
    url: str
    is_required: bool
    """Whether the notice has to stand with each picture, as far as there is room."""


TMDB = Attribution(
    "TMDB",
    "This product uses the TMDB API but is not endorsed or certified by TMDB.",
    "https://www.themoviedb.org/",
    is_required=True,
)
TRAKT = Attribution("Trakt", "Data from Trakt.", "https://trakt.tv/", is_required=False)

BY_SOURCE = {"tmdb": TMDB, "trakt": TRAKT}
"""By the source of a picture."""

SHORT = "Titles by Trakt; pictures by TMDB and Trakt."
"""For places that have room for one line."""
