"""``watchbook sync``: bring the copy up to date and say what changed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

import click

from watchbook.clock import counted

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.desk import Outcome
    from watchbook.store.accounts import Account
    from watchbook.sync import SyncOptions
    from watchbook.verdict import SyncReport

_AGAIN = "The next sync looks again; `watchbook sync --full` reads everything anew."

_COUNTS = {
    "added": "added",
    "changed": "changed",
    "removed": "removed",
    "held": "held",
    "gone": "taken in as gone",
}

INCOMPLETE = 65
"""Exit code of a sync that ended, but without all that Trakt claims."""


@click.command()
@click.option("--full", is_flag=True, help="Read everything again, whether it moved or not.")
@click.option(
    "--accept-removals",
    is_flag=True,
    help="Believe Trakt that the many rows which vanished at once are gone.",
)
@click.pass_obj
def sync(context: Context, *, full: bool, accept_removals: bool) -> int:
    """Bring the local copy up to date.

    Prints what changed and how many requests it took; with nothing new it takes one.

    Example: watchbook sync
    """
    from watchbook.sync import SyncOptions

    account = syncable_account(context)
    report = run_sync(context, account, SyncOptions(full=full, accept_removals=accept_removals))
    if context.json:
        context.answer(report.as_data())
    else:
        tell(context, report)
        if not (report.complete or report.total("held")):  # what is held says itself what to do
            click.echo(f"  {_AGAIN}", err=True)
    return 0 if report.complete else INCOMPLETE


def syncable_account(context: Context) -> Account:
    """The account to sync; a refresh token of the environment makes the first one."""
    from watchbook.environment import account_or_first

    return account_or_first(context.installation, context.account_name)


def run_sync(context: Context, account: Account, options: SyncOptions) -> SyncReport:
    """Sync ``account`` with a progress bar (plain lines when not on a terminal)."""
    from watchbook.cli.progress import Progress
    from watchbook.sync import client_of, sync_account
    from watchbook.trakt.client import Patience

    with (
        Progress(quiet=context.json or context.quiet) as progress,
        client_of(context.installation, account, Patience(on_wait=progress.waiting)) as client,
    ):
        return sync_account(context.store.database, account, client, progress, options)


def sync_first(context: Context, account: Account) -> SyncReport:
    """Sync before a backup, and tell in one line how it went."""
    from watchbook.sync import SyncOptions

    report = run_sync(context, account, SyncOptions())
    context.say(f"Sync of {_headline(report)}")
    return report


def tell(context: Context, report: SyncReport) -> None:
    """Say for a person what a sync came to."""
    context.say(_headline(report))
    tell_data_sets(context, report.data_sets)
    for note in report.notes:
        context.say(f"  note: {note}")
    context.say(
        f"{counted(report.requests, 'request')} in {report.seconds:.1f} s. "
        f"{report.words[:1].upper()}{report.words[1:].rstrip('.')}."
    )


def tell_data_sets(context: Context, outcomes: Iterable[Outcome]) -> None:
    """Say line by line what came of the data sets."""
    lines = [_line(name, list(family)) for name, family in _families(outcomes)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, counts in lines:
        context.say(f"  {name:<{width}} {counts}")


def _headline(report: SyncReport) -> str:
    return f"{report.account}: {changes(report)}."


def changes(report: SyncReport) -> str:
    """How many rows changed in which way, over all data sets: ``3 added, 1 removed``."""
    if report.nothing_new:
        return "nothing new"
    numbers = ((report.total(count), words) for count, words in _COUNTS.items())
    return ", ".join(f"{number:,} {words}" for number, words in numbers if number) or (
        "nothing changed"
    )


def _families(outcomes: Iterable[Outcome]) -> groupby[str, Outcome]:
    """Those worth a line; data sets such as ``list_items/7``, one for each list, share theirs."""
    told = [o for o in outcomes if o.added or o.changed or o.removed or o.words]
    return groupby(told, lambda outcome: outcome.name.partition("/")[0])


def _line(name: str, family: list[Outcome]) -> tuple[str, str]:
    kept = counted(sum(outcome.kept for outcome in family), "row")
    parts = [
        f"{sign}{count:,}"
        for sign, field in (("+", "added"), ("~", "changed"), ("-", "removed"))
        if (count := sum(getattr(outcome, field) for outcome in family))
    ]
    words = "; ".join(dict.fromkeys(outcome.words for outcome in family if outcome.words))
    many = f" ({len(family)})" if len(family) > 1 else ""
    return name + many, "  ".join(filter(None, [f"{kept:>12}", *parts, words]))
