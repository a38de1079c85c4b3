"""``watchbook site``: where plays are published: connecting, rules, trying out, parting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.asking import site_called
from watchbook.cli.columns import Row, show
from watchbook.cli.site_add import add
from watchbook.cli.site_ends import remove, reset, test
from watchbook.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchbook.cli.context import Context
    from watchbook.publish.standing import SiteStanding
    from watchbook.store.sites import Site, SiteState

_FEW_TRIES = 5
_MOST_ASKING = 20
_PREVIEWED = 3


@click.group(invoke_without_command=True, short_help="Connect your website, and set its rules.")
@click.pass_context
def site(ctx: click.Context) -> None:
    """Connect websites of your own, where each new play becomes a post, and set their rules.

    Without a subcommand it is `site list`.

    Example: watchbook site
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj)


site.add_command(add)


# --- Looking -----------------------------------------------------------------------------------


@site.command(name="list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the sites of the account and how they stand.

    Example: watchbook site list --json
    """
    _list(context)


@site.command(name="show", short_help="Show how a site stands, its rules and what it answered.")
@click.argument("name", required=False)
@click.pass_obj
def show_(context: Context, name: str | None) -> None:
    """Show how the site NAME stands, the rules it has set, and what it answered last.

    NAME may be left out where there is one site.

    Example: watchbook site show blog
    """
    from watchbook.clock import from_millis
    from watchbook.publish.standing import standing
    from watchbook.store import attempts

    found = site_called(context, name)
    with context.store.database.read() as conn:
        stands = standing(conn, found)
        asking = _asking(conn, found)
        tries = attempts.latest(conn, found.id, _FEW_TRIES)
    answers = [
        {
            "post": post.id,
            "what": post.kind if attempt.what == "send" else attempt.what,
            "at": from_millis(attempt.began_at),
            "outcome": attempt.outcome,
            "status": attempt.status,
            "words": attempt.words,
        }
        for post, attempt in tries
    ]
    show(context, _about(stands), head=found.name, aside=found.me or "")
    if asking:
        show(context, map(_about_asking, asking), head="Posts that need a word from you")
    show(context, _about_rules(found), head="Rules that differ from the defaults")
    if answers:
        show(context, map(_about_try, answers), head="What it answered last")
    if context.json:
        told = {"rules": found.rules, "asking": asking, "answers": answers}
        context.answer({**_as_data(stands), **told})


def _asking(conn: Connection, found: Site) -> list[dict[str, Any]]:
    """The newest posts that were refused, or of which nobody knows whether they are there."""
    from watchbook.clock import from_millis
    from watchbook.store import outbox
    from watchbook.store.outbox import PostState

    states = [PostState.UNKNOWN, PostState.REJECTED]
    posts = outbox.find(conn, found.id, states, newest_first=True, limit=_MOST_ASKING)
    return [
        {
            "post": post.id,
            "kind": post.kind,
            "state": post.state,
            "watched_at": from_millis(post.watched_at) if post.watched_at else None,
            "words": post.words,
            "url": post.url,
        }
        for post in posts
    ]


def _about_asking(one: dict[str, Any]) -> Row:
    from watchbook.overview import moment

    kind = "" if one["kind"] == "create" else one["kind"]
    when = moment(one["watched_at"]) if one["watched_at"] else ""
    about = ", ".join(filter(None, (one["state"], kind, when)))
    return Row(f"{one['post']}", f"{about}: {one['words']}")


def _list(context: Context) -> None:
    from watchbook.publish.standing import standings

    account = context.account()
    with context.store.database.read() as conn:
        known = standings(conn, account.id)
    if context.json:
        context.answer([_as_data(one) for one in known])
    if not known:
        context.say("There is no site yet. `watchbook site add ADDRESS` connects one.")
    show(context, [Row(one.name, f"{one.state}; {_counts(one)}{_whose(one)}") for one in known])


def _as_data(one: SiteStanding) -> dict[str, Any]:
    import msgspec

    from watchbook.redaction import cleaned

    found: dict[str, Any] = cleaned(msgspec.to_builtins(one))
    return found


def _whose(one: SiteStanding) -> str:
    return "; a token by hand: whose it is was not proven" if one.proven is False else ""


def _counts(one: SiteStanding) -> str:
    told = [f"{number} {state}" for state, number in one.posts.items() if number]
    return ", ".join(told) or "no posts yet"


def _about(one: SiteStanding) -> Iterator[Row]:
    from watchbook.overview import moment

    words = f"{one.state}: {one.words}" if one.words else one.state
    yield Row("state", words, "" if one.state == "working" else "red")
    if one.hint:
        yield Row("", one.hint)
    if one.retry_at is not None:
        yield Row("", f"It is asked again from {moment(one.retry_at)}.")
    yield Row("posts", _counts(one))
    yield Row("news", f"what is watched after {moment(one.connected_at)}")
    if one.published_at is not None:
        yield Row("last post", moment(one.published_at))
    yield Row("endpoint", one.endpoint)
    if one.proven is False:
        yield Row("owner", "not proven: the token was given by hand")


def _about_rules(found: Site) -> Iterator[Row]:
    from watchbook.publish.rules import TABLE

    for name, text in found.rules.items():
        yield Row(name, f"{text}  ({TABLE[name].meaning})" if name in TABLE else text)
    if not found.rules:
        yield Row("none", "`watchbook site set NAME key=value` sets one")


def _about_try(one: dict[str, Any]) -> Row:
    from watchbook.overview import moment

    status = f" (status {one['status']})" if one["status"] else ""
    words = f": {one['words']}" if one["words"] else ""
    told = f"{one['what']} of post {one['post']}: {one['outcome']}{status}{words}"
    return Row(moment(one["at"]), told)


# --- Rules -------------------------------------------------------------------------------------


@site.command(name="set", short_help="Set rules of a site, or list all that there are.")
@click.argument("name", required=False)
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@click.pass_obj
def set_(context: Context, name: str | None, changes: tuple[str, ...]) -> None:
    """Set rules of the site NAME: what is published, when, and how it looks.

    An empty value goes back to the default. A new text is shown as it would read for your last
    plays. Without a rule, all that there are are listed with what holds for the site. NAME may be
    left out where there is one site.

    Example: watchbook site set blog minimum-rating=7 film-text="Saw {{ name }}"
    """
    from watchbook.publish import desk, sampling

    if name is not None and "=" in name:  # it is the first of the changes
        changes, name = (name, *changes), None
    wanted = dict(map(_read_change, changes))
    account, found = context.account(), site_called(context, name)
    if not wanted:
        _tell_all_rules(context, found)
        return
    desk.check_media(context.installation, found, wanted)
    with context.store.database.write() as conn:
        found = desk.change_rules(conn, found, wanted)
    samples: list[str] = []
    if sampling.TEXT_RULES & wanted.keys():
        with context.store.database.read() as conn:
            samples = sampling.samples(conn, account, found, _PREVIEWED)
    show(context, _about_rules(found), head=f"{found.name} goes by these rules, else the defaults")
    if samples:
        show(context, [Row("", text) for text in samples], head="So it reads")
    if context.json:
        context.answer({"site": found.name, "rules": found.rules, "samples": samples})


def _tell_all_rules(context: Context, found: Site) -> None:
    """Every rule, with what holds for the site."""
    from watchbook.publish.rules import RULES

    if context.json:
        values = {rule.name: found.rules.get(rule.name, rule.default) for rule in RULES}
        context.answer({"site": found.name, "rules": values})
    rows = []
    for rule in RULES:
        own = found.rules.get(rule.name)
        told = " ".join((rule.default if own is None else own).split()) or "none"
        rows.append(Row(rule.name, f"{told}  ({rule.meaning})", "" if own is None else "green"))
    show(context, rows, head=found.name, aside="its rules, and what each means")


def _read_change(change: str) -> tuple[str, str]:
    key, separator, value = change.partition("=")
    if not separator:
        raise InputError(f"{change!r} sets nothing.", hint="Write KEY=VALUE, such as delay=30m.")
    return key.strip(), value


@site.command(short_help="Send nothing to a site; what is new waits.")
@click.argument("name", required=False)
@click.pass_obj
def pause(context: Context, name: str | None) -> None:
    """Send nothing to the site NAME for now; new plays wait, and nothing is lost.

    Example: watchbook site pause blog
    """
    from watchbook.store.sites import SiteState

    hint = "`watchbook site resume` goes on."
    _put(context, name, SiteState.PAUSED, "Paused by its owner.", hint)


@site.command(short_help="Go on after a pause, or ask a site again at once.")
@click.argument("name", required=False)
@click.pass_obj
def resume(context: Context, name: str | None) -> None:
    """Let the site NAME be published to again, after a pause or trouble.

    Example: watchbook site resume blog
    """
    from watchbook.store.sites import SiteState

    _put(context, name, SiteState.WORKING)


def _put(
    context: Context,
    name: str | None,
    state: SiteState,
    words: str | None = None,
    hint: str | None = None,
) -> None:
    from watchbook.store import sites

    found = site_called(context, name)
    with context.store.database.write() as conn:
        sites.set_state(conn, found.id, state, words, hint, retry_at=None, failures=0)
    context.say(f"{found.name} is {state} now.")
    if context.json:
        context.answer({"site": found.name, "state": state})


for _ending in (test, reset, remove):
    site.add_command(_ending)
