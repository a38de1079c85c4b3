"""``watchbook account``: who has a book here, and adding, renaming and removing one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from watchbook import values
from watchbook.cli.columns import Row, show
from watchbook.clock import counted
from watchbook.errors import InputError, SettingsError, WatchbookError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.store.accounts import Account

_OWN_SETTINGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "sync-every": ("sync_every", values.period),
    "backup-every": ("backup_every", values.period),
    "keep": ("keep", values.keep_rule),
}
"""What an account may have of its own: the column and how its value is read."""

_EXAMPLES = {"sync-every": "1h", "backup-every": "1d", "keep": '"7 daily, all yearly"'}


@click.group(invoke_without_command=True, short_help="List, add, rename and remove accounts.")
@click.pass_context
def account(ctx: click.Context) -> None:
    """List the accounts of this installation, add one, rename or remove one.

    Without a subcommand it is `account list`.

    Example: watchbook account
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj)


@account.command(name="list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the accounts, the owner's first.

    Example: watchbook account list --json
    """
    _list(context)


@account.command(short_help="Make an empty account.")
@click.argument("name")
@click.pass_obj
def add(context: Context, name: str) -> None:
    """Make an empty account NAME, for another person or for Trakt's export ZIPs.

    Example: watchbook account add tom
    """
    from watchbook.store import accounts

    with context.store.database.write() as conn:
        made = accounts.add(conn, accounts.checked_name(name))
    context.say(f"{made.name} has an empty book now. Next: one of")
    context.say(f"  watchbook --account {made.name} connect")
    context.say(f"  watchbook --account {made.name} import FILE.zip")
    if context.json:
        context.answer({"account": made.name, "owner": made.owner})


@account.command(short_help="Call an account by another name.")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(context: Context, old: str, new: str) -> None:
    """Call the account OLD by the name NEW; archives written before keep their names.

    Example: watchbook account rename me sandra
    """
    from watchbook.store import accounts

    with context.store.database.write() as conn:
        present = accounts.choose(conn, old)
        if accounts.find(conn, accounts.checked_name(new)) is not None:
            raise InputError(
                f"There is an account called {new} already.", hint="Choose another name."
            )
        accounts.change(conn, present.id, name=new)
    context.say(f"{old} is called {new} now.")
    if context.json:
        context.answer({"account": new, "before": old})


@account.command(name="set", short_help="Give an account a schedule of its own.")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.pass_obj
def set_(context: Context, name: str, changes: tuple[str, ...]) -> None:
    """Give the account NAME its own sync-every, backup-every or keep.

    An empty value goes back to the installation's setting.

    Example: watchbook account set tom sync-every=1h keep="30 daily"
    """
    from watchbook.store import accounts

    columns = dict(map(_read_change, changes))
    with context.store.database.write() as conn:
        accounts.change(conn, accounts.choose(conn, name).id, **columns)
        changed = accounts.choose(conn, name)
    own = changed.own_settings
    show(context, [Row(key, value or "as the installation") for key, value in own.items()])
    if context.json:
        context.answer({"account": name, **own})


@account.command(short_help="Forget an account; its archives stay.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(context: Context, name: str, *, yes: bool) -> None:
    """Forget the account NAME and all that the database holds of it; archives stay.

    Example: watchbook account remove tom
    """
    from watchbook.store import accounts, leases

    doomed = _removable(context, name)
    if not yes:
        _ask(context, doomed)
    database = context.store.database
    with leases.holding(database, f"account:{doomed.id}", f"the removal of {name}"):
        problems = [*_parted(context, doomed), _given_back(context, doomed)]
        problem = "\n".join(filter(None, problems)) or None
        with database.write(durable=True) as conn:
            accounts.remove(conn, doomed.id)
    if problem is not None:
        click.echo(problem, err=True)
    context.say(f"{name} is gone from the database.")
    if context.json:
        context.answer({"removed": name, "problem": problem})


def _read_change(change: str) -> tuple[str, str | None]:
    """The column and its new value; raises InputError."""
    key, separator, value = change.partition("=")
    if not separator or key not in _OWN_SETTINGS:
        known = ", ".join(_OWN_SETTINGS)
        raise InputError(
            f"{change!r} sets nothing that an account has.", hint=f"KEY is one of {known}."
        )
    column, read = _OWN_SETTINGS[key]
    if not value.strip():
        return column, None
    try:
        read(value)
    except ValueError as reason:
        raise InputError(
            f"{key}: {value!r} {reason}.", hint=f"A right example: {key}={_EXAMPLES[key]}"
        ) from None
    return column, value.strip()


def _removable(context: Context, name: str) -> Account:
    """The account called ``name``; the owner's goes last, since the installation is theirs."""
    from watchbook.store import accounts

    with context.store.database.read() as conn:
        doomed = accounts.choose(conn, name)
        others = [other.name for other in accounts.all_accounts(conn) if other.id != doomed.id]
    if doomed.owner and others:
        raise InputError(
            f"{name} owns this installation and can only be removed last.",
            hint=f"Remove {', '.join(others)} first.",
        )
    return doomed


def _ask(context: Context, doomed: Account) -> None:
    from watchbook.store import plays

    with context.store.database.read() as conn:
        kept = plays.count(conn, doomed.id)
    click.echo(
        f"Of {doomed.name} the database holds {counted(kept, 'play')}, with all other data sets, "
        "what was removed at Trakt, and the sign-in.\n"
        "All of that is deleted and the sign-in given back, as are the tokens of websites. "
        f"Archives stay in {context.store.home / 'backups'}.",
        err=True,
    )
    click.confirm(f"Remove {doomed.name}?", abort=True, err=True)


def _parted(context: Context, doomed: Account) -> list[str | None]:
    """Give the tokens of the account's sites back; what their owner still has to do."""
    from watchbook.publish.joining import part
    from watchbook.store import sites

    with context.store.database.read() as conn:
        known = sites.all_sites(conn, doomed.id)
    told: list[str | None] = []
    for site in known:
        try:
            told.append(part(context.installation, site))
        except SettingsError as reason:
            told.append(f"{site.name} could not be told: {reason.message}")
    return told


def _given_back(context: Context, doomed: Account) -> str | None:
    """Revoke the account's grant, if it has one; what went wrong with that, in words."""
    from watchbook import connecting
    from watchbook.store import grants

    with context.store.database.read() as conn:
        if grants.find(conn, doomed.id) is None:
            return None
    try:
        return connecting.disconnect(context.installation, doomed)
    except WatchbookError as reason:
        return (
            f"Trakt could not be told ({reason.message}) "
            f"Remove the app yourself at {connecting.CONNECTED_APPS}."
        )


def _list(context: Context) -> None:
    from watchbook.store import accounts, grants, plays, shares

    with context.store.database.read() as conn:
        known = [
            _as_data(
                one,
                connected=grants.find(conn, one.id) is not None,
                kept=plays.count(conn, one.id),
                shared=sorted(shares.parts(conn, one.id)),
            )
            for one in accounts.all_accounts(conn)
        ]
    if context.json:
        context.answer(known)
    if not known:
        context.say(f"There is no account yet. {accounts.HOW_TO_BEGIN}")
    show(context, [Row(one["name"], _told(one)) for one in known])


def _as_data(one: Account, *, connected: bool, kept: int, shared: list[str]) -> dict[str, Any]:
    return {
        "name": one.name,
        "user": one.trakt_slug,
        "owner": one.owner,
        "connected": connected,
        "plays": kept,
        "timezone": one.timezone,
        "locked": one.locked,
        "own": one.own_settings,
        "shared": shared,
    }


def _told(one: dict[str, Any]) -> str:
    parts = [
        counted(one["plays"], "play"),
        f"Trakt user {one['user']}" if one["user"] else "not known at Trakt",
        "connected" if one["connected"] else "not connected",
        "owner" if one["owner"] else "",
        "locked by Trakt" if one["locked"] else "",
        *(f"{key} {value}" for key, value in one["own"].items() if value),
        f"shows {' '.join(one['shared'])}" if one["shared"] else "",
    ]
    return ", ".join(filter(None, parts))
