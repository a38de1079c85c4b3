"""Hiding secrets and taming control characters in whatever is shown or logged.

Two nets, one behind the other: every actual secret of this process is registered with
:func:`secret` and masked wherever it turns up, and whatever has the shape of a secret (a
bearer token, a password in a URL, a value beside a telling name) is masked without being known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[hidden]"

_SHORTEST = 6
"""Shorter values are not registered: masking them would blot out ordinary words."""

_DEEPEST = 6

_TELLING = (
    "token|secret|passw(?:or)?d|passphrase|credential|api[-_]?key|share[-_]?link|jwt|assertion"
    "|code[-_]verifier"
)
_TELLING_KEY = re.compile(rf"{_TELLING}|authori[sz]ation|cookie", re.IGNORECASE)
_TELLING_WORDS = frozenset({"code", "key", "keys", "pin", "auth", "pwd"})
_HARMLESS_KEYS = frozenset({"status_code", "exit_code", "country_code", "language_code"})

_BETWEEN = r"(?:\\?[\"']?\s{0,3}[:=]\s{0,3}|[\"'],\s{0,3})(?:b(?=[\"']))?"
_QUOTED = r"(?P<quote>\\?[\"'])(?:(?!(?P=quote))[^\n])*"
_VALUE = rf"(?:{_QUOTED}|[^\s\"'&,;}}\\]+)"
# An error's code before a sentence: "invalid_token: The token is unknown".
_PROSE = r"(?<=_)token:\s(?-i:[A-Z]?[a-z]{0,7}) (?-i:[a-z]{2,12})\b"
_LINE = rf"(?:{_QUOTED}|[^\r\n\"'<>]+)"


def _shape(before: str, hidden: str, after: str = "") -> tuple[re.Pattern[str], str]:
    quote = r"\g<quote>" if "(?P<quote>" in hidden else ""
    shape = re.compile(f"(?P<before>{before}){hidden}{after}", re.IGNORECASE)
    return shape, rf"\g<before>{quote}{MASK}{after}"


# No pattern begins with an open repetition, since titles are hostile and long, or at the edge of
# a word, since the end of an escape sequence is no edge.
_SHAPES = (
    _shape(rf"(?:authori[sz]ation|cookie)[\w-]{{0,8}}{_BETWEEN}", _LINE),
    _shape(r"Bearer\s{1,4}", r"[^\s\"',;\\]{6,}"),
    _shape(r"Basic\s{1,4}", r"[\w+/=-]{12,}"),  # and not the film "Basic Instinct"
    _shape(r"AGE-SECRET-KEY-", r"[\w-]+"),
    _shape("wb_", r"[\w-]{40,}"),  # our own API tokens
    _shape(r"//", r"[^\s/?#\"'<>]{1,512}", "@"),
    _shape(r"//(?:www\.|app\.)?trakt\.tv/(?:lists|share|l|s)/", r"[^\s\"'<>]+"),
    _shape(r"[?#][\w.~%\[\]-]{1,64}=", r"[^\s\"'<>\\]*"),
    _shape(r"https?://[^\s\"'<>?#]{1,2048}\?", r"[^\s\"'<>\\]+"),
    _shape(rf"(?!{_PROSE})(?:{_TELLING})[\w-]{{0,40}}{_BETWEEN}", _VALUE),
    _shape(r"(?<!_)code(?:=|\\?[\"']\s{0,3}[:=]\s{0,3})", _VALUE),
)

# C0 and C1 controls, what turns the direction of text or cannot be seen, and lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


class _Registry:
    """The secrets of this process, in every spelling they may be written in."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, frozenset[str]] = {}
        self._spellings: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        with self._lock:
            self._known[value] = _spellings(value)
            self._arrange()

    def remove(self, value: str) -> None:
        with self._lock:
            self._known.pop(value, None)
            self._arrange()

    def _arrange(self) -> None:
        # Longest first, so that a secret inside another leaves nothing of the longer one.
        every = frozenset[str]().union(*self._known.values())
        self._spellings = tuple(sorted(every, key=len, reverse=True))

    def mask(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        return text


_registry = _Registry()


def _spellings(value: str) -> frozenset[str]:
    spelt = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    return frozenset(spelt | {json.dumps(value)[1:-1], repr(value)[1:-1]})


def secret(value: str) -> str:
    """Mask ``value`` from now on wherever it would be shown, and give it back."""
    if len(value) >= _SHORTEST:
        _registry.add(value)
    return value


def forget(value: str) -> None:
    """Stop looking for a secret that is worth nothing any more."""
    _registry.remove(value)


def redact(text: str) -> str:
    """``text`` with every registered secret and everything shaped like one masked."""
    text = _registry.mask(text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def tame(text: str) -> str:
    """``text`` with control, invisible and direction-changing characters written as escapes.

    Nothing that comes from outside may move a terminal's cursor or begin a line of a log.
    """
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def tells(key: str) -> bool:
    """Whether a value under ``key`` counts as a secret."""
    name = key.lower()
    if name in _HARMLESS_KEYS:
        return False
    return bool(_TELLING_KEY.search(name) or _TELLING_WORDS & set(re.split(r"[^a-z0-9]+", name)))


def cleaned(value: Any, key: str = "", depth: int = 0) -> Any:
    """``value`` made fit for a log: plain data without secrets and without control characters.

    ``key`` is the name it goes by. Mappings and sequences are cleaned to a sane ``depth``,
    anything below and every other object as its text.
    """
    if value is None or isinstance(value, bool):
        return value
    if tells(key):
        return MASK
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {_plain(str(k)): cleaned(v, str(k), depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [cleaned(item, "", depth + 1) for item in value]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    plain = _plain(text)
    keeps_type = type(value) is int or (type(value) is float and isfinite(value))
    return value if keeps_type and plain == text else plain


def _plain(text: str) -> str:
    return tame(redact(text))
