"""Summaries of titles, the calendar, reviews of months and years, and what is derived."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from watchbook.sandbox.answer import Refusal, as_json, refused
from watchbook.sandbox.library.entries import Entry, Facts, stamp
from watchbook.sandbox.library.titles import DAY, Episode, Season, Show, minute_of
from watchbook.sandbox.trakt.answers.plays import entries
from watchbook.sandbox.trakt.call import API, Call, Reply, not_found, raw_json

_LONGEST = 33


@API.get("/movies/{id}")
def movie(call: Call) -> Reply:
    """One film."""
    item = call.world.catalogue.film_item(call.params["id"])
    if item is None or call.world.catalogue.films[item].removed:
        return not_found()
    return raw_json(call.world.shapes.bare(call.world.catalogue.films[item], call.form))


def _show(call: Call) -> Show:
    found = call.world.catalogue.show(call.params["id"])
    if found is None:
        raise Refusal(not_found())
    return found


@API.get("/shows/{id}")
def show(call: Call) -> Reply:
    """One show."""
    return raw_json(call.world.shapes.bare(_show(call), call.form))


@API.get("/shows/{id}/seasons")
def seasons(call: Call) -> Reply:
    """The seasons of a show."""
    found = _show(call)
    parts = [Season(found, number) for number in found.season_numbers()]
    return _array(call.world.shapes.bare(part, call.form) for part in parts)


@API.get("/shows/{id}/seasons/{season}")
def season_episodes(call: Call) -> Reply:
    """The episodes of a season."""
    found = _show(call)
    season = _number(call, "season", found)
    parts = [_part(found, season, number) for number in range(1, found.count(season) + 1)]
    return _array(call.world.shapes.bare(part, call.form) for part in parts)


@API.get("/shows/{id}/seasons/{season}/episodes/{episode}")
def episode(call: Call) -> Reply:
    """One episode."""
    found = _show(call)
    season = _number(call, "season", found)
    number = call.params["episode"]
    if not number.isdigit() or not 1 <= int(number) <= found.count(season):
        return not_found()
    return raw_json(call.world.shapes.bare(_part(found, season, int(number)), call.form))


def _number(call: Call, name: str, found: Show) -> int:
    text = call.params[name]
    if not text.isdigit() or int(text) not in found.season_numbers():
        raise Refusal(not_found())
    return int(text)


def _part(found: Show, season: int, number: int) -> Episode:
    return Episode(found, season, number, found.first + found.offsets[season] + number - 1)


def _array(rows: Iterable[bytes]) -> Reply:
    return raw_json(b"[" + b",".join(rows) + b"]")


@API.get("/calendars/{target}/{kind}")
@API.get("/calendars/{target}/{kind}/{start}")
@API.get("/calendars/{target}/{kind}/{start}/{days}")
@API.get("/calendars/{target}/shows/{part}/{start}/{days}")
def calendar(call: Call) -> Reply:
    """Upcoming episodes of watched shows, seven days from today unless told otherwise."""
    kind = call.params.get("kind", "shows")
    first, end = _span(call)
    if kind in ("movies", "streaming", "dvd"):
        return as_json([])
    records = call.account.history.shows().values()
    rows = [row for record in records for row in _upcoming(call, record.show, first, end)]
    rows.sort(key=lambda row: str(row.facts["first_aired"]))
    return _array(call.world.shapes.row(row, call.form) for row in rows)


def _span(call: Call) -> tuple[int, int]:
    text = call.params.get("start")
    try:
        days = int(call.params.get("days", "7"))
        first = minute_of(date.fromisoformat(text)) if text else call.world.clock.today()
    except ValueError:
        raise Refusal(refused(400, "invalid_request", "start or days is wrong")) from None
    return first, first + min(days, _LONGEST) * DAY


def _upcoming(call: Call, found: Show, first: int, end: int) -> Iterable[Entry]:
    wanted = {"premieres": (1,), "new": (1,)}.get(call.params.get("part", ""))
    last = len(found.seasons)
    for number in wanted or range(1, found.count(last) + 1):
        part = _part(found, last, number)
        if first <= part.aired_at < end:
            yield Entry("episode", part, {"first_aired": stamp(part.aired_at)})


@API.get("/sync/progress/watched", "/sync/progress/up_next", "/sync/progress/up_next_nitro")
@API.get("/recommendations/{kind}", "/social_recommendations/{kind}")
@API.get("/sync/updates/{kind}", "/sync/updates/{kind}/{start}")
def derived(call: Call) -> Reply:
    """Derived data that a backup does not need: none."""
    return entries(call, [], default=10)


@API.get("/users/{user}/mir/{year}/{month}")
def month_in_review(call: Call) -> Reply:
    """What a month held."""
    year, month = _numeric(call, "year"), _numeric(call, "month")
    if not 1 <= month <= 12:
        raise Refusal(not_found())
    start = date(year, month, 1)
    return _review(call, start, (start + timedelta(days=32)).replace(day=1))


@API.get("/users/{user}/yir/{year}")
def year_in_review(call: Call) -> Reply:
    """What a year held."""
    year = _numeric(call, "year")
    return _review(call, date(year, 1, 1), date(year + 1, 1, 1))


def _numeric(call: Call, name: str) -> int:
    text = call.params[name]
    if not text.isdigit() or not 1 <= int(text) <= 9000:
        raise Refusal(not_found())
    return int(text)


def _review(call: Call, start: date, end: date) -> Reply:
    catalogue = call.world.catalogue
    low, high = minute_of(start), minute_of(end)
    plays = [p for p in call.account.history.plays if low <= p.minute < high]
    films = [p for p in plays if catalogue.is_film(p.item)]
    days = (end - start).days
    groups = {"all": len(plays), "shows": len(plays) - len(films), "movies": len(films)}
    stats = {name: _totals(count, days, every=name == "all") for name, count in groups.items()}
    image = "https://walter-r2.trakt.tv/images/reviews/none.jpg"
    ends = [plays[0], plays[-1]] if plays else []
    watched = [
        Entry("movie" if catalogue.is_film(p.item) else "episode", catalogue.title(p.item), {})
        for p in ends
    ]
    found: list[Facts] = []
    for play, row in zip(ends, watched, strict=True):
        head: Facts = {"watched_at": stamp(play.minute), "type": row.kind}
        found.append({**head, **call.world.shapes.members(row.kind, row.subject, "plain")})
    none: Facts = {"country_count": 0, "countries": []}
    return as_json(
        {
            "stats": stats,
            "images": {"cover": image, "story": image},
            "first_watched": found[0] if found else None,
            "last_watched": found[1] if found else None,
            "countries": {"shows": none, "movies": none},
            "trends": {"shows": [], "movies": []},
            "thanks": {"shows": [], "movies": []},
            "streaming_services": {"country": "dk", "services": []},
        }
    )


def _totals(count: int, days: int, *, every: bool) -> Facts:
    names = ["minutes", "play_counts", "collected_counts", "ratings_counts", "comments_counts"]
    spans = {"yearly": 365, "monthly": 30, "weekly": 7, "daily": 1}
    rates: Facts = {"total": count}
    rates |= {name: round(count * span / days, 2) for name, span in spans.items()}
    nothing: Facts = dict.fromkeys(rates, 0)
    if every:
        names.append("lists_counts")
    return {name: rates if name == "play_counts" else nothing for name in names}
