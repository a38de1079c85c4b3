"""``watchbook share``: what everybody may see of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from watchbook import values
from watchbook.cli.columns import Row, show
from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.sharing import Part, Public
    from watchbook.store.accounts import Account

_ALL = "all"
_OFF = "off"
_GREY = {"history", "feeds"}
"""Parts by which programs may follow all plays."""

_TERMS = (
    "Trakt's terms allow to show your own activity. A public feed that programs read is a grey "
    "zone: ask support@trakt.tv first if many would. More: docs/trakt-terms.md."
)


@click.command(short_help="Say what everybody may see of your account.")
@click.argument("change", required=False, metavar="[on|off]")
@click.argument("parts", nargs=-1, metavar="[PART]...")
@click.option(
    "--delay",
    metavar="PERIOD",
    help="Show a play only that long after it was watched, such as 2h; `off` shows it at once.",
)
@click.pass_obj
def share(
    context: Context, change: str | None, parts: tuple[str, ...], *, delay: str | None
) -> None:
    """List what everybody may see of your account, or switch parts of it on and off.

    PART is one of last, now, history, ratings, statistics and feeds, or all of these; and
    search-engines, which lets them list the public page. Everything is off until you switch it on.

    Example: watchbook share on last history
    """
    from watchbook import sharing
    from watchbook.store import accounts, watching

    if change not in {None, "on", "off"}:
        raise InputError(f"{change!r} is neither on nor off.", hint="Try: watchbook share on last")
    wanted = _parts(change, parts)
    columns = {} if delay is None else {"show_after": _delay(delay)}
    account = context.account()
    if wanted or columns:
        _keep(context, account, wanted, columns, on=change == "on")
    with context.store.database.read() as conn:
        public = sharing.of_account(conn, accounts.get(conn, account.id))
        look = watching.last_look(conn, account.id) if public.shows(sharing.Part.NOW) else None
    trouble = look.words if look else None
    noted = change == "on" and bool(_GREY & set(wanted))
    shown = wanted if change == "on" else []
    if change is None and not columns:
        shown = list(sharing.Part)
    _tell(context, public, trouble, shown, noted=noted)


def _keep(
    context: Context,
    account: Account,
    parts: list[Part],
    columns: dict[str, str | None],
    *,
    on: bool,
) -> None:
    from watchbook import sharing
    from watchbook.store import accounts

    switch = sharing.switch_on if on else sharing.switch_off
    with context.store.database.write(durable=True) as conn:
        switch(conn, account.id, parts)
        if columns:
            accounts.change(conn, account.id, **columns)


def _parts(change: str | None, names: tuple[str, ...]) -> list[Part]:
    """The parts that are to be switched; raises InputError."""
    from watchbook.sharing import Part

    names = tuple(name for text in names for name in text.split(",") if name)
    known = ", ".join(Part)
    if change is not None and not names:
        raise InputError(
            f"`share {change}` needs to know what.", hint=f"PART is one of {known}, or {_ALL}."
        )
    if _ALL in names:  # to be found by search engines is a wish of its own
        return [part for part in Part if change == "off" or part is not Part.SEARCH_ENGINES]
    for name in names:
        if name not in set(Part):
            raise InputError(
                f"There is no part {name!r}.", hint=f"PART is one of {known}, or {_ALL}."
            )
    return [Part(name) for name in names]


def _delay(text: str) -> str | None:
    """A delay as the account keeps it; raises InputError."""
    if text == _OFF:
        return None
    try:
        values.period(text)
    except ValueError as reason:
        raise InputError(
            f"--delay: {text!r} {reason}.", hint="A right example: --delay 2h; --delay off"
        ) from None
    return text.strip()


def _tell(
    context: Context, public: Public, trouble: str | None, shown: list[Part], *, noted: bool
) -> None:
    """Say how it stands, with the addresses of those ``shown`` parts that are on.

    ``trouble`` is why Trakt could not be asked what is being watched.
    """
    from watchbook.sharing import MEANINGS, Part

    account = public.account
    found = [
        {
            "part": part.value,
            "on": public.shows(part),
            "shows": meaning,
            "addresses": _addresses(context.settings.base_url, public, part),
        }
        for part, meaning in MEANINGS.items()
    ]
    if context.json:
        told = {"account": account.name, "delay": account.show_after, "parts": found}
        context.answer({**told, "trouble": trouble})
        return
    show(context, map(_row, found), head=account.name, aside="what everybody may see")
    if not context.quiet:
        _show_addresses([one for one in found if one["part"] in shown])
    when = f"{account.show_after} after they were watched" if account.show_after else "at once"
    context.say(f"Plays are shown {when}.")
    if not any(one["on"] for one in found):
        context.say("So far nobody sees any of it. To begin: watchbook share on last")
        return
    if public.shows(Part.LAST) and Part.LAST in shown:
        context.say("On a page of yours (docs/how-to/widget.md):")
        _say_snippet(context, public)
    if trouble:
        context.say(f"What is being watched is not known at present: {trouble}")
    if context.settings["base_url"].origin == "default":
        context.say("Only this machine finds these addresses: set WATCHBOOK_BASE_URL.")
    if noted:
        context.say(_TERMS)


def _say_snippet(context: Context, public: Public) -> None:
    """The two lines that show the last watch anywhere; not broken, so that they can be copied."""
    book, account = context.settings.base_url, public.account
    named = "" if account.owner else f' account="{account.name}"'
    if not context.quiet:
        click.echo(f'  <script src="{book}/widget.js" async></script>')
        click.echo(f"  <watchbook-last{named}></watchbook-last>")


def _row(one: dict[str, Any]) -> Row:
    state, style = ("on", "green") if one["on"] else ("off", "dim")
    return Row(one["part"], f"{state:<3}  {one['shows']}", style)


def _show_addresses(found: list[dict[str, Any]]) -> None:
    """Where the parts that are on can be seen; in full, for the query names the account."""
    for one in found:
        for address in one["addresses"] if one["on"] else ():
            click.echo(f"  {one['part']:<10}  {address}")


def _addresses(base_url: str, public: Public, part: Part) -> list[str]:
    """Where a part can be seen."""
    from watchbook.web.app import VIEWS

    name = public.account.name
    query = "" if public.account.owner else f"?account={name}"
    found = []
    for view in VIEWS:
        path = view.path.replace("{name}", name)
        if view.part is part and "{" not in path:
            found.append(f"{base_url}{path}{query if path == view.path else ''}")
    return found
