"""``watchbook import``: take in files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchbook.cli.backup_copies import identity_option
from watchbook.clock import counted
from watchbook.errors import ArchiveError, InputError
from watchbook.files import file_errors

if TYPE_CHECKING:
    from watchbook.archive.instance import Loaded
    from watchbook.cli.context import Context
    from watchbook.importing import ImportReport

_ACCEPTED = (
    "Accepted are Trakt's export (trakt-export-….zip, or the folder it unpacks to), the archive "
    "of an account (backup-….tar.gz), instance-….tar.gz, which `watchbook backup --instance` "
    "writes, and the .db copies that an upgrade makes."
)
_ZIP = b"PK"
_GZIP = b"\x1f\x8b"
_SQLITE = b"SQLite format 3\0"
_INCOMPLETE = 65
"""Exit code of an import that ended, but without all that Trakt claims, as of a sync."""


@click.command(name="import", short_help="Take in Trakt's export, an archive, an installation.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--accept-removals",
    is_flag=True,
    help="Believe the export that the many rows which vanished at once are gone.",
)
@identity_option
@click.pass_obj
def import_files(
    context: Context, files: tuple[Path, ...], *, accept_removals: bool, identity: Path | None
) -> int:
    """Take in files: Trakt's export, again and again, an archive, or a saved installation.

    Exports may be given as ZIPs or folders, several at once; the oldest is taken in first.
    They never take anything away from what is newer here. The archive of an account
    (backup-….tar.gz) rebuilds it, where nothing is kept of it yet; exports given along come
    after that. A saved installation goes into an empty database.

    Example: watchbook import trakt-export-sandra.zip
    """
    from watchbook.archive.encryption import opened

    with ExitStack() as stack, _advised():
        plain = [
            stack.enter_context(opened(file, identity)) if file.is_file() else file
            for file in files
        ]
        return _import(context, plain, accept_removals=accept_removals)


@contextmanager
def _advised() -> Iterator[None]:
    """Who brings an archive back has no use for a new one of what is here."""
    try:
        yield
    except ArchiveError as reason:
        reason.hint = "Try the copy that lies elsewhere, or the archive before it."
        raise


def _import(context: Context, files: list[Path], *, accept_removals: bool) -> int:
    kinds = {file: _kind(file) for file in files}
    given = {kind: [file for file in kinds if kinds[file] is kind] for kind in _Kind}
    loaded = [_load(context, file) for file in given[_Kind.INSTALLATION]]
    reports = _rebuild(context, given[_Kind.ARCHIVE])
    reports += _take_in(context, given[_Kind.EXPORT], accept_removals=accept_removals)
    if context.json:
        context.answer([*loaded, *(report.as_data() for report in reports)])
    return 0 if not reports or reports[-1].complete else _INCOMPLETE


class _Kind(Enum):
    """What a file is that can be taken in."""

    EXPORT = "export"
    ARCHIVE = "archive"
    INSTALLATION = "installation"


def _kind(file: Path) -> _Kind:
    """What a file is; raises InputError when it is nothing of that, and ArchiveDamaged."""
    from watchbook.archive.reading_back import is_account_archive

    if file.is_dir():
        return _Kind.EXPORT
    if not file.is_file():
        raise InputError(f"There is no file {file}.", hint=_ACCEPTED)
    with file_errors(file), file.open("rb") as opened:
        start = opened.read(len(_SQLITE))
    if start.startswith(_ZIP):
        return _Kind.EXPORT
    if start.startswith(_GZIP):
        return _Kind.ARCHIVE if is_account_archive(file) else _Kind.INSTALLATION
    if start != _SQLITE:
        raise InputError(f"{file.name} is no file that can be imported.", hint=_ACCEPTED)
    return _Kind.INSTALLATION


def _load(context: Context, file: Path) -> Loaded:
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


def _rebuild(context: Context, files: list[Path]) -> list[ImportReport]:
    from watchbook.archive.reading_back import import_archive, newest_first
    from watchbook.cli.progress import Progress

    reports = []
    for file in newest_first(files):
        with Progress(quiet=context.json or context.quiet) as progress:
            report = import_archive(context.store, file, context.account_name, progress)
        _tell_rebuilt(context, report)
        reports.append(report)
    return reports


def _tell_rebuilt(context: Context, report: ImportReport) -> None:
    """Say for a person what was read back."""
    if report.nothing_new:
        context.say(f"{report.words}.")
        return
    rows = sum(outcome.kept for outcome in report.data_sets)
    context.say(f"{report.file} for {report.account}: {counted(rows, 'row')} as they were.")
    _tell_end(context, report)


def _take_in(context: Context, files: list[Path], *, accept_removals: bool) -> list[ImportReport]:
    from watchbook.importing import in_order

    reports = []
    for file in in_order(files):
        report = run_import(context, file, accept_removals=accept_removals)
        _tell(context, report)
        reports.append(report)
    return reports


def run_import(context: Context, file: Path, *, accept_removals: bool = False) -> ImportReport:
    """Take in one export with a progress bar (plain lines when not on a terminal)."""
    from watchbook.cli.progress import Progress
    from watchbook.importing import import_export

    with Progress(quiet=context.json or context.quiet) as progress:
        return import_export(
            context.store.database,
            file,
            context.account_name,
            progress,
            accept_removals=accept_removals,
        )


def _tell(context: Context, report: ImportReport) -> None:
    """Say for a person what an import came to."""
    from watchbook.cli.sync import changes, tell_data_sets

    context.say(f"{report.file} for {report.account}: {changes(report)}.")
    tell_data_sets(context, (o for o in report.data_sets if o.state != "unavailable"))
    for words in report.failures:
        context.say(f"  failed at Trakt: {words}")
    lacking = [o.name for o in report.data_sets if o.state == "unavailable"]
    if lacking:
        number = counted(len(lacking), "data set")
        context.say(f"  Trakt's export does not hold {number}: {', '.join(_families(lacking))}")
    _tell_end(context, report)


def _tell_end(context: Context, report: ImportReport) -> None:
    for note in report.notes:
        context.say(f"  note: {note}")
    context.say(f"{report.words[:1].upper()}{report.words[1:]} ({report.seconds:.1f} s).")


def _families(names: Iterable[str]) -> list[str]:
    """The data sets, those that each list or comment has as one: ``list_likes (5)``."""
    numbers = Counter(name.partition("/")[0] for name in names)
    return [f"{name} ({number})" if number > 1 else name for name, number in numbers.items()]
