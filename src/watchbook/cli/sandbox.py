"""``watchbook sandbox``: the stand-ins, for trying things out without touching anything real."""

from __future__ import annotations

import click

from watchbook.errors import InputError


@click.group()
def sandbox() -> None:
    """Run a stand-in for Trakt on this machine.

    Example: watchbook sandbox trakt --plays 5000
    """


@sandbox.command(short_help="Answer as Trakt does in late 2026.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free port.")
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
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:VALUE][/PATH][@N]",
    help="Fail on purpose: only below PATH, only at the N-th request (`@N+`: from there on); "
    "may be repeated.",
)
@click.option("--list-faults", is_flag=True, help="Say which faults there are, and exit.")
@click.option(
    "--latency", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer."
)
@click.option(
    "--grace", is_flag=True, help="Forgive a refresh token that is sent twice, as some servers do."
)
def trakt(
    *,
    port: int,
    plays: int,
    seed: int,
    accounts: int,
    faults: tuple[str, ...],
    list_faults: bool,
    latency: float,
    grace: bool,
) -> None:
    """Answer as Trakt does in late 2026, with an invented person's library.

    The first line printed is JSON: the addresses, an app's id and secret, and tokens.

    Example: watchbook sandbox trakt --plays 5000 --fault http-500@3
    """
    from watchbook.sandbox.trakt import FAULTS, FaultSyntaxError, SandboxOptions, serve

    if list_faults:
        for name, fault in FAULTS.items():
            value = f" (VALUE: {fault.value})" if fault.value else ""
            click.echo(f"{name:<22} {fault.meaning}{value}")
        return
    options = SandboxOptions(
        plays=plays,
        seed=seed,
        accounts=accounts,
        port=port,
        latency=latency,
        faults=faults,
        refresh="grace" if grace else "strict",
    )
    try:
        serve(options, click.echo)
    except FaultSyntaxError as reason:
        raise InputError(
            f"--fault: {reason}.",
            hint="Example: --fault http-500@3; `watchbook sandbox trakt --list-faults` names all.",
        ) from None
