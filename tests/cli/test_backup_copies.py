"""`watchbook backup` with encryption and off-site copies: what it prints and ends with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from tests.offsite.conftest import HIDDEN, KEY, S3Server
from watchbook.store import datasets

from .conftest import Book, Run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    """A running S3 server with an empty bucket."""
    server = S3Server(tmp_path / "s3")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def nas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder elsewhere, to which copies go."""
    folder = tmp_path / "nas"
    folder.mkdir()
    monkeypatch.setenv("WATCHBOOK_COPY_TO", str(folder))
    return folder


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A bucket, to which copies go."""
    for name, text in {
        "COPY_TO": "s3://bucket/books",
        "S3_ENDPOINT": server.address,
        "S3_ACCESS_KEY": KEY,
        "S3_SECRET_KEY": HIDDEN,
    }.items():
        monkeypatch.setenv(f"WATCHBOOK_{name}", text)
    return server


@pytest.fixture
def full(book: Book) -> Book:
    """Sandra's book, read to the end."""
    book.read_all()
    book.play()
    return book


@pytest.fixture
def identity(tmp_path: Path) -> tuple[str, Path]:
    """A recipient, and the file with the identity."""
    made = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"{made}\n")
    path.chmod(0o600)
    return str(made.to_public()), path


def test_copied_to_a_bucket(full: Book, bucket: S3Server, run: Run) -> None:
    """A line says where the copy is; list and status know it afterwards; doctor tries it out."""
    ended = run("backup", "--no-sync")
    assert ended.code == 0
    assert "Copied    s3://bucket/books, read back and verified" in ended.out
    assert "also at s3://bucket/books" in run("backup", "list").out
    assert "1 off-site copy, the last one just now" in run("status").out
    again = run("backup", "--no-sync")
    assert "Copied    s3://bucket/books, done before" in again.out
    checks = json.loads(run("doctor", "--json").out)
    assert any(
        one["name"] == "copies to s3://bucket/books" and one["state"] == "ok"
        for one in (checks["checks"] if isinstance(checks, dict) else checks)
    )


def test_a_failed_copy_ends_with_75_and_no_secret(
    full: Book, bucket: S3Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is safe, the failure is told everywhere, the key nowhere."""
    wrong = "not-the-hidden-key"
    monkeypatch.setenv("WATCHBOOK_S3_SECRET_KEY", wrong)
    ended = run("backup", "--no-sync")
    assert ended.code == 75
    assert "Verdict   complete" in ended.out
    assert "No copy   s3://bucket/books: s3://bucket/books: " in ended.out
    assert "SignatureDoesNotMatch" in ended.out
    assert "The archive is safe here" in ended.err
    shown = [run(*words) for words in (["status"], ["doctor"], ["backup", "list"], ["config"])]
    for one in [ended, *shown]:
        assert wrong not in one.out + one.err
        assert KEY not in one.out + one.err
    status, doctor = shown[:2]
    assert "not copied" in status.out
    assert "has not arrived at s3://bucket/books" in doctor.out
    monkeypatch.setenv("WATCHBOOK_S3_SECRET_KEY", HIDDEN)
    assert run("backup", "--no-sync").code == 0
    assert "not copied" not in run("status").out


def test_as_data(full: Book, nas: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json the copies are part of the answer, and the exit code is the same."""
    monkeypatch.setenv("WATCHBOOK_AFTER_BACKUP", "exit 4")
    ended = run("--json", "backup", "--no-sync")
    assert ended.code == 75
    copies = json.loads(ended.out)["copies"]
    assert [(one["place"], one["state"]) for one in copies] == [
        (str(nas), "copied"),
        ("command", "failed"),
    ]
    assert copies[0]["retry_at"] is None
    assert copies[1]["retry_at"].endswith("Z")
    listed = json.loads(run("--json", "backup", "list").out)["archives"]
    assert listed[0]["copies"] == [str(nas)]


def test_an_incomplete_archive_is_copied_and_stays_incomplete(
    full: Book, nas: Path, run: Run
) -> None:
    """That it is incomplete is the more urgent thing to say."""
    full.data_set("history", datasets.INCOMPLETE, words="Trakt served 1 of 2.")
    ended = run("backup", "--no-sync")
    assert ended.code == 65
    assert f"Copied    {nas}" in ended.out.replace("\n", "")


def test_a_copy_of_the_installation_goes_there_too(full: Book, nas: Path, run: Run) -> None:
    """`--instance` is handed on like an archive."""
    ended = run("backup", "--instance")
    assert ended.code == 0
    assert "read back and verified" in ended.out
    assert len(list(nas.glob("instance-*.tar.gz"))) == 1


def test_another_accounts_archive_stays_here(full: Book, nas: Path, run: Run) -> None:
    """Copies are the owner's."""
    with full.store.database.write() as conn:
        full.add(conn, "ann")
    ended = run("--account", "ann", "backup", "--no-sync")
    assert "Copied" not in ended.out
    assert list(nas.iterdir()) == []


def test_encrypted_by_setting(
    full: Book,
    nas: Path,
    run: Run,
    identity: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Archive and copy are encrypted; verify, diff and import open them with the identity."""
    monkeypatch.setenv("WATCHBOOK_ENCRYPT_TO", identity[0])
    assert run("backup", "--no-sync").code == 0
    (copy,) = nas.glob("*.tar.gz.age")
    closed = run("backup", "verify", str(copy))
    assert closed.code == 0
    assert "`--identity FILE` checks what is inside, too" in closed.out
    opened = run("backup", "verify", str(copy), "--identity", str(identity[1]))
    assert opened.code == 0
    assert "Verdict   complete" in opened.out
    assert run("backup", "verify").code == 0
    own = full.store.home / "backups" / copy.name
    assert "Whole" in run("backup", "verify", copy.name, "--identity", str(identity[1])).out
    content = bytearray(own.read_bytes())
    content[-50] ^= 1
    own.write_bytes(content)
    assert run("backup", "verify", copy.name).code == 65
    assert run("backup", "verify").code == 65


def test_a_saved_installation_is_imported_with_the_identity(
    full: Book,
    run: Run,
    identity: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """An encrypted copy moves everything elsewhere; without the identity it is asked for."""
    assert run("backup", "--instance", "--encrypt-to", identity[0]).code == 0
    (saved,) = (full.store.home / "backups").glob("instance-*.age")
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path / "new"))
    closed = run("import", str(saved))
    assert closed.code == 2
    assert "--identity FILE" in closed.err
    opened = run("import", str(saved), "--identity", str(identity[1]))
    assert opened.code == 0
    assert "1 account" in opened.out


def test_encrypted_by_option(full: Book, run: Run, identity: tuple[str, Path]) -> None:
    """`--encrypt-to` counts for this archive; the next one without it is plain."""
    assert ".tar.gz.age" in run("backup", "create", "--no-sync", "--encrypt-to", identity[0]).out
    assert ".age" not in run("backup", "create", "--no-sync").out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("hunter2", "no age recipient"),
        ("AGE-SECRET-KEY-1QQQQQQQQ", "the key that opens archives"),
    ],
)
def test_a_wrong_recipient(full: Book, run: Run, given: str, words: str) -> None:
    """What is not a recipient is refused, and a key given by mistake is not repeated."""
    ended = run("backup", "--no-sync", "--encrypt-to", given)
    assert ended.code == 2
    assert words in ended.err.replace("\n", " ")
    assert "QQQ" not in ended.err
    assert not (full.store.home / "backups").exists()


def test_options_before_a_subcommand_are_not_swallowed(
    full: Book, run: Run, identity: tuple[str, Path]
) -> None:
    """Nobody believes an archive encrypted that is not."""
    assert run("backup", "--encrypt-to", identity[0], "create", "--no-sync").code == 2
