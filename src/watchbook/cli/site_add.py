"""``watchbook site add``: signing in with a website, in a browser or with a token by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchbook.cli.asking import hidden, since, tell
from watchbook.clock import counted
from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.connecting import Installation
    from watchbook.publish.joining import Joined
    from watchbook.store.accounts import Account

_LONGEST_NAME = 60
_PATHS = ("/", ".", "~")


@click.command(short_help="Connect a website, or sign in there again.")
@click.argument("address")
@click.option("--name", metavar="NAME", help="What to call it; its host's name unless given.")
@click.option(
    "--since",
    "begin",
    metavar="DATE",
    help="Publish plays since then, too, or `everything`; only new ones unless given.",
)
@click.option("--token", "by_token", is_flag=True, help="Ask for a token that you made there.")
@click.pass_obj
def add(
    context: Context, address: str, name: str | None, begin: str | None, *, by_token: bool
) -> None:
    """Connect the website at ADDRESS: it needs IndieAuth and Micropub, or is a folder.

    Prints an address to open in a browser and waits for the answer, or takes the address at which
    the browser ended. A site that is known already is signed in to again; its queue and its rules
    stay. A path such as ./blog is the folder of a site that Hugo, Jekyll, Eleventy or Astro makes
    of Markdown files; only the owner of this Watchbook has files written.

    Example: watchbook site add https://you.example/
    """
    from watchbook.publish import desk, joining

    account, installation = context.account(), context.installation
    moment = since(account, begin) if begin is not None else None
    name = _checked_name(name) if name is not None else None
    join = _with_token if by_token else _with_browser
    if address.startswith(_PATHS):
        join = _with_folder
    elif name is not None:
        with context.store.database.read() as conn:
            joining.check_name(conn, account, address, name)
    joined = join(installation, account, address, name)
    older = 0
    if moment is not None:
        with context.store.database.write() as conn:
            older = desk.take_older(conn, joined.site, moment)
    _tell_joined(context, joined, older)


def _with_token(
    installation: Installation, account: Account, address: str, name: str | None
) -> Joined:
    from watchbook.publish import joining
    from watchbook.redaction import secret

    token = secret(hidden("Token"))
    return joining.by_token(installation, account, address, token, name)


def _with_browser(
    installation: Installation, account: Account, address: str, name: str | None
) -> Joined:
    from watchbook.cli.landing import landing, query_of
    from watchbook.publish import joining

    if not joining.is_at_home(installation):
        begun = joining.begin(installation, address)
        _ask_to_open(begun.address)
        query = query_of(click.prompt("The address at which it ends", err=True)) or ""
        return joining.finish(installation, account, begun, query, name)
    with landing(installation.settings.base_url) as (server, redirect_uri):
        begun = joining.begin(installation, address, redirect_uri)
        _ask_to_open(begun.address)
        tell("Waiting for the answer. If your browser shows an error instead, or runs on another")
        tell("machine, paste the address at which it ended here:")
        query = server.wait(begun.pending.state)
    return joining.finish(installation, account, begun, query, name)


def _with_folder(
    installation: Installation, account: Account, address: str, name: str | None
) -> Joined:
    from watchbook.publish import folders
    from watchbook.publish.joining import Joined

    site, known = folders.join(installation.store, account, address, name)
    return Joined(site, known)


def _ask_to_open(address: str) -> None:
    """Print an address whole: it holds the state, which the log and errors would hide."""
    tell("Open this page, sign in, and let Watchbook post:")
    tell(f"  {address}")


def _tell_joined(context: Context, joined: Joined, older: int) -> None:
    made = joined.site
    done = "You are signed in again" if joined.renewed else "Connected"
    if made.me is None:
        done = "Known already" if joined.renewed else "Connected"
    context.say(f"{done}: {made.me or made.endpoint}, called {made.name} here.")
    if older:
        context.say(f"{counted(older, 'older play')} will be published, too.")
    elif not joined.renewed:
        context.say("What you watch from now on is published there, ten minutes after it is known.")
    if made.me is None:
        generator = made.rules.get("generator", "no generator")
        context.say(f"Its files are for {generator}; `watchbook site set` changes that.")
        context.say("Next: watchbook publish --dry-run")
    else:
        context.say(f"Next: watchbook site test {made.name}")
    if context.json:
        context.answer(
            {"site": made.name, "me": made.me, "renewed": joined.renewed, "older": older}
        )


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(f"{name!r} cannot be the name of a site.", hint="Example: blog")
    return name
