"""The public page of an account: its plays for people, and for programs as microformats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from watchbook import showing
from watchbook.clock import counted
from watchbook.errors import InputError
from watchbook.render import book
from watchbook.render.book import Month, Period, Year
from watchbook.render.entries import Home, home_of
from watchbook.render.plain import plain
from watchbook.sharing import Part
from watchbook.statistics import YEARS
from watchbook.store import watched
from watchbook.store.watched import EVERYTHING, Wanted
from watchbook.urls import appended
from watchbook.web.answers import HTML, Answer, kept_for
from watchbook.web.front import Asked, Make, View
from watchbook.web.pages import archive, paging
from watchbook.web.pages.addresses import here, prefix_of, whole
from watchbook.web.pages.drawn import cards_of
from watchbook.web.pages.paging import Page
from watchbook.web.pages.templates import rendered
from watchbook.web.refusals import page as small_page
from watchbook.web.security import CSP, policy

LONGEST_SEARCH = 100
FRESH = kept_for(timedelta(minutes=1), timedelta(hours=1))
"""``Cache-Control`` of the pages."""
_POLICY = policy(img_src="'self' data:", style_src="'self'", form_action="'self'")
_NO_ROBOTS = {"X-Robots-Tag": "noindex"}
_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"[1-9][0-9]{3}")
"""Such a number is a year if anything was watched in it: Trakt's history ids are far longer."""
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1
_NOTHING_MORE = {
    "search": "",
    "found": "",
    "first": False,
    "now": None,
    "period": None,
    "is_year": False,
    "tally": None,
    "months": [],
    "cards": [],
    "has_card": False,
}


def _instead(status: int, heading: str, *blocks: str) -> Answer:
    """A page that says why there is nothing."""
    made = small_page(heading, *blocks, status=status)
    return replace(made, headers={**made.headers, **_NO_ROBOTS})


MISSING = _instead(
    404,
    "Nothing to see here",
    "<p>There is no such page, or it is not public.</p>",
    "<p><small>Is it yours? <code>watchbook share on history</code> shows it.</small></p>",
)
"""What everybody is told who asks for what is not there, or not public: always the same."""
AWAY = _instead(
    503, "Not now", "<p>The book cannot be opened at the moment. Please come back later.</p>"
)


def _offline(last: Answer | None, _why: str) -> Answer:
    """The page as it was last, while the store cannot be read."""
    return last or AWAY


def _newest(conn: sa.Connection, asked: Asked) -> Answer:
    """All plays, or those with certain words in their titles, the newest first."""
    search = plain(asked.query.get("q", ""))[:LONGEST_SEARCH]
    wanted = Wanted(search=search) if search else EVERYTHING
    base = appended(here(asked), {"q": search}) if search else here(asked)
    try:
        page = paging.page_of(conn, asked, wanted, base)
    except InputError:
        return MISSING
    is_first = not search and "before" not in asked.query
    told = _first(conn, asked, page) if is_first else {}
    if search and page.shown and not page.newer and not page.older:
        told["found"] = counted(len(page.shown), "play")
    return _plays(conn, asked, page, base, {"search": search, "first": is_first, **told})


def _first(conn: sa.Connection, asked: Asked, page: Page) -> dict[str, Any]:
    """What stands on the first page alone: what is on right now, and the cards."""
    now = showing.now_of(conn, asked.public)
    has_cards = bool(page.shown) and asked.public.shows(Part.STATISTICS)
    return {
        "now": book.entry_of(now.shown, _home(asked), prefix_of(asked)) if now else None,
        "ends_at": now.expires_at if now else None,
        "cards": list(cards_of(conn, asked)) if has_cards else [],
    }


def _part(conn: sa.Connection, asked: Asked) -> Answer:
    """A month, a year, or one play; a year with plays is never taken for a play's number."""
    what = asked.path["what"]
    if match := _MONTH.fullmatch(what):
        return _period(conn, asked, Month(int(match[1]), int(match[2]))) or MISSING
    found = _period(conn, asked, Year(int(what))) if _YEAR.fullmatch(what) else None
    if found is None and _NUMBER.fullmatch(what) and int(what) <= _LARGEST:
        found = _play(conn, asked, int(what))
    return found or MISSING


def _period(conn: sa.Connection, asked: Asked, period: Period) -> Answer | None:
    """A year or a month; None when nothing was watched in it."""
    try:
        since, until = archive.span(period, _home(asked))
        by_month = archive.tallies(conn, asked, _home(asked), period.year)
    except (OverflowError, ValueError):
        return None
    tally = archive.tally_of(period, by_month)
    if not tally.plays:
        return None
    base = f"{here(asked)}/{period}"
    try:
        page = paging.page_of(conn, asked, Wanted(since=since, until=until, dated=True), base)
    except InputError:
        return MISSING
    told = {"period": period, "tally": tally, "months": by_month}
    return _of_period(conn, asked, page, base, told) if page.shown else MISSING


def _of_period(
    conn: sa.Connection, asked: Asked, page: Page, base: str, told: dict[str, Any]
) -> Answer:
    """A page of a year or a month, which leads on to the next ones; a year has cards, too."""
    period: Period = told["period"]
    newer, older = archive.beside(conn, asked, _home(asked), period)
    between = replace(page, newer=page.newer or newer, older=page.older or older)
    is_year = isinstance(period, Year)
    has_cards = is_year and asked.public.shows(Part.STATISTICS) and period.year in YEARS
    is_first = "before" not in asked.query
    cards = list(cards_of(conn, asked, period.year)) if has_cards and is_first else []
    more = {"is_year": is_year, "has_card": has_cards, "cards": cards}
    return _plays(conn, asked, between, base, {**told, **more})


def _plays(
    conn: sa.Connection, asked: Asked, page: Page, base: str, more: Mapping[str, Any]
) -> Answer:
    """A page of plays, whose list begins at ``base``, and what else is told on it."""
    before, home = asked.query.get("before"), _home(asked)
    days = book.days_of(page.shown, home, prefix_of(asked))
    told = {
        **_NOTHING_MORE,
        "days": days,
        "span": book.span_of(days) if before else "",
        "titles": book.titles_of(days),
        "newer": page.newer,
        "older": page.older,
        "canonical": whole(asked, appended(base, {"before": before}) if before else base),
        "years": list(archive.years(conn, asked, home)),
        **more,
    }
    return _answer("public/plays.html", asked, told)


def _play(conn: sa.Connection, asked: Asked, history_id: int) -> Answer:
    """One play alone; one that is younger than the delay is not there yet."""
    found = watched.plays_of(conn, asked.public.account.id, [history_id])
    if not found or found[0].watched_at >= asked.public.until:
        return MISSING
    (shown,) = showing.shown(conn, found, asked.public)
    home, beside = _home(asked), paging.beside(conn, asked, shown.place)
    entry = book.entry_of(shown, home, prefix_of(asked))
    told = {
        "entry": entry,
        "month": book.month_of(shown.watched_at, home) if shown.watched_at else None,
        "canonical": entry.url,
        "newer": beside.newer,
        "older": beside.older,
    }
    return _answer("public/play.html", asked, told)


def _home(asked: Asked) -> Home:
    return home_of(asked.public.account, asked.base_url)


def _answer(template: str, asked: Asked, told: Mapping[str, Any]) -> Answer:
    public = asked.public
    indexed = public.shows(Part.SEARCH_ENGINES) and not told.get("search")
    common = {
        "home": _home(asked),
        "prefix": prefix_of(asked),
        "here": here(asked),
        "name": plain(public.account.name),
        "parts": {part.value for part in public.parts},
        "account": {"account": public.account.name},
        "indexed": indexed,
    }
    headers = {CSP: _POLICY} if indexed else {CSP: _POLICY, **_NO_ROBOTS}
    page = rendered(template, **common, **told)
    ends_at: datetime | None = told.get("ends_at")
    return Answer(page, HTML, cache=FRESH, headers=headers, ends_at=ends_at)


def _view(path: str, make: Make, *query: str) -> View:
    return View(path, Part.HISTORY, make, query=query, refused=MISSING, offline=_offline)


VIEWS = (
    _view("/@{name}", _newest, "before", "q"),
    _view("/@{name}/{what}", _part, "before"),
)
