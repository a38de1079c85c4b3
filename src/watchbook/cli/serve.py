"""``watchbook serve``: the schedule and the web server, in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from watchbook.cli.context import Context

CONCURRENCY, MOST = 8, 16
"""Accounts worked on at once, unless told, and at most: more would wait for the database."""


@click.command(short_help="Sync and back up on schedule, and answer over HTTP.")
@click.pass_obj
def serve(context: Context) -> None:
    """Sync and back up every account on schedule, and answer over HTTP, until it is stopped.

    How often is set by WATCHBOOK_SYNC_EVERY and WATCHBOOK_BACKUP_EVERY, or for one account by
    `watchbook account set`. /healthz tells how it stands.

    Example: watchbook serve
    """
    from watchbook.jobs import service

    service_log(context)
    service.serve(context.installation, CONCURRENCY)


def service_log(context: Context) -> None:
    """A service has nobody at its terminal: its log tells what it does, unless a level was set."""
    from watchbook import logs

    logs.configure(context.settings.log)
