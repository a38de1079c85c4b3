"""``watchbook site test``, ``reset`` and ``remove``: a first post, a new begin, the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.asking import site_called, tell
from watchbook.cli.columns import Row, show
from watchbook.clock import counted
from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.publish.trying import Trial
    from watchbook.store.sites import Site

REFUSED = 69


@click.command(name="test", short_help="Make a test post, read it back, and delete it.")
@click.argument("name", required=False)
@click.option("--public", is_flag=True, help="A public post, marked as a test, and no draft.")
@click.option("--delete/--keep", default=None, help="Delete it afterwards, or not, unasked.")
@click.pass_obj
def test(context: Context, name: str | None, *, public: bool, delete: bool | None) -> int:
    """Make a draft at the site NAME, marked as a test; read it back, and offer to delete it.

    Ends with 69 when the site did not take it.

    Example: watchbook site test blog
    """
    from watchbook.publish.trying import take_back, try_out

    account, found = context.account(), site_called(context, name)
    trial = try_out(context.installation, account, found, draft=not public)
    show(context, _about_trial(trial), head=f"A test post at {found.name}")
    url, deleted = trial.outcome.url, False
    if delete is None and trial.outcome.good and url and not context.json:
        delete = _asked_to_delete(url)
    if trial.outcome.good and url and delete:
        ended = take_back(context.installation, found, url)
        deleted = ended.good
        said = "It is deleted." if deleted else f"It could not be deleted: {ended.words}"
        context.say(said)
    if context.json:
        context.answer(_trial_as_data(trial, deleted=deleted))
    return 0 if trial.outcome.good else REFUSED


def _asked_to_delete(url: str) -> bool:
    """Whether the post is to be deleted; raises InputError where nobody is there to say so."""
    try:
        return click.confirm("Delete it?", default=True, err=True)
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):
            tell(f"The post stays there: {url}")
            raise
        raise InputError(
            f"Standard input ended before the answer, so the post stays there: {url}",
            hint="Delete it there; --delete or --keep answers beforehand.",
        ) from None


def _about_trial(trial: Trial) -> Iterator[Row]:
    outcome = trial.outcome
    status = f" (status {outcome.status})" if outcome.status else ""
    said = f": {outcome.words}" if outcome.words else ""
    yield Row("answer", f"{outcome.kind.value}{status}{said}", "" if outcome.good else "red")
    if not outcome.good:
        return
    yield Row("post", outcome.url or "at an address that the site did not tell")
    if trial.source is not None and trial.source.there:
        kept = {True: ", and it is a draft", False: ", and it is public", None: ""}
        yield Row("read back", f"the site gives it back{kept[trial.is_draft]}")
    else:
        yield Row("read back", "the site does not give posts back; lost answers ask you then")


def _trial_as_data(trial: Trial, *, deleted: bool) -> dict[str, Any]:
    return {
        "sent": trial.sent,
        "outcome": trial.outcome.kind.value,
        "status": trial.outcome.status,
        "words": trial.outcome.words,
        "url": trial.outcome.url,
        "read_back": trial.source.properties if trial.source is not None else None,
        "draft": trial.is_draft,
        "deleted": deleted,
    }


@click.command(short_help="Forget what was posted to a site, to post it anew.")
@click.argument("name")
@click.option(
    "--look-up/--no-look-up",
    "look_up",
    default=None,
    help="Look for the posts first; those that are there are not forgotten.",
)
@click.option("--yes", is_flag=True, help="Do not ask whether to do it.")
@click.pass_obj
def reset(context: Context, name: str, *, look_up: bool | None, yes: bool) -> None:
    """Forget what was posted to the site NAME, and what waits for it; posts there stay.

    What is forgotten may be posted a second time, so the posts can be looked up first.

    Example: watchbook site reset blog --look-up
    """
    from watchbook.publish.resetting import reset as forget
    from watchbook.store import outbox

    found = site_called(context, name)
    with context.store.database.read() as conn:
        posted = outbox.counts(conn, found.id).get(outbox.PostState.PUBLISHED, 0)
    if look_up is None:
        tell(f"{counted(posted, 'post')} went to {found.name}. Those that are there can be looked")
        tell("for first, with some requests for each, and stay known.")
        look_up = click.confirm("Look first?", default=True, err=True)
    if not yes:
        _warn_of_reset(found, posted, look_up=look_up)
        click.confirm(f"Forget what was posted to {found.name}?", abort=True, err=True)
    ended = forget(context.installation, context.account(), found, look_up=look_up)
    context.say(f"Forgotten: {ended.forgotten}. Still known, as they may be there: {ended.kept}.")
    context.say(f"Next: watchbook publish --since DATE --site {found.name}, to post them anew.")
    if context.json:
        context.answer({"site": name, "forgotten": ended.forgotten, "kept": ended.kept})


def _warn_of_reset(found: Site, posted: int, *, look_up: bool) -> None:
    lost = "what is surely not there" if look_up else f"all {counted(posted, 'post')}"
    tell(f"WARNING: Watchbook forgets {lost}, and what waits. None of it is deleted from the")
    tell(f"site {found.me or found.endpoint}, so what is published again will be there twice,")
    tell("unless you delete it there first.")


@click.command(short_help="Part with a site; its posts stay there.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(context: Context, name: str, *, yes: bool) -> None:
    """Give the token of the site NAME back and forget the site; the posts stay there.

    Example: watchbook site remove blog
    """
    from watchbook.publish.joining import part

    found = site_called(context, name)
    if not yes:
        tell("Its posts stay on the site. Watchbook forgets which they are, with what waits,")
        tell("and gives the token back. Connected again, the site begins anew.")
        click.confirm(f"Remove {found.name}?", abort=True, err=True)
    problem = part(context.installation, found)
    if problem is not None:
        tell(problem)
    context.say(f"{found.name} is not published to any more; its posts stay there.")
    if context.json:
        context.answer({"removed": name, "problem": problem})
