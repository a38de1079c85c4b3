"""``watchbook backup``: write and list archives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watchbook.cli import backup_copies
from watchbook.cli.backup_copies import encrypt_option
from watchbook.cli.backup_diff import diff
from watchbook.cli.backup_prune import prune
from watchbook.cli.backup_verify import verify
from watchbook.cli.context import plain
from watchbook.cli.sizes import said_size
from watchbook.clock import counted, from_millis, in_words, now, to_iso
from watchbook.errors import ArchiveIncomplete, AuthorisationNeeded, RemoteError

if TYPE_CHECKING:
    from watchbook.archive.ledger import Archive
    from watchbook.archive.write import WrittenArchive
    from watchbook.cli.context import Context
    from watchbook.store.accounts import Account

Command = TypeVar("Command", bound=Callable[..., Any])


def _create_options(command: Command) -> Command:
    no_sync = click.option("--no-sync", is_flag=True, help="Do not ask Trakt for news first.")
    force = click.option("--force", is_flag=True, help="Write one even if nothing changed.")
    return no_sync(force(encrypt_option(command)))


@click.group(invoke_without_command=True)
@_create_options
@click.option(
    "--instance",
    is_flag=True,
    help="Save the whole installation instead: database and key.",
)
@click.pass_context
def backup(
    ctx: click.Context,
    *,
    no_sync: bool,
    force: bool,
    encrypt_to: tuple[str, ...],
    instance: bool,
) -> int:
    """Write, list and verify archives of everything.

    Without a subcommand it is `backup create`.

    Example: watchbook backup
    """
    if ctx.invoked_subcommand is not None:
        given = {"no-sync": no_sync, "force": force, "encrypt-to": encrypt_to}
        if misplaced := next((name for name, value in given.items() if value), None):
            raise click.UsageError(f"--{misplaced} belongs behind `create`.")
        if instance:
            raise click.UsageError("--instance stands alone, without a subcommand.")
        return 0
    if instance:
        return _save_instance(ctx.obj, encrypt_to)
    return _create(ctx.obj, no_sync=no_sync, force=force, encrypt_to=encrypt_to)


backup.add_command(diff)
backup.add_command(prune)
backup.add_command(verify)


@backup.command()
@_create_options
@click.pass_obj
def create(context: Context, *, no_sync: bool, force: bool, encrypt_to: tuple[str, ...]) -> int:
    """Sync, then write an archive.

    When the last one holds the same, it is verified instead.

    Example: watchbook backup create --no-sync
    """
    return _create(context, no_sync=no_sync, force=force, encrypt_to=encrypt_to)


@backup.command(name="list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the archives of the account, newest first.

    Example: watchbook backup list
    """
    from watchbook.archive.backup import backups_folder, list_archives
    from watchbook.archive.ledger import newest_good

    folder = backups_folder(context.store.home)
    account = context.account()
    known, strange = list_archives(context.store, account)
    places = backup_copies.places_of(context, account)
    known = [_as_it_stands(archive, folder) for archive in known]
    if context.json:
        archives = [_as_data(one) | {"copies": places.get(one.name, [])} for one in known]
        context.answer({"folder": str(folder), "archives": archives, "strange": dict(strange)})
        return
    if not known:
        context.say_styled("There is no archive yet. Run `watchbook backup` to write one.")
    best = newest_good(known)
    for archive in known:
        mark = "latest good" if best and archive.name == best.name else ""
        context.say_styled(_line(archive, mark))
        backup_copies.tell_places(context, places.get(archive.name, []))
    _tell_strange(context, strange)
    backup_copies.tell_unrecorded(context, strange)
    if known:
        context.say_styled(f"They lie in {plain(folder)}.")


def _create(context: Context, *, no_sync: bool, force: bool, encrypt_to: tuple[str, ...]) -> int:
    from watchbook.archive.backup import back_up, recipients_for

    account = _account(context, no_sync=no_sync)
    recipients = encrypt_to or recipients_for(context.settings, account)
    written = back_up(context.store, account, force=force, recipients=recipients)
    if not context.json:
        _tell(context, written)
    copies = backup_copies.hand_on(context, account, written.path)
    if context.json:
        context.answer(
            {
                "archive": _as_data(written.archive),
                "path": str(written.path),
                "unchanged": written.unchanged,
                "lost": written.lost.words if written.lost else None,
                "strange": dict(written.strange),
                "counts": written.manifest.counts,
                "copies": backup_copies.as_data(copies),
            }
        )
        if written.complete:
            return backup_copies.exit_code(copies)
        return ArchiveIncomplete.exit_code
    backup_copies.tell(context, copies, written.archive.name)
    if not written.complete:
        raise ArchiveIncomplete(
            f"The archive is incomplete: {written.archive.words}.",
            hint="Run `watchbook sync` and then `watchbook backup` again; it never counts as the "
            "latest good archive.",
        )
    backup_copies.refuse_failed(copies)
    return 0


def _account(context: Context, *, no_sync: bool) -> Account:
    if no_sync:
        return context.account()
    from watchbook.cli.sync import sync_first, syncable_account

    account = syncable_account(context)
    if _lives_on_exports(context, account):
        context.say("Not signed in to Trakt: the archive holds what its exports brought.")
        return account
    try:
        sync_first(context, account)
    except (AuthorisationNeeded, RemoteError) as reason:
        told = f"{reason.hint.rstrip()} " if reason.hint else ""
        reason.hint = f"{told}`watchbook backup --no-sync` saves what is here already."
        raise
    return context.account()


def _lives_on_exports(context: Context, account: Account) -> bool:
    """Whether nobody could be signed in for an account that exports have filled."""
    from watchbook.environment import may_use_environment
    from watchbook.overview import lives_on_exports

    with context.store.database.read() as conn:
        found = lives_on_exports(conn, account)
    return found and not may_use_environment(context.installation)


def _tell(context: Context, written: WrittenArchive) -> None:
    manifest, archive = written.manifest, written.archive
    if written.lost:
        context.say_styled(
            f"[bold red]Not to be relied on any more:[/] {plain(written.lost.words)}"
        )
    if written.unchanged:
        context.say_styled(
            f"Unchanged [bold]{plain(archive.name)}[/] holds the same, verified again"
        )
    else:
        context.say_styled(f"Written   [bold]{plain(archive.name)}[/]")
    gone = manifest.counts.get("removed", 0)
    held = counted(manifest.counts.get("data", 0), "row")
    also = f", and {counted(gone, 'row')} gone at Trakt" if gone else ""
    context.say_styled(
        f"Holds     {held} in {len(manifest.files) + 1} files, {said_size(archive.bytes)}{also}"
    )
    if written.complete:
        context.say_styled("Verdict   [green]complete[/], every byte read back and verified")
        for words in manifest.words:
            context.say_styled(f"          {plain(words)}")
    else:
        context.say_styled("Verdict   [bold red]incomplete[/], every byte read back and verified")
    context.say_styled(f"Where     {plain(written.path.parent)}")
    _tell_strange(context, written.strange)


def _save_instance(context: Context, encrypt_to: tuple[str, ...]) -> int:
    from watchbook.archive.backup import back_up_instance

    recipients = encrypt_to or context.settings.encrypt_to
    path, found = back_up_instance(context.store, recipients)
    copies = backup_copies.hand_on(context, backup_copies.owner_of(context), path)
    if context.json:
        told = {"path": str(path), "bytes": found.bytes, "sha256": found.sha256}
        context.answer(told | {"copies": backup_copies.as_data(copies)})
        return backup_copies.exit_code(copies)
    context.say_styled(f"Written   [bold]{plain(path.name)}[/]")
    context.say_styled(
        f"Holds     the whole installation, {said_size(found.bytes)}; keep it private"
    )
    for words in found.manifest.words:
        context.say_styled(f"          {plain(words)}")
    context.say_styled(f"Where     {plain(path.parent)}")
    backup_copies.tell(context, copies, path.name)
    backup_copies.refuse_failed(copies)
    return 0


def _tell_strange(context: Context, strange: list[tuple[str, str]]) -> None:
    from watchbook.archive.ledger import UNRECORDED

    for name, reason in strange:
        if reason != UNRECORDED:
            context.say_styled(
                f"[bold red]Not an archive of ours:[/] {plain(name)}: {plain(reason)}"
            )


def _as_it_stands(archive: Archive, folder: Path) -> Archive:
    """``archive`` as last checked, or gone: the folder says that without a check."""
    from dataclasses import replace

    from watchbook.archive.ledger import GONE

    there = (folder / archive.name).exists()
    return archive if there else replace(archive, check_outcome=GONE, check_words=None)


def _as_data(archive: Archive) -> dict[str, Any]:
    """``archive`` for other programs: times as text, nothing that means something only here."""
    from dataclasses import asdict

    data = asdict(archive)
    del data["id"], data["account_id"]
    for name in ("written_at", "checked_at"):
        data[name] = None if data[name] is None else to_iso(from_millis(data[name]))
    return data


def _line(archive: Archive, mark: str) -> str:
    from watchbook.archive.ledger import GONE, WHOLE
    from watchbook.archive.manifest import COMPLETE

    moment = from_millis(archive.written_at)
    verdict = archive.verdict if archive.verdict == COMPLETE else "[bold red]incomplete[/]"
    state = archive.check_outcome
    age = in_words(now() - from_millis(archive.checked_at or archive.written_at))
    shown = state if state == WHOLE else f"[bold red]{state}[/]"
    if state != GONE:
        shown += f" when checked {age} ago"
    parts = [
        f"{moment:%Y-%m-%d %H:%M}",
        plain(archive.name),
        said_size(archive.bytes).rjust(8),
        f"{verdict}, {shown}",
    ]
    return "  ".join([*parts, f"[green]{mark}[/]"] if mark else parts)
