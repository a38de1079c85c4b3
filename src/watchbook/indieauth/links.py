"""Where a page says that its endpoints are: ``Link`` headers and ``<link>`` elements.

For each rel the first header counts, then the first element in the order of the document
(IndieAuth, section 4.1). Only ``<link>`` counts: an ``<a rel=micropub>`` in somebody's comment
must not take over the page, and neither must anything inside a comment, a template or a text
area, which is no element of the document. No library at hand keeps all of these rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from watchbook.http import Answer
from watchbook.urls import absolute

_MOST = 64 * 1024
_TARGET = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*([^\s=;,"<>]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s;,"]*)))?""", re.DOTALL
)
_TO_NEXT = re.compile(r"""(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^,"])*(?:,|$)""", re.DOTALL)
_TEXT_INSIDE = frozenset(
    "script style textarea title xmp iframe noembed noframes plaintext".split()
)
"""Elements whose content is text, whatever it looks like."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Link:
    """One link: its target as it is written, its rels in lower case."""

    target: str
    rels: frozenset[str]


def header_links(value: str) -> Iterator[Link]:
    """The links of a ``Link`` header (RFC 8288), or of several joined by commas.

    Links that speak about another page (``anchor``) are left out; what is no link is skipped.
    """
    value, at = value[:_MOST], 0
    while at < len(value):
        target = _TARGET.match(value, at)
        if target is not None:
            parameters, at = _parameters(value, target.end())
            if "anchor" not in parameters:
                yield Link(target[1].strip(), _tokens(parameters.get("rel", "")))
        at = max(_end(_TO_NEXT, value, at), at + 1)


def page_links(html: str) -> list[Link]:
    """The ``<link>`` elements of a page that have a ``href``, in the order of the document."""
    reader = _Links()
    reader.feed(html)  # and no close(): how the page breaks off is of no interest
    return reader.found


def first_link(answer: Answer, rel: str) -> str | None:
    """The address of the first link of a page with the rel ``rel``, None when there is none.

    A link that leads to no http or https address is passed over.
    """
    for link in all_links(answer):
        target = absolute(link.target, answer.url) if rel in link.rels else None
        if target is not None:
            return target
    return None


def all_links(answer: Answer) -> Iterator[Link]:
    """The links of an answer: of its headers, then, where it is a web page, of the page."""
    yield from header_links(answer.headers.get("link", ""))
    if answer.is_html:
        yield from page_links(answer.text)


def _end(pattern: re.Pattern[str], value: str, at: int) -> int:
    match = pattern.match(value, at)
    return match.end() if match else len(value)


def _parameters(value: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters from ``at`` on, of each name the first, and where they end."""
    found: dict[str, str] = {}
    while match := _PARAMETER.match(value, at):
        quoted = match[2]
        text = _ESCAPED.sub(r"\1", quoted) if quoted is not None else match[3] or ""
        found.setdefault(match[1].lower(), text)
        at = match.end()
    return found, at


def _tokens(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Link] = []
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "template":
            self._templates += 1
        elif tag in _TEXT_INSIDE:
            self.set_cdata_mode(tag)  # Python itself does so for two of them only
        elif tag == "link" and not self._templates:
            # Of an attribute that is given twice the first counts.
            given = {name: value or "" for name, value in reversed(attrs)}
            if "href" in given:
                self.found.append(Link(given["href"].strip(), _tokens(given.get("rel", ""))))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # a slash before > means nothing in HTML

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._templates = max(0, self._templates - 1)
