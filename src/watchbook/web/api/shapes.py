"""What the API answers, as structs: their fields are the fields of the JSON.

A field without a value is null and never missing. Moments are RFC 3339 in UTC with a ``Z``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from watchbook.clock import from_millis
from watchbook.render.attribution import SHORT
from watchbook.render.statistics import Heatmap, Statistics, Year

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(extra_json_schema={"format": "int64"})]


def moment(millis: int | None) -> datetime | None:
    """A stored moment as it is told; None for none, and for an unknown date."""
    return from_millis(millis).replace(microsecond=0) if millis else None


def moment_of(millis: int) -> datetime:
    """A stored moment that there always is."""
    return from_millis(millis).replace(microsecond=0)


def says(words: str) -> Meta:
    """What the documents say of a field."""
    return Meta(description=words)


Subtitle = Annotated[str, says("`S2 E7 · Chikhai Bardo` for an episode, the year for a film.")]
PageAtTrakt = Annotated[str | None, says("Its page at Trakt.")]
OutOfTen = Annotated[int | None, says("From 1 to 10, where ratings may be seen.")]
WhenWatched = Annotated[Moment | None, says("Null for an unknown date.")]
AsOf = Annotated[Moment | None, says("When the copy was last brought up to date.")]
WhyStale = Annotated[str | None, says("Why it is stale, in words.")]


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every answer and its parts are."""


class Done(Shape, frozen=True, kw_only=True):
    """An answer that was given."""

    ok: Annotated[bool, says("`true`: the question was answered.")] = True


class Refused(Shape, frozen=True, kw_only=True):
    """An error: what is wrong, and what to do about it."""

    ok: Annotated[bool, says("`false`")] = False
    reason: Annotated[str, says("What is wrong. `not public` tells nothing more, on purpose.")]
    hint: Annotated[str | UnsetType | None, says("What to do about it, where that is known.")] = (
        UNSET
    )


class Sheet(Done, frozen=True, kw_only=True):
    """A page of something longer."""

    next: Annotated[
        str | None, says("`cursor` of the next page; null when this is the last one.")
    ] = None


class Ids(Shape, frozen=True, kw_only=True):
    """The numbers of a title elsewhere."""

    trakt: Number | None
    slug: Annotated[str | None, says("Its name in Trakt's addresses.")]
    imdb: str | None
    tmdb: Number | None
    tvdb: Number | None


class Poster(Shape, frozen=True, kw_only=True):
    """A picture in this installation's own store, or a drawn one where none is kept."""

    url: str
    width: Annotated[int, says("In pixels.")]
    height: Annotated[int, says("In pixels.")]
    type: Annotated[str, says("Its media type.")]
    colour: Annotated[str, says("Its dominant colour, `#rrggbb`.")]
    tiny: Annotated[
        str | None,
        says("A `data:` address that stands in while the poster loads; null for a drawn one."),
    ]
    alt: Annotated[str, says("What it shows, for those who cannot see it.")]


class PosterSize(Shape, frozen=True, kw_only=True):
    """One file of a poster."""

    url: str
    width: int
    height: int
    type: str


class LastPlay(Shape, frozen=True, kw_only=True):
    """A play as `/api/trakt/last` tells it."""

    type: Annotated[str, says("`movie` or `episode`")]
    title: Annotated[str, says("The film or the show.")]
    subtitle: Subtitle
    year: Number | None
    season: Number | None
    episode: Number | None
    url: PageAtTrakt
    watched_at: WhenWatched
    poster: Annotated[
        str, says("Address of a poster in this installation's own store, or of a drawn one.")
    ]
    rating: OutOfTen
    colour: Annotated[str, says("The poster's dominant colour, `#rrggbb`.")]
    tiny: Annotated[
        str | None, says("A `data:` address to show while the poster loads; null for a drawn one.")
    ]
    poster_sizes: list[PosterSize]
    poster_source: Annotated[
        str | None, says("Whose the poster is: `tmdb` or `trakt`; null for a drawn one.")
    ]
    alt: Annotated[str, says("What the poster shows.")]
    still: Annotated[str | None, says("Address of a scene of the episode, where one is kept.")]


class Last(Done, frozen=True, kw_only=True):
    """The last plays, newest first."""

    ok: Annotated[
        bool,
        says("`false` while the database cannot be read and nothing is in memory; then no items."),
    ] = True
    items: list[LastPlay]
    as_of: AsOf
    stale: Annotated[bool, says("Whether it may be older than it should be.")]
    reason: WhyStale
    attribution: Annotated[str, says("Where it comes from; show it beside.")] = SHORT


class Play(Shape, frozen=True, kw_only=True):
    """A film or an episode watched once."""

    history_id: Annotated[Number, says("Trakt's number of the play: 64 bits.")]
    type: Annotated[str, says("`movie` or `episode`")]
    title: Annotated[str, says("The film or the show.")]
    subtitle: Subtitle
    year: Annotated[Number | None, says("Of the film or the show.")]
    season: Number | None
    episode: Number | None
    episode_title: str | None
    watched_at: WhenWatched
    action: Annotated[str, says("How Trakt learnt of it: `scrobble`, `checkin` or `watch`.")]
    rating: OutOfTen
    runtime: Annotated[Number | None, says("In minutes.")]
    url: PageAtTrakt
    key: Annotated[str | None, says("Of the film or the episode: `titles/KEY` tells more.")]
    show_key: Annotated[str | None, says("Of the episode's show.")]
    ids: Ids
    show_ids: Ids | None
    poster: Annotated[Poster, says("Of the film, or of the episode's show.")]
    still: Annotated[Poster | None, says("A scene of the episode, where one is kept.")]


class Plays(Sheet, frozen=True, kw_only=True):
    """Plays, newest first; those of an unknown date come last."""

    items: list[Play]


class OnePlay(Done, frozen=True, kw_only=True):
    """One play."""

    play: Play


class WatchedTitle(Shape, frozen=True, kw_only=True):
    """A film or a show that was watched, with what it has in plays."""

    key: Annotated[str, says("Its type and its number at Trakt: `movie:481`.")]
    type: Annotated[str, says("`movie` or `show`")]
    title: str
    year: Number | None
    plays: Annotated[Count, says("How often it, or an episode of it, was watched.")]
    last_watched_at: Annotated[Moment | None, says("Null when no date is known.")]
    rating: OutOfTen
    url: PageAtTrakt
    ids: Ids
    poster: Poster


class Titles(Sheet, frozen=True, kw_only=True):
    """Films and shows, those watched last first."""

    items: list[WatchedTitle]


class Title(Shape, frozen=True, kw_only=True):
    """A film, show, season or episode with its details, as far as they are known."""

    key: str
    type: Annotated[str, says("`movie`, `show`, `season` or `episode`")]
    title: Annotated[str, says("The film or the show.")]
    subtitle: Subtitle
    year: Number | None
    season: Number | None
    episode: Number | None
    show_key: str | None
    released: Annotated[str | None, says("The day of release or first broadcast.")]
    runtime: Annotated[Number | None, says("In minutes.")]
    genres: list[str]
    country: str | None
    language: str | None
    network: str | None
    certification: str | None
    plays: Annotated[Count, says("How often it, or an episode of it, was watched.")]
    first_watched_at: Moment | None
    last_watched_at: Moment | None
    rating: OutOfTen
    url: PageAtTrakt
    ids: Ids
    poster: Poster


class OneTitle(Done, frozen=True, kw_only=True):
    """One title that was watched."""

    title: Title


class About(Shape, frozen=True, kw_only=True):
    """What a rating or a row of a list is about."""

    type: Annotated[str, says("`movie`, `show`, `season`, `episode` or `person`")]
    key: Annotated[str | None, says("`titles/KEY` tells more, once it was watched.")]
    title: Annotated[str, says("The film or the show; the name of a person.")]
    subtitle: Subtitle
    year: Number | None
    season: Number | None
    episode: Number | None
    url: PageAtTrakt


class Rating(About, frozen=True, kw_only=True):
    """A rating of a film, show, season or episode."""

    rating: Annotated[int, Meta(ge=1, le=10)]
    rated_at: Moment | None


class Ratings(Sheet, frozen=True, kw_only=True):
    """Ratings, newest first."""

    items: list[Rating]


class Overall(Done, frozen=True, kw_only=True):
    """What all plays together say."""

    statistics: Statistics


class InReview(Done, frozen=True, kw_only=True):
    """A year in review."""

    year: Year


class Days(Done, frozen=True, kw_only=True):
    """How many plays each day has."""

    heatmap: Heatmap


class KnownList(Shape, frozen=True, kw_only=True):
    """A list: the watchlist, the favorites, or one of the person's own."""

    id: Annotated[str, says("`watchlist`, `favorites`, or its number at Trakt.")]
    name: str
    description: str | None
    privacy: Annotated[str | None, says("As set at Trakt: `private`, `friends`, `public` …")]
    owner: Annotated[str | None, says("Whose it is, when it is somebody else's.")]
    items: Annotated[Count, says("How many rows are kept of it.")]
    updated_at: Moment | None


class Lists(Done, frozen=True, kw_only=True):
    """All lists."""

    items: list[KnownList]


class ListRow(About, frozen=True, kw_only=True):
    """A row of a list."""

    rank: Annotated[int, says("Its place on the list, from 1 on.")]
    listed_at: Moment | None
    note: str | None


class ListRows(Sheet, frozen=True, kw_only=True):
    """Rows of a list, in its order."""

    items: list[ListRow]
