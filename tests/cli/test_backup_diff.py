"""`watchbook backup diff`: which archives it takes, what it prints and ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Book, Run
from watchbook.archive.backup import back_up
from watchbook.store import accounts, datasets
from watchbook.store.schema import plays

WATCHED = "2014-03-02T20:15:00.000Z"


def put(book: Book, *numbers: int) -> None:
    """Plays of films, as a sync keeps them."""
    row: dict[str, Any] = {
        "account_id": book.account.id,
        "type": "movie",
        "watched_at": 1_393_791_300_000,
        "action": "watch",
        "discovered_at": 0,
    }
    rows = [
        row
        | {
            "history_id": number,
            "raw": f'{{"id":{number},"watched_at":"{WATCHED}","action":"watch","type":"movie",'
            f'"movie":{{"title":"Film {number}[/]","year":1995,"ids":{{"trakt":{number}}}}}}}',
        }
        for number in numbers
    ]
    with book.store.database.write() as conn:
        conn.execute(sa.insert(plays), rows)


@pytest.fixture
def two(book: Book) -> list[Path]:
    """An archive of one film, and one of which it was removed and five others are new."""
    book.read_all()
    put(book, 1)
    first = back_up(book.store, book.account).path
    put(book, 2, 3, 4, 5, 6)
    with book.store.database.write() as conn:
        conn.execute(sa.update(plays).where(plays.c.history_id == 1).values(removed_at=5))
    return [first, back_up(book.store, book.account).path]


def test_the_two_newest_are_compared(run: Run, two: list[Path]) -> None:
    """Without a word, the last one is held against the one before it."""
    ended = run("backup", "diff")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"From  {two[0].name}, 20")
    assert lines[1].startswith(f"To    {two[1].name}, 20")
    assert lines[2] == "  watched history  5 added, 1 removed"
    assert lines[3].startswith("1 play of 1 film vanished on 20")
    assert lines[3].endswith("; watched on 2014-03-02: Film 1[/] (1995), watched 2014-03-02 20:15")
    assert lines[4].startswith("5 plays of 5 films were added; watched on 2014-03-02: Film ")
    assert lines[4].endswith("; 2 more")
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("options", "shown", "more"),
    [(("--limit", "2"), 2, "  … and 3 more"), (("--all",), 5, None), (("--limit", "0"), 0, None)],
)
def test_rows_are_listed_when_asked_for(
    run: Run, two: list[Path], options: tuple[str, ...], shown: int, more: str | None
) -> None:
    """`--limit` and `--all` give a line to each row."""
    lines = run("backup", "diff", *options).out.splitlines()
    assert sum(line.startswith("  + Film ") for line in lines) == shown
    assert [line for line in lines if "…" in line] == ([more] if more else [])


def test_json_tells_everything(run: Run, two: list[Path]) -> None:
    """Counts, and every row with its key, type, title, before and after."""
    found = json.loads(run("backup", "diff", "--json").out)
    assert found["from"]["path"] == str(two[0])
    assert found["to"]["verdict"] == "complete"
    assert found["same"] is False
    assert len(found["words"]) == 2
    (history,) = found["data_sets"]
    assert (history["name"], history["added"], history["removed"]) == ("history", 5, 1)
    assert history["rows"] == {"from": 1, "to": 5}
    by_key = {row["key"]: row for row in history["changes"]}
    assert set(by_key) == {1, 2, 3, 4, 5, 6}
    assert by_key[2]["change"] == "added"
    assert by_key[2]["title"] == "Film 2[/] (1995)"
    assert by_key[2]["before"] is None
    assert by_key[2]["after"]["movie"]["ids"] == {"trakt": 2}
    assert by_key[1]["change"] == "removed"
    assert by_key[1]["removed_at"] == "1970-01-01T00:00:00.005Z"
    assert by_key[1]["before"] == by_key[1]["after"]


def test_nothing_differs(run: Run, two: list[Path]) -> None:
    """One clear line."""
    ended = run("backup", "diff", str(two[1]), two[1].name, "--exit-code")
    assert ended.code == 0
    assert ended.out.splitlines()[2:] == ["Nothing differs: both hold the same 5 rows."]


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--exit-code",), 1)])
def test_the_exit_code_tells_only_when_asked(
    run: Run, two: list[Path], options: tuple[str, ...], code: int
) -> None:
    """As with `git diff`: a difference is no failure."""
    assert run("backup", "diff", *options).code == code
    assert run("backup", "diff", "--json", *options).code == code


def test_one_name_is_held_against_the_newest(run: Run, two: list[Path]) -> None:
    """A name among the backups is enough."""
    found = json.loads(run("backup", "diff", two[0].name, "--json").out)
    assert [found["from"]["path"], found["to"]["path"]] == [str(path) for path in two]


def test_the_order_is_kept(run: Run, two: list[Path]) -> None:
    """The newer one first is allowed, and said."""
    ended = run("backup", "diff", two[1].name, two[0].name)
    assert ended.out.startswith(f"From  {two[1].name}")
    assert f"Note  {two[1].name} is the newer of the two" in ended.out


def test_files_from_elsewhere_need_no_account(
    run: Run, two: list[Path], tmp_path: Path, book: Book
) -> None:
    """Two files are compared whatever the store holds."""
    copies = [path.rename(tmp_path / path.name) for path in two]
    with book.store.database.write() as conn:
        accounts.remove(conn, book.account.id)
    assert run("backup", "diff", *map(str, copies), "--exit-code").code == 1


def test_what_was_incomplete_is_noted(run: Run, two: list[Path], book: Book) -> None:
    """An absence in an incomplete archive proves nothing, and that is said."""
    book.data_set("history", datasets.INCOMPLETE, words="not read to its end")
    back_up(book.store, book.account)
    out = run("backup", "diff").out
    assert "Note  backup-sandra-" in out
    assert "incomplete in watched history (not read to its end): what is absent there" in out


def _no_archive(run: Run, two: list[Path]) -> tuple[str, ...]:
    for path in two:
        path.unlink()
    return ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (_no_archive, "There is no archive yet, and it takes two."),
        (lambda _run, two: (two[1].name,), "is the newest archive"),
        (lambda _run, _two: ("backup-tom.tar.gz",), "There is no file backup-tom.tar.gz."),
        (lambda _run, two: (str(two[0].parent), two[0].name), "is a folder"),
        (lambda _run, two: (two[0].name,) * 3, "More than two archives were named."),
    ],
)
def test_what_cannot_be_compared_is_refused(
    run: Run,
    two: list[Path],
    words: Callable[[Run, list[Path]], tuple[str, ...]],
    said: str,
) -> None:
    """Exit code 2, and a hint."""
    ended = run("backup", "diff", *words(run, two))
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 2


def test_a_single_archive_is_not_enough(run: Run, book: Book) -> None:
    """It takes two."""
    book.read_all()
    back_up(book.store, book.account)
    ended = run("backup", "diff")
    assert ended.code == 2
    assert "There is one archive, and it takes two." in ended.err
    assert "`watchbook backup --force`" in ended.err
