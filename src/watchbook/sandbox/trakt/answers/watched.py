"""Watched films, shows and episodes: rows with counts, and the compact maps of all times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from watchbook.sandbox.answer import as_json, encode
from watchbook.sandbox.library.entries import Entry, Facts, stamp
from watchbook.sandbox.library.titles import Episode, Season
from watchbook.sandbox.trakt.call import API, Call, Paged, Reply, not_found
from watchbook.sandbox.trakt.history import ShowRecord


@API.get("/sync/watched/movies", "/users/{user}/watched/movies")
def films(call: Call) -> Reply:
    """Watched films; films that Trakt dropped have no row here, though their plays count."""
    catalogue, times = call.world.catalogue, call.account.history.films()
    seen = [item for item in times if not catalogue.films[item].removed]
    if "min" in call.extended:
        by_id = {catalogue.films[item].trakt: times[item] for item in seen}
        return _mapping([*by_id], lambda trakt: _stamps(by_id[trakt]))
    seen.sort(key=lambda item: (times[item][-1], item), reverse=True)

    def rows(first: int, last: int) -> list[bytes]:
        return [_film_row(call, item, times[item]) for item in seen[first:last]]

    return Paged(len(seen), rows)


def _film_row(call: Call, item: int, times: list[int]) -> bytes:
    facts = _counted(times, call.account.history.updated([item]))
    return call.world.shapes.row(Entry("movie", call.world.catalogue.films[item], facts), call.form)


def _counted(times: list[int], updated: int) -> Facts:
    return {
        "plays": len(times),
        "last_watched_at": stamp(max(times)),
        "last_updated_at": stamp(updated),
    }


@API.get("/sync/watched/shows", "/users/{user}/watched/shows")
def shows(call: Call) -> Reply:
    """Watched shows; their seasons come with `extended=progress` only, 100 shows a page."""
    specials = call.flag("specials")
    records = call.account.history.shows()
    found = [(trakt, r, r.times(specials=specials)) for trakt, r in records.items()]
    seen = [row for row in found if row[2]]
    if "min" in call.extended:
        numbers = call.flag("season_numbers")
        return _mapping(
            [trakt for trakt, *_ in seen],
            lambda trakt: _compact(records[trakt], specials=specials, numbers=numbers),
        )
    seen.sort(key=lambda row: (max(row[2]), row[0]), reverse=True)

    def rows(first: int, last: int) -> list[bytes]:
        return [_show_row(call, record, times) for _, record, times in seen[first:last]]

    return Paged(len(seen), rows, maximum=100 if "progress" in call.extended else 250)


def _show_row(call: Call, record: ShowRecord, times: list[int]) -> bytes:
    items = call.world.catalogue.items_of(record.show)
    resets = call.account.library.hidden["progress_watched_reset"]
    reset = next((r.facts["hidden_at"] for r in resets if r.subject is record.show), None)
    facts = _counted(times, call.account.history.updated(items))
    trailing: Facts = {}
    if "progress" in call.extended:
        trailing["seasons"] = _seasons(record, specials=call.flag("specials"))
    entry = Entry("show", record.show, {**facts, "reset_at": reset}, trailing)
    return call.world.shapes.row(entry, call.form)


def _seasons(record: ShowRecord, *, specials: bool) -> list[Facts]:
    return [
        {"number": season, "episodes": _numbers(record.seasons[season])}
        for season in sorted(record.seasons)
        if season or specials
    ]


def _numbers(times: dict[int, list[int]]) -> list[Facts]:
    return [
        {"number": n, "plays": len(times[n]), "last_watched_at": stamp(max(times[n]))}
        for n in sorted(times)
    ]


def _compact(record: ShowRecord, *, specials: bool, numbers: bool) -> Facts:
    """Season, then episode id, then times; seasons go by id, or by number when asked."""
    found: Facts = {}
    for number in sorted(record.seasons):
        if number or specials:
            key = number if numbers else Season(record.show, number).trakt
            found[str(key)] = dict(_episodes(record, number))
    return found


def _episodes(record: ShowRecord, season: int) -> Iterable[tuple[str, list[str]]]:
    show = record.show
    for number, minutes in sorted(record.seasons[season].items()):
        part = Episode(show, season, number, show.first + show.offsets[season] + number - 1)
        yield str(part.trakt), _stamps(minutes)


def _stamps(minutes: list[int]) -> list[str]:
    return [stamp(minute) for minute in reversed(minutes)]


def _mapping(keys: list[int], value: Callable[[int], object]) -> Paged:
    """Members of one object, in order of their keys; values are made for the page only."""
    keys.sort()

    def rows(first: int, last: int) -> list[bytes]:
        return [b'"%d":%s' % (key, encode(value(key))) for key in keys[first:last]]

    return Paged(len(keys), rows, mapping=True)


@API.get("/sync/watched/episodes", "/users/{user}/watched/episodes")
def episodes(call: Call) -> Reply:
    """Watched episodes one by one."""
    specials = call.flag("specials")
    records = call.account.history.shows().values()
    parts = chain.from_iterable(_parts(record, specials=specials) for record in records)
    found = [(part, minutes) for part, minutes in parts if minutes]
    if "min" in call.extended:
        by_id = {part.trakt: minutes for part, minutes in found}
        return _mapping([*by_id], lambda trakt: _stamps(by_id[trakt]))
    found.sort(key=lambda pair: (pair[1][-1], pair[0].trakt), reverse=True)

    def rows(first: int, last: int) -> list[bytes]:
        return [_episode_row(call, part, minutes) for part, minutes in found[first:last]]

    return Paged(len(found), rows)


def _parts(record: ShowRecord, *, specials: bool) -> Iterable[tuple[Episode, list[int]]]:
    show = record.show
    for season, numbers in record.seasons.items():
        if season or specials:
            for number, minutes in numbers.items():
                serial = show.first + show.offsets[season] + number - 1
                yield Episode(show, season, number, serial), minutes


def _episode_row(call: Call, part: Episode, minutes: list[int]) -> bytes:
    item = len(call.world.catalogue.films) + part.serial
    facts = _counted(minutes, call.account.history.updated([item]))
    return call.world.shapes.row(Entry("episode", part, facts), call.form)


@API.get("/shows/{id}/progress/watched")
def progress(call: Call) -> Reply:
    """How far the account has come with one show."""
    show = call.world.catalogue.show(call.params["id"])
    if show is None:
        return not_found()
    record = call.account.history.shows().get(show.trakt, ShowRecord(show))
    seen = {number: times for number, times in record.seasons.items() if number}
    completed = sum(map(len, seen.values()))
    last = max((max(t) for times in seen.values() for t in times.values()), default=None)
    resets = call.account.library.hidden["progress_watched_reset"]
    reset = next((r.facts["hidden_at"] for r in resets if r.subject is show), None)
    return as_json(
        {
            "aired": show.aired_episodes,
            "completed": completed,
            "last_watched_at": None if last is None else stamp(last),
            "reset_at": reset,
            "seasons": [_progress_season(record, n) for n in show.season_numbers() if n],
            "hidden_seasons": [],
            "next_episode": None,
            "last_episode": None,
        }
    )


def _progress_season(record: ShowRecord, season: int) -> Facts:
    times = record.seasons.get(season, {})
    numbers = range(1, record.show.count(season) + 1)
    rows = [
        {
            "number": n,
            "completed": n in times,
            "last_watched_at": stamp(max(times[n])) if n in times else None,
        }
        for n in numbers
    ]
    aired = sum(record.show.aired_at(season, n) <= record.show.today for n in numbers)
    return {"number": season, "aired": aired, "completed": len(times), "episodes": rows}
