"""Names and the words that find them, however either is written."""

# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import STORABLE
from watchbook.store.folding import fold, folded_name, words_of

FOUND = (
    ("Amélie", "amelie AMÉLIE Amélie am\u0301elie mél"),
    ("Straße der Größe", "strasse STRASSE straße ẞ grosse größe"),
    ("Søren og Æbler fra Łódź", "soren søren SØREN aebler æbler lodz łódź ŁÓDŹ"),
    ("IŞIK ışık İstanbul", "isik ışık IŞIK işik istanbul İSTANBUL"),
    ("Þór ðæn", "thor þór daen"),
    ("Việt Nam Đà Nẵng", "viet da nang đà NẴNG"),
    ("Ｆｕｌｌ　Ｗｉｄｔｈ２", "full width2 ＷＩＤＴＨ"),
    ("Full Width2", "ｆｕｌｌ ｗｉｄｔｈ２"),
    ("ﬃ ſcript K", "ffi script k"),
    ("Ocean's Eleven", "ocean's ocean’s OCEANS eleven ocean´s"),
    ("L’Été d’O‘Brien", "l'ete l’été d'o`brien lete obrien"),
    ("“Heroes” „und“ «plus»", '"heroes" heroes ”und‟ "plus"'),
    ("Qurʾan ʻIolani", "quran qur'an iolani"),
    ("Ёлка и чайка", "елка ёлка ЁЛКА чайка чаика"),
    ("Ζορμπάς", "ζορμπας ΖΟΡΜΠΆΣ ζορμπάς"),
    ("שָׁלוֹם", "שלום שָׁלוֹם"),
    ("مُحَمَّد أحمد", "محمد احمد"),
    ("君の名は。", "君の名 名は 君"),
    ("ガギグゲゴ", "ｶﾞｷﾞ ガギ カ\u3099"),
    ("スター・ウォーズ", "スターウォーズ スター･ウォーズ ウォー"),
    ("ความรักครั้งสุดท้าย", "ความรัก ครั้ง สุดท้าย"),
    ("기생충", "기생 생충 기생충"),
    ("नमस्ते दुनिया", "नमस्ते दुनिया निया"),
    ("霸王别姬", "霸王 别姬"),
    ("WALL·E", "wall-e wall·e walle WALL•E"),
    ("Spider‑Man: No Way Home", "spider-man spider–man spiderman man: home"),
    ("Agents of S.H.I.E.L.D.", "shield s.h.i.e.l.d. S.H.I.E.L.D"),
    ("M*A*S*H", "mash m*a*s*h"),
    ("9-1-1", "911 9-1-1 1-1"),
    ("9½ Weeks…", "9½ 91/2 weeks..."),
    ("3%", "3%"),
    ("👩‍👩‍👧 ❤️", "👩👩👧 ❤ 👧"),
    ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
)
"""A name, and words by each of which it is found."""


@pytest.mark.parametrize(("name", "searches"), FOUND)
def test_found(name: str, searches: str) -> None:
    """A word is found in whatever case, with and without accents, wide, curly or joined."""
    for search in searches.split():
        (word,) = words_of(search)
        assert word in folded_name(name), search


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("ハハ", "パパ"),  # mother and papa: the marks make other letters
        ("か", "が"),
        ("강", "가"),  # a syllable, not its beginning
        ("ไม้", "ไม่"),
        ("Heat", "hat"),
        ("1001 Nights", "100%"),
        ("snake case", "snake_case"),
        ("Spiderman", "spider-man"),
    ],
)
def test_not_found(name: str, search: str) -> None:
    """What are other letters in a script, and signs that are asked for, stay what they are."""
    (word,) = words_of(search)
    assert word not in folded_name(name)


@pytest.mark.parametrize("search", ["", "  \u3000\u00a0", "'", "’ ´ ``", "\u0301\u0302", "\u200b"])
def test_nothing_to_look_for(search: str) -> None:
    """Spaces, accents and apostrophes alone are no words."""
    assert words_of(search) == []


def test_each_word_once() -> None:
    """A word that is said twice is looked for once, however it is written the second time."""
    assert words_of("Été  the\tETE été THE") == ["ete", "the"]


def test_hostile_names_are_found_by_themselves() -> None:
    """Whatever a title is, who pastes it finds it."""
    for name in STORABLE:
        folded = folded_name(name)
        assert all(word in folded for word in words_of(name)), name[:60]


@given(st.text())
def test_folding_is_done_once(text: str) -> None:
    """Folded text stays as it is, and how a letter was composed makes no difference."""
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded
    assert fold(unicodedata.normalize("NFC", text)) == folded


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_fold_as_all_do(text: str) -> None:
    """The short way for ASCII gives what the long way gives."""
    assert fold(text + "\u00e9") == fold(text) + "e"
