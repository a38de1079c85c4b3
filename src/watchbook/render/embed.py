"""The page that other pages put into a frame, and what oEmbed tells of it.

The page says everything without a script; the component, where it runs, takes the place of what
stands inside it and keeps it up to date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple
from urllib.parse import urlencode

from watchbook.clock import to_iso
from watchbook.render.attribution import SHORT, TMDB
from watchbook.render.entries import Home, title_of
from watchbook.render.plain import plain
from watchbook.render.widget import poster_of
from watchbook.showing import Shown

THEMES = ("auto", "light", "dark")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_POSTER_WIDTH = 184
_THUMBNAIL_WIDTH = 342
CACHE_AGE = 300
"""Seconds for which what oEmbed tells may be kept."""


class Layout(NamedTuple):
    """How much is shown, and the room it takes in pixels."""

    plays: int
    width: int
    height: int


LAYOUTS = {"card": Layout(1, 416, 206), "line": Layout(1, 640, 48), "wall": Layout(12, 720, 600)}

STYLE = """
:root { color-scheme: light dark }
:root[data-theme=light] { color-scheme: light }
:root[data-theme=dark] { color-scheme: dark }
body {
  margin: 0; font: 400 1rem/1.4 system-ui, sans-serif; background: transparent;
  color: light-dark(#1b1d22, #f2f2ef)
}
h1 {
  position: absolute; inline-size: 1px; block-size: 1px; margin: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap
}
watchbook-last { --watchbook-width: none }
watchbook-last::part(card) { min-block-size: min(100vh, 206px) }
@media (max-width: 299px) { watchbook-last { --watchbook-poster-width: 72px } }
a { color: inherit }
.plain {
  display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; padding: 1rem; list-style: none;
  background: light-dark(#fff, #1a1c21);
  border: 1px solid light-dark(#dfe1e6, #34373f); border-radius: 14px
}
.plain li { display: flex; gap: 1rem; align-items: center; flex: 1 1 16rem; min-block-size: 138px }
.plain img { inline-size: 92px; block-size: auto; aspect-ratio: 2 / 3; border-radius: 7px }
.plain p { margin: 0 }
.plain strong { font-size: 1.1875em }
small, p + p { color: light-dark(#555962, #b0b3ba); font-size: .875em }
"""


@dataclass(frozen=True)
class Wish:
    """How somebody wants it to look; what was not understood is as usual."""

    layout: str = "card"
    theme: str = "auto"
    locale: str = ""

    @property
    def room(self) -> Layout:
        """How much is shown, and its size."""
        return LAYOUTS[self.layout]

    @property
    def query(self) -> dict[str, str]:
        """The parameters that say the same; those that say nothing are left out."""
        usual = Wish()
        told = {"layout": self.layout, "theme": self.theme, "locale": self.locale}
        return {name: value for name, value in told.items() if value != getattr(usual, name)}


def wish_of(query: Mapping[str, str]) -> Wish:
    """The wish that a query holds. A frame is never broken by a word that nobody knows."""
    layout, theme, locale = (query.get(name, "") for name in ("layout", "theme", "locale"))
    return Wish(
        layout if layout in LAYOUTS else "card",
        theme if theme in THEMES else "auto",
        locale if _LOCALE.fullmatch(locale) else "",
    )


def address(home: Home, wish: Wish) -> str:
    """Where the page is that a frame shows."""
    return f"{home.base_url}/embed/last?{urlencode({'account': home.name, **wish.query})}"


def discovery(base_url: str, page: str, title: str) -> str:
    """The elements in the head of ``page`` by which others find what oEmbed tells of it."""

    def link(form: str, media_type: str) -> str:
        told = f"{base_url}/oembed?{urlencode({'url': page, 'format': form})}"
        return (
            f'<link rel="alternate" type="{media_type}" title="{escape(plain(title))}" '
            f'href="{escape(told)}">'
        )

    return link("json", "application/json+oembed") + link("xml", "text/xml+oembed")


def page(home: Home, shown: Sequence[Shown], wish: Wish) -> str:
    """The page in the frame."""
    title = plain(f"Last watched by {home.name}")
    own = address(home, wish)
    said = title_of(shown[0]) if shown else ""
    card = f"{home.base_url}/card/last.png?{urlencode({'account': home.name})}"
    attributes = {"layout": wish.layout, "theme": wish.theme, "account": home.name}
    if wish.locale:
        attributes["locale"] = wish.locale
    told = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return (
        f'<!doctype html><html lang="en" data-theme="{wish.theme}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        '<base target="_blank"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style>"
        f"{discovery(home.base_url, own, title)}"
        f"{_open_graph({'title': title, 'description': said, 'image': card, 'url': own})}"
        f"<main><h1>{escape(title)}</h1>"
        f"<watchbook-last{told}>{_plays(home, shown)}</watchbook-last></main>"
        '<script src="../widget.js" async></script></html>'
    )


def words(text: str) -> str:
    """A page for a frame that says nothing but ``text``; it looks as the component does empty."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Last watched</title><style>{STYLE}</style>"
        f'<main><h1>Last watched</h1><p class="plain">{escape(text)}</p></main></html>'
    )


def _open_graph(told: Mapping[str, str]) -> str:
    whole = {"type": "website", "site_name": "Watchbook", **told}
    return "".join(
        f'<meta property="og:{name}" content="{escape(value)}">'
        for name, value in whole.items()
        if value
    )


def _plays(home: Home, shown: Sequence[Shown]) -> str:
    if not shown:
        return '<p class="plain">Nothing to show yet.</p>'
    listed = "".join(f"<li>{_play(home, one)}</li>" for one in shown)
    notice = f"<p><small>{escape(TMDB.notice)}</small></p>" if len(shown) > 1 else ""
    return f'<ul class="plain">{listed}</ul>{notice}'


def _play(home: Home, shown: Shown) -> str:
    poster = poster_of(shown, home.base_url, _POSTER_WIDTH)
    picture = (
        f'<img src="{escape(poster["url"])}" alt="" width="{poster["width"]}" '
        f'height="{poster["height"]}">'
    )
    title = f"<strong>{escape(plain(shown.title))}</strong>"
    if shown.url:
        title = f'<a href="{escape(shown.url)}" rel="noopener">{title}</a>'
    beside = [escape(plain(shown.subtitle)), _when(home, shown), f"<small>{escape(SHORT)}</small>"]
    lines = "".join(f"<p>{line}</p>" for line in (title, *beside) if line)
    return f"{picture}<div>{lines}</div>"


def _when(home: Home, shown: Shown) -> str:
    if shown.watched_at is None:
        return ""
    day = home.local(shown.watched_at)
    said = f"{day.day} {day:%B %Y}"
    return f'<time datetime="{to_iso(shown.watched_at)}">{said}</time>'


@dataclass(frozen=True)
class Room:
    """The most that the other page has room for, in pixels; None where it does not say."""

    width: int | None = None
    height: int | None = None


def oembed(home: Home, shown: Shown | None, wish: Wish, room: Room) -> dict[str, Any]:
    """What oEmbed tells: a frame that fits into ``room`` (oembed.com, 2.3.4)."""
    width = min(wish.room.width, room.width or wish.room.width)
    height = min(wish.room.height, room.height or wish.room.height)
    title = plain(f"Last watched by {home.name}")
    told: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Watchbook",
        "provider_url": home.base_url,
        "title": f"{title}: {title_of(shown)}" if shown else title,
        "author_name": plain(home.name),
        "author_url": home.page,
        "cache_age": CACHE_AGE,
        "html": (
            f'<iframe src="{escape(address(home, wish))}" width="{width}" height="{height}" '
            f'title="{escape(title)}" loading="lazy" style="border:0;max-width:100%"></iframe>'
        ),
        "width": width,
        "height": height,
    }
    if shown and shown.poster:  # few who ask take a drawing for a thumbnail
        poster = poster_of(shown, home.base_url, _THUMBNAIL_WIDTH)
        told |= {
            "thumbnail_url": poster["url"],
            "thumbnail_width": poster["width"],
            "thumbnail_height": poster["height"],
        }
    return told


def as_xml(told: Mapping[str, Any]) -> str:
    """The same as XML (oembed.com, 2.3.3)."""
    inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{inside}</oembed>'
