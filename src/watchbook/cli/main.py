"""The command ``watchbook``: its commands, loaded when called, and how errors are told.

An error takes two lines: what happened, and what to do. The exit code says which kind it was.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from types import TracebackType
from typing import Any, NoReturn

import click

from watchbook.cli.context import Context
from watchbook.errors import Fate, StoreFull, WatchbookError

COMMANDS = {
    "demo": "watchbook.cli.demo:demo",
    "connect": "watchbook.cli.connect:connect",
    "disconnect": "watchbook.cli.connect:disconnect",
    "account": "watchbook.cli.account:account",
    "import": "watchbook.cli.import_:import_files",
    "sync": "watchbook.cli.sync:sync",
    "backup": "watchbook.cli.backup:backup",
    "export": "watchbook.cli.export:export",
    "site": "watchbook.cli.site:site",
    "publish": "watchbook.cli.publish:publish",
    "share": "watchbook.cli.share:share",
    "token": "watchbook.cli.token:token",
    "serve": "watchbook.cli.serve:serve",
    "worker": "watchbook.cli.worker:worker",
    "status": "watchbook.cli.status:status",
    "doctor": "watchbook.cli.doctor:doctor",
    "config": "watchbook.cli.config:config",
    "sandbox": "watchbook.cli.sandbox:sandbox",
}
"""Every command and where it lives, in the order of the help."""

FAULT = 70
"""Exit code of what should not happen: a fault of Watchbook itself."""

INTERRUPTED = 130

_HOPE = {
    Fate.TRANSIENT: "Nothing that was stored is lost; run it again later.",
    Fate.UNKNOWN: "It may have happened all the same; look before you run it again.",
    Fate.PERMANENT: "`watchbook doctor` looks for the cause.",
}
"""What to do about an error that does not say so itself."""


class _Named(click.Context):
    """A context that every usage error in it knows, so that it can point to the command's help."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        reason: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if isinstance(reason, click.UsageError) and reason.ctx is None:
            reason.ctx = self
        return super().__exit__(kind, reason, trace)


class Commands(click.Group):
    """A group that imports a command when it is called, and gives each the common options."""

    context_class = _Named

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command called ``cmd_name``."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        _add_common_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begin with; of a misspelt one its neighbours are told."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as reason:  # it knows no command that is not loaded
            raise click.exceptions.NoSuchCommand(
                reason.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None


def _add_common_options(command: click.Command) -> None:
    """Let ``--account`` and ``--json`` stand behind a command too, where people write them."""
    command.context_class = _Named
    present = {name for param in command.params for name in param.opts}
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            _add_common_options(sub)
    for option in _common_options():
        if not present & set(option.opts):
            command.params.append(option)


def _common_options() -> list[click.Option]:
    return [
        click.Option(
            ["--account"],
            metavar="NAME",
            expose_value=False,
            callback=_set_account,
            help="The account to work on, where there are several.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_set_json,
            help="Answer in JSON.",
        ),
    ]


def _set_account(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).account_name = value


def _set_json(
    ctx: click.Context,
    _param: click.Parameter,
    value: bool,  # noqa: FBT001 - click's signature
) -> None:
    if value:
        ctx.ensure_object(Context).json = True


def _print_version(
    ctx: click.Context,
    _param: click.Parameter,
    value: bool,  # noqa: FBT001 - click's signature
) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"watchbook {version('watchbook')}")
        ctx.exit()


@click.group(
    cls=Commands,
    params=_common_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Keep your Trakt history: a complete, verified copy that you own.

    Start with `watchbook demo`. For your own account: `watchbook connect`, or, without an app,
    `watchbook import FILE` with the export that Trakt gives to everybody.
    """
    context = ctx.ensure_object(Context)
    ctx.call_on_close(context.close)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    context = Context()
    try:
        outcome: Any = cli.main(
            arguments, prog_name="watchbook", standalone_mode=False, obj=context
        )
        _flush()
        sys.exit(outcome if isinstance(outcome, int) else 0)
    except click.exceptions.Abort as reason:
        _leave_stopped(reason)
    except KeyboardInterrupt:
        _leave("Stopped.", "What was kept so far stays; the same command goes on.", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as reason:
        click.echo(reason.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as reason:
        _leave(_usage_words(reason), _usage_hint(reason), 2, context)
    except WatchbookError as reason:
        _leave(reason.message, reason.hint or _HOPE[reason.fate], reason.exit_code, context)
    except BrokenPipeError:
        _print_no_more()
        sys.exit(1)
    except OSError as reason:
        _leave_unprinted(reason)
    except Exception as reason:  # noqa: BLE001 - the command line's last resort
        _leave_with_fault(reason)


def _print_no_more() -> None:
    """Let what is still to be printed go nowhere, so that it fails no second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave_unprinted(reason: OSError) -> NoReturn:
    """Tell that standard output takes no more: full files of ours are told as errors of ours."""
    if reason.errno != errno.ENOSPC:
        _leave_with_fault(reason)
    _print_no_more()
    _leave(
        "There is no room left where the output goes.",
        "Free some space and run the same command again; nothing was lost.",
        StoreFull.exit_code,
    )


def _flush() -> None:
    """Meet a closed pipe here, where it is understood."""
    sys.stdout.flush()


def _leave_stopped(reason: click.exceptions.Abort) -> NoReturn:
    """Tell Ctrl-C at work from a "no", and both from a question that nobody was there to hear."""
    if isinstance(reason.__context__, EOFError):
        _leave(
            "There is a question to answer, and standard input ended before its answer.",
            "Run it in a terminal, or give the answer as an option: --help lists them.",
            2,
        )
    kept = isinstance(reason.__cause__, KeyboardInterrupt)
    hint = (
        "What was kept so far stays; the same command goes on." if kept else "Nothing is changed."
    )
    _leave("Stopped.", hint, INTERRUPTED)


def _usage_words(reason: click.ClickException) -> str:
    """What is wrong; beside a wrong option only those are named that are much like it."""
    if isinstance(reason, click.NoSuchOption) and reason.possibilities:
        name = reason.option_name.strip("-")
        near = [one for one in reason.possibilities if get_close_matches(name, [one.strip("-")])]
        return click.NoSuchOption(reason.option_name, reason.message, near).format_message()
    return reason.format_message()


def _usage_hint(reason: click.ClickException) -> str | None:
    if isinstance(reason, click.UsageError) and reason.ctx is not None:
        return f"`{reason.ctx.command_path} --help` shows how."
    return None


def _leave(message: str, hint: str | None, code: int, context: Context | None = None) -> NoReturn:
    """Tell what happened and what to do, in two lines, and end."""
    from watchbook.redaction import redact, tame

    lines = [tame(redact(" ".join(text.split()))) for text in (message, hint or "")]
    if context is not None and context.json:
        context.answer({"ok": False, "error": lines[0], "hint": lines[1], "code": code})
    click.echo(f"watchbook: {lines[0]}", err=True)
    if lines[1]:
        click.echo(f"  {lines[1]}", err=True)
    sys.exit(code)


def _leave_with_fault(reason: Exception) -> NoReturn:
    import traceback

    from watchbook.redaction import redact

    click.echo(redact("".join(traceback.format_exception(reason))), err=True)
    _leave(
        f"This is a fault in Watchbook ({type(reason).__name__}); nothing is half-written.",
        "Please report it with the lines above; they hold no secrets.",
        FAULT,
    )
