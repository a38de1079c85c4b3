"""``watchbook export``: the account's data for other programs."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.context import plain
from watchbook.clock import counted
from watchbook.errors import InputError
from watchbook.exporting.formats import FORMATS, Format

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.exporting.selection import Selection
    from watchbook.exporting.written import Written
    from watchbook.store.accounts import Account

STDOUT = "-"
_LONGEST_NAME = 60
_TYPES = ("movie", "show", "season", "episode")
_BOM = b"\xef\xbb\xbf"
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
"""What of an account's name has no place in a file's: it may come from somebody's archive."""


@dataclass(frozen=True)
class _Wish:
    """The command line: what, where to, and what of it."""

    name: str
    output: str | None
    what: str | None
    reviews: bool
    force: bool

    @property
    def format(self) -> Format:
        """The format that was named."""
        return FORMATS[self.name]


@click.command()
@click.argument("name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to; - is standard output (csv, json). Without it a file in this folder.",
)
@click.option("--since", metavar="DATE", help="Only what was watched, rated or listed since.")
@click.option("--until", metavar="DATE", help="Only what was before that date.")
@click.option(
    "--type", "types", multiple=True, type=click.Choice(_TYPES), help="Only these; may be repeated."
)
@click.option(
    "--list",
    "lists",
    metavar="NAME",
    multiple=True,
    help="Only the watchlist, favorites or a personal list, by name, slug or id.",
)
@click.option("--removed", is_flag=True, help="Also what is gone at Trakt (csv, json, sqlite).")
@click.option("--what", metavar="TABLE", help="csv: another table than plays, such as ratings.")
@click.option("--reviews", is_flag=True, help="letterboxd: own comments on films as reviews.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.pass_obj
def export(  # noqa: PLR0913 - its options
    context: Context,
    *,
    name: str,
    output: str | None,
    since: str | None,
    until: str | None,
    types: tuple[str, ...],
    lists: tuple[str, ...],
    removed: bool,
    what: str | None,
    reviews: bool,
    force: bool,
) -> None:
    """Write the account's data in a form that other programs read.

    FORMAT is one of csv, json, letterboxd, trakt-zip, sqlite and html.

    Example: watchbook export csv --since 2026-01-01 -o plays.csv
    """
    from watchbook.exporting.selection import Selection

    wish = _checked(_Wish(name, output, what, reviews, force), context)
    account = context.account()
    selection = Selection(
        *_span(account, since, until), frozenset(types), frozenset(lists), removed
    )
    _check_lists(context, account, selection)
    if wish.output == STDOUT:
        _print(context, account, selection, wish)
    else:
        written = _export(context, account, selection, _target(wish, account), wish)
        _tell(context, wish, account, written)


def _checked(wish: _Wish, context: Context) -> _Wish:
    """Refuse what the chosen format does not know."""
    for option, given in (("what", wish.what), ("reviews", wish.reviews)):
        if given and option not in wish.format.options:
            able = " or ".join(name for name in FORMATS if option in FORMATS[name].options)
            raise InputError(f"--{option} is for {able}, not {wish.name}.", hint="Leave it out.")
    if wish.what is not None:
        _check_table(wish.what)
    if wish.output == STDOUT and not wish.format.printable:
        able = " and ".join(name for name in FORMATS if FORMATS[name].printable)
        raise InputError(
            f"{wish.name} does not go to standard output.",
            hint=f"Name a file with -o; {able} may be printed.",
        )
    if wish.output == STDOUT and context.json:
        raise InputError(
            "The export and the report cannot both go to standard output.",
            hint="Leave --json out, or name a file with -o.",
        )
    return wish


def _check_table(what: str) -> None:
    from watchbook.exporting.spreadsheet import TABLES

    if what not in TABLES:
        raise InputError(
            f"There is no table called {what}.", hint=f"The tables are: {', '.join(TABLES)}."
        )


def _span(
    account: Account, since: str | None, until: str | None
) -> tuple[datetime | None, datetime | None]:
    begin, end = _moment(account, "--since", since), _moment(account, "--until", until)
    if begin and end and end <= begin:
        raise InputError(
            f"--until {until} is not after --since {since}, so nothing lies between.",
            hint="A right example: --since 2026-01-01 --until 2026-07-01",
        )
    return begin, end


def _check_lists(context: Context, account: Account, selection: Selection) -> None:
    """Refuse an unknown list before anything is said of files; raises InputError."""
    from watchbook.exporting.selection import selected

    if selection.lists:
        with selected(context.store, account, selection):
            pass


def _moment(account: Account, option: str, text: str | None) -> datetime | None:
    from watchbook.exporting.moments import Wall

    try:
        return Wall(account).read(text) if text is not None else None
    except ValueError:
        raise InputError(
            f"{option} {text} is no date.",
            hint="Write it as 2026-11-21 or 2026-11-21T20:15:00+01:00.",
        ) from None


def _target(wish: _Wish, account: Account) -> Path:
    """Where to: the file that was named, one in the folder that was named, or one here."""
    from watchbook.clock import now, to_millis
    from watchbook.exporting.moments import Wall

    day = Wall(account).local(to_millis(now())).strftime("%Y%m%d")
    what = f"-{wish.what}" if wish.what else ""
    name = _UNFIT.sub("-", account.name)[:_LONGEST_NAME]
    usual = f"watchbook-{name}{what}-{day}{wish.format.suffix}"
    if wish.output is None:
        return Path.cwd() / usual
    path = Path(wish.output).expanduser().absolute()
    _check_folder(path if wish.output.endswith("/") and not _wants_folder(wish) else path.parent)
    return path / usual if _is_folder(wish.output) and not _wants_folder(wish) else path


def _check_folder(folder: Path) -> None:
    """Refuse to make folders that may only be misspelt; raises InputError."""
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {folder}. Nothing was written.",
            hint="Make it first, or name another with -o.",
        )


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).expanduser().is_dir()


def _wants_folder(wish: _Wish) -> bool:
    """Whether the format fills a folder with all its tables, and one was named."""
    able = "folder" in wish.format.options and not wish.what
    return able and wish.output is not None and _is_folder(wish.output)


def _export(
    context: Context, account: Account, selection: Selection, target: Path, wish: _Wish
) -> Written:
    from watchbook.exporting.placing import export as place

    given = {"what": wish.what, "reviews": wish.reviews, "folder": _wants_folder(wish)}
    options: dict[str, Any] = {name: given[name] for name in wish.format.options}
    write = wish.format.write
    return place(write, context.store, account, selection, target, force=wish.force, **options)


def _print(context: Context, account: Account, selection: Selection, wish: _Wish) -> None:
    """Print the one file of an export, without the byte order mark that files have for Excel."""
    from watchbook.exporting.placing import passing_folder

    with passing_folder(context.store.home) as folder:
        path = folder / "export"
        written = _export(context, account, selection, path, wish)
        with path.open("rb") as file:
            if file.read(len(_BOM)) != _BOM:
                file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
    for note in written.notes:
        click.echo(f"note: {_tamed(note)}", err=True)


def _tamed(text: str) -> str:
    from watchbook.redaction import redact, tame

    return tame(redact(text))


def _tell(context: Context, wish: _Wish, account: Account, written: Written) -> None:
    if context.json:
        context.answer(
            {
                "format": wish.name,
                "account": account.name,
                "files": [str(path) for path in written.paths],
                "counts": written.counts,
                "notes": written.notes,
            }
        )
        return
    if written.paths:
        context.say(f"{account.name}: {_in_words(written)}.")
    else:
        context.say("Nothing was selected, so nothing was written.")
    for path in _shown(written.paths):
        context.say_styled(f"  {plain(path)}")
    for note in written.notes:
        context.say(f"  note: {note}")


def _in_words(written: Written) -> str:
    kinds = sorted(written.counts.items(), key=lambda one: one[0] != "plays")
    counts = [f"{count:,} {kind.replace('_', ' ')}" for kind, count in kinds if count]
    if not counts:
        return "nothing was selected; what was written holds no rows"
    head, more = counts[:8], len(counts) - 8
    return ", ".join([*head, counted(more, "more kind")] if more > 0 else head)


def _shown(paths: list[Path]) -> Iterable[str]:
    """The files, those in this folder by their names alone."""
    here = Path.cwd()
    for path in paths:
        yield str(path.relative_to(here) if path.is_relative_to(here) else path)
