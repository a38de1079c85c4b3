"""`watchbook backup prune`: by which rule, what it says and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.cli.conftest import Book, Run
from watchbook.archive.backup import back_up, back_up_instance
from watchbook.store import accounts


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    """A clock that tests move."""
    with time_machine.travel(datetime(2026, 11, 18, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def three(book: Book, travel: time_machine.Traveller) -> list[Path]:
    """Archives of three days, oldest first."""
    book.read_all()
    found = []
    for number in range(3):
        travel.shift(timedelta(days=1))
        book.play(number + 1)
        found.append(back_up(book.store, book.account).path)
    return found


def left(home: Path) -> list[str]:
    """The archives on the disk, oldest first."""
    return sorted(path.name for path in (home / "backups").glob("*.tar.gz"))


def test_by_default_the_set_rule_holds(run: Run, home: Path, three: list[Path]) -> None:
    """The rule of the installation keeps a week of days."""
    ended = run("backup", "prune")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == (
        "Nothing to delete by the rule 7 daily, 5 weekly, 12 monthly, all yearly."
    )
    assert left(home) == [path.name for path in three]


def test_what_goes_and_stays_is_listed(run: Run, home: Path, three: list[Path]) -> None:
    """Each archive with its reason, and the room that is free."""
    ended = run("backup", "prune", "--keep", "1 daily")
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"keep    {three[2].name}")
    assert lines[0].endswith("latest good, newest of 2026-11-21")
    assert [line.split()[1] for line in lines[1:3]] == [three[1].name, three[0].name]
    assert all(line.startswith("delete  ") for line in lines[1:3])
    assert all(line.endswith("the rule does not ask for it") for line in lines[1:3])
    assert lines[3].startswith("Deleted 2 archives, ")
    assert lines[3].endswith(" are free (rule: 1 daily).")
    assert left(home) == [three[2].name]


def test_a_dry_run_only_says_so(run: Run, home: Path, three: list[Path]) -> None:
    """The same lists, and nothing is deleted."""
    ended = run("backup", "prune", "--keep", "1 daily", "--dry-run")
    assert "Nothing was deleted: 2 archives would go and free " in ended.out
    assert left(home) == [path.name for path in three]


def test_json(run: Run, home: Path, three: list[Path]) -> None:
    """What goes, what stays, the rule and the bytes."""
    sizes = sum(path.stat().st_size for path in three[:2])
    found = json.loads(run("backup", "prune", "--keep", "1 daily", "--json").out)
    assert found["dry_run"] is False
    assert found["rule"] == "1 daily"
    archives = found["archives"]
    assert [one["name"] for one in archives["kept"]] == [three[2].name]
    assert [one["name"] for one in archives["deleted"]] == [three[1].name, three[0].name]
    assert archives["bytes_freed"] == sizes
    assert found["instance"] == {"kept": [], "deleted": [], "bytes_freed": 0}


def test_the_accounts_own_rule_comes_first(
    run: Run, home: Path, three: list[Path], book: Book
) -> None:
    """An account that keeps fewer than the installation does."""
    book.change(keep="1 weekly")
    assert "(rule: 1 weekly)" in run("backup", "prune").out
    assert left(home) == [three[2].name]


def test_the_owner_prunes_copies_of_the_installation_too(
    run: Run, home: Path, three: list[Path], book: Book, travel: time_machine.Traveller
) -> None:
    """They are a series of their own; another account leaves them alone."""
    for _ in range(2):
        travel.shift(timedelta(minutes=1))
        back_up_instance(book.store)
    with book.store.database.write() as conn:
        Book.add(conn, "tom")
    assert run("backup", "prune", "--account", "tom").out == (
        "There is no archive yet. Run `watchbook backup` to write one.\n"
    )
    assert len([name for name in left(home) if name.startswith("instance-")]) == 2
    ended = run("backup", "prune", "--account", "sandra")
    assert "Copies of the installation:\nkeep    instance-" in ended.out
    assert len([name for name in left(home) if name.startswith("instance-")]) == 1


def test_a_wrong_rule_is_refused(run: Run, home: Path, three: list[Path]) -> None:
    """A rule that keeps nothing, or cannot be read, deletes nothing."""
    for rule in ("0 daily", "many"):
        ended = run("backup", "prune", "--keep", rule)
        assert ended.code == 2
        assert f"--keep: '{rule}'" in ended.err
    assert left(home) == [path.name for path in three]


def test_without_the_latest_good_one_it_refuses(run: Run, home: Path, three: list[Path]) -> None:
    """Exit code 65, and nothing is deleted."""
    three[2].write_bytes(b"cut")
    ended = run("backup", "prune", "--keep", "1 daily")
    assert ended.code == 65
    assert "Nothing was deleted." in ended.err
    assert left(home) == [path.name for path in three]


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_when_every_archive_is_gone_it_says_so(
    run: Run, three: list[Path], more: tuple[str, ...]
) -> None:
    """An account whose archives are gone is told that loudly, as `backup verify` does."""
    for path in three:
        path.unlink()
    ended = run("backup", "prune", *more)
    assert ended.code == 65
    assert "No archive is left" in ended.err


def test_accounts_do_not_touch_each_others(
    run: Run, home: Path, three: list[Path], book: Book
) -> None:
    """Pruning one account leaves another's archives where they are."""
    with book.store.database.write() as conn:
        Book.add(conn, "tom")
        tom = accounts.find(conn, "tom")
    assert tom is not None
    other = back_up(book.store, tom).path
    run("backup", "prune", "--account", "sandra", "--keep", "1 yearly")
    assert left(home) == sorted([three[2].name, other.name])
