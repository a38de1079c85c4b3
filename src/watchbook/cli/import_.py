"""``watchbook import``: take in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchbook.clock import counted
from watchbook.errors import InputError
from watchbook.files import file_errors

if TYPE_CHECKING:
    from watchbook.archive.instance import Loaded
    from watchbook.cli.context import Context

_ACCEPTED = (
    "Accepted are instance-….tar.gz, which `watchbook backup --instance` writes, and the .db "
    "copies that an upgrade makes."
)
_GZIP = b"\x1f\x8b"
_SQLITE = b"SQLite format 3\0"


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_obj
def import_files(context: Context, files: tuple[Path, ...]) -> None:
    """Take in files: a saved installation, into an empty database.

    Example: watchbook import instance-20261121T201500Z.tar.gz
    """
    for file in files:
        _check_kind(file)
    results = [_import(context, file) for file in files]
    if context.json:
        context.answer(results)


def _check_kind(file: Path) -> None:
    if not file.is_file():
        raise InputError(f"There is no file {file}.", hint=_ACCEPTED)
    with file_errors(file), file.open("rb") as opened:
        start = opened.read(len(_SQLITE))
    if not start.startswith(_GZIP) and start != _SQLITE:
        raise InputError(f"{file.name} is no file that can be imported.", hint=_ACCEPTED)


def _import(context: Context, file: Path) -> Loaded:
    from watchbook.archive.instance import load_instance
    from watchbook.cli.context import plain

    loaded = load_instance(file, context.store)
    context.say_styled(f"Loaded    [bold]{plain(file.name)}[/]")
    held = [counted(loaded.rows.get(name, 0), name[:-1]) for name in ("accounts", "plays", "items")]
    context.say_styled(f"Holds     {', '.join(held)}; all rows are as they were")
    if loaded.key_replaced:
        context.say_styled(
            "Key       the one from the archive is in force; the old one lies beside it"
        )
    return loaded
