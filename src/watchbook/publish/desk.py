"""What is asked of publishing: send, show, retry, settle, go back in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.connecting import Installation
from watchbook.errors import InputError
from watchbook.micropub.citing import Properties
from watchbook.micropub.post import properties
from watchbook.publish import news, posters
from watchbook.publish.composing import composed
from watchbook.publish.deciding import decided
from watchbook.publish.facts import facts_by_post
from watchbook.publish.folders import Folder, in_file
from watchbook.publish.outlets import Outlet
from watchbook.publish.rules import TABLE, read_rule, read_rules
from watchbook.publish.sending import REMOVED, Pass, Sent
from watchbook.publish.settling import as_it_is
from watchbook.publish.websites import Website
from watchbook.store import datasets, leases, media, outbox, plays, sites
from watchbook.store.accounts import Account
from watchbook.store.outbox import Post, PostKind, PostState, Reason
from watchbook.store.sites import Kind, Site, SiteState

EVERYTHING = from_millis(0)
"""The date since which all plays are taken, those without a known date included."""

_EVER = 2**62


@dataclass(frozen=True)
class Preview:
    """A post as it would be sent now; ``words`` say why it would not be."""

    post: Post
    properties: Properties | None
    words: str | None
    file: str | None = None
    """What the post's file would hold, where the site is a folder."""


def outlet_of(installation: Installation, site: Site) -> Outlet:
    """Where the posts of a site go."""
    if site.kind == Kind.FOLDER:
        return Folder(installation.store, site)
    return Website(installation.http.naming_hosts(), installation.store, site)


def publish(installation: Installation, account: Account, site: Site) -> Sent:
    """Send what is due at a site; raises StoreBusy while somebody else does, and StoreError."""
    database = installation.store.database
    purpose = f"publishing to {site.name} of {account.name}"
    with leases.holding(database, f"site:{site.id}", purpose) as lease:
        with database.read() as conn:
            by_now = as_it_is(conn, site)
        if by_now is None:
            return Sent({}, REMOVED)
        outlet = outlet_of(installation, by_now)
        return Pass(lease, account, by_now, outlet, installation.store).run()


def previews(conn: sa.Connection, account: Account, site: Site) -> Iterator[Preview]:
    """The posts that wait, as they would be sent now, in the order in which they would."""
    rules = read_rules(site.rules)
    state = datasets.find(conn, account.id, "watched_history").state
    newest_first = rules.order == "newest-first"
    states = [PostState.WAITING, PostState.HELD]
    rows = outbox.find(conn, site.id, states, newest_first=newest_first)
    known = facts_by_post(conn, site, rows)
    for post in rows:
        if post.kind != PostKind.CREATE:
            yield Preview(post, None, f"{post.kind} of a post")
            continue
        facts = known[post.id]
        decision = decided(facts, rules, complete=state == datasets.COMPLETE)
        words = post.words if post.state == PostState.HELD else decision.words
        try:
            shown = posters.known(conn, site, rules, facts)
            entry = composed(facts, rules, account, post.slug, shown) if facts else None
        except ValueError as reason:
            yield Preview(post, None, str(reason))
            continue
        if entry is None:
            yield Preview(post, None, words)
            continue
        file = in_file(entry, rules) if site.kind == Kind.FOLDER else None
        yield Preview(post, properties(entry, now=now()), words, file)


def take_older(conn: sa.Connection, site: Site, since: datetime) -> int:
    """Let plays since then go out that are not news; returns how many there are.

    Those that were held for being older are among them. Plays without a known date come with
    EVERYTHING only, and are held where the site's rules say so.
    """
    moment, start = to_millis(now()), to_millis(since)
    undated = read_rules(site.rules).unknown_dates == "undated"
    found = plays.ids_between(conn, site.account_id, start, _EVER)
    fresh = plays.by_ids(conn, site.account_id, found - outbox.known_plays(conn, site.id))
    for row in fresh:
        reason = None if row.watched_at or undated else Reason.UNDATED
        post = news.post_of(site, row, f"trakt-{row.history_id}", moment, reason)
        outbox.offer(conn, post, row.history_id)
    freed = outbox.free_held(conn, site.id, Reason.OLDER, start)
    return sum(1 for row in fresh if row.watched_at or undated) + freed


def retry(conn: sa.Connection, site: Site) -> int:
    """Let refused posts wait again, and the site be asked again; returns how many there are."""
    if site.state != SiteState.WORKING:
        sites.set_state(conn, site.id, SiteState.WORKING, failures=0, retry_at=None)
    rows = outbox.find(conn, site.id, [PostState.REJECTED])
    for post in rows:
        due_at = to_millis(now())
        tries = min(post.tries, 1)  # what a server had trouble with may be there: it is looked for
        values = {"state": PostState.WAITING, "words": None, "tries": tries, "due_at": due_at}
        outbox.change(conn, post.id, **values)
    return len(rows)


def settle(conn: sa.Connection, post: Post, answer: str, url: str | None = None) -> None:
    """What the owner says of a post: it is there (posted), is to be sent (again), or dropped.

    Raises InputError when that makes no sense for the post.
    """
    certain = post.state == PostState.PUBLISHED and post.reason != Reason.PROMISED
    if post.state == PostState.SENDING or (answer == "again" and certain):
        raise InputError(
            f"Post {post.id} is {post.state}, so there is nothing to settle.",
            hint="`watchbook publish --dry-run` shows what waits.",
        )
    if answer == "posted":
        words = "Its owner says so."
        outbox.settle(conn, post.id, PostState.PUBLISHED, words, url=url or post.url, reason=None)
    elif answer == "again":
        outbox.settle(conn, post.id, PostState.WAITING, due_at=to_millis(now()), reason=None)
    else:
        words = "Its owner dropped it."
        outbox.settle(conn, post.id, PostState.WITHDRAWN, words, reason=Reason.OWNER)


def check_media(installation: Installation, site: Site, changes: Mapping[str, str]) -> None:
    """Raise InputError when posters are wanted at a site that says it takes no pictures.

    One that does not answer may take them. Raises StoreBusy.
    """
    if site.kind == Kind.FOLDER or changes.get("poster", "").strip() not in {"cite", "featured"}:
        return
    database = installation.store.database
    with leases.holding(database, f"site:{site.id}", f"a question to {site.name}"):
        with database.read() as conn:
            site = sites.get(conn, site.id)
        website = Website(installation.http.naming_hosts(), installation.store, site)
        if website.check().good and website.media_endpoint is None:
            raise InputError(
                f"{site.name} takes no pictures: its configuration names no media endpoint.",
                hint="Posts go out without posters there; leave poster=off.",
            )


def change_rules(conn: sa.Connection, site: Site, changes: Mapping[str, str]) -> Site:
    """Set rules of a site; an empty text goes back to the default. Raises InputError.

    Posters that the site did not take are offered anew when theirs is among the rules.
    """
    for name, text in changes.items():
        if text.strip() or name not in TABLE:
            read_rule(name, text)
    kept = {name: text for name, text in {**site.rules, **changes}.items() if text.strip()}
    sites.set_rules(conn, site.id, kept)
    if "poster" in changes:
        media.try_again(conn, site.id)
    return sites.get(conn, site.id)
