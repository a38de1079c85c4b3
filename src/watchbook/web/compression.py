"""Compression of answers: what is worth it, and who takes it (RFC 9110, 12.5.3)."""

from __future__ import annotations

import gzip
from functools import lru_cache

WORTH = 1400
"""Bytes: what is smaller fits into one packet as it is."""
_LEVEL = 6
_MARKUP = ("json", "xml", "javascript")
_LONGEST = 200
"""A wish that is longer is not read."""


def compressed(body: bytes, media_type: str) -> bytes | None:
    """``body`` by gzip, always the same bytes; None where that gains nothing."""
    if len(body) < WORTH or not _is_text(media_type):
        return None
    smaller = gzip.compress(body, _LEVEL, mtime=0)
    return smaller if len(smaller) < len(body) else None


def _is_text(media_type: str) -> bool:
    """Whether it is text; pictures, but for drawn ones, are compressed in their own way."""
    kind = media_type.partition(";")[0].strip()
    return kind.startswith("text/") or kind.endswith(_MARKUP)


def takes_gzip(wish: str) -> bool:
    """Whether somebody with this ``Accept-Encoding`` is better served with gzip than without."""
    return len(wish) <= _LONGEST and _takes(wish)


@lru_cache(maxsize=256)
def _takes(wish: str) -> bool:
    weights = dict(map(_weighed, wish.lower().split(",")))
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return weight > 0 and weight >= weights.get("identity", 0.0)


def _weighed(said: str) -> tuple[str, float]:
    """A coding and its weight: ``gzip;q=0.5`` is worth a half, and what nobody can read nothing."""
    coding, _, parameter = said.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(value)
    except ValueError:
        return coding.strip(), 0.0
