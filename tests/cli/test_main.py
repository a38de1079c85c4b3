"""The command line itself: how it starts, how errors are told, what they end with."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Book, Run
from watchbook.cli.context import Context
from watchbook.cli.main import COMMANDS, cli
from watchbook.errors import RemoteUnavailable, StoreFull

WATCHBOOK = (sys.executable, "-m", "watchbook")
OUTWARDS = ("PIL", "dbos", "httpx2", "icalendar", "jinja2", "resvg_py", "starlette", "uvicorn")
"""What only those need who ask others, draw, or are asked."""
HEAVY = (*OUTWARDS, "alembic", "cryptography", "msgspec", "rich", "sqlalchemy", "structlog")


def loaded(arguments: Sequence[str]) -> set[str]:
    """The modules that a call of the command has loaded at its end, packages only."""
    program = (
        "import sys\n"
        "from watchbook.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in ended.stderr.split()}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["sync", "--help"]])
def test_nothing_heavy_is_loaded_for_a_word(arguments: list[str]) -> None:
    """Version and help come without database, HTTP client, colours and log."""
    assert loaded(arguments) & set(HEAVY) == set()


def test_how_it_stands_is_told_by_the_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` brings no HTTP client, no engine and nothing that draws."""
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path))
    assert loaded(["status"]) & set(OUTWARDS) == set()


def test_the_version_is_that_of_the_package() -> None:
    """One line with name and version."""
    ended = subprocess.run([*WATCHBOOK, "--version"], check=True, capture_output=True, text=True)
    assert re.fullmatch(r"watchbook \d+\.\d+\.\d+\n", ended.stdout)


def test_help_lists_every_command(run: Run) -> None:
    """The help names all commands, in the order of the table, each with a line."""
    shown = run("--help").out
    listed = re.findall(r"^  ([a-z]+)  +\S", shown.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_common_options(name: str) -> None:
    """--account and --json may stand behind each command and subcommand."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    every = [command, *(command.commands.values() if isinstance(command, click.Group) else [])]
    for one in every:
        assert {"--account", "--json"} <= {spelt for param in one.params for spelt in param.opts}


@pytest.mark.parametrize("arguments", [("--json", "status"), ("status", "--json")])
def test_common_options_stand_on_either_side(run: Run, arguments: tuple[str, ...]) -> None:
    """Before and behind a command they mean the same."""
    assert json.loads(run(*arguments).out) == {"accounts": []}


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("frobnicate",), "No such command 'frobnicate'.", "`watchbook --help` shows how."),
        (("shar",), "Did you mean 'share'?", "`watchbook --help` shows how."),
        (("sync", "--nonsense"), "No such option", "`watchbook sync --help` shows how."),
        (("account", "add"), "Missing argument 'NAME'.", "`watchbook account add --help`"),
        (("share", "--delay"), "requires an argument.", "`watchbook share --help` shows how."),
        (("site", "add", "--name"), "requires an argument.", "`watchbook site add --help`"),
        (("--account",), "requires an argument.", "`watchbook --help` shows how."),
        (("--acount", "x"), "Did you mean '--account'?", "`watchbook --help` shows how."),
        (("account", "frob"), "No such command 'frob'.", "`watchbook account --help`"),
        (("demo", "--plays", "x"), "not a valid integer", "`watchbook demo --help`"),
    ],
)
def test_a_wrong_call_takes_two_lines(
    run: Run, arguments: tuple[str, ...], said: str, hint: str
) -> None:
    """What was wrong, where help is, code 2, and nothing on standard output."""
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    first, second = ended.err.splitlines()
    assert first.startswith("watchbook: ")
    assert said in first
    assert second.startswith("  ")
    assert hint in second


def test_only_what_is_much_alike_is_proposed(run: Run) -> None:
    """An option of another command is not mistaken for a misspelt one."""
    assert "Did you mean" not in run("--delay", "2h", "share").err


@pytest.mark.parametrize("arguments", [(), ("sandbox",)])
def test_a_call_without_a_command_shows_the_help(run: Run, arguments: tuple[str, ...]) -> None:
    """A name alone is answered with its help, laid out as help is."""
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == run(*arguments, "--help").out


def test_a_question_without_anybody_to_answer(
    run: Run, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input that ends before the answer is no Ctrl-C: code 2, and where to answer."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ended = run("account", "remove", "sandra")
    assert ended.code == 2
    assert "standard input ended before its answer" in ended.err.splitlines()[-2]
    assert "--help lists them" in ended.err.splitlines()[-1]


def test_an_error_takes_two_lines(run: Run, book: Book) -> None:
    """What happened, what to do, and the code of its kind."""
    ended = run("sync", "--account", "nobody")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "watchbook: There is no account called nobody.",
        "  Known accounts: sandra.",
    ]


def test_an_error_as_data(run: Run, book: Book) -> None:
    """With --json the error is on standard output, for a program, and still on standard error."""
    ended = run("sync", "--account", "nobody", "--json")
    assert json.loads(ended.out) == {
        "ok": False,
        "error": "There is no account called nobody.",
        "hint": "Known accounts: sandra.",
        "code": 2,
    }
    assert "no account called nobody" in ended.err
    assert ended.code == 2


def test_hostile_words_in_errors_do_nothing(run: Run, book: Book) -> None:
    """What came from outside starts no line and moves no cursor, and secrets are masked."""
    hostile = "x\x1b[2J\u202e\nwatchbook: all is well [red]access_token=not-for-your-eyes"
    ended = run("sync", "--account", hostile)
    assert len(ended.err.splitlines()) == 2
    assert "\x1b" not in ended.err
    assert "\u202e" not in ended.err
    assert "[red]" in ended.err
    assert "not-for-your-eyes" not in ended.err


@click.command()
def stopped() -> None:
    """Be stopped from the keyboard."""
    raise KeyboardInterrupt


@click.command()
def faulty() -> None:
    """Have a fault."""
    raise ValueError("refresh_token=not-for-your-eyes")


@click.command()
def unlucky() -> None:
    """Meet a server that does not answer."""
    raise RemoteUnavailable("Trakt could not be reached.")


@click.command()
@click.pass_obj
def noisy(context: Context) -> None:
    """Log a line of each kind."""
    from watchbook.logs import logger  # noqa: PLC0415 - as a command would

    assert context.settings.log
    for level in ("debug", "info", "warning", "error"):
        getattr(logger("test"), level)(f"a line of {level}")


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands above, beside the real ones."""
    for name in ("stopped", "faulty", "unlucky", "noisy"):
        monkeypatch.setitem(COMMANDS, name, f"{__name__}:{name}")


def test_being_stopped_is_no_fault(run: Run, extra: None) -> None:
    """Control-C ends a command with 130 and a word about what was kept."""
    ended = run("stopped")
    assert ended.code == 130
    assert ended.err.lstrip().startswith("watchbook: Stopped.\n  What was kept so far stays")


def test_an_error_that_brings_no_advice_gets_some(run: Run, extra: None) -> None:
    """There are always two lines; the second follows from the fate of the error."""
    ended = run("unlucky")
    assert ended.code == 75
    assert ended.err.splitlines()[-1] == "  Nothing that was stored is lost; run it again later."


def test_a_fault_of_ours_asks_to_be_reported(run: Run, extra: None) -> None:
    """Code 70, the traceback without secrets, and the two lines at its end."""
    ended = run("faulty")
    assert ended.code == 70
    assert "Traceback" in ended.err
    assert "not-for-your-eyes" not in ended.err
    first, second = ended.err.splitlines()[-2:]
    assert first == "watchbook: This is a fault in Watchbook (ValueError); nothing is half-written."
    assert second.startswith("  Please report it")


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        (None, ["warning", "error"]),
        ("error", ["error"]),
        ("info", ["info", "warning", "error"]),
        ("debug", ["debug", "info", "warning", "error"]),
    ],
)
def test_the_log_holds_what_the_setting_says(
    run: Run, extra: None, monkeypatch: pytest.MonkeyPatch, level: str | None, logged: list[str]
) -> None:
    """Unless a level is set, a command's log holds trouble only; it goes to standard error."""
    if level is not None:
        monkeypatch.setenv("WATCHBOOK_LOG", level)
    ended = run("noisy")
    assert re.findall(r"a line of (\w+)", ended.err) == logged
    assert ended.out == ""


def test_the_log_as_json(run: Run, extra: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structured lines are for a collector, which wants to know of more than trouble."""
    monkeypatch.setenv("WATCHBOOK_LOG", "json")
    lines = [json.loads(line) for line in run("noisy").err.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]


@pytest.mark.parametrize(
    ("base_url", "contact"),
    [
        (None, ""),
        ("http://localhost:8420/", ""),
        ("https://watchbook.example.org", " (+https://watchbook.example.org)"),
    ],
)
def test_trakt_is_told_whom_to_write_to(
    home: Path, monkeypatch: pytest.MonkeyPatch, base_url: str | None, contact: str
) -> None:
    """An installation that has an address of its own names it in the User-Agent."""
    if base_url is not None:
        monkeypatch.setenv("WATCHBOOK_BASE_URL", base_url)
    context = Context()
    agent = context.http._headers["User-Agent"]
    context.close()
    assert re.fullmatch(r"Watchbook/\d+\.\d+\.\d+" + re.escape(contact), agent)


def test_a_reader_that_goes_away_is_no_fault(home: Path) -> None:
    """`watchbook config | head -1` ends with 1 and without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*WATCHBOOK, "config", "--json"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize("words", [("config",), ("config", "--json")])
def test_output_that_does_not_fit_is_no_fault(home: Path, words: tuple[str, ...]) -> None:
    """A full disk behind standard output takes two lines, too."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*WATCHBOOK, *words], stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert ended.returncode == StoreFull.exit_code
    first, second = ended.stderr.splitlines()
    assert first == "watchbook: There is no room left where the output goes."
    assert second.startswith("  Free some space")


def completed(home: Path, *words: str) -> list[str]:
    """What bash is told for the last of the words, which is not finished."""
    variables = {
        **os.environ,
        "_WATCHBOOK_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["watchbook", *words]),
        "COMP_CWORD": str(len(words)),
    }
    program = "from watchbook.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=variables
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.split()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("do",), ["doctor"]),
        (("account", "re"), ["rename", "remove"]),
        (("sync", "--f"), ["--full"]),
        (("status", "--js"), ["--json"]),
    ],
)
def test_the_tab_key(home: Path, words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, subcommands and options complete; the variable is refused as no setting."""
    assert sorted(completed(home, *words)) == sorted(offered)
    assert not home.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(home: Path, shell: str) -> None:
    """Each shell that the documentation names gets a script."""
    variables = {**os.environ, "_WATCHBOOK_COMPLETE": f"{shell}_source"}
    program = "from watchbook.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env=variables
    )
    assert ended.returncode == 0
    assert "_WATCHBOOK_COMPLETE" in ended.stdout
    assert "watchbook" in ended.stdout
