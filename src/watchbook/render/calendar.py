"""An iCalendar of plays and of upcoming episodes (RFC 5545, RFC 7986).

The same plays give the same bytes: an event is stamped with its own moment and not with that of
the answer, so a calendar that has not changed is answered without a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import TRANSP, Calendar, Event

from watchbook.micropub.titles import page_of
from watchbook.render.entries import Home, genres_of, title_of, uuid_of
from watchbook.render.plain import plain
from watchbook.showing import Shown
from watchbook.titles import code_of
from watchbook.upcoming import Upcoming

REFRESH = timedelta(hours=1)
LONGEST = 24 * 60
"""Minutes: a longer runtime is a mistake of somebody's, and no event."""
NOT_KNOWN = "Upcoming episodes are told by Trakt once the account is connected to it."


@dataclass(frozen=True)
class Agenda:
    """What a calendar holds: plays with a known date, and what is still to come."""

    home: Home
    name: str
    """What it is called."""
    address: str
    """Its own."""
    shown: Sequence[Shown] = ()
    upcoming: Sequence[Upcoming] = ()
    has_page: bool = True
    """Whether the account's public page is there to be linked to."""
    note: str = ""
    """What is missing, and why."""


def calendar(agenda: Agenda) -> bytes:
    """``agenda`` as a calendar."""
    found = Calendar.new(
        prodid="-//Watchbook//Watchbook//EN",
        name=plain(agenda.name),
        description=agenda.note or None,
        uid=str(uuid_of("calendar", agenda.home.name, agenda.name)),
        refresh_interval=REFRESH,
        source=agenda.address,
        url=agenda.home.page if agenda.has_page else agenda.home.base_url,
        subcomponents=list(_events(agenda)),
    )
    found.add("X-PUBLISHED-TTL", "PT1H")  # what Outlook reads in place of REFRESH-INTERVAL
    written: bytes = found.to_ical()
    return written


def _events(agenda: Agenda) -> Iterable[Event]:
    for shown in agenda.shown:
        if shown.watched_at is not None:
            yield _play(agenda, shown, shown.watched_at)
    for one in agenda.upcoming:
        yield _episode(one)


def _play(agenda: Agenda, shown: Shown, ended: datetime) -> Event:
    """A play ends when it was watched and begins a runtime before; a moment if that is unknown."""
    minutes = _minutes(shown.play.runtime)
    told = [title_of(shown), f"Rated {shown.rating} of 10" if shown.rating else "", shown.url or ""]
    own = agenda.home.play(shown.play.history_id) if agenda.has_page else shown.url
    return Event.new(
        uid=str(uuid_of("play", shown.play.history_id)),
        stamp=ended,
        start=ended - minutes,
        end=ended if minutes else None,
        summary=title_of(shown),
        description="\n".join(filter(None, told)),
        categories=["Watched", *genres_of(shown)],
        url=own,
        transparency=TRANSP.TRANSPARENT,
    )


def _episode(one: Upcoming) -> Event:
    what, minutes = one.what, _minutes(one.runtime)
    code = f"{what.show.name} {code_of(what.season, what.number)}"
    told = [plain(what.name or ""), plain(one.network or ""), page_of(what)]
    return Event.new(
        uid=str(uuid_of("airing", what.ids.trakt)),
        stamp=one.told_at.astimezone(UTC),
        start=one.airs_at,
        end=one.airs_at + minutes if minutes else None,
        summary=plain(" · ".join(filter(None, (code, what.name)))),
        description="\n".join(filter(None, told)),
        categories=["Upcoming"],
        url=page_of(what),
        transparency=TRANSP.TRANSPARENT,
    )


def _minutes(runtime: int | None) -> timedelta:
    return timedelta(minutes=runtime) if runtime and 0 < runtime <= LONGEST else timedelta(0)
