"""``watchbook token``: API tokens, by which other programs may read an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.columns import Row, show
from watchbook.clock import from_millis, to_iso

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.store.tokens import Token


@click.group(invoke_without_command=True, short_help="Let other programs read your account.")
@click.pass_context
def token(ctx: click.Context) -> None:
    """Make, list and remove tokens, by which other programs read your account over HTTP.

    A token reads everything that the API offers of the account, and changes nothing. Without a
    subcommand it is `token list`.

    Example: watchbook token
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj)


@token.command(short_help="Make a token, and show it once.")
@click.argument("name")
@click.pass_obj
def add(context: Context, name: str) -> None:
    """Make a token called NAME, after what it is for, and show it once: only its digest is kept.

    Example: watchbook token add blog
    """
    from watchbook.store import tokens

    account = context.account()
    with context.store.database.write(durable=True) as conn:
        made = tokens.add(conn, account, name)
    where = f"{context.settings.base_url}/api/v1/accounts/{account.name}"
    if context.json:
        context.answer({"account": account.name, "name": name, "token": made, "url": where})
        return
    context.say(f"The token {name} reads the account {account.name}. It is shown this once:")
    click.echo(made)
    click.echo(f"Try it:\n  curl -H 'Authorization: Bearer {made}' '{where}/plays?limit=1'")


@token.command(name="list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the tokens of the account: when each was made, and when it was last used.

    Example: watchbook token list --json
    """
    _list(context)


@token.command(short_help="Let a token be worth nothing from now on.")
@click.argument("name")
@click.pass_obj
def remove(context: Context, name: str) -> None:
    """Let the token NAME be worth nothing from now on.

    Example: watchbook token remove blog
    """
    from watchbook.store import tokens

    account = context.account()
    with context.store.database.write(durable=True) as conn:
        tokens.remove(conn, account, name)
    context.say(f"The token {name} opens nothing any more.")
    if context.json:
        context.answer({"account": account.name, "removed": name})


def _list(context: Context) -> None:
    from watchbook.store import tokens

    account = context.account()
    with context.store.database.read() as conn:
        known = tokens.all_tokens(conn, account.id)
    if context.json:
        context.answer([_as_data(one) for one in known])
    if not known:
        context.say("There is no token yet. `watchbook token add NAME` makes one.")
    show(context, [Row(one.name, _told(one)) for one in known])


def _as_data(one: Token) -> dict[str, Any]:
    used = to_iso(from_millis(one.used_at)) if one.used_at is not None else None
    return {"name": one.name, "made_at": to_iso(from_millis(one.made_at)), "last_used": used}


def _told(one: Token) -> str:
    from watchbook.overview import moment

    used = f"last used {moment(from_millis(one.used_at))}" if one.used_at else "never used"
    return f"made {moment(from_millis(one.made_at))}, {used}"
