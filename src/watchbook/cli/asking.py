"""What commands ask a person: a secret, a date, which site."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.store.accounts import Account
    from watchbook.store.sites import Site


def hidden(what: str) -> str:
    """A line that is not shown as it is typed; from a pipe it is read as it comes."""
    if sys.stdin.isatty():
        answer: str = click.prompt(
            what, hide_input=True, default="", show_default=False, err=True
        ).strip()
        return answer
    click.echo(f"{what}: ", nl=False, err=True)
    try:
        return input().strip()
    except EOFError as ended:
        raise click.Abort from ended


def since(account: Account, text: str) -> datetime:
    """The moment that ``--since`` names: a date by the account's clock, or ``everything``."""
    from watchbook.exporting.moments import Wall
    from watchbook.publish.desk import EVERYTHING

    if text == "everything":
        return EVERYTHING
    try:
        return Wall(account).read(text)
    except ValueError:
        raise InputError(
            f"--since {text} is no date.",
            hint="Write it as 2026-11-21, 2026-11-21T20:15:00+01:00 or everything.",
        ) from None


def site_called(context: Context, name: str | None) -> Site:
    """The account's site of that name, or its only one; raises InputError."""
    from watchbook.store import sites

    account = context.account()
    with context.store.database.read() as conn:
        return sites.choose(conn, account, name)


def tell(text: str) -> None:
    """Say something to whoever sits there; standard output is for results."""
    click.echo(text, err=True)
