"""What has to be said where other people's data and pictures are shown.

TMDB asks for its logo and this very notice (its FAQ, "attribution"), the logo less prominent
than one's own; Trakt to be named as the source, and never to be looked like.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribution:
    """Whose it is, what has to be said, and where they are."""

    name: str
    notice: str
    url: str


TMDB = Attribution(
    "TMDB",
    "This product uses the TMDB API but is not endorsed or certified by TMDB.",
    "https://www.themoviedb.org/",
)
TRAKT = Attribution("Trakt", "Data from Trakt.", "https://trakt.tv/")

BY_SOURCE = {"tmdb": TMDB, "trakt": TRAKT}
"""By the source of a picture."""

SHORT = "Titles by Trakt; pictures by TMDB and Trakt."
"""For places that have room for one line."""
