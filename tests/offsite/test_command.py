"""The person's own command: what it is told, what it is not, and how it may fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchbook.errors import RemoteUnavailable
from watchbook.offsite.command import run
from watchbook.offsite.copies import COMMAND, COPIED
from watchbook.redaction import forget, secret

from .conftest import Owner


def test_it_is_told_about_the_archive(owner: Owner, tmp_path: Path) -> None:
    """Path, account and verdict are in its environment; it runs after the copies."""
    told = tmp_path / "told"
    owner.set(
        after_backup=f'echo "$WATCHBOOK_ARCHIVE $WATCHBOOK_ACCOUNT $WATCHBOOK_VERDICT" > {told}; '
        "echo done"
    )
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert (result.place, result.state, result.words) == (COMMAND, COPIED, "done")
    assert told.read_text() == f"{written.path} sandra complete\n"


def test_it_runs_once_for_each_archive(owner: Owner, tmp_path: Path) -> None:
    """A backup that finds nothing new does not run it again."""
    owner.set(after_backup=f"echo ran >> {tmp_path / 'told'}")
    written = owner.write()
    owner.hand_on(written)
    owner.hand_on(written)
    assert (tmp_path / "told").read_text() == "ran\n"


def test_no_secret_of_ours_is_in_its_environment(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secret settings are taken out, everything else is there."""
    hidden = {
        "WATCHBOOK_SECRET_KEY": "a secret key that is long enough, really",
        "WATCHBOOK_DATABASE_URL": "postgresql://sandra:hidden@db/watchbook",
        "DATABASE_URL": "postgresql://sandra:hidden@db/watchbook",
        "WATCHBOOK_TRAKT_CLIENT_SECRET": "hidden-client-secret",
        "WATCHBOOK_TRAKT_REFRESH_TOKEN": "hidden-refresh-token",
        "WATCHBOOK_S3_ACCESS_KEY": "hidden-id",
        "WATCHBOOK_S3_SECRET_KEY": "hidden-key",
        "PGPASSWORD": "hidden-password",
    }
    for name, text in hidden.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("WATCHBOOK_LOG", "warning")
    monkeypatch.setenv("RCLONE_CONFIG", "/etc/rclone.conf")
    owner.set(after_backup=f"env > {tmp_path / 'told'}")
    owner.hand_on(owner.write())
    told = (tmp_path / "told").read_text()
    assert not any(text in told for text in hidden.values())
    assert "WATCHBOOK_LOG=warning\n" in told
    assert "RCLONE_CONFIG=/etc/rclone.conf\n" in told


def test_a_failure_is_told_and_tried_again(owner: Owner, tmp_path: Path) -> None:
    """What it said is kept, and it runs again when it is due."""
    owner.set(after_backup=f"test -e {tmp_path / 'there'} || {{ echo no way; exit 3; }}")
    (result,) = owner.hand_on(owner.write())
    assert result.failed
    assert result.words == "The command ended with 3: no way"
    assert owner.send_due() == []
    (tmp_path / "there").touch()
    owner.hurry()
    (again,) = owner.send_due()
    assert (again.place, again.state) == (COMMAND, COPIED)


def test_a_failing_place_does_not_keep_it_from_running(owner: Owner, tmp_path: Path) -> None:
    """Places and command do not wait for each other."""
    owner.set(copy_to=tmp_path / "missing", after_backup="true")
    first, second = owner.hand_on(owner.write())
    assert first.failed
    assert second.state == COPIED


def test_what_it_says_is_tamed_redacted_and_short(tmp_path: Path) -> None:
    """Terminal sequences, secrets and floods do not get through."""
    secret("a-secret-of-ours")
    archive = tmp_path / "archive"
    said = run(
        r"head -c 300000 /dev/zero | tr '\0' x; printf '\033[31mred a-secret-of-ours\n'",
        archive,
        "sandra",
        "complete",
    )
    forget("a-secret-of-ours")
    assert said.endswith(r"\x1b[31mred [hidden]")
    assert len(said) <= 1001


def test_it_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """After the limit nothing of it is left running."""
    archive = tmp_path / "archive"
    with pytest.raises(RemoteUnavailable, match=r"was ended after 1 seconds: begun"):
        run("sleep 1000 & echo $! > pid; echo begun; wait", archive, "sandra", "complete", limit=1)
    pid = int((tmp_path / "pid").read_text())
    assert not _is_running(pid)


def test_what_it_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """A daemon that keeps the output open does not hold up the backup."""
    archive = tmp_path / "archive"
    assert run("sleep 1000 & echo $! > pid; echo well", archive, "sandra", "complete") == "well"
    os.kill(int((tmp_path / "pid").read_text()), 9)


def _is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and was not asked for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
