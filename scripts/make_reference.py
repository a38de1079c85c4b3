"""Write docs/reference/ from the code (``make docs``): settings, commands, codes, rules, posts.

What is listed there is listed in the code; a test compares the two.
"""

# ruff: noqa: INP001 - a folder of programs, no package

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import click

from watchbook import errors
from watchbook.cli import backup_diff, doctor, publish, site_ends, sync
from watchbook.cli import main as commands
from watchbook.cli.main import cli
from watchbook.exporting import database_schema as database
from watchbook.micropub.citing import Payload
from watchbook.micropub.post import Look, Post, entry, form, properties
from watchbook.micropub.titles import Episode, Film, Ids, Picture, Show, Watched
from watchbook.publish.rules import RULES
from watchbook.settings.table import SETTINGS, Setting
from watchbook.trakt.datasets import CATALOGUE, DataSet, Shape
from watchbook.web.api import words as api_words
from watchbook.web.api.document import described
from watchbook.web.api.operations import OPERATIONS, Operation

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
MADE = "<!-- Made by `make docs` from the code; change it there. -->"

Table = Iterable[Iterable[str]]


def page(title: str, *blocks: str) -> str:
    """A page of blocks below its title."""
    return "\n\n".join([f"# {title}", MADE, *(block.strip("\n") for block in blocks)]) + "\n"


def table(head: Iterable[str], rows: Table) -> str:
    """A table in Markdown."""
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """``text`` on one line, with no bar that would end its cell."""
    return " ".join(text.split()).replace("|", "\\|")


# --- Settings ------------------------------------------------------------------------------

_HEAD_OF_SETTINGS = """\
A setting is taken from the first of these that has it: the environment, a file `.env` in the
working folder, `watchbook.toml` in the home folder, the default. In `watchbook.toml` a setting has
its short name: `log = "warning"` is `WATCHBOOK_LOG`. An unknown name or a bad value is an error.
`watchbook config` shows what is in force and where it came from."""

_NOTES_ON_SETTINGS = """\
Where hosting platforms set `DATABASE_URL` (`postgres://` too), it counts when
`WATCHBOOK_DATABASE_URL` is not set.

Commands that end by themselves log warnings and errors only, unless `WATCHBOOK_LOG` is set: what
they did, they print. `WATCHBOOK_BASE_URL`, when set, is also told to Trakt in the `User-Agent`, so
that there is somebody to write to."""

_PLATFORM_DEFAULTS = {
    "home": "the platform's folder of user data, on Linux `~/.local/share/watchbook`"
}


def settings_page() -> str:
    """Every setting with its default, meaning and a right example."""
    rows = (
        (f"`{s.variable}`", default_of(s), s.meaning, "hidden" if s.secret else "")
        for s in SETTINGS
    )
    examples = "\n".join(f"- `{s.variable}`: {s.example}" for s in SETTINGS)
    return page(
        "Settings",
        _HEAD_OF_SETTINGS,
        table(("setting", "default", "meaning", "in `watchbook config`"), rows),
        _NOTES_ON_SETTINGS,
        "## Right examples",
        examples,
    )


def default_of(setting: Setting) -> str:
    """The default as the table shows it."""
    if setting.name in _PLATFORM_DEFAULTS:
        return _PLATFORM_DEFAULTS[setting.name]
    return f"`{setting.default}`" if setting.default else "none"


# --- Commands ------------------------------------------------------------------------------

_HEAD_OF_COMMANDS = """\
Every command takes `--help`, and `--account NAME` and `--json`, before its name or behind it.
What was asked for goes to standard output, everything else to standard error. An error takes two
lines, what happened and what to do, and has [an exit code](exit-codes.md) that says which kind it
was. With `--json` it stands on standard output, too, as an object with `ok` (false), `error`,
`hint` and `code`, unless the call itself could not be understood."""

_COMMON = {"account", "json"}


def commands_page() -> str:
    """Every command and subcommand with its arguments, options and example."""
    root = click.Context(cli, info_name="watchbook")
    own = [param for param in cli.params if param.name not in _COMMON]
    sections = [section for name in cli.list_commands(root) for section in about(root, name)]
    return page("Commands", _HEAD_OF_COMMANDS, options_table(root, own), *sections)


def about(parent: click.Context, name: str) -> Iterator[str]:
    """The sections of a command and its subcommands."""
    group = parent.command
    assert isinstance(group, click.Group)
    command = group.get_command(parent, name)
    assert command is not None
    ctx = click.Context(command, info_name=name, parent=parent)
    yield section(ctx)
    if isinstance(command, click.Group):
        for inner in command.list_commands(ctx):
            yield from about(ctx, inner)


def section(ctx: click.Context) -> str:
    """One command: usage, what it does, example, options."""
    command = ctx.command
    words, example = split_help(command.help or "")
    params = [p for p in command.params if isinstance(p, click.Option) and p.name not in _COMMON]
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    blocks = [
        f"{'#' * len(ctx.command_path.split())} {ctx.command_path}",
        f"```\n{usage}\n```",
        words,
        f"Example: `{example}`",
        options_table(ctx, params),
    ]
    return "\n\n".join(block for block in blocks if block)


def split_help(text: str) -> tuple[str, str]:
    """The words of a command's help, and its example."""
    words, _, example = inspect.cleandoc(text).partition("Example:")
    return words.strip(), example.strip()


def options_table(ctx: click.Context, options: Iterable[click.Parameter]) -> str:
    """The options of a command as a table, or nothing."""
    records = [option.get_help_record(ctx) for option in options]
    known = [record for record in records if record is not None]
    rows = [(f"`{names.replace(', ', '`, `')}`", meaning) for names, meaning in known]
    return table(("option", "meaning"), rows) if rows else ""


# --- Exit codes ----------------------------------------------------------------------------

_LATER = {"transient": "yes, later", "unknown": "look first", "permanent": ""}
_OF_COMMANDS = (
    (0, "All went well.", ""),
    (doctor.UNWELL, "`watchbook doctor` found a problem.", ""),
    (backup_diff.DIFFERENT, "`watchbook backup diff --exit-code`: something differs.", ""),
    (1, "Whoever read the output went away before its end.", ""),
    (sync.INCOMPLETE, "`watchbook sync` ended, but without all that Trakt claims.", "yes, later"),
    (65, "`watchbook status`: a copy is incomplete.", ""),
    (75, "`watchbook status`: the last sync failed, and the next one may not.", "yes, later"),
    (77, "`watchbook status`: somebody has to sign in, or Trakt locked the account.", ""),
    (publish.REFUSED, "`watchbook publish`: a site has refused posts.", ""),
    (publish.IS_DOWN, "`watchbook publish`: a site is down, or asks for a pause.", "yes, later"),
    (publish.NEEDS_SIGN_IN, "`watchbook publish`: a site needs a sign-in.", ""),
    (site_ends.REFUSED, "`watchbook site test`: the site did not take the test post.", ""),
    (commands.FAULT, "A fault of Watchbook itself; please report it.", ""),
    (commands.INTERRUPTED, "Stopped from the keyboard; what was kept so far stays.", "yes"),
)
_HEAD_OF_CODES = """\
The numbers follow `sysexits.h` where it has one. What each error said, and what to do about it,
stands on standard error."""


def exit_codes_page() -> str:
    """Every exit code, what it means, and whether trying again helps."""
    found = [*_OF_COMMANDS, *map(told, kinds())]
    rows = [(str(code), *words) for code, *words in sorted(found, key=lambda row: row[0])]
    return page("Exit codes", _HEAD_OF_CODES, table(("code", "meaning", "again?"), rows))


def kinds() -> list[type[errors.WatchbookError]]:
    """The errors that commands end with, in the order of their module."""
    found = (kind for kind in vars(errors).values() if isinstance(kind, type))
    every = [kind for kind in found if issubclass(kind, errors.WatchbookError)]
    return [kind for kind in every if kind is not errors.WatchbookError]


def told(kind: type[errors.WatchbookError]) -> tuple[int, str, str]:
    """The line of an error: code, meaning, and whether trying again helps."""
    meaning = (kind.__doc__ or "").partition("\n")[0].partition(";")[0].rstrip(".")
    return kind.exit_code, f"{meaning}.", _LATER[kind.fate.value]


# --- Data sets -----------------------------------------------------------------------------

_HEAD_OF_DATA_SETS = """\
What Watchbook keeps of an account, in the order in which a full sync reads it. *Read again* says
what tells that it changed: fields of Trakt's `last_activities`, a field of the row that it belongs
to, or nothing (then it is read once a day). A full pass reads everything once a month, and on
`watchbook sync --full`. *Left out* are fields that give access to something; they are taken out
before anything is kept. Rows that are gone at Trakt stay; an archive has them below `removed/`."""

_SHAPES = {
    Shape.PLAYS: "rows",
    Shape.ROWS: "rows",
    Shape.LATEST: "rows of the latest reading only",
    Shape.OBJECT: "one object",
}


def data_sets_page() -> str:
    """Every data set of the catalogue."""
    head = ("data set", "what it is", "at Trakt", "kept", "read again", "in an archive", "left out")
    rows = (
        (
            f"`{line.name}`",
            line.meaning,
            f"`{line.path}`",
            _SHAPES[line.shape],
            moved_by(line),
            ", ".join(f"`{name}`" for name in files_of(line)),
            ", ".join(f"`{name}`" for name in line.secrets),
        )
        for line in CATALOGUE
    )
    return page("Data sets", _HEAD_OF_DATA_SETS, table(head, rows))


def moved_by(line: DataSet) -> str:
    """What tells that a data set has to be read again."""
    fields = ", ".join(f"`{name}`" for name in line.guard)
    if line.parent is not None:
        version = ", ".join(f"`{name}`" for name in line.parent.version)
        fields = f"{version} of its row in `{line.parent.data_set}`"
    return " and ".join(filter(None, (fields, "daily" if line.unguarded else "")))


def files_of(line: DataSet) -> list[str]:
    """The files of an archive that hold a data set."""
    if line.parent is not None:
        folder = "lists" if line.name == "list_items" else line.name
        return [f"{folder}/ID-NAME.json"]
    return [f"{line.name}_{kind}.json" for kind in line.split] or [f"{line.name}.json"]


# --- The SQLite export ---------------------------------------------------------------------

_HEAD_OF_DATABASE = f"""\
What `watchbook export sqlite` writes: a database of one account to look at, with Datasette, with
SQL, with whatever opens such files. [How to](../how-to/export.md#sqlite-for-datasette-and-sql)
shows the way. It is a copy of its day and no part of Watchbook's own store, so nothing that is
changed in it comes back.

`PRAGMA user_version` is {database.VERSION}: it grows when a column changes its meaning or goes
away, not when one is added. Times are texts such as `2026-11-21T20:15:00Z`. A column without
a value is NULL."""

_HEAD_OF_VIEWS = """\
Queries with names, to start from. `title` and `year` are those of the film or show."""

_SEARCH = """\
`titles_search` finds titles by their words, without regard to accents and case:

```sql
SELECT title, year FROM titles
WHERE id IN (SELECT rowid FROM titles_search WHERE titles_search MATCH 'moonlight');
```"""


def database_page() -> str:
    """Every table, column and view of the SQLite export."""
    blocks = (
        f"### {each.name}\n\n{each.meaning}\n\n" + table(("column", "type", "meaning"), (
            (f"`{field.name}`", field.declared, field.meaning) for field in each.fields
        ))
        for each in database.TABLES
    )  # fmt: skip
    views = ((f"`{view.name}`", view.meaning) for view in database.VIEWS)
    return page(
        "The SQLite export",
        _HEAD_OF_DATABASE,
        "## Tables",
        *blocks,
        "## Views",
        _HEAD_OF_VIEWS,
        table(("view", "meaning"), views),
        "## Searching titles",
        _SEARCH,
    )


# --- Publishing ----------------------------------------------------------------------------

_HEAD_OF_RULES = """\
What a site publishes, when, and how it looks; `watchbook site set NAME key=value` sets a rule, and
an empty value goes back to the default. [How to](../how-to/publish.md) says more. Durations are
such as `10m`, `2h`, `7d`; lists are separated by commas."""

_HEAD_OF_TEXTS = """\
The three texts are templates: `{{ name }}` puts a word in, `{% if rewatch %} again{% endif %}`
asks, `{% for e in episodes %}{{ e.code }} {% endfor %}` goes over the episodes of a binge or the
`genres`. What is not known is empty. There are a few filters (`default`, `join`, `lower`, `round`,
`title`, `upper` and the like), and nothing that could compute for long."""

_VARIABLES = {
    "name": "the whole title: `Heat (1995)`, `The Wire S02E07: Backwash`, of a binge the show; "
    "a link where `text-format` is `html`",
    "title": "the film's or the episode's own title",
    "url": "its page at Trakt",
    "show": "the show's title",
    "code": "`S02E07`",
    "season": "the season's number",
    "episode": "the episode's number",
    "year": "when the film or the show came out",
    "rating": "your rating, 1 to 10",
    "note": "your public note on the title",
    "times": "which watch of the title this is, the first being 1",
    "rewatch": "whether it was watched before",
    "runtime": "in minutes",
    "watched": "the day, by the site's clock: `2026-11-21`",
    "genres": "the genres, for a loop or `join`",
    "episodes": "the episodes of a binge, each with `code`, `season`, `episode` and `title`",
    "count": "how many episodes",
    "first": "the first episode of a binge",
    "last": "the last episode of a binge",
}
"""What a template may say. A test holds the names against the code."""


def rules_page() -> str:
    """Every rule of a site, and every word of a template."""
    rows = (
        (f"`{rule.name}`", f"`{rule.default}`" if rule.default else "none", rule.meaning)
        for rule in RULES
    )
    words = ((f"`{name}`", meaning) for name, meaning in _VARIABLES.items())
    return page(
        "Rules of a site",
        _HEAD_OF_RULES,
        table(("rule", "default", "meaning"), rows),
        "## Texts",
        _HEAD_OF_TEXTS,
        table(("word", "what it says"), words),
    )


_HEAD_OF_POSTS = """\
What a site gets for a film, an episode and a binge, by its default rules: as JSON, and as the form
that is sent to sites which take no JSON. `watchbook publish --dry-run` shows your own. Lines are
broken for reading."""

_HEAD_OF_PAYLOADS = """\
The rule `payload` chooses how `watch-of` cites the title. `standard` is above; `reference` has the
shape of ownyourtrakt's posts, `reference-list` the same with the ids as a list, and `url` is the
address alone."""

_HEAD_OF_POSTERS = """\
With the rule `poster`, when the site has the picture. A form carries the address of a featured one;
with `cite` it has none."""

_BERLIN = ZoneInfo("Europe/Berlin")
_WATCHED = datetime(2026, 11, 21, 20, 15, tzinfo=_BERLIN)
_HEAT = Film("Heat", Ids(832, "heat-1995", "tt0113277", 949), 1995, "1995-12-15")
_WIRE = Show("The Wire", Ids(1429, "the-wire", "tt0306414", 1438, 79126), 2002)


def _episode(number: int, name: str) -> Episode:
    return Episode(_WIRE, 2, number, Ids(62150 + number), name, f"2003-07-{number:02}")


def _post(text: str, *what: Film | Episode, payload: Payload = Payload.STANDARD) -> Post:
    watched = [Watched(11_000_000_001 + at, one) for at, one in enumerate(what)]
    category = ("watched", "film" if isinstance(what[0], Film) else "tv")
    return Post(watched, text, _WATCHED, categories=category, look=Look(payload, zone=_BERLIN))


def _pictured(way: str) -> Post:
    poster = Picture("https://you.example/media/3f2c.jpg", "Poster of Heat (1995)")
    post = _post("Watched Heat (1995)", _HEAT)
    watched = [replace(one, poster=poster) for one in post.watched]
    return replace(post, watched=watched, look=replace(post.look, poster=way))


_EXAMPLES = {
    "A film": _post("Watched Heat (1995)", _HEAT),
    "An episode": _post("Watched The Wire S02E07: Backwash", _episode(7, "Backwash")),
    "A binge": _post(
        "Watched 2 episodes of The Wire: S02E06 to S02E07",
        _episode(6, "All Prologue"),
        _episode(7, "Backwash"),
    ),
}


def posts_page() -> str:
    """The exact posts about a film, an episode and a binge, in every way to cite them."""
    blocks = [
        f"## {head}\n\n{_as_json(post)}\n\n{_as_form(post)}" for head, post in _EXAMPLES.items()
    ]
    text, what = "Watched The Wire S02E07: Backwash", _episode(7, "Backwash")
    others = [
        f"### `{payload.value}`\n\n{_as_json(_post(text, what, payload=payload))}"
        for payload in Payload
        if payload is not Payload.STANDARD
    ]
    featured = _pictured("featured")
    return page(
        "Posts",
        _HEAD_OF_POSTS,
        *blocks,
        "## Posters",
        _HEAD_OF_POSTERS,
        f"### `poster=cite`\n\n{_as_json(_pictured('cite'))}",
        f"### `poster=featured`\n\n{_as_json(featured)}\n\n{_as_form(featured)}",
        "## Other ways to cite",
        _HEAD_OF_PAYLOADS,
        *others,
    )


def _as_json(post: Post) -> str:
    body = json.dumps(entry(properties(post, now=_WATCHED)), indent=2, ensure_ascii=False)
    return f"```json\n{body}\n```"


def _as_form(post: Post) -> str:
    fields = form(post, now=_WATCHED).items()
    lines = [urlencode({name: value}, doseq=True) for name, value in fields]
    return "```\n" + "\n&".join(lines) + "\n```"


# --- The API -------------------------------------------------------------------------------

_HEAD_OF_API = """\
[How to](../how-to/api.md) shows the way. The same stands at `/api/docs` of every installation, and
for programs at `/api/openapi.json`. `NAME` is the name of an account, `TOKEN` one of its tokens."""


def api_page() -> str:
    """Every operation of the API, and every shape of an answer."""
    blocks = [block for one in OPERATIONS for block in about_operation(one)]
    shapes = [block for form in api_words.forms() for block in about_form(form)]
    return page("The API", _HEAD_OF_API, *blocks, "## Shapes", *shapes)


def about_operation(one: Operation) -> Iterator[str]:
    """One operation: address, who may ask, parameters, example, answer."""
    address = one.address.replace("{name}", "NAME")
    yield f"## `GET {address}`"
    yield f"{one.words} {described(one)}"
    if one.parameters:
        rows = (
            (f"`{each.name}`", api_words.form_of(each), each.words, f"`{each.example}`")
            for each in one.parameters
        )
        yield table(("parameter", "form", "meaning", "example"), rows)
    yield f"```\n{api_words.curl(one, 'http://localhost:8420')}\n```"
    yield f"Answers [{one.answer.__name__}](#{one.answer.__name__.lower()})."


def about_form(form: api_words.Form) -> Iterator[str]:
    """One shape and its fields."""
    yield f"### {form.name}"
    yield form.words
    rows = ((f"`{field.name}`", linked(field.type, field.of), field.words) for field in form.fields)
    yield table(("field", "type", "meaning"), rows)


def linked(text: str, name: str | None) -> str:
    """``text`` with the name of a shape in it as a link to that."""
    return text if name is None else text.replace(name, f"[{name}](#{name.lower()})")


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "exit-codes.md": exit_codes_page,
    "data-sets.md": data_sets_page,
    "sqlite-export.md": database_page,
    "site-rules.md": rules_page,
    "posts.md": posts_page,
    "api.md": api_page,
}
"""Every page that is made, and what makes it."""


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), "utf-8")
    sys.stdout.write(f"Wrote {len(PAGES)} pages to {FOLDER.relative_to(Path.cwd())}.\n")


if __name__ == "__main__":
    main()
