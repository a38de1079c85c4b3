"""``watchbook publish``: send what is due to the account's sites, show it, settle what is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.asking import since
from watchbook.cli.columns import Row, show
from watchbook.clock import counted
from watchbook.errors import InputError, TakenOver, WatchbookError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.publish.desk import Preview
    from watchbook.publish.sending import Sent
    from watchbook.store.accounts import Account
    from watchbook.store.sites import Site

NEEDS_SIGN_IN, IS_DOWN, REFUSED = 77, 75, 65

_SHOWN = 20
"""Posts of a site that a dry run prints for a person."""

_WORDS = {
    "published": "published",
    "updated": "updated",
    "deleted": "deleted",
    "waiting": "to be sent again",
    "rejected": "refused by the site",
    "unknown": "with a lost answer, looked for from now on",
    "missing": "promised by the site and not there",
    "held": "held by the site's rules",
    "withdrawn": "not wanted by the site's rules",
}


@click.command(short_help="Publish what is due to your sites, or show what would go out.")
@click.option("--dry-run", is_flag=True, help="Show the exact posts that wait; send nothing.")
@click.option(
    "--since",
    "begin",
    metavar="DATE",
    help="Let older plays go out, too: since that date, or `everything`.",
)
@click.option("--retry", is_flag=True, help="Try what was refused again, and the site at once.")
@click.option(
    "--settle",
    type=(int, click.Choice(["posted", "again", "drop"])),
    metavar="ID posted|again|drop",
    help="Say what became of a post: it is there, it is to be sent (again), or never.",
)
@click.option("--url", metavar="URL", help="With --settle ID posted: where the post is.")
@click.option("--site", "name", metavar="NAME", help="This site only.")
@click.pass_obj
def publish(
    context: Context,
    *,
    dry_run: bool,
    begin: str | None,
    retry: bool,
    settle: tuple[int, str] | None,
    url: str | None,
    name: str | None,
) -> int:
    """Publish what is due to your sites; each play becomes one post, once.

    Ends with 0 when all is well, 77 when a site needs a sign-in, 75 when one is down, 65 when one
    has refused posts. `serve` does the same every minute.

    Example: watchbook publish --dry-run
    """
    _check_options(dry_run=dry_run, settle=settle, url=url, others=bool(begin or retry))
    if settle is not None:
        _settle(context, *settle, url)
        return 0
    account = context.account()
    chosen = _sites(context, account, name)
    _prepare(context, account, chosen, begin, retry=retry)
    if dry_run:
        _preview(context, account, chosen)
        return 0
    return _publish(context, account, chosen)


def _check_options(
    *, dry_run: bool, settle: tuple[int, str] | None, url: str | None, others: bool
) -> None:
    if dry_run + bool(settle) + others > 1:
        raise InputError(
            "--dry-run, --settle and --since or --retry do different things.",
            hint="Give one of them.",
        )
    if url is not None and (settle is None or settle[1] != "posted"):
        raise InputError(
            "--url says where a post is that was made.",
            hint="Example: watchbook publish --settle 12 posted --url https://you.example/12",
        )


def _sites(context: Context, account: Account, name: str | None) -> list[Site]:
    """The named site, or all of the account's; raises InputError when there is none."""
    from watchbook.store import sites

    with context.store.database.read() as conn:
        known = sites.all_sites(conn, account.id)
        return known if known and name is None else [sites.choose(conn, account, name)]


def _prepare(
    context: Context, account: Account, chosen: list[Site], begin: str | None, *, retry: bool
) -> None:
    from watchbook.publish import desk

    moment = since(account, begin) if begin is not None else None
    for site in chosen:
        with context.store.database.write() as conn:
            if moment is not None:
                number = desk.take_older(conn, site, moment)
                context.say(f"{site.name}: {counted(number, 'older play')} will be published.")
            if retry:
                number = desk.retry(conn, site)
                context.say(f"{site.name}: {counted(number, 'refused post')} tried again.")


# --- Sending -----------------------------------------------------------------------------------


def _publish(context: Context, account: Account, chosen: list[Site]) -> int:
    """Publish to one site after the other; what hinders one does not hinder the others."""
    from watchbook.publish import desk
    from watchbook.publish.sending import Sent

    sent, failed = {}, []
    for site in chosen:
        try:
            sent[site.id] = desk.publish(context.installation, account, site)
        except TakenOver:
            raise
        except WatchbookError as reason:
            failed.append(reason)
            sent[site.id] = Sent({}, reason.message)
    if len(failed) == len(chosen):
        raise failed[0]
    ended = [(_by_now(context, site), sent[site.id]) for site in chosen]
    show(context, (row for site, one in ended for row in _told(site, one)))
    if context.json:
        context.answer([_as_data(site, one) for site, one in ended])
    return failed[0].exit_code if failed else _exit_code(ended)


def _by_now(context: Context, site: Site) -> Site:
    """The site as it stands after the pass; as it stood before where it was removed meanwhile."""
    from watchbook.publish.settling import as_it_is

    with context.store.database.read() as conn:
        return as_it_is(conn, site) or site


def _told(site: Site, sent: Sent) -> Iterator[Row]:
    parts = [f"{number} {_WORDS[end]}" for end, number in sent.counts.items()]
    yield Row(site.name, ", ".join(parts) or "nothing was due")
    if sent.stopped:
        yield Row("", sent.stopped)
    if site.hint:
        yield Row("", site.hint)


def _as_data(site: Site, sent: Sent) -> dict[str, Any]:
    return {
        "site": site.name,
        "state": site.state,
        "counts": sent.counts,
        "stopped": sent.stopped,
        "hint": site.hint,
    }


def _exit_code(ended: list[tuple[Site, Sent]]) -> int:
    """The code of the most urgent need."""
    from watchbook.store.sites import SiteState

    states = {site.state for site, _ in ended}
    if SiteState.SIGN_IN in states:
        return NEEDS_SIGN_IN
    if SiteState.TROUBLED in states:
        return IS_DOWN
    return REFUSED if any(one.counts.get("rejected") for _, one in ended) else 0


# --- Showing -----------------------------------------------------------------------------------


def _preview(context: Context, account: Account, chosen: list[Site]) -> None:
    """Print what waits; the posts are the same, byte for byte, with ``--json``."""
    from watchbook.publish import desk

    with context.store.database.read() as conn:
        found = {site.name: list(desk.previews(conn, account, site)) for site in chosen}
    if context.json:
        context.answer({name: [_shown(one) for one in posts] for name, posts in found.items()})
        return
    for name, posts in found.items():
        context.say(f"{name}: {counted(len(posts), 'post')} in the queue.")
        for one in posts[:_SHOWN]:
            _show_preview(context, one)
        if len(posts) > _SHOWN:
            context.say(f"The first {_SHOWN} of {len(posts):,}; --json shows them all.")


def _show_preview(context: Context, one: Preview) -> None:
    import msgspec

    from watchbook.micropub.post import entry

    context.say(f"Post {one.post.id}, {_standing(one)}")
    if one.file is not None:
        for line in one.file.splitlines():
            context.say(line)
    elif one.properties is not None:
        body = msgspec.json.encode(entry(one.properties))
        for line in msgspec.json.format(body, indent=2).decode().splitlines():
            context.say(line)


def _standing(one: Preview) -> str:
    """How a post waits, why, and what lets it go where it would wait for ever."""
    from watchbook.clock import from_millis
    from watchbook.overview import moment
    from watchbook.store.outbox import PostState, Reason

    post = one.post
    due = f", due {moment(from_millis(post.due_at))}" if post.state != PostState.HELD else ""
    ways: dict[str, str] = {
        Reason.OLDER: "`watchbook publish --since DATE` sends it.",
        Reason.UNDATED: f"`watchbook publish --settle {post.id} again` sends it.",
    }
    way = None if due else ways.get(post.reason or "")
    return " ".join(filter(None, (f"{post.state}{due}.", one.words, way)))


def _shown(one: Preview) -> dict[str, Any]:
    from watchbook.clock import from_millis
    from watchbook.micropub.post import entry

    return {
        "id": one.post.id,
        "kind": one.post.kind,
        "state": one.post.state,
        "due_at": from_millis(one.post.due_at),
        "words": one.words,
        "post": entry(one.properties) if one.properties is not None else None,
    }


# --- Settling ----------------------------------------------------------------------------------


def _settle(context: Context, post_id: int, answer: str, url: str | None) -> None:
    from watchbook.publish import desk
    from watchbook.store import outbox
    from watchbook.urls import absolute

    account = context.account()
    if url is not None and absolute(url) is None:
        raise InputError(f"{url!r} is no address.", hint="Copy it whole, with https://.")
    with context.store.database.write(durable=True) as conn:
        post = outbox.get(conn, post_id, lock=True)
        if post is None or post.account_id != account.id:
            raise InputError(
                f"{account.name} has no post {post_id}.",
                hint="`watchbook site show` names the posts that need a word from you.",
            )
        desk.settle(conn, post, answer, url)
        post = outbox.get(conn, post_id)
    assert post is not None
    context.say(f"Post {post.id} is {post.state} now.")
    if context.json:
        context.answer({"id": post.id, "state": post.state, "url": post.url})
