"""Ratings, watchlist, favourites, collection, playback, hidden titles and saved filters."""

from __future__ import annotations

from collections.abc import Iterable

from watchbook.sandbox.library.entries import Entry, Facts, stamp
from watchbook.sandbox.library.maker import Maker, kind_of
from watchbook.sandbox.library.titles import Episode, Film, Season, Show

Title = Film | Show | Season | Episode

HIDDEN_SECTIONS = {
    "calendar": ("movie", "show"),
    "progress_watched": ("show", "season"),
    "progress_collected": ("show", "season"),
    "recommendations": ("movie", "show"),
    "comments": ("user",),
    "dropped": ("show",),
    "progress_watched_reset": ("show",),
}
"""The hidden sections and what each may hold."""

_RATINGS = (1, 2, 3, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 9, 9, 10)
_NOTES = (
    "Recommended by Noor, twice.",
    "Find the long cut.",
    "Watch on a rainy Sunday 🌧️",
    "لا تفوّت هذا الفيلم",
    'Said to be "slow" -- good.',
)
_VIDEO = (
    ("bluray", "hd_1080p", None, "dts_ma", "5.1"),
    ("digital", "uhd_4k", "dolby_vision", "dolby_digital_plus_atmos", "5.1"),
    ("dvd", "sd_576i", None, "dolby_digital", "2.0"),
    ("digital", "hd_720p", None, None, None),
)


def ratings(make: Maker) -> dict[str, list[Entry]]:
    """Ratings of the four kinds, newest first."""
    films = make.sample(make.seen_films, len(make.seen_films) * 6 // 10 + 1)
    shows = make.sample(make.seen_shows, len(make.seen_shows) * 5 // 10 + 1)
    chosen: dict[str, Iterable[Title]] = {
        "movies": [film for film in films if isinstance(film, Film) and not film.removed],
        "shows": shows,
        "seasons": make.several("season", 2 + len(shows) // 4),
        "episodes": _rated_episodes(make),
    }
    return {kind: _newest_first([_rated(make, t) for t in found]) for kind, found in chosen.items()}


def _rated_episodes(make: Maker) -> list[Episode]:
    wanted = min(len(make.seen_episodes), 3 + len(make.seen_episodes) // 12)
    films = len(make.catalogue.films)
    return [
        make.catalogue.episode(i - films) for i in make.chance.sample(make.seen_episodes, wanted)
    ]


def _rated(make: Maker, title: Title) -> Entry:
    facts: Facts = {"rated_at": stamp(make.past()), "rating": make.chance.choice(_RATINGS)}
    return Entry(kind_of(title), title, facts)


def _newest_first(rows: list[Entry]) -> list[Entry]:
    return sorted(rows, key=lambda row: str(row.facts["rated_at"]), reverse=True)


def watchlist(make: Maker) -> list[Entry]:
    """The watchlist by rank, with all four kinds and some notes."""
    titles: list[Title] = [*make.several("movie", 6 + len(make.seen_films) // 5)]
    titles += make.several("show", 3 + len(make.seen_shows) // 5)
    titles += [*make.several("season", 2), *make.several("episode", 2)]
    make.chance.shuffle(titles)
    return ranked(make, titles)


def favorites(make: Maker) -> list[Entry]:
    """Favourite films and shows by rank, at most a hundred."""
    films = [film for film in make.sample(make.seen_films, 30) if isinstance(film, Film)]
    titles: list[Title] = [film for film in films if not film.removed]
    titles += make.sample(make.seen_shows, 20)
    make.chance.shuffle(titles)
    return ranked(make, titles)


def ranked(make: Maker, titles: Iterable[Title]) -> list[Entry]:
    """List items in the order given."""
    rows = []
    for rank, title in enumerate(titles, 1):
        note = make.chance.choice(_NOTES) if make.chance.random() < 0.15 else None
        head: Facts = {"rank": rank, "id": make.number(), "listed_at": stamp(make.past(4))}
        kind = kind_of(title)
        rows.append(Entry(kind, title, {**head, "notes": note, "type": kind}))
    return rows


def collection(make: Maker) -> list[Entry]:
    """Copies owned: films, and whole seasons of shows, episode by episode."""
    films = make.sample(make.seen_films, 3 + len(make.seen_films) // 4)
    rows = [_collected(make, film) for film in films]
    for show in make.sample(make.seen_shows, 1 + len(make.seen_shows) // 12):
        items = make.catalogue.items_of(show) if isinstance(show, Show) else ()
        first = len(make.catalogue.films)
        rows += [_collected(make, make.catalogue.episode(item - first)) for item in items[:60]]
    return rows


def _collected(make: Maker, title: Title) -> Entry:
    at = make.past()
    media, resolution, hdr, audio, channels = make.chance.choice(_VIDEO)
    facts: Facts = {"collected_at": stamp(at), "updated_at": stamp(at), "type": kind_of(title)}
    metadata: Facts = {
        "media_type": media,
        "resolution": resolution,
        "hdr": hdr,
        "audio": audio,
        "audio_channels": channels,
        # Not the same type everywhere since 2026: null on films, a boolean on episodes.
        "3d": None if isinstance(title, Film) else False,
    }
    plex: Facts = {"available_on": [{"name": "plex"}]} if media == "digital" else {}
    return Entry(kind_of(title), title, facts, {"metadata": metadata, **plex})


def playback(make: Maker) -> list[Entry]:
    """Things stopped halfway in the last months; ids are 64-bit."""
    titles = [*make.several("movie", 2), *make.several("episode", 3)]
    times = sorted((make.past(0.4) for _ in titles), reverse=True)
    rows = []
    for title, at in zip(titles, times, strict=True):
        progress = round(make.chance.uniform(2, 79), 5)
        facts: Facts = {"progress": progress, "paused_at": stamp(at), "id": 2**53 + make.number()}
        rows.append(Entry(kind_of(title), title, {**facts, "type": kind_of(title)}))
    return rows


def hidden(make: Maker) -> dict[str, list[Entry]]:
    """Something in every hidden section."""
    return {section: _hidden(make, kinds) for section, kinds in HIDDEN_SECTIONS.items()}


def _hidden(make: Maker, kinds: tuple[str, ...]) -> list[Entry]:
    rows = []
    for kind in kinds:
        facts: Facts = {"hidden_at": stamp(make.past(3)), "type": kind}
        if kind == "user":
            rows.append(Entry(kind, make.members[5], facts))
        else:
            rows += [Entry(kind, title, dict(facts)) for title in make.several(kind, 2)]
    return rows


def saved_filters(make: Maker) -> list[Facts]:
    """Searches kept for later, one at least of each section."""
    table = (
        ("movies", "Short and funny", "/movies/trending", "genres=comedy&runtimes=60-95"),
        ("movies", "日本映画", "/movies/popular", "countries=jp&languages=ja"),
        ("shows", "Nordic crime", "/shows/popular", "genres=crime&countries=dk,se,no,is"),
        ("calendars", "My premieres", "/calendars/my/shows/premieres", "genres=-reality"),
        ("search", "Heist", "/search/movie", "query=heist&years=1950-1999"),
    )
    rows: list[Facts] = []
    for rank, (section, name, path, query) in enumerate(table, 1):
        head: Facts = {"rank": rank, "id": make.number(), "section": section, "name": name}
        rows.append({**head, "path": path, "query": query, "updated_at": stamp(make.past(2))})
    return rows
