"""``watchbook backup diff``: what differs between two archives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.backup_copies import identity_option
from watchbook.cli.context import plain
from watchbook.clock import counted, from_iso
from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.archive.diff import Archived, ArchiveDiff, DataSetDiff, Difference
    from watchbook.archive.telling import Sentence
    from watchbook.cli.context import Context

FEW = 3
"""Rows that are named behind a sentence unless more are asked for."""

DIFFERENT = 1
"""Exit code of `--exit-code` when something differs."""

_THEM = "`watchbook backup list` shows them."


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[A [B]]")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="List up to N rows each.")
@click.option("--all", "all_rows", is_flag=True, help="List every row.")
@click.option("--exit-code", is_flag=True, help="End with 1 when something differs.")
@identity_option
@click.pass_obj
def diff(
    context: Context,
    *,
    files: tuple[Path, ...],
    limit: int | None,
    all_rows: bool,
    exit_code: bool,
    identity: Path | None,
) -> int:
    """Tell what differs from archive A to archive B.

    Without B it is the newest one, without A too the two newest. Both are verified first.

    Example: watchbook backup diff --limit 20
    """
    from watchbook.archive.diff import compare

    before, after = _chosen(context, files)
    found = compare(before, after, identity)
    if context.json:
        context.answer(_as_data(found))
    else:
        _tell(context, found, None if all_rows else limit, listing=all_rows or limit is not None)
    return DIFFERENT if exit_code and not found.same else 0


def _chosen(context: Context, files: tuple[Path, ...]) -> tuple[Path, Path]:
    """The two archives that the words on the command line mean."""
    if len(files) > 2:
        raise InputError("More than two archives were named.", hint=_THEM)
    if len(files) == 2:
        return _found(context, files[0]), _found(context, files[1])
    newest = _newest(context)
    if files:
        named = _found(context, files[0])
        if not newest or named.resolve() == newest[0].resolve():
            raise InputError(
                f"{named.name} is the newest archive; there is none to compare it with.",
                hint=f"Name another one, too. {_THEM}",
            )
        return named, newest[0]
    if len(newest) < 2:
        raise InputError(
            f"There {'is one archive' if newest else 'is no archive yet'}, and it takes two.",
            hint=f"Run `watchbook backup{' --force' if newest else ''}` to write one.",
        )
    return newest[1], newest[0]


def _newest(context: Context) -> list[Path]:
    """The account's archives that lie there and were whole when last looked at, newest first."""
    from watchbook.archive.backup import backups_folder, list_archives
    from watchbook.archive.ledger import WHOLE

    folder = backups_folder(context.store.home)
    known, _ = list_archives(context.store, context.account())
    whole = [folder / archive.name for archive in known if archive.check_outcome == WHOLE]
    return [path for path in whole if path.exists()]


def _found(context: Context, file: Path) -> Path:
    """The file as named, else the one of that name among the backups."""
    from watchbook.archive.backup import backups_folder

    path = file if file.exists() else backups_folder(context.settings.home) / file.name
    if not path.exists():
        raise InputError(f"There is no file {file}.", hint=_THEM)
    if path.is_dir():
        raise InputError(f"{file} is a folder, and archives are files.", hint=_THEM)
    return path


def _tell(context: Context, found: ArchiveDiff, limit: int | None, *, listing: bool) -> None:
    from watchbook.archive.telling import named, notes, sentences, totals
    from watchbook.cli.columns import Row, show

    for word, side in (("From", found.before), ("To", found.after)):
        context.say_styled(f"{word:<6}[bold]{plain(side.path.name)}[/], {_made(side)}")
    if found.same:
        held = counted(found.after.manifest.counts.get("data", 0), "row")
        context.say_styled(f"Nothing differs: both hold the same {held}.")
    show(context, [Row(named(one), totals(one)) for one in found.told])
    for sentence in sentences(found):
        _say(context, sentence, limit, listing=listing)
    for note in notes(found):
        context.say_styled(f"[yellow]Note[/]  {plain(note)}")


def _made(side: Archived) -> str:
    return f"{from_iso(side.manifest.created_at):%Y-%m-%d %H:%M} UTC, {side.manifest.verdict}"


def _say(context: Context, sentence: Sentence, limit: int | None, *, listing: bool) -> None:
    from watchbook.archive.telling import in_a_line, shown

    rows = sentence.rows[: limit if listing else FEW]
    left = len(sentence.rows) - len(rows)
    more = f"{left:,} more" if left else ""
    words = plain(sentence.words)
    words = f"[bold red]{words}[/]" if sentence.alarming else words
    if not listing:
        few = [*map(shown, rows), *filter(None, [more])]
        context.say_styled(f"{words}: {plain('; '.join(few))}")
        return
    context.say_styled(f"{words}{':' if rows else '.'}")
    for one in rows:
        context.say(f"  {in_a_line(one)}")
    if more and rows:
        context.say(f"  … and {more}")


def _as_data(found: ArchiveDiff) -> dict[str, Any]:
    from watchbook.archive.telling import notes, sentences

    return {
        "from": _side(found.before),
        "to": _side(found.after),
        "same": found.same,
        "words": [sentence.words for sentence in sentences(found)],
        "notes": notes(found),
        "data_sets": [_data_set(one) for one in found.data_sets],
    }


def _side(side: Archived) -> dict[str, Any]:
    manifest = side.manifest
    return {
        "path": str(side.path),
        "name": manifest.name,
        "created_at": manifest.created_at,
        "verdict": manifest.verdict,
        "incomplete": {entry.name: entry.words for entry in side.incomplete},
    }


def _data_set(one: DataSetDiff) -> dict[str, Any]:
    entries = {"from": one.before, "to": one.after}
    counts = {change.name.lower(): count for change, count in one.counts().items()}
    return {
        "name": one.name,
        "volatile": one.volatile,
        "verdicts": {side: entry.verdict if entry else None for side, entry in entries.items()},
        "rows": {side: entry.rows if entry else 0 for side, entry in entries.items()},
        **counts,
        "changes": [_row(difference) for difference in one.differences],
    }


def _row(one: Difference) -> dict[str, Any]:
    from dataclasses import asdict

    from watchbook.archive.naming import title_of

    row = one.row
    return {
        "change": one.change.name.lower(),
        "again": one.again,
        "key": one.key,
        "type": row.get("type") if isinstance(row, dict) else None,
        "title": title_of(row),
        "removed_at": one.after.removed_at if one.after else None,
        "before": one.old,
        "after": one.new,
        "fields": [asdict(field) for field in one.fields],
    }
