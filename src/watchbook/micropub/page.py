"""The posts of a web page, as far as they are needed to find one of ours again.

Microformats cover more than this reads; what it does read, it reads in one pass whose time grows
with the length of the page and nothing else, for the page may be anybody's. Hence no library:
see decision 14.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from watchbook.http import Answer
from watchbook.urls import absolute

_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_CLOSED_BY_THE_NEXT = frozenset("dd dt li p td th tr".split())
_HOLD = frozenset("article div dl main ol section table ul".split())
_DEEPEST = 100
"""Elements. What lies deeper is still counted, and its classes mean nothing."""
_LONGEST_TEXT = 500
_ADDRESS_IN = ("href", "src", "data")
_DATE_IN = ("datetime", "title", "value")


@dataclass(eq=False)
class _Item:
    types: list[str]
    properties: dict[str, list[Any]] = field(default_factory=dict)
    link: str | None = None

    def add(self, name: str, value: Any) -> None:
        self.properties.setdefault(name, []).append(value)


@dataclass(eq=False)
class _Element:
    tag: str
    item: _Item | None = None
    names: tuple[str, ...] = ()
    """The properties of the item around it that wait for this element's text."""
    text: list[str] = field(default_factory=list)


def entries(answer: Answer) -> list[dict[str, list[Any]]]:
    """The properties of each ``h-entry`` of a page, in the order in which they begin."""
    if not answer.is_html:
        return []
    reader = _Entries(answer.url)
    reader.feed(answer.text)
    reader.finish()
    return [item.properties for item in reader.items if "h-entry" in item.types]


class _Entries(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.items: list[_Item] = []
        self._url = url
        self._open: list[_Element] = []
        self._count: Counter[str] = Counter()
        self._items: list[_Item] = []
        self._waiting: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag in _CLOSED_BY_THE_NEXT:
            self._close_last(tag)
        element = _Element(tag)
        if len(self._open) < _DEEPEST:
            self._mark(element, given)
        if tag in _VOID:
            self._leave(element)
            return
        self._open.append(element)
        self._count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        while self._count[tag]:
            element = self._pop()
            if element.tag == tag:
                break

    def handle_data(self, data: str) -> None:
        for element in self._waiting:
            element.text.append(data[:_LONGEST_TEXT])

    def finish(self) -> None:
        """Close what the page left open."""
        while self._open:
            self._pop()

    def _mark(self, element: _Element, given: dict[str, str]) -> None:
        """Take from an element what its classes say it holds."""
        classes = given.get("class", "").split()
        around = self._items[-1] if self._items else None
        names = [name for name in classes if name.startswith(("p-", "u-", "dt-"))]
        types = [name for name in classes if name.startswith("h-")]
        link = self._address(given)
        if types:
            self._begin(element, _Item(types, link=link), around, names)
            return
        if around is not None:
            around.link = around.link or link
            waiting = [name for name in names if not self._took(around, name, link, given)]
            element.names = tuple(waiting)
            if waiting:
                self._waiting.append(element)

    def _begin(
        self, element: _Element, item: _Item, around: _Item | None, names: list[str]
    ) -> None:
        element.item = item
        self._items.append(item)
        self.items.append(item)
        if around is not None:
            for name in names:
                around.add(_bare(name), {"type": item.types, "properties": item.properties})

    def _took(self, item: _Item, name: str, link: str | None, given: dict[str, str]) -> bool:
        """Whether an attribute gave the property its value; else the element's text will."""
        if name.startswith("u-"):
            value = link
        elif name.startswith("dt-"):
            value = next((given[key] for key in _DATE_IN if key in given), None)
        else:
            value = given.get("value")
        if value is None:
            return False
        item.add(_bare(name), value)
        return True

    def _address(self, given: dict[str, str]) -> str | None:
        written = next((given[key] for key in _ADDRESS_IN if key in given), None)
        return None if written is None else absolute(written, self._url, fragment=True)

    def _close_last(self, tag: str) -> None:
        """Close an element that ends where the next of its kind begins."""
        for element in reversed(self._open[-_DEEPEST:] if self._count[tag] else []):
            if element.tag == tag:
                self.handle_endtag(tag)
                return
            if element.tag in _HOLD:
                return

    def _pop(self) -> _Element:
        element = self._open.pop()
        self._count[element.tag] -= 1
        self._leave(element)
        return element

    def _leave(self, element: _Element) -> None:
        if element.names:
            self._waiting.remove(element)
            text = " ".join("".join(element.text).split())[:_LONGEST_TEXT]
            for name in element.names:
                self._items[-1].add(_bare(name), text)
        if element.item is not None:
            self._items.pop()
            if element.item.link and "h-entry" not in element.item.types:
                element.item.properties.setdefault("url", [element.item.link])


def _bare(name: str) -> str:
    return name.partition("-")[2]
