"""The public page of an account: its plays for people, and for programs as microformats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from watchbook import showing
from watchbook.clock import from_millis, to_millis
from watchbook.errors import InputError
from watchbook.render import book
from watchbook.render.book import Month
from watchbook.render.entries import Home, home_of
from watchbook.render.plain import plain
from watchbook.sharing import Part
from watchbook.showing import Shown
from watchbook.store import months, watched
from watchbook.store.watched import EVERYTHING, Place, Wanted
from watchbook.urls import appended
from watchbook.web.answers import HTML, Answer, kept_for
from watchbook.web.asking import place, place_text
from watchbook.web.front import Asked, Make, View
from watchbook.web.pages.templates import rendered
from watchbook.web.security import CSP, policy

PAGE = 50
"""Plays on one page."""
LONGEST_SEARCH = 100
_FRESH = kept_for(timedelta(minutes=1), timedelta(hours=1))
_POLICY = policy(img_src="'self' data:", style_src="'self'", form_action="'self'")
_NO_ROBOTS = {"X-Robots-Tag": "noindex"}
_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


def _instead(status: int, heading: str, words: str) -> Answer:
    """A page that says why there is nothing."""
    body = rendered("public/missing.html", heading=heading, words=words)
    return Answer(body, HTML, status, headers={CSP: _POLICY, **_NO_ROBOTS})


MISSING = _instead(
    404,
    "Nothing to see here",
    "There is no such page, or it is not public. If it is yours, `watchbook share on history` "
    "shows it.",
)
"""What everybody is told who asks for what is not there, or not public: always the same."""
AWAY = _instead(503, "Not now", "The book cannot be opened at the moment. Please come back later.")


def _offline(last: Answer | None, _why: str) -> Answer:
    """The page as it was last, while the store cannot be read."""
    return last or AWAY


@dataclass(frozen=True)
class _Page:
    """A page of plays, and the addresses of those beside it."""

    shown: list[Shown]
    newer: str | None
    older: str | None


def _newest(conn: sa.Connection, asked: Asked) -> Answer:
    """All plays, or those with certain words in their titles, the newest first."""
    home = home_of(asked.public.account, asked.base_url)
    search = plain(asked.query.get("q", ""))[:LONGEST_SEARCH]
    wanted = Wanted(search=search) if search else EVERYTHING
    here = _here(asked)
    base = appended(here, {"q": search}) if search else here
    try:
        page = _page(conn, asked, wanted, base)
    except InputError:
        return MISSING
    return _plays(conn, asked, home, page, search=search, base=base)


def _part(conn: sa.Connection, asked: Asked) -> Answer:
    """A month, or one play."""
    what = asked.path["what"]
    if match := _MONTH.fullmatch(what):
        return _month(conn, asked, Month(int(match[1]), int(match[2])))
    if _NUMBER.fullmatch(what) and int(what) <= _LARGEST:
        return _play(conn, asked, int(what))
    return MISSING


def _month(conn: sa.Connection, asked: Asked, month: Month) -> Answer:
    home = home_of(asked.public.account, asked.base_url)
    base = f"{_here(asked)}/{month}"
    try:
        since, until = (to_millis(book.begins(one, home)) for one in (month, month.next))
        page = _page(conn, asked, Wanted(since=since, until=until), base)
    except (InputError, OverflowError, ValueError):
        return MISSING
    dated = [one for one in page.shown if one.watched_at is not None]  # 1970 is no month
    if not dated:
        return MISSING
    return _plays(conn, asked, home, _Page(dated, page.newer, page.older), month=month, base=base)


def _plays(
    conn: sa.Connection,
    asked: Asked,
    home: Home,
    page: _Page,
    *,
    base: str,
    search: str = "",
    month: Month | None = None,
) -> Answer:
    """A page of plays, whose list begins at ``base``."""
    before = asked.query.get("before")
    first = before is None and month is None and not search
    now = showing.now_of(conn, asked.public) if first else None
    told = {
        "days": book.days_of(page.shown, home, _prefix(asked)),
        "newer": page.newer,
        "older": page.older,
        "canonical": _whole(asked, appended(base, {"before": before}) if before else base),
        "search": search,
        "month": month,
        "first": first,
        "now": book.entry_of(now.shown, home, _prefix(asked)) if now else None,
        "years": list(_years(conn, asked, home)),
        "months": list(_months(conn, asked, home, month.year)) if month else [],
    }
    return _answer("public/plays.html", asked, home, told, ends_at=now.expires_at if now else None)


def _play(conn: sa.Connection, asked: Asked, history_id: int) -> Answer:
    """One play alone; one that is younger than the delay is not there yet."""
    found = watched.plays_of(conn, asked.public.account.id, [history_id])
    if not found or found[0].watched_at >= asked.public.until:
        return MISSING
    (shown,) = showing.shown(conn, found, asked.public)
    home = home_of(asked.public.account, asked.base_url)
    (older, newer) = _beside(conn, asked, shown.place)
    entry = book.entry_of(shown, home, _prefix(asked))
    told = {
        "entry": entry,
        "month": book.month_of(shown.watched_at, home) if shown.watched_at else None,
        "canonical": entry.url,
        "older": older and f"{_here(asked)}/{older.history_id}",
        "newer": newer and f"{_here(asked)}/{newer.history_id}",
    }
    return _answer("public/play.html", asked, home, told)


def _beside(conn: sa.Connection, asked: Asked, here: Place) -> tuple[Place | None, Place | None]:
    """The plays right before and right after ``here`` in time."""
    older = showing.latest(conn, asked.public, 1, before=here)
    newer = _nearest(conn, asked, 1, EVERYTHING, here)
    return (older[0].place if older else None, newer[0] if newer else None)


def _page(conn: sa.Connection, asked: Asked, wanted: Wanted, base: str) -> _Page:
    """The plays behind the place that was asked for; raises InputError when it is none."""
    before = place(asked.query, "before")
    found = showing.latest(conn, asked.public, PAGE + 1, wanted=wanted, before=before)
    rest = found[PAGE - 1].place if len(found) > PAGE else None
    older = appended(base, {"before": place_text(rest)}) if rest else None
    newer = _newer(conn, asked, wanted, base, before) if before else None
    return _Page(found[:PAGE], newer, older)


def _newer(
    conn: sa.Connection, asked: Asked, wanted: Wanted, base: str, before: Place
) -> str | None:
    """Where the page ends whose last play is ``before``, as the address of what comes before it."""
    found = _nearest(conn, asked, PAGE, wanted, before)
    if len(found) < PAGE:
        return base
    return appended(base, {"before": place_text(found[-1])})


def _nearest(
    conn: sa.Connection, asked: Asked, limit: int, wanted: Wanted, after: Place
) -> list[Place]:
    seen = showing.seen_by_all(asked.public, wanted)
    return watched.nearest(conn, asked.public.account.id, limit, wanted=seen, after=after)


def _years(conn: sa.Connection, asked: Asked, home: Home) -> Iterator[Month]:
    """The newest month with plays of each year that has any, the newest first."""
    moment = asked.public.until
    while (found := months.newest_before(conn, asked.public.account.id, moment)) is not None:
        newest = book.month_of(from_millis(found), home)
        yield newest
        try:
            moment = min(found, to_millis(book.begins(Month(newest.year, 1), home)))
        except (OverflowError, ValueError):
            return


def _months(conn: sa.Connection, asked: Asked, home: Home, year: int) -> Iterator[Month]:
    """The months of a year in which something was watched."""
    for month in book.months_of(year):
        since, until = (to_millis(book.begins(one, home)) for one in (month, month.next))
        until = min(until, asked.public.until)
        if months.any_between(conn, asked.public.account.id, since, until):
            yield month


def _prefix(asked: Asked) -> str:
    """What stands before addresses on this page: it may be reached by several names."""
    return urlsplit(asked.base_url).path


def _here(asked: Asked) -> str:
    """The page of the account, as pages lead to it."""
    return home_of(asked.public.account, _prefix(asked)).page


def _whole(asked: Asked, address: str) -> str:
    """An address of ours, as it is called from outside."""
    return asked.base_url + address.removeprefix(_prefix(asked))


def _answer(
    template: str,
    asked: Asked,
    home: Home,
    told: Mapping[str, Any],
    *,
    ends_at: datetime | None = None,
) -> Answer:
    public = asked.public
    indexed = public.shows(Part.SEARCH_ENGINES)
    common = {
        "home": home,
        "prefix": _prefix(asked),
        "here": _here(asked),
        "name": plain(public.account.name),
        "parts": {part.value for part in public.parts},
        "account": {"account": public.account.name},
        "indexed": indexed,
    }
    headers = {CSP: _POLICY} if indexed else {CSP: _POLICY, **_NO_ROBOTS}
    page = rendered(template, **common, **told)
    return Answer(page, HTML, cache=_FRESH, headers=headers, ends_at=ends_at)


def _view(path: str, make: Make, *query: str) -> View:
    return View(path, Part.HISTORY, make, query=query, refused=MISSING, offline=_offline)


VIEWS = (
    _view("/@{name}", _newest, "before", "q"),
    _view("/@{name}/{what}", _part, "before"),
)
