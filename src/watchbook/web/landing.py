"""The page at ``/``: what this is, and what of its owner everybody may see."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from html import escape
from urllib.parse import quote

from watchbook.sharing import Public
from watchbook.web.answers import Answer
from watchbook.web.front import View
from watchbook.web.refusals import page

_ABOUT = "Watchbook keeps a complete, verified copy of what somebody watched, as told to Trakt."
_NOTHING = "At the moment it shows nothing to everybody."
_TITLES = {
    "/@{name}": "What {name} watched",
    "/api/trakt/last": "The last film or episode, as JSON",
    "/embed/last": "The last film or episode, to put into a page",
    "/card/last.svg": "The last film or episode, as a picture",
    "/card/now.svg": "What is being watched right now",
    "/card/year.svg": "The year in numbers",
    "/card/heatmap.svg": "The days of the year",
    "/feeds/plays.atom": "Feed of plays (Atom)",
    "/feeds/plays.rss": "Feed of plays (RSS)",
    "/feeds/plays.json": "Feed of plays (JSON Feed)",
    "/feeds/calendar.ics": "Calendar of plays",
    "/api/docs": "What programs may ask",
}
"""Addresses that a person may want to open, in the order in which they are listed."""


def landing(owner: Public | None, views: Sequence[View], others: Collection[str]) -> Answer:
    """The page, with links to ``views`` that are public, and to ``others`` that always are."""
    shown = {view.path for view in views if owner is not None and owner.shows(view.part)}
    name = owner.account.name if owner is not None else ""
    links = "".join(_links(name, shown.union(others)))
    nothing = "" if shown else f"<p>{_NOTHING}</p>"
    return page("Watchbook", f"<p>{_ABOUT}</p>", nothing, f"<ul>{links}</ul>")


def _links(name: str, there: Collection[str]) -> Iterator[str]:
    for path, title in _TITLES.items():
        if path in there:
            address = path.removeprefix("/").replace("{name}", quote(name))
            yield f'<li><a href="{escape(address)}">{escape(title.format(name=name))}</a></li>'
