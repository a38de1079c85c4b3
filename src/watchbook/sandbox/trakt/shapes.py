"""The JSON shapes of titles, members, lists and comments, written by hand from Trakt's contract.

Titles are encoded once per form and kept as bytes, so that a page is a join of bytes.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from watchbook.sandbox.answer import encode
from watchbook.sandbox.library.entries import (
    Comment,
    Entry,
    Facts,
    Subject,
    UserList,
    date_of,
    stamp,
)
from watchbook.sandbox.library.invention import episode_title
from watchbook.sandbox.library.titles import DAY, Episode, Film, Person, Season, Show, User, mix

Form = Literal["plain", "full"]

_KEPT = 60_000
_PICTURES = "walter-r2.trakt.tv/images"
_CAST_LINE = "An entirely invented summary: {title} ({year}) as the sandbox imagines it."


class Shapes:
    """Encodes subjects for one catalogue, and remembers the bytes."""

    def __init__(self, pictures: str = "") -> None:
        """Start with nothing encoded; `pictures` is where they lie, if anywhere."""
        self._pictures = pictures
        self._kept: dict[tuple[str, int, Form], bytes] = {}

    def row(self, entry: Entry, form: Form) -> bytes:
        """One row: its facts, the thing it is about, and what trails."""
        body = encode(entry.facts)[:-1] + (b"," if entry.facts else b"")
        body += self.subject(entry.kind, entry.subject, form)
        if entry.trailing:
            body += b"," + encode(entry.trailing)[1:-1]
        return body + b"}"

    def subject(self, kind: str, subject: Subject, form: Form) -> bytes:
        """The members that name a thing: `"episode":{...},"show":{...}` without braces."""
        if isinstance(subject, Episode):
            return (
                self._member(subject, kind, form) + b"," + self._member(subject.show, "show", form)
            )
        if isinstance(subject, Season):
            return (
                self._member(subject, kind, form) + b"," + self._member(subject.show, "show", form)
            )
        if isinstance(subject, Film | Show):
            return self._member(subject, kind, form)
        return b'"%s":%s' % (kind.encode(), encode(shape(subject, form)))

    def members(self, kind: str, subject: Subject, form: Form) -> Facts:
        """The same as `subject`, as raw members of an object that is still to be encoded."""
        if isinstance(subject, Episode | Season):
            parts = {kind: subject, "show": subject.show}
            return {name: msgspec.Raw(self.bare(part, form)) for name, part in parts.items()}
        return {kind: shape(subject, form)}

    def flat(self, entry: Entry) -> Facts:
        """A title with its type inside, and an episode's show inside the episode."""
        facts: Facts = {"type": entry.kind, **(shape(entry.subject, "plain") or {})}
        if isinstance(entry.subject, Episode):
            facts["title"] = facts["title"] or ""
            facts["show"] = {"type": "show", **show(entry.subject.show, "plain")}
        return facts

    def bare(self, subject: Film | Show | Season | Episode, form: Form) -> bytes:
        """A title alone, as the summary routes answer it."""
        kind = type(subject).__name__
        return self._member(subject, kind, form).partition(b":")[2]

    def _placed(self, facts: Facts | None) -> Facts | None:
        """The facts with pictures that may be fetched; none at a host that is not here."""
        images = facts.get("images") if facts else None
        if facts is None or not isinstance(images, dict):
            return facts
        there = self._pictures
        placed = {
            name: [path.replace(_PICTURES, there) for path in paths] if there else []
            for name, paths in images.items()
        }
        return {**facts, "images": placed}

    def _member(self, subject: Film | Show | Season | Episode, kind: str, form: Form) -> bytes:
        key = (kind, subject.trakt, form)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = b'"%s":%s' % (kind.encode(), encode(self._placed(shape(subject, form))))
            self._kept[key] = found
        return found


def shape(subject: Subject, form: Form) -> Facts | None:
    """The object for any subject; None for what is gone from the catalogue."""
    match subject:
        case Film():
            return None if subject.removed else film(subject, form)
        case Show():
            return show(subject, form)
        case Season():
            return season(subject, form)
        case Episode():
            return episode(subject, form)
        case _:
            return _other(subject, form)


def _other(subject: Subject, form: Form) -> Facts | None:
    match subject:
        case User():
            return user(subject, form)
        case UserList():
            return user_list(subject)
        case Comment():
            return comment(subject)
        case Person():
            ids = {"trakt": subject.trakt, "slug": subject.slug, "imdb": f"nm{subject.trakt:07}"}
            return {"name": subject.name, "ids": {**ids, "tmdb": subject.trakt * 3}}
        case _:
            return None


def film(title: Film, form: Form) -> Facts:
    """A movie."""
    number = mix(title.trakt)
    ids = {
        "trakt": title.trakt,
        "slug": title.slug,
        "imdb": f"tt{10_000_000 + title.trakt * 7}",
        "tmdb": 900_000 + title.trakt,
        "plex": {"guid": f"{number % 16**12:024x}", "slug": title.slug},
    }
    facts: Facts = {"title": title.title, "year": title.year, "ids": ids}
    if form == "plain":
        return facts
    released = f"{title.year}-{1 + number % 12:02}-{1 + number % 28:02}"
    return {
        **facts,
        "tagline": "",
        "overview": _CAST_LINE.format(title=title.title, year=title.year),
        "released": released,
        "runtime": title.runtime,
        "country": title.country,
        "status": "released",
        "rating": 5 + number % 45_000 / 10_000,
        "votes": number % 40_000,
        "comment_count": number % 300,
        "trailer": None,
        "homepage": None,
        "updated_at": f"{released}T08:00:00.000Z",
        "language": title.language,
        "languages": [title.language],
        "available_translations": ["en", title.language],
        "genres": title.genres,
        "subgenres": [],
        "certification": title.certification,
        "original_title": title.title,
        "after_credits": number % 9 == 0,
        "during_credits": False,
        "images": _images("movies", title.trakt, "fanart poster logo clearart banner thumb"),
        "colors": {"poster": ["#1d3557", "#e63946"]},
        "social_ids": dict.fromkeys(("twitter", "facebook", "instagram", "wikipedia")),
    }


def show(title: Show, form: Form) -> Facts:
    """A show."""
    number = mix(title.trakt)
    ids = {
        "trakt": title.trakt,
        "slug": title.slug,
        "tvdb": 300_000 + title.trakt,
        "imdb": f"tt{20_000_000 + title.trakt * 7}",
        "tmdb": 700_000 + title.trakt,
        "plex": {"guid": f"{number % 16**12:024x}", "slug": title.slug},
    }
    facts: Facts = {"title": title.title, "year": title.year, "ids": ids}
    if form == "plain":
        return {**facts, "aired_episodes": title.aired_episodes}
    premiere = title.aired_at(1, 1)
    return {
        **facts,
        "aired_episodes": title.aired_episodes,
        "tagline": "",
        "overview": _CAST_LINE.format(title=title.title, year=title.year),
        "first_aired": stamp(premiere),
        "airs": {"day": "Sunday", "time": "21:00", "timezone": "America/New_York"},
        "runtime": title.runtime,
        "total_runtime": title.runtime * title.aired_episodes,
        "certification": "TV-14",
        "network": title.network,
        "country": title.country,
        "status": title.status,
        "rating": 5 + number % 45_000 / 10_000,
        "votes": number % 30_000,
        "comment_count": number % 200,
        "trailer": None,
        "homepage": None,
        "updated_at": stamp(title.newest_at - 30 * DAY),
        "language": title.language,
        "languages": [title.language],
        "available_translations": ["en", title.language],
        "genres": title.genres,
        "subgenres": [],
        "original_title": title.title,
        "images": _images("shows", title.trakt, "fanart poster logo clearart banner thumb"),
        "colors": {"poster": ["#1d3557", "#e63946"]},
        "social_ids": dict.fromkeys(("twitter", "facebook", "instagram", "wikipedia")),
    }


def season(part: Season, form: Form) -> Facts:
    """A season; the plain form is just its number and ids."""
    ids = {"trakt": part.trakt, "tvdb": 500_000 + part.trakt, "tmdb": 600_000 + part.trakt}
    facts: Facts = {"number": part.number, "ids": ids}
    count = part.show.count(part.number)
    if form == "plain":
        return {**facts, "aired_episodes": count}
    number = mix(part.trakt)
    return {
        **facts,
        "title": f"Season {part.number}" if part.number else "Specials",
        "overview": None,
        "rating": 5 + number % 45_000 / 10_000,
        "votes": number % 900,
        "episode_count": count,
        "aired_episodes": count,
        "first_aired": stamp(part.show.aired_at(part.number, 1)),
        "updated_at": stamp(part.show.aired_at(part.number, 1)),
        "total_runtime": count * part.show.runtime,
        "network": part.show.network,
        "images": _images("seasons", part.trakt, "poster thumb"),
    }


def episode(part: Episode, form: Form) -> Facts:
    """An episode; some have no title."""
    number = mix(part.trakt)
    title = episode_title(number)
    ids = {
        "trakt": part.trakt,
        "tvdb": 6_000_000 + part.serial,
        "imdb": f"tt{30_000_000 + part.serial}" if number % 3 else None,
        "tmdb": 3_000_000 + part.serial,
    }
    facts: Facts = {"season": part.season, "number": part.number, "title": title, "ids": ids}
    if form == "plain":
        return facts
    aired = part.aired_at
    return {
        **facts,
        "number_abs": None,
        "overview": None if title is None else f"In which: {title.lower()}.",
        "rating": 5 + number % 45_000 / 10_000,
        "votes": number % 2_000,
        "comment_count": number % 20,
        "first_aired": stamp(aired),
        "released": date_of(aired),
        "updated_at": stamp(aired),
        "available_translations": ["en"],
        "runtime": part.show.runtime,
        "episode_type": _episode_type(part),
        "original_title": title,
        "after_credits": False,
        "during_credits": False,
        "images": _images("episodes", part.trakt, "screenshot"),
    }


def _episode_type(part: Episode) -> str:
    if part.season == part.number == 1:
        return "series_premiere"
    if part.number == 1:
        return "season_premiere"
    if part.number == part.show.count(part.season):
        ended = part.show.status == "ended" and part.season == len(part.show.seasons)
        return "series_finale" if ended else "season_finale"
    return "standard"


def _images(kind: str, trakt: int, names: str) -> Facts:
    path = f"{_PICTURES}/{kind}/{trakt // 1000:06}/{trakt % 1000:03}"
    return {name: [f"{path}/{name}s/medium/{mix(trakt, 7):x}.jpg.webp"] for name in names.split()}


def user(member: User, form: Form = "plain") -> Facts:
    """A member; deleted ones have no slug."""
    facts: Facts = {
        "username": member.username,
        "private": member.private,
        "deleted": member.deleted,
        "name": member.name,
        "vip": member.vip,
        "vip_ep": False,
        "director": False,
        "ids": {"slug": member.slug, "trakt": member.trakt},
    }
    if form == "plain":
        return facts
    avatar = f"walter-r2.trakt.tv/images/users/{member.trakt}/avatars/large/1.jpg"
    return {
        **facts,
        "joined_at": stamp(member.joined),
        "location": member.location,
        "about": member.about,
        "gender": member.gender,
        "age": member.age,
        "images": {"avatar": {"full": f"https://{avatar}"}},
        "vip_og": False,
        "vip_years": 2 if member.vip else 0,
        "vip_cover_image": None,
    }


def user_list(made: UserList) -> Facts:
    """A list; one shared by link carries the link, which opens it to whoever holds it."""
    link = f"https://app.trakt.tv/lists/{made.trakt}"
    if made.privacy == "link":
        link += f"/share/{mix(made.trakt):x}"
    return {
        "name": made.name,
        "description": made.description,
        "privacy": made.privacy,
        "share_link": link,
        "type": "personal",
        "display_numbers": made.display_numbers,
        "allow_comments": True,
        "sort_by": made.sort_by,
        "sort_how": made.sort_how,
        "created_at": stamp(made.at),
        "updated_at": stamp(made.updated),
        "item_count": len(made.items),
        "comment_count": len(made.comments),
        "likes": len(made.likes),
        "ids": {"trakt": made.trakt, "slug": made.slug},
        "user": user(made.owner),
    }


def comment(made: Comment) -> Facts:
    """A comment, review or reply."""
    return {
        "id": made.id,
        "parent_id": made.parent_id,
        "created_at": stamp(made.at),
        "updated_at": stamp(made.edited or made.at),
        "comment": made.text,
        "spoiler": made.spoiler,
        "review": made.review,
        "replies": len(made.replies),
        "likes": made.likes,
        "language": "en",
        "user_rating": made.rating,
        "user_stats": {"rating": made.rating, "play_count": 1, "completed_count": 1},
        "user": user(made.author),
    }
