"""Feeds against their formats: grammars and a schema by validator libraries, RFC 5545 by rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from icalendar import Calendar, Event
from lxml import etree  # type: ignore[import-untyped]

_GRAMMARS = Path(__file__).parent / "grammars"
_LONGEST_LINE = 75
"""Bytes of a line of an iCalendar, without its end (RFC 5545, 3.1)."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ONCE = ("UID", "DTSTAMP", "DTSTART")
_AT_MOST_ONCE = ("DTEND", "DURATION", "SUMMARY", "DESCRIPTION", "URL", "TRANSP", "LAST-MODIFIED")


def problems(kind: str, body: bytes) -> list[str]:
    """What a document does that its format does not allow; ``kind`` is how its address ends."""
    if kind == "json":
        return [str(error) for error in _schema().iter_errors(json.loads(body))]
    if kind == "ics":
        return list(_calendar(body))
    grammar = _grammar(kind)
    grammar.validate(etree.fromstring(body))
    return [f"line {error.line}: {error.message}" for error in grammar.error_log]


@cache
def _grammar(kind: str) -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(_GRAMMARS / f"{kind}.rng"))


@cache
def _schema() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((_GRAMMARS / "json_feed.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _calendar(body: bytes) -> Iterator[str]:
    yield from _lines(body)
    try:
        calendar = Calendar.from_ical(body)
    except ValueError as reason:
        yield f"cannot be read: {reason}"
        return
    yield from (f"{name}: {reason}" for name, reason in calendar.errors)
    for name in ("VERSION", "PRODID"):
        if _count(calendar, name) != 1:
            yield f"the calendar has not one {name}"
    if str(calendar.get("VERSION")) != "2.0":
        yield "another version"
    for event in calendar.events:
        yield from _event(event)
    times = Counter(str(event.get("UID")) for event in calendar.events)
    yield from (f"UID {uid} stands {count} times" for uid, count in times.items() if count > 1)


def _lines(body: bytes) -> Iterator[str]:
    *lines, rest = body.split(b"\r\n")
    if rest:
        yield "the last line has no end"
    for line in lines:
        if len(line) > _LONGEST_LINE:
            yield f"a line of {len(line)} bytes"
        if b"\n" in line or b"\r" in line:
            yield "a line ends in another way"
        if _CONTROLS.search(line):
            yield "a control character"


def _event(event: Event) -> Iterator[str]:
    yield from (f"{name}: {reason}" for name, reason in event.errors)
    for name in _ONCE:
        if _count(event, name) != 1:
            yield f"an event has not one {name}"
    for name in _AT_MOST_ONCE:
        if _count(event, name) > 1:
            yield f"an event has several {name}"
    if "DTEND" in event and "DURATION" in event:
        yield "an event ends twice"
    if event.errors:
        return  # its properties cannot be compared
    stamp, starts, ends = (_property(event, name) for name in ("DTSTAMP", "DTSTART", "DTEND"))
    if stamp and not stamp.to_ical().endswith(b"Z"):
        yield "DTSTAMP is not in UTC"
    if starts and ends and ends.dt <= starts.dt:
        yield "an event ends before it begins"


def _property(event: Event, name: str) -> Any:
    return event.get(name)


def _count(component: Calendar | Event, name: str) -> int:
    found = component.get(name, [])
    return len(found) if isinstance(found, list) else 1
