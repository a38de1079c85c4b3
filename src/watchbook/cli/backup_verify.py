"""``watchbook backup verify``: read every byte of archives again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli import backup_copies
from watchbook.cli.backup_copies import identity_option
from watchbook.cli.context import plain
from watchbook.cli.sizes import said_size
from watchbook.clock import counted, from_iso
from watchbook.errors import ArchiveDamaged, InputError

if TYPE_CHECKING:
    from watchbook.archive.ledger import Archive, Checked
    from watchbook.archive.verify import Verification
    from watchbook.cli.context import Context
    from watchbook.store.accounts import Account

_NEW_ONE = "Run `watchbook backup` to write a new one."


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@identity_option
@click.pass_obj
def verify(context: Context, *, file: Path | None, identity: Path | None) -> int:
    """Read every byte of one archive, or of all.

    An encrypted one is held against its digest, and with --identity opened and checked inside.

    Example: watchbook backup verify backup-sandra-20261121T201500Z.tar.gz
    """
    if file is None and identity is not None:
        raise click.UsageError("--identity needs the name of an archive.")
    return _verify_all(context) if file is None else _verify_one(context, file, identity)


def _verify_all(context: Context) -> int:
    from watchbook.archive.backup import check_all
    from watchbook.archive.ledger import DAMAGED, WHOLE

    checked = check_all(context.store, context.account())
    if context.json:
        context.answer([{"name": one.name, **_checked(found)} for one, found in checked])
    for archive, found in checked:
        context.say_styled(f"{plain(archive.name)}  {_state(archive, found)}")
    if not checked:
        context.say_styled("There is no archive yet. Run `watchbook backup` to write one.")
    damaged = [archive.name for archive, found in checked if found.outcome == DAMAGED]
    left = any(found.outcome == WHOLE for _, found in checked)
    if context.json:
        return ArchiveDamaged.exit_code if damaged or (checked and not left) else 0
    if damaged:
        keep = "Others are whole; move it to another folder." if left else _NEW_ONE
        raise ArchiveDamaged(f"Damaged: {', '.join(damaged)}.", hint=keep)
    if checked and not left:
        raise ArchiveDamaged("No archive is left where they were written.", hint=_NEW_ONE)
    return 0


def _verify_one(context: Context, file: Path, identity: Path | None) -> int:
    from watchbook.archive.backup import backups_folder, check_one
    from watchbook.archive.encryption import check_digest, is_encrypted, verify_inside

    folder = backups_folder(context.settings.home)
    path = file if file.exists() else folder / file.name
    if not path.exists():
        raise InputError(f"There is no file {file}.", hint="`watchbook backup list` shows them.")
    if path.is_dir():
        raise InputError(
            f"{file} is a folder, and archives are files.",
            hint="Of an unpacked archive: `python3 verify.py` in its folder.",
        )
    backup_copies.refuse_foreign(path)
    checked = None
    if path.parent.resolve() == folder.resolve() and (ours := _recorded(context, path.name)):
        checked = check_one(context.store, *ours)
        if not checked.whole:
            raise ArchiveDamaged(checked.words or "It is damaged.", hint=_NEW_ONE)
    if identity is None and is_encrypted(path):
        outside = check_digest(path)
        if outside.beside or checked:
            backup_copies.tell_unopened(context, path, outside)
            return 0
    found = checked.found if checked and checked.found else verify_inside(path, identity)
    _tell_verified(context, path, found)
    return 0


def _recorded(context: Context, name: str) -> tuple[Account, Archive] | None:
    """The archive called ``name`` and whose it is, if it is in the ledger."""
    from watchbook.archive import ledger
    from watchbook.store import accounts

    with context.store.database.read() as conn:
        for account in accounts.all_accounts(conn):
            for archive in ledger.recorded(conn, account):
                if archive.name == name:
                    return account, archive
    return None


def _tell_verified(context: Context, path: Path, found: Verification) -> None:
    manifest = found.manifest
    if context.json:
        context.answer(
            {
                "path": str(path),
                "outcome": "whole",
                "verdict": manifest.verdict,
                "words": manifest.words,
                "bytes": found.bytes,
                "sha256": found.sha256,
                "digest_beside": found.beside,
                "counts": manifest.counts,
            }
        )
        return
    context.say_styled(f"[green]Whole[/]     [bold]{plain(path.name)}[/], every byte as written")
    held = f"{counted(found.rows, 'row')} in " if manifest.account else ""
    context.say_styled(f"Holds     {held}{len(manifest.files) + 1} files, {said_size(found.bytes)}")
    made = f"{from_iso(manifest.created_at):%Y-%m-%d %H:%M} UTC"
    context.say_styled(f"Verdict   {manifest.verdict} when it was made, {made}")
    for words in manifest.words:
        context.say_styled(f"          {plain(words)}")
    if not found.beside:
        context.say_styled("Note      no .sha256 beside it; the digests inside were checked")


def _checked(checked: Checked) -> dict[str, Any]:
    return {"outcome": checked.outcome, "words": checked.words}


def _state(archive: Archive, checked: Checked) -> str:
    if checked.whole:
        return f"[green]whole[/], {archive.verdict}"
    known = f"{archive.name} is {checked.outcome}"  # said on this line already
    words = checked.words or ""
    why = words.removeprefix(known) if words.startswith(known) else f": {words}"
    return f"[bold red]{checked.outcome}[/]{plain(why)}"
