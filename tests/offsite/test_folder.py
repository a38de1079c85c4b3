"""Copies into a folder: whole or not there, never on the wrong disk, pruned by the same rule."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from watchbook.archive.verify import verify_archive
from watchbook.checkup.places import check_places
from watchbook.clock import to_millis
from watchbook.offsite.copies import COPIED, DROPPED, FAILED, PRUNED, pause_after
from watchbook.offsite.places import WELCOME
from watchbook.store import accounts, runs

from .conftest import Owner

pytestmark = pytest.mark.sqlite_daily


def test_a_copy_is_the_same_and_private(owner: Owner, nas: Path) -> None:
    """Archive and digest lie there, byte for byte, for their owner alone; the run says so."""
    owner.set(copy_to=nas)
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert (result.state, result.words) == (COPIED, "read back and verified")
    name = written.path.name
    assert {path.name for path in nas.iterdir()} == {name, f"{name}.sha256"}
    assert verify_archive(nas / name).beside
    assert stat.S_IMODE((nas / name).stat().st_mode) == 0o600
    with owner.store.database.read() as conn:
        (run,) = runs.latest(conn, owner.account.id, "copy")
    assert (run.outcome, run.words) == (runs.COMPLETE, "1 handed on")


def test_what_a_killed_copying_left_is_swept_by_any_later_one(owner: Owner, nas: Path) -> None:
    """Half-written copies of other archives go a day later; nothing else that lies there does."""
    owner.set(copy_to=nas)
    old = nas / ".backup-sandra-20260101T000000Z.tar.gz.age.abc.part"
    young = nas / ".instance-20260101T000000Z.tar.gz.sha256.abc.part"
    other = nas / ".film.mkv.part"
    for path in (old, young, other):
        path.touch()
    yesterday = young.stat().st_mtime - 25 * 3600
    for path in (old, other):
        os.utime(path, (yesterday, yesterday))
    owner.hand_on(owner.write())
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_what_is_copied_is_not_copied_again(owner: Owner, nas: Path) -> None:
    """A second handing on of the same archive does nothing and says that it is there."""
    owner.set(copy_to=nas)
    written = owner.write()
    owner.hand_on(written)
    before = (nas / written.path.name).stat().st_ino
    (result,) = owner.hand_on(written)
    assert result.state == COPIED
    assert (nas / written.path.name).stat().st_ino == before
    assert owner.send_due() == []


def test_a_folder_that_is_not_there_is_never_made(owner: Owner, nas: Path) -> None:
    """A disk that is not mounted is told and tried again, and copied to once it is back."""
    owner.set(copy_to=nas / "disk")
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert result.failed
    assert result.words == f"There is no folder {nas / 'disk'}."
    assert not (nas / "disk").exists()
    assert owner.send_due() == []
    owner.hurry()
    (nas / "disk").mkdir()
    (again,) = owner.send_due()
    assert again.state == COPIED
    assert (nas / "disk" / written.path.name).exists()


def test_an_empty_mount_point_is_noticed(owner: Owner, nas: Path) -> None:
    """A folder that held copies and holds none is another disk, until somebody says it is not."""
    owner.set(copy_to=nas)
    owner.hand_on(owner.write())
    for path in nas.iterdir():
        path.unlink()
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert result.failed
    assert "another disk?" in result.words
    assert result.hint is not None
    assert f"touch {nas / WELCOME}" in result.hint
    assert list(nas.iterdir()) == []
    (nas / WELCOME).touch()
    (again,) = owner.hand_on(written)
    assert again.state == COPIED


def test_pauses_grow_up_to_a_day(owner: Owner, nas: Path) -> None:
    """After each failure the next try is further away; nothing is forgotten."""
    owner.set(copy_to=nas / "missing")
    written = owner.write()
    moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
    pauses = []
    with time_machine.travel(moment, tick=False):
        for _ in range(9):
            (result,) = owner.hand_on(written)
            assert result.retry_at is not None
            pauses.append(timedelta(milliseconds=result.retry_at - to_millis(moment)))
    assert pauses == [pause_after(tries) for tries in range(1, 10)]
    assert pauses[0] == timedelta(minutes=5)
    assert pauses[-1] == pauses[-2] == timedelta(days=1)
    assert pauses == sorted(pauses)
    assert [(one.state, one.tries) for one in owner.copies()] == [(FAILED, 9)]


def test_what_a_place_corrupts_never_gets_its_name(
    owner: Owner, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that read back otherwise than they were sent are no copy, and do not stay."""
    owner.set(copy_to=nas)
    written = owner.write()
    fsync = os.fsync

    def rotten(handle: int) -> None:
        if os.fstat(handle).st_size == written.archive.bytes:
            os.pwrite(handle, b"?", 100)
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", rotten)
        (result,) = owner.hand_on(written)
    assert result.failed
    assert "is not what was sent" in result.words
    assert list(nas.iterdir()) == []
    (again,) = owner.hand_on(written)
    assert again.state == COPIED


def test_a_full_disk_is_told(owner: Owner, nas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room: said, nothing half-written stays, tried again."""
    owner.set(copy_to=nas)
    written = owner.write()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        (result,) = owner.hand_on(written)
    assert "no room left" in result.words
    assert list(nas.iterdir()) == []


def test_a_damaged_archive_is_not_handed_on(owner: Owner, nas: Path) -> None:
    """What is damaged here does not become a copy."""
    owner.set(copy_to=nas)
    written = owner.write()
    with written.path.open("r+b") as file:
        file.seek(50)
        file.write(b"?????")
    (result,) = owner.hand_on(written)
    assert result.failed
    assert "is damaged" in result.words
    assert list(nas.iterdir()) == []


def test_an_archive_that_is_gone_is_dropped(owner: Owner, nas: Path) -> None:
    """There is nothing to try again when the archive is gone."""
    owner.set(copy_to=nas / "missing")
    written = owner.write()
    owner.hand_on(written)
    written.path.unlink()
    owner.hurry()
    (result,) = owner.send_due()
    assert result.state == DROPPED
    owner.hurry()
    assert owner.send_due() == []


def test_a_dropped_copy_is_made_when_the_archive_is_back(owner: Owner, nas: Path) -> None:
    """It is not taken for one that was made."""
    owner.set(copy_to=nas / "disk")
    written = owner.write()
    owner.hand_on(written)
    aside = written.path.rename(nas / "aside")
    owner.hurry()
    (dropped,) = owner.send_due()
    assert dropped.state == DROPPED
    aside.rename(written.path)
    (nas / "disk").mkdir()
    (result,) = owner.hand_on(written)
    assert result.state == COPIED
    assert (nas / "disk" / written.path.name).exists()


def test_the_folder_of_the_archives_is_no_place_for_copies(owner: Owner, nas: Path) -> None:
    """Pruning copies there would delete the archives themselves."""
    older = owner.write()
    owner.set(copy_to=nas / "link", keep="1 yearly")
    (nas / "link").symlink_to(older.path.parent)
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert result.failed
    assert "where the archives themselves lie" in result.words
    assert older.path.exists()


def test_a_deleted_copy_is_made_again(owner: Owner, nas: Path) -> None:
    """A backup that finds nothing new still sees that its copy is gone, and copies again."""
    owner.set(copy_to=nas)
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False):
        owner.hand_on(owner.write())
    written = owner.write()
    owner.hand_on(written)
    (nas / written.path.name).unlink()
    (check,) = check_places(owner.settings, owner.store.database, owner.account, outside=False)
    assert (check.state, check.words) == ("warning", f"{written.path.name} is gone from there")
    (result,) = owner.hand_on(written)
    assert (result.state, result.words) == (COPIED, "read back and verified")
    assert verify_archive(nas / written.path.name).beside
    (check,) = check_places(owner.settings, owner.store.database, owner.account, outside=False)
    assert check.state == "ok"


def test_an_older_copy_that_is_gone_is_not_missed_for_ever(owner: Owner, nas: Path) -> None:
    """It may have gone while a process was killed: the next copying looks what is there."""
    owner.set(copy_to=nas, keep="9 daily")
    older = owner.write()
    owner.hand_on(older)
    (nas / older.path.name).unlink()
    (nas / WELCOME).touch()
    newer = owner.write()
    owner.hand_on(newer)
    assert {one.archive: one.state for one in owner.copies()} == {
        older.path.name: PRUNED,
        newer.path.name: COPIED,
    }
    (check,) = check_places(owner.settings, owner.store.database, owner.account, outside=False)
    assert "1 copy there" in check.words


def test_a_missing_mount_is_no_deleted_copy(owner: Owner, nas: Path) -> None:
    """When all copies are gone at once nothing is written: it is another disk."""
    owner.set(copy_to=nas)
    written = owner.write()
    owner.hand_on(written)
    for path in nas.iterdir():
        path.unlink()
    (result,) = owner.hand_on(written)
    assert result.failed
    assert "another disk?" in result.words
    assert list(nas.iterdir()) == []


def test_only_the_owners_archives_are_handed_on(owner: Owner, nas: Path) -> None:
    """The setting speaks of the owner's archives; nobody else's leave the machine."""
    owner.set(copy_to=nas, after_backup="touch ran")
    with owner.store.database.write() as conn:
        ann = accounts.add(conn, "ann", trakt_slug="ann")
    written = owner.write(ann)
    owner.account = ann
    assert owner.hand_on(written) == []
    assert owner.send_due() == []
    assert list(nas.iterdir()) == []


def test_a_place_that_is_no_longer_named_is_forgotten(owner: Owner, nas: Path) -> None:
    """What waited for it waits no more."""
    owner.set(copy_to=nas / "missing")
    owner.hand_on(owner.write())
    owner.set(copy_to="")
    owner.hurry()
    assert owner.send_due() == []
    assert owner.copies() == []


def test_a_backup_forgets_it_too(owner: Owner, nas: Path) -> None:
    """Who has no service running, only a crontab, is not haunted by a place of the past."""
    gone = nas / "gone"
    owner.set(copy_to=str(gone))
    written = owner.write()
    assert [one.state for one in owner.hand_on(written)] == ["failed"]
    owner.set(copy_to="")
    assert owner.hand_on(written) == []
    assert owner.copies() == []


def test_the_schedule_finds_an_archive_that_was_never_handed_on(owner: Owner, nas: Path) -> None:
    """Killed between writing and handing on, or a new place: the newest archive is copied."""
    written = owner.write()
    owner.set(copy_to=nas)
    (result,) = owner.send_due()
    assert (result.archive, result.state) == (written.path.name, COPIED)


def test_old_copies_make_room(owner: Owner, nas: Path) -> None:
    """The keep rule counts there too; foreign files are not touched."""
    owner.set(copy_to=nas, keep="1 yearly")
    foreign = {
        "letter.txt",
        "backup-ann-20200101T000000Z.tar.gz",
        "backup-sandra-20209999T000000Z.tar.gz",
        "backup-sandra-20200101T000000Z.tar.gz.bak",
        WELCOME,
    }
    for name in foreign:
        (nas / name).write_text("not ours")
    old = "backup-sandra-20200101T000000Z.tar.gz"
    (nas / old).write_text("an older one")
    (nas / f"{old}.sha256").write_text("its digest")
    first, second = owner.write(), owner.write()
    owner.hand_on(first)
    assert not (nas / old).exists()
    (result,) = owner.hand_on(second)
    assert result.words == "read back and verified; 1 older copy pruned"
    ours = {second.path.name, f"{second.path.name}.sha256"}
    assert {path.name for path in nas.iterdir()} == foreign | ours
    assert {one.archive: one.state for one in owner.copies()} == {
        first.path.name: PRUNED,
        second.path.name: COPIED,
    }
    assert first.path.exists()


def test_our_newest_good_copy_stays_beside_a_bogus_one(owner: Owner, nas: Path) -> None:
    """A file with a name from the future does not push out what was verified."""
    owner.set(copy_to=nas, keep="1 yearly")
    bogus = "backup-sandra-20990101T000000Z.tar.gz"
    (nas / bogus).write_text("?")
    (nas / f"{bogus}.sha256").write_text("?")
    written = owner.write()
    owner.hand_on(written)
    assert (nas / written.path.name).exists()
