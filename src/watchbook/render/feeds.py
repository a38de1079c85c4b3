"""Atom, RSS and JSON Feed of plays.

An entry keeps its id wherever and under whatever address it is shown, so that no reader shows a
play twice. Plays of an unknown date have no place in a feed, which is a list by date: the caller
leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import TypeVar
from xml.etree import ElementTree as ET

import msgspec

from watchbook.clock import UNKNOWN_DATE, to_iso
from watchbook.render import attribution
from watchbook.render.entries import (
    Home,
    Poster,
    genres_of,
    id_of,
    poster_of,
    title_of,
    uuid_of,
    words_of,
)
from watchbook.render.plain import plain
from watchbook.showing import Shown

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
JSON_FEED = "https://jsonfeed.org/version/1.1"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Feed:
    """A page of a feed: plays with a known date, newest first, and where it stands."""

    home: Home
    shown: Sequence[Shown]
    address: str
    """Its own."""
    first: str
    """That of the newest page."""
    next: str | None = None
    """That of the page with older plays."""
    has_page: bool = True
    """Whether the account's public page is there to be linked to."""
    about: str = ""
    """What it is narrowed to, in words; empty for all plays."""

    @property
    def title(self) -> str:
        """``Watched by sam``, ``Watched by sam: films``."""
        return plain(f"Watched by {self.home.name}" + (f": {self.about}" if self.about else ""))

    @property
    def id(self) -> str:
        """The same for all its pages, and wherever they are."""
        return uuid_of("plays", self.home.name, self.about).urn

    @property
    def link(self) -> str:
        """The page that shows the same to people."""
        return self.home.page if self.has_page else self.home.base_url

    @property
    def updated(self) -> datetime:
        """When its newest play was watched; 1970 for none."""
        return max(map(_moment, self.shown), default=UNKNOWN_DATE)


def atom(feed: Feed) -> bytes:
    """The feed as Atom (RFC 4287), with links to its pages (RFC 5005)."""
    root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", to_iso(feed.updated))
    _author(root, feed)
    _add(root, "generator", "Watchbook")
    _add(root, "rights", attribution.SHORT)
    _link(root, "alternate", feed.link, type="text/html")
    for rel, address in _pages(feed).items():
        _link(root, rel, address, type="application/atom+xml")
    for shown in feed.shown:
        _atom_entry(root, feed, shown)
    return _document(root)


def rss(feed: Feed) -> bytes:
    """The feed as RSS 2.0, with the full text in ``content:encoded``."""
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": ATOM, "xmlns:content": CONTENT})
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.link)
    _add(channel, "description", f"Films and episodes that {plain(feed.home.name)} watched.")
    _add(channel, "language", "en")
    _add(channel, "copyright", attribution.SHORT)
    _add(channel, "lastBuildDate", format_datetime(feed.updated, usegmt=True))
    _add(channel, "generator", "Watchbook")
    _add(channel, "ttl", "15")
    for rel, address in _pages(feed).items():
        _link(channel, rel, address, tag="atom:link", type="application/rss+xml")
    for shown in feed.shown:
        _rss_item(channel, feed, shown)
    return _document(root)


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    name = plain(feed.home.name)
    author = {"name": name, "url": feed.home.page if feed.has_page else None}
    told: dict[str, object] = {
        "version": JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.link,
        "feed_url": feed.address,
        "next_url": feed.next,
        "description": f"Films and episodes that {name} watched. {attribution.SHORT}",
        "authors": [_known(author)],
        "language": "en",
        "items": [_json_item(feed, shown) for shown in feed.shown],
    }
    return msgspec.json.encode(_known(told))


def _atom_entry(root: ET.Element, feed: Feed, shown: Shown) -> None:
    entry = ET.SubElement(root, "entry")
    moment = to_iso(_moment(shown))
    _add(entry, "id", id_of(shown))
    _add(entry, "title", title_of(shown))
    _add(entry, "published", moment)
    _add(entry, "updated", moment)
    _link(entry, "alternate", _address(feed, shown), type="text/html")
    if feed.has_page and shown.url:
        _link(entry, "related", shown.url, title="Trakt")
    for genre in genres_of(shown):
        ET.SubElement(entry, "category", {"term": genre})
    _add(entry, "content", _html(feed, shown), type="html")


def _rss_item(channel: ET.Element, feed: Feed, shown: Shown) -> None:
    item = ET.SubElement(channel, "item")
    html = _html(feed, shown)
    _add(item, "title", title_of(shown))
    _add(item, "link", _address(feed, shown))
    _add(item, "guid", id_of(shown), isPermaLink="false")
    _add(item, "pubDate", format_datetime(_moment(shown), usegmt=True))
    for genre in genres_of(shown):
        _add(item, "category", genre)
    _add(item, "description", escape(_text(feed, shown)))  # readers take it for HTML
    _add(item, "content:encoded", html)


def _json_item(feed: Feed, shown: Shown) -> dict[str, object]:
    return _known(
        {
            "id": id_of(shown),
            "url": _address(feed, shown),
            "external_url": shown.url if feed.has_page else None,
            "title": title_of(shown),
            "content_html": _html(feed, shown),
            "content_text": _text(feed, shown),
            "image": poster_of(shown, feed.home.base_url).url,
            "date_published": to_iso(_moment(shown)),
            "tags": list(genres_of(shown)) or None,
        }
    )


def _text(feed: Feed, shown: Shown) -> str:
    """What an entry says, in plain words."""
    rated = f" Rated {shown.rating} of 10." if shown.rating else ""
    return f"Watched {title_of(shown)}. {words_of(feed.home.local(_moment(shown)))}.{rated}"


def _html(feed: Feed, shown: Shown) -> str:
    """What an entry says, with the poster and a link to the title."""
    name = escape(title_of(shown))
    linked = f'<a href="{escape(shown.url)}">{name}</a>' if shown.url else name
    told = [
        _image(poster_of(shown, feed.home.base_url)),
        f"<p>Watched {linked}.</p>",
        f"<p>{words_of(feed.home.local(_moment(shown)))}</p>",
    ]
    if shown.rating:
        told.append(f"<p>Rated {shown.rating} of 10</p>")
    return "".join(told)


def _image(found: Poster) -> str:
    size = f'width="{found.width}" height="{found.height}"'
    return f'<p><img src="{escape(found.url)}" {size} alt="{escape(found.alt)}"></p>'


def _moment(shown: Shown) -> datetime:
    """When it was watched; plays without a date never come here."""
    return (shown.watched_at or UNKNOWN_DATE).astimezone(UTC)


def _address(feed: Feed, shown: Shown) -> str:
    """Where a reader is sent: the play's own page, else the title's, else the account."""
    if feed.has_page:
        return feed.home.play(shown.play.history_id)
    return shown.url or feed.link


def _pages(feed: Feed) -> dict[str, str]:
    return _known({"self": feed.address, "first": feed.first, "next": feed.next})


def _known(told: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in told.items() if value is not None}


def _author(root: ET.Element, feed: Feed) -> None:
    author = ET.SubElement(root, "author")
    _add(author, "name", plain(feed.home.name))
    if feed.has_page:
        _add(author, "uri", feed.home.page)


def _link(parent: ET.Element, rel: str, href: str, tag: str = "link", **more: str) -> None:
    ET.SubElement(parent, tag, {"rel": rel, "href": href, **more})


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _document(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
