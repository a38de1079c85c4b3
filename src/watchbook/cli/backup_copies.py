"""What `watchbook backup` does and says about encryption and off-site copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watchbook.cli.context import plain
from watchbook.clock import from_millis, to_iso
from watchbook.errors import InputError, RemoteUnavailable

if TYPE_CHECKING:
    from watchbook.archive.encryption import Digested
    from watchbook.cli.context import Context
    from watchbook.offsite.handing_on import CopyResult
    from watchbook.store.accounts import Account

Command = TypeVar("Command", bound=Callable[..., Any])


def encrypt_option(command: Command) -> Command:
    """``--encrypt-to``, for commands that write archives."""
    return click.option(
        "--encrypt-to",
        multiple=True,
        metavar="RECIPIENT",
        callback=_read,
        help="Encrypt it to this age recipient (age1…); may be given several times.",
    )(command)


def identity_option(command: Command) -> Command:
    """``--identity``, for commands that read archives."""
    return click.option(
        "--identity",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The file with the age identity that opens encrypted archives.",
    )(command)


def _read(_ctx: click.Context, _option: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    from watchbook.values import recipients

    try:
        return recipients(" ".join(given))
    except ValueError as reason:
        raise InputError(
            f"--encrypt-to {reason}.",
            hint="A right example: --encrypt-to age1…, the public key that `age-keygen` shows.",
        ) from None


def owner_of(context: Context) -> Account | None:
    """Whose settings speak of copies of the installation; None before there is any account."""
    from watchbook.store import accounts

    with context.store.database.read() as conn:
        return next((one for one in accounts.all_accounts(conn) if one.owner), None)


def hand_on(context: Context, account: Account | None, path: Path) -> list[CopyResult]:
    """Copy an archive to where the settings say; failures are among the results."""
    from watchbook.offsite.handing_on import after_backup

    if account is None:
        return []
    return after_backup(context.store, context.settings, account, path)


def as_data(results: Sequence[CopyResult]) -> list[dict[str, Any]]:
    """The results for other programs."""
    from watchbook.redaction import cleaned

    return [
        {
            "archive": one.archive,
            "place": one.place,
            "state": one.state,
            "words": cleaned(one.words),
            "retry_at": None if one.retry_at is None else to_iso(from_millis(one.retry_at)),
        }
        for one in results
    ]


def tell(context: Context, results: Sequence[CopyResult], name: str) -> None:
    """A line for each place; what is not about the archive ``name`` says so."""
    for one in results:
        about = "" if one.archive == name else f" ({plain(one.archive)})"
        words = plain(one.words).replace("\n", " ")
        if one.failed:
            context.say_styled(f"[bold red]No copy[/]   {plain(one.place)}{about}: {words}")
        elif one.state == "waiting":
            context.say_styled(f"Waiting   {plain(one.place)}{about}: {words}")
        else:
            done = "Ran      " if one.place == "command" else "Copied   "
            context.say_styled(f"{done} {plain(one.place)}{about}, {words}")


def exit_code(results: Sequence[CopyResult]) -> int:
    """0, or 75 when a copy is still to be made."""
    return RemoteUnavailable.exit_code if any(one.failed for one in results) else 0


def refuse_failed(results: Sequence[CopyResult]) -> None:
    """Raise RemoteUnavailable when a copy was not made; the archive itself is safe then."""
    failed = [one for one in results if one.failed]
    if not failed:
        return
    places = ", ".join(dict.fromkeys(one.place for one in failed))
    hint = next((one.hint for one in failed if one.hint), None)
    again = "`watchbook backup` and `watchbook serve` try again."
    raise RemoteUnavailable(
        f"The archive is safe here, but has not arrived everywhere: {places}.",
        hint=f"{hint.rstrip()} {again}" if hint else again,
    )


def tell_places(context: Context, places: Sequence[str]) -> None:
    """Below an archive in the list: where its copies are."""
    if places:
        context.say_styled(f"                  also at {plain(', '.join(places))}")


def places_of(context: Context, account: Account) -> dict[str, list[str]]:
    """Where the copies of each archive are."""
    from watchbook.offsite import copies

    with context.store.database.read() as conn:
        return copies.made(conn, account.id)


def refuse_foreign(path: Path) -> None:
    """Tell a file of another kind from an archive that is damaged; raises InputError."""
    from watchbook.archive.encryption import is_encrypted
    from watchbook.files import file_errors

    if path.name.endswith((".tar.gz", ".tar.gz.age")) or is_encrypted(path):
        return  # what it claims to be, it must be
    with file_errors(path), path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return
    raise InputError(
        f"{path.name} is no archive of Watchbook.",
        hint="Archives are called backup-….tar.gz; `watchbook backup list` shows them.",
    )


def tell_unopened(context: Context, path: Path, found: Digested) -> None:
    """An encrypted archive whose bytes are as they were written; nobody has looked inside."""
    if context.json:
        context.answer(
            {
                "path": str(path),
                "outcome": "whole",
                "encrypted": True,
                "bytes": found.bytes,
                "sha256": found.sha256,
                "digest_beside": found.beside,
            }
        )
    context.say_styled(f"[green]Whole[/]     [bold]{plain(path.name)}[/], every byte as written")
    context.say_styled("Note      encrypted: `--identity FILE` checks what is inside, too")


def tell_unrecorded(context: Context, strange: list[tuple[str, str]]) -> None:
    """Encrypted archives that came from elsewhere: nothing is wrong with them."""
    from watchbook.archive.ledger import UNRECORDED

    for name, reason in strange:
        if reason == UNRECORDED:
            context.say_styled(
                f"Note      {plain(name)}: {reason}; "
                f"`watchbook backup verify {plain(name)} --identity KEY` tells what is in it"
            )
