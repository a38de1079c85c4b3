"""What other people's pages take from here: `/widget.js`, `/embed/last` and `/oembed`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook import showing
from watchbook.render import embed
from watchbook.render.embed import Room, wish_of
from watchbook.render.entries import home_of
from watchbook.sharing import Part
from watchbook.web.answers import FOR_ANYBODY, HTML, Answer, as_json, kept_for
from watchbook.web.front import Asked, Front, View
from watchbook.web.security import CSP, digest, policy
from watchbook.web.static_files import told

FRESH = timedelta(minutes=1)
XML = "text/xml; charset=utf-8"
_WISHES = ("layout", "theme", "locale")
_FORMATS = ("json", "xml")
_PAGE = re.compile(r"/@([^/]+)/?")


_WIDGET_KEPT = kept_for(timedelta(days=1), timedelta(days=7))
"""Browsers keep it for a day, and ask for a newer one behind its back."""


async def _widget(request: Request) -> Response:
    return told("widget.js", _WIDGET_KEPT).response(request)


def _policy(base_url: str) -> str:
    """The page's own script, its data and its posters; and every page may show it."""
    parts = urlsplit(base_url)
    own = f"'self' {parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
    return policy(
        frame_ancestors="*",
        script_src=own,
        style_src=digest(embed.STYLE),
        img_src=f"{own} data:",
        connect_src=own,
    )


def _framed(page: str, base_url: str = "", *, status: int = 200) -> Answer:
    cache = kept_for(FRESH) if status == 200 else "no-store"
    headers = {**FOR_ANYBODY, CSP: _policy(base_url), "X-Robots-Tag": "noindex"}
    return Answer(page.encode(), HTML, status, cache, headers)


def last(conn: sa.Connection, asked: Asked) -> Answer:
    """The page in a frame; a wall of plays needs the history to be public, too."""
    wish = wish_of(asked.query)
    if wish.layout == "wall" and not asked.public.shows(Part.HISTORY):
        wish = replace(wish, layout="card")
    plays = showing.latest(conn, asked.public, wish.room.plays)
    home = home_of(asked.public.account, asked.base_url)
    return _framed(embed.page(home, plays, wish), asked.base_url)


def _last_known(last: Answer | None, _why: str) -> Answer:
    return last or _framed(embed.words("This cannot be shown at the moment."), status=503)


LAST = View(
    "/embed/last",
    Part.LAST,
    last,
    query=_WISHES,
    refused=_framed(embed.words("Nothing to show yet."), status=404),
    offline=_last_known,
)


def _tell(conn: sa.Connection, asked: Asked) -> Answer:
    """What oEmbed tells of the last play, to those who know a page of ours."""
    query = asked.query
    room = Room(_pixels(query.get("maxwidth")), _pixels(query.get("maxheight")))
    play = next(iter(showing.latest(conn, asked.public, 1)), None)
    home = home_of(asked.public.account, asked.base_url)
    told = embed.oembed(home, play, wish_of(query), room)
    if query.get("format") == "xml":
        return Answer(embed.as_xml(told).encode(), XML, 200, kept_for(FRESH), FOR_ANYBODY)
    return as_json(told, cache=kept_for(FRESH))


_OEMBED = View("/oembed", Part.LAST, _tell, query=(*_WISHES, "format", "maxwidth", "maxheight"))
"""Not a route of its own: whose account it is stands in the address that is asked about, else
beside it, as for every view."""


def _pixels(text: str | None) -> int | None:
    """A number of pixels; None for what is none, as if it had not been given."""
    return int(text) if text and re.fullmatch(r"[1-9][0-9]{0,4}", text) else None


@dataclass(frozen=True)
class _Meant:
    """Whose page an address of ours is (None: it does not say), and how it should look."""

    account: str | None
    wishes: Mapping[str, str]


def _meant(url: str, base_url: str) -> _Meant | None:
    """The page that ``url`` is the address of; None when it is none of ours."""
    if not url.startswith(f"{base_url}/"):
        return None
    # With its host again, since a path may begin with two slashes and look like one.
    parts = urlsplit(f"https://x{url.removeprefix(base_url)}")
    query = dict(parse_qsl(parts.query))
    if parts.path == LAST.path:
        return _Meant(query.get("account"), {k: v for k, v in query.items() if k in _WISHES})
    named = _PAGE.fullmatch(parts.path)
    return _Meant(unquote(named[1]), {}) if named else None


def routes(front: Front) -> list[Route]:
    """Those that are more than a view."""

    async def oembed(request: Request) -> Response:
        query = request.query_params
        if query.get("format", "json") not in _FORMATS:
            known = {"ok": False, "reason": "format is json or xml"}
            return as_json(known, status=501).response(request)
        meant = _meant(query.get("url", ""), front.base_url)
        if meant is None:
            told = {"ok": False, "reason": "url is no page that can be embedded"}
            return as_json(told, status=404).response(request)
        name = meant.account or query.get("account")
        account = {"name": name} if name else {}
        asked = {name: query[name] for name in _OEMBED.query if name in query}
        answer = await front.answer(_OEMBED, account, {**asked, **meant.wishes})
        return answer.response(request)

    return [Route("/widget.js", _widget), Route("/oembed", oembed)]
