"""The rules of a site: what is published there, when, and how it looks; one table.

A rule is written as text (``delay=10m``), on the command line as on a page; what a site has not
set holds as in the table. Reading gives :class:`Rules`, whose fields are the rules' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from watchbook import values
from watchbook.errors import InputError
from watchbook.publish.generators import GENERATORS
from watchbook.publish.texts import BINGE_TEXT, EPISODE_TEXT, FILM_TEXT, template
from watchbook.values import Rate


@dataclass(frozen=True)
class QuietHours:
    """A time of day in which nothing is sent; it may span midnight."""

    begin: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether ``at`` (local) lies within."""
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True)
class Rules:
    """The rules of one site, ready for use."""

    types: frozenset[str]
    watches: str
    minimum_rating: int | None
    only_shows: tuple[str, ...]
    except_shows: tuple[str, ...]
    only_genres: tuple[str, ...]
    except_genres: tuple[str, ...]
    delay: timedelta
    quiet_hours: QuietHours | None
    news_days: timedelta
    older: str
    unknown_dates: str
    binge: bool
    binge_pause: timedelta
    pace: Rate
    order: str
    status: str
    visibility: str
    film_categories: tuple[str, ...]
    episode_categories: tuple[str, ...]
    timezone: ZoneInfo | None
    film_text: str
    episode_text: str
    binge_text: str
    text_in: str
    text_format: str
    payload: str
    poster: str
    syndicate_to: tuple[str, ...]
    living: bool
    living_for: timedelta
    on_removal: str
    on_new_date: str
    generator: str
    front_matter: str
    command: str


@dataclass(frozen=True)
class Rule:
    """One line of the table: how a rule is read and what it means."""

    name: str
    default: str
    read: Callable[[str], Any]
    meaning: str
    example: str = ""
    """A right value, where the default shows none."""

    @property
    def hint(self) -> str:
        """What to write instead of a wrong value."""
        value = self.example or self.default
        return f"A right example: {self.name}=" + (f'"{value}"' if " " in value else value)

    @property
    def field(self) -> str:
        """Its name in :class:`Rules`."""
        return self.name.replace("-", "_")


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _types(text: str) -> frozenset[str]:
    known = {"films": {"movie"}, "episodes": {"episode"}, "both": {"movie", "episode"}}
    return frozenset(known[values.choice(*known)(text)])


def _on_or_off(text: str) -> bool:
    return values.choice("on", "off")(text) == "on"


def _rating(text: str) -> int | None:
    if text.strip() == "none":
        return None
    if not re.fullmatch(r"\s*([1-9]|10)\s*", text):
        raise ValueError("is not a rating from 1 to 10, or none")
    return int(text)


def _quiet_hours(text: str) -> QuietHours | None:
    if text.strip() == "none":
        return None
    match = re.fullmatch(r"\s*(\d\d:\d\d)\s*-\s*(\d\d:\d\d)\s*", text)
    if match is None or match[1] == match[2]:
        raise ValueError("is not BEGIN-END such as 23:00-07:00, or none")
    try:
        return QuietHours(time.fromisoformat(match[1]), time.fromisoformat(match[2]))
    except ValueError:
        raise ValueError("holds a time that no clock shows") from None


def _zone(text: str) -> ZoneInfo | None:
    name = text.strip()
    if name == "account":
        return None
    if name not in available_timezones():
        raise ValueError("is no time zone such as Europe/Berlin, or account")
    return ZoneInfo(name)


RULES: tuple[Rule, ...] = (
    Rule("types", "both", _types, "What is published: films, episodes or both."),
    Rule("watches", "all", values.choice("all", "first"), "All watches, or first watches only."),
    Rule(
        "minimum-rating", "none", _rating, "Hold a play until it is rated this much or more.", "7"
    ),
    Rule("only-shows", "", _items, "Only episodes of these shows (titles or slugs)."),
    Rule("except-shows", "", _items, "No episodes of these shows."),
    Rule("only-genres", "", _items, "Only titles of one of these genres."),
    Rule("except-genres", "", _items, "No titles of these genres."),
    Rule("delay", "10m", values.duration, "Wait so long, so that corrections settle."),
    Rule(
        "quiet-hours",
        "none",
        _quiet_hours,
        "Send nothing at this time of day: 23:00-07:00.",
        "23:00-07:00",
    ),
    Rule(
        "news-days",
        "7d",
        values.duration,
        "How long before the last successful check a play may have been watched to be news.",
    ),
    Rule("older", "hold", values.choice("hold", "publish"), "What becomes of plays too old."),
    Rule(
        "unknown-dates",
        "hold",
        values.choice("hold", "undated"),
        "Plays without a known date: hold them, or post them without one.",
    ),
    Rule("binge", "off", _on_or_off, "Fold the episodes of a binge into one post."),
    Rule("binge-pause", "2h", values.duration, "A binge is over when no episode came for so long."),
    Rule("pace", "10/1m", values.rate, "How many posts go out in which time."),
    Rule(
        "order",
        "oldest-first",
        values.choice("oldest-first", "newest-first"),
        "Which of the posts that wait goes out first.",
    ),
    Rule(
        "status",
        "default",
        values.choice("default", "published", "draft"),
        "Status of new posts; default leaves it to the site.",
    ),
    Rule(
        "visibility",
        "default",
        values.choice("default", "public", "unlisted", "private"),
        "Visibility of new posts; some sites refuse what they do not know.",
    ),
    Rule("film-categories", "watched,film", _items, "Categories of a film's post."),
    Rule("episode-categories", "watched,tv", _items, "Categories of an episode's post."),
    Rule("timezone", "account", _zone, "Time zone of the posts' dates.", "Europe/Berlin"),
    Rule("film-text", FILM_TEXT, template, "Text of a film's post.", "Saw {{ name }}"),
    Rule("episode-text", EPISODE_TEXT, template, "Text of an episode's post.", "Saw {{ name }}"),
    Rule("binge-text", BINGE_TEXT, template, "Text of a binge's post.", "Saw {{ name }}"),
    Rule(
        "text-in",
        "both",
        values.choice("content", "summary", "both"),
        "The property that carries the text.",
    ),
    Rule("text-format", "text", values.choice("text", "html"), "Plain text, or HTML with a link."),
    Rule(
        "payload",
        "standard",
        values.choice("standard", "reference", "reference-list", "url"),
        "How the title is cited; `reference` is for sites written for ownyourtrakt.",
    ),
    Rule(
        "poster",
        "off",
        values.choice("off", "cite", "featured"),
        "The title's poster: none, with what was watched, or as the post's `featured` picture.",
    ),
    Rule("syndicate-to", "", _items, "Where the site is asked to copy posts to (uids)."),
    Rule("living", "off", _on_or_off, "Update posts when a rating or a note arrives later."),
    Rule("living-for", "30d", values.duration, "How long after publishing a post is updated."),
    Rule(
        "on-removal",
        "leave",
        values.choice("leave", "delete"),
        "When a play is deleted at Trakt: leave its post and tell, or delete it.",
    ),
    Rule(
        "on-new-date",
        "leave",
        values.choice("leave", "update", "recreate"),
        "When a play's date is mended at Trakt: leave the post, update it or make it anew.",
    ),
    Rule(
        "generator",
        "none",
        values.choice("none", *GENERATORS),
        "Of a folder: which generator makes the site of its files.",
    ),
    Rule(
        "front-matter",
        "yaml",
        values.choice("yaml", "toml"),
        "Of a folder: the language of the files' heads; Hugo and Astro read both.",
    ),
    Rule("command", "", str.strip, "Of a folder: the command that is run in it after changes."),
)
"""Every rule there is. A test holds this table against Rules and the documentation."""

TABLE = {rule.name: rule for rule in RULES}


def read_rules(texts: Mapping[str, str]) -> Rules:
    """The rules of a site that has set ``texts``; raises InputError as :func:`read_rule` does."""
    chosen = {rule.name: rule.default for rule in RULES} | dict(texts)
    return Rules(**{TABLE[name].field: read_rule(name, text) for name, text in chosen.items()})


def read_rule(name: str, text: str) -> Any:
    """The value of the rule ``name``; raises InputError naming the rule and what is wrong."""
    rule = TABLE.get(name)
    if rule is None:
        raise InputError(f"{name!r} is no rule.", hint="`watchbook site set NAME` lists all rules.")
    try:
        return rule.read(text)
    except ValueError as reason:
        raise InputError(f"{name}: {text!r} {reason}.", hint=rule.hint) from None
