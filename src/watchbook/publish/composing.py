"""From plays to the post that a site gets, by its rules and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from types import MappingProxyType

from watchbook.clock import UNKNOWN_DATE, from_millis
from watchbook.micropub.citing import Payload
from watchbook.micropub.post import Look, Post
from watchbook.micropub.titles import Episode, Film, Picture, Show, Watched, page_of
from watchbook.publish.facts import Facts
from watchbook.publish.rules import Rules
from watchbook.publish.texts import EpisodeWords, Words, rendered
from watchbook.store.accounts import Account

_NONE: Mapping[str, str] = MappingProxyType({})


def composed(
    found: Sequence[Facts],
    rules: Rules,
    account: Account,
    slug: str | None = None,
    posters: Mapping[str, str] = _NONE,
) -> Post:
    """The post about some plays; several are a binge, told by its last episode's date.

    ``posters`` are the addresses of posters by title, those of shows for episodes.

    Raises ValueError, with a sentence, when a play's title is not known, or a template cannot be
    filled in.
    """
    watched = [_pictured(_known(facts), posters.get(facts.poster_key or "")) for facts in found]
    zone = zone_of(rules, account)
    words = _words(found, watched, zone)
    template = _template(watched, rules)
    text = _text(template, words, html=False)
    html = _text(template, words, html=True) if rules.text_format == "html" else None
    moment = from_millis(found[-1].play.watched_at)
    film = found[0].play.type == "movie"
    return Post(
        watched,
        text,
        published=None if moment == UNKNOWN_DATE else moment,
        html=html,
        categories=rules.film_categories if film else rules.episode_categories,
        look=_look(rules, zone),
        slug=slug,
    )


def zone_of(rules: Rules, account: Account) -> tzinfo:
    """The time zone of a site's posts: its own, else the account's."""
    return rules.timezone or account.zone or UTC


def _text(template: str, words: Words, *, html: bool) -> str:
    try:
        text = rendered(template, words, html=html)
    except ValueError as reason:
        raise ValueError(f"The text {reason}.") from None
    if not text:
        raise ValueError("The text is empty.")
    return text


def _known(facts: Facts) -> Watched:
    if facts.watched is None:
        raise ValueError("Trakt does not say what was watched.")
    return facts.watched


def _pictured(watched: Watched, url: str | None) -> Watched:
    what = watched.what.show if isinstance(watched.what, Episode) else watched.what
    alt = f"Poster of {_dated(what)}"
    return replace(watched, poster=Picture(url, alt)) if url else watched


def _template(watched: Sequence[Watched], rules: Rules) -> str:
    if len(watched) > 1:
        return rules.binge_text
    return rules.episode_text if isinstance(watched[0].what, Episode) else rules.film_text


def _words(found: Sequence[Facts], watched: Sequence[Watched], zone: tzinfo) -> Words:
    first, what = found[0], watched[0].what
    moment = from_millis(found[-1].play.watched_at)
    day = "" if moment == UNKNOWN_DATE else moment.astimezone(zone).date().isoformat()
    words = Words(
        _name(watched[0]),
        what.name or "",
        page_of(what),
        year=first.play.year,
        rating=first.play.rating,
        note=first.note,
        times=first.times,
        runtime=first.play.runtime,
        watched=day,
        genres=first.genres,
    )
    if isinstance(what, Episode):
        words = _of_show(words, what, watched)
    return words


def _of_show(words: Words, what: Episode, watched: Sequence[Watched]) -> Words:
    """The words about an episode, or a binge, which is named like its show."""
    episodes = [_episode(one.what) for one in watched if isinstance(one.what, Episode)]
    several = len(episodes) > 1
    return replace(
        words,
        name=what.show.name if several else words.name,
        url=page_of(what.show) if several else words.url,
        show=what.show.name,
        code=code(what),
        season=what.season,
        episode=what.number,
        year=what.show.year,
        episodes=episodes,
    )


def _name(watched: Watched) -> str:
    what = watched.what
    if isinstance(what, Episode):
        title = f": {what.name}" if what.name else ""
        return f"{what.show.name} {code(what)}{title}"
    return _dated(what)


def _dated(what: Film | Show) -> str:
    return f"{what.name} ({what.year})" if what.year else what.name


def _episode(what: Episode) -> EpisodeWords:
    return EpisodeWords(code(what), what.season, what.number, what.name or "")


def code(what: Episode) -> str:
    """``S02E07``."""
    return f"S{what.season:02}E{what.number:02}"


def _look(rules: Rules, zone: tzinfo) -> Look:
    return Look(
        Payload(rules.payload),
        rules.text_in,
        rules.poster,
        status=None if rules.status == "default" else rules.status,
        visibility=None if rules.visibility == "default" else rules.visibility,
        syndicate_to=rules.syndicate_to,
        zone=zone,
        rated=rules.generator != "none",
    )
