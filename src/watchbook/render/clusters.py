"""Where a text may be cut: between what a reader takes for one character each."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_MOST_MARKS = 4
"""Accents and vowels on one letter: as many as any language needs."""
_HANGUL = {"L": range(0x1100, 0x1160), "V": range(0x1160, 0x11A8), "T": range(0x11A8, 0x1200)}


def clusters(text: str) -> Iterator[str]:
    """What a reader takes for one character each, after UAX 29 as far as titles need it."""
    cluster, marks = "", 0
    for char in text:
        if not cluster or not _belongs(cluster, char):
            if cluster:
                yield cluster
            cluster, marks = "" if _is_mark(char) else char, 0
            continue
        marks += _is_mark(char)
        if marks <= _MOST_MARKS:
            cluster += char
    if cluster:
        yield cluster


def _belongs(cluster: str, char: str) -> bool:
    """Whether ``char`` is part of the character that ``cluster`` began."""
    last = cluster[-1]
    return (
        unicodedata.category(char) in {"Mn", "Mc", "Me"}
        or char == _JOINER
        or (last == _JOINER and is_emoji(char))
        or 0x1F3FB <= ord(char) <= 0x1F3FF
        or 0xE0020 <= ord(char) <= 0xE007F
        or (_is_flag(char) and _is_flag(last) and len(cluster) == 1)
        or _is_hangul_part(last, char)
    )


def _is_mark(char: str) -> bool:
    """Whether a character is put on the one before it; without one it is left out."""
    return unicodedata.category(char) in {"Mn", "Me"} and not is_variant(char)


def is_emoji(char: str) -> bool:
    """Whether a character is a small picture."""
    return 0x1F000 <= ord(char) <= 0x1FAFF or (
        0x2190 <= ord(char) <= 0x2BFF and unicodedata.category(char) in {"So", "Sm"}
    )


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _is_hangul_part(last: str, char: str) -> bool:
    if ord(char) in _HANGUL["V"]:
        return ord(last) in _HANGUL["L"] or ord(last) in _HANGUL["V"]
    return ord(char) in _HANGUL["T"] and unicodedata.category(last) == "Lo"


def is_variant(char: str) -> bool:
    """Whether a character only says how the one before it is drawn."""
    return 0xFE00 <= ord(char) <= 0xFE0F
