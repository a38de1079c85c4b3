"""Names folded for searching: one way of writing for all the ways in which a word is written.

It is done here and not by a database, since each of them has its own idea of upper case, of accents
and of their order. Titles and the words looked for are folded alike and then compared as they are.
"""

from __future__ import annotations

import string
import unicodedata

_LETTERS = {
    "æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l", "ø": "o", "œ": "oe", "ŧ": "t",
    "þ": "th",
}  # fmt: skip
"""Letters that Unicode does not take apart, as people write them who do not have them."""

_SIGNS = {
    **dict.fromkeys("\u00b7\u2022\u2027\u2212\u2219\u22c5\u30fb", "-"),
    "\u2044": "/",  # in ½, once that is taken apart
    "\u301c": "~",  # the wave dash, which half of the world's keyboards write so
}
"""Dots and dashes of many shapes, and others that stand for one on every keyboard."""

_QUOTES = frozenset(
    "'\"`\u00ab\u00bb\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u05f3\u05f4"
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u2035\u2039\u203a"
)
"""Apostrophes and quotation marks: nobody knows which of them a title has."""

_PARTS_OF_LETTERS = range(7, 10), range(84, 133)
"""Classes of marks that make another letter in Asia: voiced kana, Indian and Thai vowels."""
_JOINERS = frozenset({0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)})
"""Marks without a class that only choose how the letter before them is drawn."""
_NO_SIGNS = str.maketrans("", "", string.punctuation)


class _Folded(dict[int, str]):
    """What becomes of a letter that was taken apart, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _folded(chr(code))
        return found


def _folded(char: str) -> str:
    if char in _QUOTES or _is_accent(char):
        return ""
    if char in _SIGNS:
        return _SIGNS[char]
    if unicodedata.category(char) == "Pd":
        return "-"
    return "".join(_LETTERS.get(part, part) for part in char.casefold())


def _is_accent(char: str) -> bool:
    """Whether the letter before ``char`` is meant without it, too; or whether nobody sees it."""
    kind = unicodedata.combining(char)
    if kind:
        return not any(kind in kinds for kinds in _PARTS_OF_LETTERS)
    return ord(char) in _JOINERS or unicodedata.category(char) == "Cf"


_TABLE = _Folded()


def fold(text: str) -> str:
    """``text`` in lower case, without accents, apostrophes and wide, curly or joined letters."""
    if text.isascii():
        return text.lower().replace("'", "").replace('"', "").replace("`", "")
    parts = unicodedata.normalize("NFKD", text.replace("\u00b4", "'"))
    return unicodedata.normalize("NFC", parts.translate(_TABLE))


def folded_name(name: str) -> str:
    """What a title is found by: folded, and again those words that have signs inside, without.

    So S.H.I.E.L.D. is found as shield, and 9-1-1 as 911.
    """
    folded = fold(name)
    if folded.replace(" ", "").isalnum():
        return folded
    bare = (word.translate(_NO_SIGNS) for word in dict.fromkeys(folded.split()))
    return " ".join([folded, *(word for word in bare if word not in folded)])


def words_of(search: str) -> list[str]:
    """The words that a person looks for, folded, each once; none when it was marks alone."""
    return list(dict.fromkeys(fold(search).split()))
