"""Putting the page together: its parts from ``viewer/``, and the book as JSON between them."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import islice
from string import Template

import msgspec

from watchbook.exporting.html.plays import ACTIONS, OTHER, Plays
from watchbook.exporting.html.shelves import Shelves
from watchbook.exporting.html.titles import COLUMNS, TYPES, Titles
from watchbook.exporting.html.words import About

SCRIPTS = (
    "data.js",
    "search.js",
    "dom.js",
    "list.js",
    "filters.js",
    "views.js",
    "title.js",
    "charts.js",
    "main.js",
)
"""One script in the page; a part uses what stands before it."""

_CHUNK = 2000
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Page:
    """The bytes before the book and those after it."""

    def __init__(self, about: About) -> None:
        style = _part("style.css")
        script = '"use strict";\n(() => {\n' + "\n".join(map(_part, SCRIPTS)) + "})();\n"
        words = {
            name: html.escape(getattr(about, name))
            for name in ("who", "made", "zone", "version", "plays")
        }
        notes = "".join(f'    <p class="note">{html.escape(note)}</p>\n' for note in about.notes)
        parts = {"policy": _policy(style, script), "style": style, "script": script, "notes": notes}
        before, after = _part("page.html").split("$data")
        self.head = Template(before).substitute(words, **parts).encode()
        self.tail = Template(after).substitute(words, **parts).encode()


def _part(name: str) -> str:
    return (files(__package__) / "viewer" / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may run, paint or be fetched but our own script and style."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def blocks(about: About, titles: Titles, plays: Plays, shelves: Shelves) -> Iterator[bytes]:
    """The book, piece by piece."""
    yield from _block("about", [_json(about)])
    form: dict[str, object] = {"types": TYPES, "columns": COLUMNS}
    yield from _block("titles", _object(form, rows=titles.rows()))
    actions = {sign: name for name, sign in ACTIONS.items()} | {OTHER: "other"}
    form = {"unknown": plays.unknown, "actions": actions, "action": plays.action.decode()}
    yield from _block("plays", _object(form, at=plays.steps(), title=plays.title))
    form = {"lists": shelves.lists, "said": shelves.said}
    yield from _block("shelves", _object(form, ratings=shelves.ratings))


def _block(name: str, pieces: Iterable[str]) -> Iterator[bytes]:
    yield f'<script type="application/json" id="{name}">'.encode()
    for piece in pieces:
        yield piece.encode()
    yield b"</script>\n"


def _object(form: Mapping[str, object], **arrays: Iterable[object]) -> Iterator[str]:
    """A JSON object whose ``arrays`` are never held as a whole."""
    yield _json(form)[:-1]
    for name, values in arrays.items():
        yield f',"{name}":['
        yield from _members(iter(values))
        yield "]"
    yield "}"


def _members(values: Iterator[object]) -> Iterator[str]:
    comma = ""
    while chunk := list(islice(values, _CHUNK)):
        yield comma + _json(chunk)[1:-1]
        comma = ","


def _json(value: object) -> str:
    """JSON that no text in it can break out of."""
    return msgspec.json.encode(value).decode().translate(_ESCAPES)
