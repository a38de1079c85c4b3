"""``watchbook worker``: a further process that shares the work of the schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchbook.cli.serve import CONCURRENCY, MOST, service_log

if TYPE_CHECKING:
    from watchbook.cli.context import Context


@click.command(short_help="Share the work of `serve`, on PostgreSQL.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST),
    default=CONCURRENCY,
    show_default=True,
    help="Accounts worked on at once.",
)
@click.pass_obj
def worker(context: Context, *, concurrency: int) -> None:
    """Share the work of `watchbook serve` from another process or machine, on PostgreSQL.

    It needs the same database and the same secret key. When one of them dies, the others take
    over what it did.

    Example: watchbook worker --concurrency 4
    """
    from watchbook.jobs import service

    service_log(context)
    service.work(context.installation, concurrency)
