"""The documentation says what the code says: nothing missing, nothing that is not there."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

from watchbook import errors
from watchbook.cli.main import cli
from watchbook.publish.rules import RULES
from watchbook.publish.texts import Words
from watchbook.settings.table import SETTINGS
from watchbook.trakt.datasets import CATALOGUE

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS]
REFERENCE = ROOT / "docs" / "reference"
PAGES = (
    "settings.md",
    "commands.md",
    "exit-codes.md",
    "data-sets.md",
    "sqlite-export.md",
    "site-rules.md",
    "posts.md",
    "api.md",
)

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?watchbook(?= |$)")


@cache
def generator() -> ModuleType:
    """The program that makes the reference pages."""
    spec = importlib.util.spec_from_file_location(
        "make_reference", ROOT / "scripts" / "make_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(parent: click.Context | None = None) -> Iterator[click.Context]:
    """Every command and subcommand, as the context in which it would run."""
    parent = parent or click.Context(cli, info_name="watchbook")
    group = parent.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        ctx = click.Context(command, info_name=name, parent=parent)
        yield ctx
        if isinstance(command, click.Group):
            yield from commands(ctx)


COMMANDS = {ctx.command_path: ctx for ctx in commands()}


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    """`make docs` would change nothing: settings, commands, codes and data sets are as shown."""
    assert (REFERENCE / name).read_text("utf-8") == generator().PAGES[name]()


def test_no_made_page_is_left_over() -> None:
    """Pages that say they are made from the code are those that `make docs` makes."""
    made = {
        path.name for path in REFERENCE.iterdir() if generator().MADE in path.read_text("utf-8")
    }
    assert made == set(generator().PAGES) == set(PAGES)


def test_the_reference_has_everything() -> None:
    """The maker of the pages passes nothing over; each thing stands at the head of its line."""
    pages = {name: generator().PAGES[name]() for name in PAGES}
    for setting in SETTINGS:
        assert f"\n| `{setting.variable}` |" in pages["settings.md"]
    for line in CATALOGUE:
        assert f"\n| `{line.name}` |" in pages["data-sets.md"]
    for path, ctx in COMMANDS.items():
        assert f" {path}\n\n```\n{path} " in pages["commands.md"], path
        for option in ctx.command.params:
            for spelling in option.opts if isinstance(option, click.Option) else []:
                assert f"`{spelling}" in pages["commands.md"], f"{path} {spelling}"
    for name in [rule.name for rule in RULES] + list(Words("", "").for_template):
        assert f"\n| `{name}` |" in pages["site-rules.md"]
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.WatchbookError):
            assert f"\n| {kind.exit_code} |" in pages["exit-codes.md"]


def test_defaults_name_no_place_of_this_machine() -> None:
    """The settings page reads the same wherever it is made."""
    assert str(Path.home()) not in generator().settings_page()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_shows_one_example(path: str) -> None:
    """The help of each command ends its words with one line that may be copied as it stands."""
    ctx = COMMANDS[path]
    shown = [line.strip() for line in ctx.get_help().splitlines() if "Example:" in line]
    assert len(shown) == 1
    example = shown[0].removeprefix("Example: ")
    assert shown[0].startswith("Example: ")
    assert CALL.match(example)
    assert called(example)[0].startswith(path)
    assert problem_with(example) is None


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_does(path: str) -> None:
    """No command, and no option of one, is without a word in the help."""
    command = COMMANDS[path].command
    assert command.help
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def relative(path: Path) -> str:
    """A path inside the project, for the names of tests."""
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", PROSE, ids=relative)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project, and to a heading in it, resolves."""
    broken = []
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def calls_in(text: str) -> list[str]:
    """Every call of `watchbook` in a page, in code blocks and in the line."""
    blocks = "\n".join(FENCE.findall(text))
    pieces = [line.strip() for line in blocks.splitlines()]
    pieces += CODE.findall(FENCE.sub("", text))
    # A line of cron begins with the hours; a line of a shell may go on with a comment or a pipe.
    pieces = [re.sub(r"^[\d*]+( +[\d*/,-]+){4} +", "", piece) for piece in pieces]
    return [re.split(r"\s+(?:#|\||>|&&)", piece)[0] for piece in pieces if CALL.match(piece)]


def called(call: str) -> tuple[str, list[str]]:
    """The path of the command that a call names, and the words behind it."""
    words = [word for word in shlex.split(call.removeprefix("$ ")) if word != "…"][1:]
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] == "--account" else words[1:]
    path = "watchbook"
    while words and f"{path} {words[0]}" in COMMANDS:
        path = f"{path} {words.pop(0)}"
    return path, words


def problem_with(call: str) -> str | None:
    """What is wrong with a call that a page shows, if anything."""
    path, words = called(call)
    if path == "watchbook":
        return f"there is no command {words[0]}" if words else None
    known = {name for option in COMMANDS[path].command.params for name in option.opts} | {"--help"}
    options = [word for word in words if word.startswith("-") and word != "-"]
    wrong = [word for word in options if word.partition("=")[0] not in known]
    if wrong:
        return f"{path} has no {wrong[0]}"
    is_group = isinstance(COMMANDS[path].command, click.Group)
    names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    return f"{path} has no {names[0]}" if is_group and names and words[0] == names[0] else None


@pytest.mark.parametrize("page", PROSE, ids=relative)
def test_commands_in_the_pages_exist(page: Path) -> None:
    """Every call that a page shows names a command and options that there are."""
    wrong = {call: problem_with(call) for call in calls_in(page.read_text("utf-8"))}
    assert {call: why for call, why in wrong.items() if why} == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("`watchbook synch`", "there is no command synch"),
        ("`watchbook sync --fully`", "watchbook sync has no --fully"),
        ("```\n$ watchbook --account tom backup verfy\n```", "watchbook backup has no verfy"),
        ("```\n17 5 * * *  watchbook connect --fresh\n```", "watchbook connect has no --fresh"),
        ("```\n.venv/bin/watchbook frob  # do it\n```", "there is no command frob"),
    ],
)
def test_a_wrong_call_would_be_noticed(text: str, why: str) -> None:
    """The test above sees calls in every form in which pages show them."""
    (call,) = calls_in(text)
    assert problem_with(call) == why


def test_decisions_are_numbered_without_gaps() -> None:
    """Each decision has the next number, in its name and in its title."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        assert page.read_text("utf-8").startswith(f"# {number}. ")


def test_the_architecture_names_every_layer() -> None:
    """The table of modules names all that there are."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    source = ROOT / "src" / "watchbook"
    modules = {path.stem for path in source.iterdir() if not path.name.startswith((".", "_"))}
    missing = [name for name in sorted(modules - {"py"}) if not re.search(rf"\b{name}\b", table)]
    assert missing == []
