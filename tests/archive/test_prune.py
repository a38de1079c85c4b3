"""Pruning archives on the disk and in the ledger: what goes is gone, what stays is whole."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa
import time_machine

from watchbook.archive import ledger
from watchbook.archive.backup import list_archives
from watchbook.archive.instance import save_instance
from watchbook.archive.prune import Pruned, prune, prune_instance, rule_for
from watchbook.archive.verify import beside_of, verify_archive
from watchbook.archive.write import write_archive
from watchbook.errors import ArchiveDamaged, StoreBusy, StoreError
from watchbook.settings import load
from watchbook.store import accounts, datasets, leases, runs
from watchbook.store.schema import archives
from watchbook.values import KeepRule, keep_rule

from .conftest import Book, latest_good
from .test_faults import here, in_child

__all__ = ["here"]

YEARLY = KeepRule(yearly=1)
DAYS = ("2026-10-30", "2026-11-01", "2026-11-20", "2026-11-21")
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    """A clock that tests move."""
    with time_machine.travel(datetime(2026, 10, 1, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def write(book: Book, travel: time_machine.Traveller, day: str, *recipients: str) -> Path:
    """An archive written at noon of a day."""
    travel.move_to(datetime.fromisoformat(f"{day}T12:00:00Z"))
    return write_archive(
        book.store,
        book.account,
        book.folder,
        force=True,
        recipients=recipients,
        layouts=lambda _conn, _account: book.layouts,
    ).path


@pytest.fixture
def four(book: Book, travel: time_machine.Traveller) -> list[Path]:
    """Archives of four days, oldest first."""
    return [write(book, travel, day) for day in DAYS]


def left(book: Book) -> set[str]:
    """The files that lie in the folder of the backups."""
    return {path.name for path in book.folder.iterdir()}


def known(book: Book) -> set[str]:
    """The archives that the ledger has."""
    with book.store.database.read() as conn:
        return {one.name for one in ledger.recorded(conn, book.account)}


def files_of(paths: Sequence[Path]) -> set[str]:
    """Names of archives, and of the digests beside them."""
    return {path.name for path in paths} | {beside_of(path).name for path in paths}


def last_run(book: Book, kind: str = "prune") -> runs.Run:
    """The newest run of pruning."""
    with book.store.database.read() as conn:
        return runs.latest(conn, book.account.id, kind)[0]


def gone(found: Pruned) -> list[str]:
    """The names that went."""
    return [one.name for one in found.goes]


def test_what_the_rule_does_not_ask_for_goes(book: Book, four: list[Path]) -> None:
    """Files, digests and records go together; the newest of each period stays."""
    sizes = sum(path.stat().st_size for path in four[1:3])
    found = prune(book.store, book.account, keep_rule("1 daily, 2 monthly"))
    assert gone(found) == [four[2].name, four[1].name]
    assert found.bytes == sizes
    assert left(book) == files_of([four[0], four[3]])
    assert known(book) == {four[0].name, four[3].name}
    assert last_run(book).outcome == runs.COMPLETE
    assert last_run(book).words == "2 archives deleted, 2 kept"


def test_a_dry_run_deletes_nothing(book: Book, four: list[Path]) -> None:
    """It tells what would go, and leaves no run."""
    before = left(book)
    found = prune(book.store, book.account, YEARLY, dry_run=True)
    assert gone(found) == [path.name for path in reversed(four[:3])]
    assert left(book) == before
    assert len(known(book)) == 4
    with book.store.database.read() as conn:
        assert runs.latest(conn, book.account.id, "prune") == []


def test_pruning_again_finds_nothing(book: Book, four: list[Path]) -> None:
    """What stayed once stays."""
    prune(book.store, book.account, YEARLY)
    again = prune(book.store, book.account, YEARLY)
    assert gone(again) == []
    assert [one.name for one in again.stays] == [four[3].name]


def test_days_begin_where_the_account_lives(book: Book, travel: time_machine.Traveller) -> None:
    """Sandra lives in Berlin: half past eleven in the evening in UTC is her next day."""
    travel.move_to(datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    book.write(force=True)
    travel.move_to(datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    book.write(force=True)
    assert gone(prune(book.store, book.account, KeepRule(daily=2))) == []
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, timezone="UTC")
        account = accounts.get(conn, book.account.id)
    assert len(gone(prune(book.store, account, KeepRule(daily=2)))) == 1


def test_an_incomplete_archive_goes_when_a_newer_one_is_good(
    book: Book, travel: time_machine.Traveller
) -> None:
    """It stays while it is the newest, and takes nobody's place."""
    good = write(book, travel, "2026-11-18")
    book.state("history", datasets.INCOMPLETE, "not read to its end")
    bad = write(book, travel, "2026-11-19")
    assert gone(prune(book.store, book.account, YEARLY)) == []
    assert latest_good(book.store, book.account) is not None
    book.state("history", datasets.COMPLETE)
    better = write(book, travel, "2026-11-20")
    found = prune(book.store, book.account, KeepRule(daily=7))
    assert [(one.name, one.reason) for one in found.goes] == [
        (bad.name, "not good, and a newer one is")
    ]
    assert left(book) == files_of([good, better])


def test_a_damaged_one_keeps_no_place(book: Book, four: list[Path]) -> None:
    """An archive that is shorter than written does not stand for its month."""
    four[2].write_bytes(b"")
    found = prune(book.store, book.account, keep_rule("1 daily, 2 weekly"))
    assert gone(found) == [four[2].name, four[0].name]
    assert left(book) == files_of([four[1], four[3]])


def test_archives_that_are_elsewhere_are_left_alone(book: Book, four: list[Path]) -> None:
    """What is not on this disk may be on that of another machine: its record stays."""
    beside_of(four[0]).unlink()
    four[0].unlink()
    found = prune(book.store, book.account, keep_rule("all yearly"))
    assert gone(found) == [four[2].name, four[1].name]
    assert known(book) == {four[0].name, four[3].name}


def test_encrypted_archives_are_pruned_alike(book: Book, travel: time_machine.Traveller) -> None:
    """Names that end in .age are names of archives, too."""
    paths = [write(book, travel, day, RECIPIENT) for day in DAYS]
    assert all(path.suffix == ".age" for path in paths)
    travel.shift(timedelta(days=2))
    prune(book.store, book.account, YEARLY)
    assert left(book) == files_of([paths[3]])
    assert known(book) == {paths[3].name}


# --- The one that stays ----------------------------------------------------------------------


@pytest.mark.daily(3)
@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_without_the_latest_good_one_nothing_goes(
    book: Book, four: list[Path], harm: str, *, dry_run: bool
) -> None:
    """The archive that is to stay has to be there with its size."""
    four[3].unlink() if harm == "gone" else four[3].write_bytes(b"cut")
    before = left(book)
    with pytest.raises(ArchiveDamaged, match=four[3].name):
        prune(book.store, book.account, YEARLY, dry_run=dry_run)
    assert left(book) == before
    assert len(known(book)) == 4
    if not dry_run:
        assert last_run(book).outcome == runs.FAILED


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_latest_good_one_is_read_again(book: Book, four: list[Path]) -> None:
    """A check of just now is no proof: one that rotted since, at its size, lets nothing go."""
    flip(four[3])
    before = left(book)
    with pytest.raises(ArchiveDamaged, match=four[3].name) as caught:
        prune(book.store, book.account, YEARLY)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Nothing was deleted.")
    assert left(book) == before
    best = latest_good(book.store, book.account)
    assert best is not None
    assert best.name == four[2].name


def test_a_whole_one_is_written_down_as_checked(
    book: Book, four: list[Path], travel: time_machine.Traveller
) -> None:
    """The check that pruning makes counts like any other."""
    travel.shift(timedelta(days=3))
    prune(book.store, book.account, YEARLY)
    with book.store.database.read() as conn:
        (archive,) = ledger.recorded(conn, book.account)
    assert archive.checked_at is not None
    assert archive.checked_at > archive.written_at
    assert verify_archive(four[3]).beside


def test_somebody_at_work_is_not_disturbed(book: Book, four: list[Path]) -> None:
    """Pruning waits for nobody: the account is busy."""
    with (
        leases.holding(book.store.database, f"account:{book.account.id}", "a sync"),
        pytest.raises(StoreBusy),
    ):
        prune(book.store, book.account, YEARLY)
    assert left(book) == files_of(four)


def test_a_file_that_cannot_be_deleted_is_an_error_and_stays_known(
    book: Book, four: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk refuses to let go counts again afterwards."""

    def refuse(path: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(StoreError):
            prune(book.store, book.account, YEARLY)
    assert last_run(book).outcome == runs.FAILED
    found, strange = list_archives(book.store, book.account)
    assert [one.good for one in found] == [True] * 4
    assert strange == []


# --- Killed in between -----------------------------------------------------------------------

PRUNE = (
    "from watchbook.archive.prune import prune; from watchbook.values import KeepRule; "
    "prune(store, account, KeepRule(yearly=1))"
)


@pytest.mark.daily(3)
@pytest.mark.parametrize("recipients", [(), (RECIPIENT,)], ids=["plain", "encrypted"])
@pytest.mark.parametrize("place", ["let-go", "digest", "file", "digest@2", "file@2", "forgotten"])
def test_killed_while_pruning(
    here: Book, travel: time_machine.Traveller, place: str, recipients: tuple[str, ...]
) -> None:
    """Wherever it dies, all that is there is whole, known and counted; the next run goes on."""
    moment = datetime.now(UTC)
    days = [f"{moment - timedelta(days=400 + back):%Y-%m-%d}" for back in (3, 2, 1)]
    paths = [write(here, travel, day, *recipients) for day in days]
    travel.move_to(datetime.now(UTC))
    ended = in_child(here, PRUNE, die_at=f"prune.{place}")
    assert ended.returncode == -signal.SIGKILL
    found, strange = list_archives(here.store, here.account)
    assert strange == []
    assert all(one.good for one in found)
    assert left(here) == files_of([here.folder / one.name for one in found])
    assert paths[2].name in known(here)
    prune(here.store, here.account, YEARLY)
    assert left(here) == files_of([paths[2]])
    assert known(here) == {paths[2].name}


# --- Copies of the installation --------------------------------------------------------------


def copies(book: Book, travel: time_machine.Traveller, *recipients: str) -> list[Path]:
    """Copies of the installation of four days, oldest first."""
    found = []
    for day in DAYS:
        travel.move_to(datetime.fromisoformat(f"{day}T12:00:00Z"))
        found.append(save_instance(book.store, book.folder, recipients)[0])
    return found


@pytest.mark.parametrize("recipients", [(), (RECIPIENT,)], ids=["plain", "encrypted"])
def test_copies_are_a_series_of_their_own(
    book: Book, travel: time_machine.Traveller, recipients: tuple[str, ...]
) -> None:
    """Each series keeps its own newest ones."""
    mine = [write(book, travel, day) for day in DAYS]
    paths = copies(book, travel, *recipients)
    (book.folder / "instance-20269999T000000Z.tar.gz").write_bytes(b"no moment")
    dry = prune_instance(book.store, YEARLY, dry_run=True)
    assert gone(dry) == [path.name for path in reversed(paths[:3])]
    assert files_of(paths) <= left(book)
    assert prune_instance(book.store, YEARLY) == dry
    stay = files_of([paths[3], *mine]) | {"instance-20269999T000000Z.tar.gz"}
    assert left(book) == stay
    assert last_run(book, "prune-instance").words == "3 archives deleted, 1 kept"


@pytest.mark.daily(2)
@pytest.mark.parametrize("harm", ["flip", "no digest"])
@pytest.mark.parametrize("recipients", [(), (RECIPIENT,)], ids=["plain", "encrypted"])
def test_a_newest_copy_that_is_not_proven_lets_nothing_go(
    book: Book, travel: time_machine.Traveller, harm: str, recipients: tuple[str, ...]
) -> None:
    """The newest copy is read to its end before others are deleted."""
    paths = copies(book, travel, *recipients)
    flip(paths[3]) if harm == "flip" else beside_of(paths[3]).unlink()
    before = left(book)
    with pytest.raises(ArchiveDamaged, match=paths[3].name):
        prune_instance(book.store, YEARLY)
    assert left(book) == before
    assert last_run(book, "prune-instance").outcome == runs.FAILED


def test_no_copies_and_no_accounts(book: Book) -> None:
    """Neither an empty folder nor an installation without accounts is an error."""
    assert prune_instance(book.store, YEARLY) == Pruned([], [])
    book.run(sa.delete(archives))
    with book.store.database.write() as conn:
        accounts.remove(conn, book.account.id)
    assert prune_instance(book.store, YEARLY) == Pruned([], [])


def test_an_account_may_have_a_rule_of_its_own(book: Book, tmp_path: Path) -> None:
    """Else that of the installation holds."""
    settings = load({}, tmp_path, {"home": str(tmp_path), "keep": "3 daily"})
    assert str(rule_for(settings, book.account)) == "3 daily"
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, keep="all weekly")
        account = accounts.get(conn, book.account.id)
    assert str(rule_for(settings, account)) == "all weekly"
