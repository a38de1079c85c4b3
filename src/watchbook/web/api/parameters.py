"""Parameters of the API: how each is read, and how it is described, from one declaration."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from watchbook.clock import from_iso, to_millis
from watchbook.errors import InputError

KEY = r"^(movie|show|season|episode):[0-9]{1,18}$"
HIGHEST = 2**63 - 1
"""The highest number that both databases and Trakt's history ids know."""
_CURSOR = r"^[A-Za-z0-9_-]{4,1400}$"
_A_NUMBER = r"[0-9]{1,19}"
ANY_KEY = r"[^\x00]{1,250}"
"""The key of a row that may have none at Trakt, and then has one that is made of its text."""
_LONGEST_SEARCH = 100
_WORDS = rf"^(?=.{{1,{_LONGEST_SEARCH}}}$)[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, what it means, its form as JSON schema, and how a text is read.

    ``read`` raises ValueError with words that follow the name: ``is no whole number``.
    """

    name: str
    words: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]
    example: str
    default: Any = None
    place: str = "query"


Values = Mapping[str, Any]
"""Parameters as they were read, by name; those not given have their default."""


def values_of(known: Iterable[Parameter], given: Iterable[tuple[str, str]]) -> Values:
    """Read the parameters ``given``; raises InputError for the first that is not as it should be.

    Unknown names, repeated names and empty values are errors too: a filter that is misspelt must
    not let everything pass.
    """
    by_name = {one.name: one for one in known}
    found = {name: one.default for name, one in by_name.items()}
    seen: set[str] = set()
    for name, text in given:
        if name not in by_name:
            names = ", ".join(by_name) or "none"
            raise InputError(f"{name[:60]!r} is no parameter here.", hint=f"There are: {names}.")
        if name in seen:
            raise InputError(f"{name} is given more than once.", hint="Give it once.")
        seen.add(name)
        found[name] = _read(by_name[name], text)
    return found


def _read(one: Parameter, text: str) -> Any:
    try:
        return one.read(text)
    except ValueError as reason:
        raise InputError(
            f"{one.name} {reason}.", hint=f"A right example: {one.name}={one.example}"
        ) from None


def whole(
    name: str, words: str, example: str, *, low: int = 1, high: int = HIGHEST, place: str = "query"
) -> Parameter:
    """A whole number from ``low`` to ``high``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", text) or not low <= int(text) <= high:
            raise ValueError(f"has to be a whole number from {low} to {high}")
        return int(text)

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Parameter(name, words, schema, read, example, place=place)


def limit(most: int, default: int) -> Parameter:
    """How many things a page holds at most."""
    one = whole("limit", "How many at most.", str(default), high=most)
    schema = {**one.schema, "default": default}
    return Parameter(one.name, one.words, schema, one.read, one.example, default)


def choice(name: str, words: str, values: tuple[str, ...]) -> Parameter:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"has to be one of {', '.join(values)}")
        return text

    return Parameter(name, words, {"type": "string", "enum": list(values)}, read, values[0])


def shaped(
    name: str, words: str, pattern: str, example: str, *, place: str = "query", form: str
) -> Parameter:
    """A text of one shape; ``form`` says it in words that follow "has to be"."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"has to be {form}")
        return text

    schema = {"type": "string", "pattern": pattern}
    return Parameter(name, words, schema, read, example, place=place)


def search() -> Parameter:
    """Words to look for."""
    words = (
        "Words, or parts of them, that are all in the title (of an episode: in its own and its "
        "show's together), in any case, with or without accents."
    )
    form = f"words, of at most {_LONGEST_SEARCH} characters"
    one = shaped("q", words, _WORDS, "heat", form=form)
    return replace(one, schema={**one.schema, "minLength": 1, "maxLength": _LONGEST_SEARCH})


class Page(NamedTuple):
    """Where a page begins: behind the thing with that moment or place and that key."""

    moment: int
    key: str

    @property
    def number(self) -> int:
        """The key, of things whose keys are numbers."""
        return int(self.key)


def cursor(key: str = _A_NUMBER) -> Parameter:
    """Where the last page ended, at a thing whose key is of that form."""

    def read(text: str) -> Page:
        try:
            page = _unpacked(text, key)
        except ValueError:
            raise ValueError("is none that was given here") from None
        if packed(page) != text:
            raise ValueError("is none that was given here")
        return page

    words = "`next` of the answer before this one; without it, the first page."
    schema = {"type": "string", "pattern": _CURSOR}
    return Parameter("cursor", words, schema, read, packed(Page(1_764_000_000_000, "1")))


def packed(page: Page) -> str:
    """A page as the text of a cursor."""
    plain = f"{page.moment} {page.key}".encode()
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def _unpacked(text: str, key: str) -> Page:
    if not re.fullmatch(_CURSOR, text):
        raise ValueError
    plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    match = re.fullmatch(rf"(-?[0-9]{{1,19}}) ({key})", plain, re.DOTALL)
    if match is None or not _fits(match[1]) or (key == _A_NUMBER and not _fits(match[2])):
        raise ValueError
    return Page(int(match[1]), match[2])


def _fits(number: str) -> bool:
    return abs(int(number)) <= HIGHEST


When = date | datetime
"""A day by the account's own clock, or a moment."""


def when(name: str, words: str) -> Parameter:
    """A day such as 2026-11-21, or a moment with its offset."""

    def read(text: str) -> When:
        try:
            if _DAY.fullmatch(text):
                return date.fromisoformat(text)
            if _MOMENT.fullmatch(text):
                return from_iso(text.upper())
        except ValueError:
            pass
        raise ValueError("has to be a day or a moment (a + in it is written %2B)")

    schema = {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    }
    return Parameter(name, words, schema, read, "2026-11-21")


def beginning(value: When | None, zone: tzinfo | None) -> int | None:
    """The first moment of ``value`` in milliseconds; a day begins by the clock of ``zone``."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return to_millis(value)
    return _midnight(value, zone)


def ending(value: When | None, zone: tzinfo | None) -> int | None:
    """The first moment that is not before ``value`` ends: a moment itself, or the day after."""
    if value is None or isinstance(value, datetime):
        return beginning(value, zone)
    return _midnight(value + timedelta(days=1), zone) if value < date.max else HIGHEST


def _midnight(day: date, zone: tzinfo | None) -> int:
    local = datetime.combine(day, time.min, zone)
    if zone is None and 1 < day.year < date.max.year:
        local = local.astimezone()
    return to_millis(local.replace(tzinfo=local.tzinfo or UTC))
