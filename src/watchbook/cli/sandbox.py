"""``watchbook sandbox``: the stand-ins, for trying things out without touching anything real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from watchbook.errors import InputError

if TYPE_CHECKING:
    from watchbook.sandbox.rules import Fault


@click.group()
def sandbox() -> None:
    """Run a stand-in for Trakt, for TMDB or for a website on this machine.

    Example: watchbook sandbox trakt --plays 5000
    """


_FAULT = click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:VALUE][/PATH][@N]",
    help="Fail on purpose: only below PATH, only at the N-th request (`@N+`: from there on); "
    "may be repeated.",
)
_LIST_FAULTS = click.option(
    "--list-faults", is_flag=True, help="Say which faults there are, and exit."
)
_PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free port."
)
_LATENCY = click.option(
    "--latency", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer."
)


@sandbox.command(short_help="Answer as Trakt does in late 2026.")
@_PORT
@click.option(
    "--plays", type=click.IntRange(0, 1_000_000), default=10_000, show_default=True,
    help="Plays of each account.",
)  # fmt: skip
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another number, another library."
)
@click.option(
    "--accounts", type=click.IntRange(1, 1000), default=1, show_default=True,
    help="People, each with tokens and a library of their own.",
)  # fmt: skip
@_FAULT
@_LIST_FAULTS
@_LATENCY
@click.option(
    "--grace", is_flag=True, help="Forgive a refresh token that is sent twice, as some servers do."
)
@click.option(
    "--pictures", default="", metavar="ADDRESS",
    help="Where its pictures lie: `trakt_images` of `sandbox tmdb`. Without it there are none.",
)  # fmt: skip
def trakt(  # noqa: PLR0913 - one for each option
    *,
    port: int,
    plays: int,
    seed: int,
    accounts: int,
    faults: tuple[str, ...],
    list_faults: bool,
    latency: float,
    grace: bool,
    pictures: str,
) -> None:
    """Answer as Trakt does in late 2026, with an invented person's library.

    The first line printed is JSON: the addresses, an app's id and secret, and tokens.

    Example: watchbook sandbox trakt --plays 5000 --fault http-500@3
    """
    from watchbook.sandbox.trakt import FAULTS, FaultSyntaxError, SandboxOptions, serve

    if list_faults:
        _list(FAULTS)
        return
    options = SandboxOptions(
        plays=plays,
        seed=seed,
        accounts=accounts,
        port=port,
        latency=latency,
        faults=faults,
        refresh="grace" if grace else "strict",
        pictures=pictures,
    )
    try:
        serve(options, click.echo)
    except FaultSyntaxError as reason:
        raise _wrong(reason, "trakt") from None


@sandbox.command(short_help="Answer as a person's website does.")
@_PORT
@click.option(
    "--people", type=click.IntRange(1, 8), default=1, show_default=True,
    help="Several share the site, each below a path: /alice, /bob.",
)  # fmt: skip
@_FAULT
@_LIST_FAULTS
@_LATENCY
@click.option("--ask", is_flag=True, help="Ask on a page before an app is let in.")
def site(
    *,
    port: int,
    people: int,
    faults: tuple[str, ...],
    list_faults: bool,
    latency: float,
    ask: bool,
) -> None:
    """Answer as a person's website does: IndieAuth, Micropub, and pages to look at.

    The first line printed is JSON: the addresses, and a token to post with.

    Example: watchbook sandbox site --fault accepted-202-later:30
    """
    from watchbook.sandbox.site import FAULTS, FaultSyntaxError, SiteOptions, serve

    if list_faults:
        _list(FAULTS)
        return
    options = SiteOptions(
        people=people,
        port=port,
        latency=latency,
        faults=faults,
        consent="asks" if ask else "yes",
    )
    try:
        serve(options, click.echo)
    except FaultSyntaxError as reason:
        raise _wrong(reason, "site") from None


@sandbox.command(short_help="Answer as TMDB does, with drawn posters.")
@_PORT
@click.option(
    "--plays", type=click.IntRange(0, 1_000_000), default=10_000, show_default=True,
    help="As for `sandbox trakt`, to know the same titles.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="As for `sandbox trakt`, too.")
@_FAULT
@_LIST_FAULTS
@_LATENCY
def tmdb(
    *,
    port: int,
    plays: int,
    seed: int,
    faults: tuple[str, ...],
    list_faults: bool,
    latency: float,
) -> None:
    """Answer as TMDB does, with posters and stills that are drawn on the spot.

    The first line printed is JSON: the addresses, a v3 key and a v4 token. The pictures that
    `sandbox trakt --pictures` names are here, too.

    Example: watchbook sandbox tmdb --fault picture-broken@3
    """
    from watchbook.sandbox.tmdb import FAULTS, FaultSyntaxError, TmdbOptions, serve

    if list_faults:
        _list(FAULTS)
        return
    options = TmdbOptions(plays=plays, seed=seed, port=port, latency=latency, faults=faults)
    try:
        serve(options, click.echo)
    except FaultSyntaxError as reason:
        raise _wrong(reason, "tmdb") from None


def _list(faults: Mapping[str, Fault]) -> None:
    for name, fault in faults.items():
        value = f" (VALUE: {fault.value})" if fault.value else ""
        click.echo(f"{name:<22} {fault.meaning}{value}")


def _wrong(reason: ValueError, which: str) -> InputError:
    return InputError(
        f"--fault: {reason}.",
        hint=f"Example: --fault http-500@3; `watchbook sandbox {which} --list-faults` names all.",
    )
