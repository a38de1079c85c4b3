"""``watchbook backup prune``: delete archives that the keep rule does not ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.context import plain
from watchbook.cli.sizes import said_size
from watchbook.clock import counted
from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.archive.prune import Judged, Pruned
    from watchbook.cli.context import Context
    from watchbook.values import KeepRule


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@click.option("--keep", metavar="RULE", help="Keep by this rule instead of the one that is set.")
@click.pass_obj
def prune(context: Context, *, dry_run: bool, keep: str | None) -> int:
    """Delete old archives, by the rule which to keep.

    The latest good one is never deleted. The owner's call prunes the copies of the installation
    (`instance-…`), too, as a series of their own.

    Example: watchbook backup prune --dry-run --keep "7 daily, all yearly"
    """
    from watchbook.archive.prune import prune as prune_account
    from watchbook.archive.prune import prune_instance, rule_for

    account = context.account()
    chosen = _read(keep)
    rule = chosen or rule_for(context.settings, account)
    found = prune_account(context.store, account, rule, dry_run=dry_run)
    copies = None
    if account.owner:
        rule_of_copies = chosen or context.settings.keep
        copies = prune_instance(context.store, rule_of_copies, dry_run=dry_run)
    if context.json:
        told = {"archives": _as_data(found), "instance": _as_data(copies) if copies else None}
        context.answer({"dry_run": dry_run, "rule": str(rule), **told})
        return 0
    _tell(context, found, rule, dry_run=dry_run)
    if copies and (copies.stays or copies.goes):
        context.say("Copies of the installation:")
        _tell(context, copies, rule_of_copies, dry_run=dry_run)
    return 0


def _read(keep: str | None) -> KeepRule | None:
    from watchbook.values import keep_rule

    try:
        return None if keep is None else keep_rule(keep)
    except ValueError as reason:
        raise InputError(
            f"--keep: {keep!r} {reason}.", hint='For example: --keep "7 daily, 12 monthly".'
        ) from None


def _tell(context: Context, found: Pruned, rule: KeepRule, *, dry_run: bool) -> None:
    if not found.stays:
        context.say("There is no archive yet. Run `watchbook backup` to write one.")
        return
    for one in found.stays:
        _line(context, "[green]keep[/]  ", one)
    for one in found.goes:
        _line(context, "[red]delete[/]", one)
    gone, room = counted(len(found.goes), "archive"), said_size(found.bytes)
    if not found.goes:
        context.say(f"Nothing to delete by the rule {rule}.")
    elif dry_run:
        context.say(f"Nothing was deleted: {gone} would go and free {room} (rule: {rule}).")
    else:
        context.say(f"Deleted {gone}, {room} are free (rule: {rule}).")


def _line(context: Context, mark: str, one: Judged) -> None:
    size = said_size(one.bytes).rjust(8)
    context.say_styled(f"{mark}  {plain(one.name)}  {size}  {plain(one.reason)}")


def _as_data(found: Pruned) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "kept": [asdict(one) for one in found.stays],
        "deleted": [asdict(one) for one in found.goes],
        "bytes_freed": found.bytes,
    }
