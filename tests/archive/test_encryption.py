"""Encrypted archives: opened by whoever holds the identity, whole or not there, never plain."""

from __future__ import annotations

import io
import os
import resource
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest

from watchbook.archive import ledger
from watchbook.archive.backup import check_all, list_archives, recipients_for
from watchbook.archive.encryption import encrypt, opened, verify_inside
from watchbook.archive.instance import load_instance, save_instance
from watchbook.archive.verify import verify_archive
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.errors import ArchiveDamaged, InputError
from watchbook.redaction import redact
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store import accounts, runs
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate, open_store
from watchbook.store.schema import plays

from .conftest import Book, fill, film

KEY = "a key that only tests use, long enough"
TEST_KEY = "a key that only tests use and long enough"


@dataclass(frozen=True)
class Identity:
    """Somebody who can open archives."""

    recipient: str
    file: Path


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    """An identity in a file as `age-keygen` writes it."""
    return make_identity(tmp_path / "key.txt")


def make_identity(path: Path) -> Identity:
    """A new identity."""
    made = pyrage.x25519.Identity.generate()
    path.write_text(f"# created: 2026-11-21T20:15:00Z\n# public key: {made.to_public()}\n{made}\n")
    path.chmod(0o600)
    return Identity(str(made.to_public()), path)


def write(book: Book, *recipients: str, force: bool = False) -> WrittenArchive:
    """Back the account up, encrypted."""
    return write_archive(
        book.store,
        book.account,
        book.folder,
        force=force,
        recipients=recipients,
        layouts=lambda _conn, _account: book.layouts,
    )


def test_the_identity_opens_it(book: Book, identity: Identity) -> None:
    """The same archive as without encryption is inside, private, with a digest beside."""
    written = write(book, identity.recipient)
    assert written.path.name.endswith(".tar.gz.age")
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    names = {path.name for path in book.folder.iterdir()}
    assert names == {written.path.name, f"{written.path.name}.sha256"}
    found = verify_inside(written.path, identity.file)
    assert found.manifest == written.manifest
    assert (found.bytes, found.sha256) == (written.archive.bytes, written.archive.sha256)
    assert found.beside
    content = written.path.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    with opened(written.path, identity.file) as plain:
        assert verify_archive(plain).manifest.name == plain.name.removesuffix(".tar.gz")
        assert stat.S_IMODE(plain.stat().st_mode) == 0o600
    assert not plain.exists()


LOOK = """
import os, signal, sys
from pathlib import Path
from watchbook.archive.encryption import opened
from watchbook.archive.verify import verify_archive
with opened(Path(sys.argv[1]), Path(sys.argv[2])) as plain:
    print(verify_archive(plain).rows, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_while_it_is_open(book: Book, identity: Identity, tmp_path: Path) -> None:
    """Nothing of what was encrypted stays where it was read."""
    written = write(book, identity.recipient)
    where = tmp_path / "where it is opened"
    where.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", LOOK, str(written.path), str(identity.file)],
        env=os.environ | {"TMPDIR": str(where)},
        check=False,
        capture_output=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert int(ended.stdout) > 0
    assert [path for path in where.rglob("*") if path.is_file()] == []


def test_it_can_be_opened_without_us(book: Book, identity: Identity) -> None:
    """Any program for age decrypts it to what tar and gzip read."""
    written = write(book, identity.recipient)
    line = identity.file.read_text().splitlines()[-1]
    keys = [pyrage.x25519.Identity.from_str(line)]
    plain = pyrage.decrypt(written.path.read_bytes(), keys)
    unpacked = subprocess.run(["tar", "tz"], input=plain, capture_output=True, check=True).stdout
    assert b"manifest.json" in unpacked


def test_an_archive_for_several(book: Book, identity: Identity, tmp_path: Path) -> None:
    """Each of the recipients opens it; a third person does not."""
    second, third = (make_identity(tmp_path / name) for name in ("second", "third"))
    written = write(book, identity.recipient, second.recipient)
    for one in (identity, second):
        verify_inside(written.path, one.file)
    with pytest.raises(InputError, match="does not open"):
        verify_inside(written.path, third.file)


def test_unchanged_is_noticed(book: Book, identity: Identity) -> None:
    """The same data for the same recipients is not written twice, and is checked again."""
    first = write(book, identity.recipient)
    again = write(book, identity.recipient)
    assert again.unchanged
    assert again.path == first.path
    assert again.manifest.counts == first.manifest.counts
    assert again.manifest.words == first.manifest.words
    assert len(again.manifest.files) == len(first.manifest.files)
    book.add(plays, film(50))
    assert not write(book, identity.recipient).unchanged


def test_other_recipients_get_an_archive_of_their_own(
    book: Book, identity: Identity, tmp_path: Path
) -> None:
    """Switching encryption on or off, or changing who can open it, writes a new archive."""
    other = make_identity(tmp_path / "other")
    wanted: list[tuple[str, ...]] = [
        (),
        (identity.recipient,),
        (other.recipient,),
        (identity.recipient, other.recipient),
        (),
    ]
    for recipients in wanted:
        assert not write(book, *recipients).unchanged
    assert write(book).unchanged
    known, _ = list_archives(book.store, book.account)
    assert {one.recipients for one in known} == {ledger.listed(one) for one in wanted}
    assert not write(book, other.recipient, identity.recipient).unchanged
    assert write(book, identity.recipient, other.recipient).unchanged


def test_damage_is_noticed_without_the_identity(book: Book, identity: Identity) -> None:
    """A flipped byte shows by the digest; a backup of the same data is written anew."""
    written = write(book, identity.recipient)
    flip(written.path)
    ((_, checked),) = check_all(book.store, book.account)
    assert checked.outcome == ledger.DAMAGED
    again = write(book, identity.recipient)
    assert not again.unchanged


@pytest.mark.parametrize("where", [30, 1000, -1])
def test_damage_is_noticed_with_the_identity(book: Book, identity: Identity, where: int) -> None:
    """Whatever was changed, and however short it was cut, it is not opened."""
    written = write(book, identity.recipient)
    Path(f"{written.path}.sha256").unlink()
    whole = written.path.read_bytes()
    at = where % len(whole)
    for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        written.path.write_bytes(content)
        with pytest.raises((ArchiveDamaged, InputError)) as told:
            verify_inside(written.path, identity.file)
        assert where < 1000 or isinstance(told.value, ArchiveDamaged)


def flip(path: Path) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("# only a comment\n", 0o600, "holds no identity"),
        ("hunter2\n", 0o600, "line 1, is no identity of age"),
        ("# fine\nAGE-SECRET-KEY-1QQQ\n", 0o600, "line 2, is not whole"),
        ("age-encryption.org/v1\n-> scrypt\n", 0o600, "is encrypted itself"),
        ("\xff\x00", 0o600, "is no identity of age"),
        (None, 0o600, "There is no file"),
        ("AGE-SECRET-KEY-1QQQ\n", 0o640, "Others on this machine may read"),
    ],
)
def test_a_wrong_identity_file_is_told(
    book: Book, identity: Identity, tmp_path: Path, content: str | None, mode: int, words: str
) -> None:
    """What is wrong with the file is said, and nothing that stands in it."""
    written = write(book, identity.recipient)
    path = tmp_path / "identity"
    if content is not None:
        path.write_text(content, "latin-1")
        path.chmod(mode)
    with pytest.raises(InputError) as told, opened(written.path, path):
        pass
    assert words in told.value.message
    assert "hunter2" not in f"{told.value.message}{told.value.hint}"
    assert "QQQ" not in f"{told.value.message}{told.value.hint}"
    assert redact(str(told.value.hint)) == told.value.hint


def test_the_identity_is_asked_for(book: Book, identity: Identity) -> None:
    """Without it the hint says how to give it; a plain archive needs none."""
    written = write(book, identity.recipient)
    with pytest.raises(InputError) as told, opened(written.path, None):
        pass
    assert told.value.hint is not None
    assert "--identity FILE" in told.value.hint
    plain = write(book)
    with opened(plain.path, identity.file) as path:
        assert path == plain.path


def test_a_copy_of_the_installation(store: Store, identity: Identity, tmp_path: Path) -> None:
    """It is encrypted likewise, and loaded once opened."""
    fill(store, tmp_path / "home" / "backups")
    path, found = save_instance(store, tmp_path / "home" / "backups", [identity.recipient])
    assert path.name.endswith(".tar.gz.age")
    assert verify_inside(path, identity.file).sha256 == found.sha256
    home = {"WATCHBOOK_HOME": str(tmp_path / "new"), "WATCHBOOK_SECRET_KEY": TEST_KEY}
    other = open_store(load(home, tmp_path))
    with opened(path, identity.file) as plain:
        assert load_instance(plain, other).rows["accounts"] == 1
    other.close()


def test_the_setting_is_about_the_owner(store: Store, identity: Identity, tmp_path: Path) -> None:
    """Archives of other accounts stay theirs to read."""
    settings = load(
        {"WATCHBOOK_HOME": str(tmp_path), "WATCHBOOK_ENCRYPT_TO": identity.recipient}, tmp_path
    )
    with store.database.write() as conn:
        owner, other = (accounts.add(conn, name) for name in ("sandra", "ann"))
    assert recipients_for(settings, owner) == (identity.recipient,)
    assert recipients_for(settings, other) == ()


def test_an_unknown_encrypted_archive_is_strange(book: Book, identity: Identity) -> None:
    """Nobody can say what is in it, so it is told and left alone."""
    name = "backup-sandra-20200101T000000Z.tar.gz.age"
    book.folder.mkdir(parents=True)
    (book.folder / name).write_bytes(b"age-encryption.org/v1\n")
    _, strange = list_archives(book.store, book.account)
    assert strange == [(name, "it is encrypted, and there is no record of it here")]
    assert (book.folder / name).exists()
    book.write()
    check_all(book.store, book.account)
    with book.store.database.read() as conn:
        (run,) = runs.latest(conn, book.account.id, "verify")
    assert run.outcome == runs.COMPLETE
    words = f"1 looked at, 0 gone; {name}: it is encrypted, and there is no record of it here"
    assert run.words == words


def test_a_full_disk_keeps_its_name(identity: Identity) -> None:
    """The library's own words for our error do not hide that there is no room."""

    class Full(io.RawIOBase):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as told:
        encrypt(io.BytesIO(b"x" * 100_000), Full(), [identity.recipient])  # type: ignore[arg-type]
    assert told.value.errno == 28


CHILD = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from archive.conftest import LAYOUTS
from watchbook.archive.write import write_archive
from watchbook.seal import Sealer
from watchbook.store import accounts
from watchbook.store.database import Database
from watchbook.store.opening import Store
store = Store(Database({url!r}), Sealer([{key!r}]), Path({home!r}))
with store.database.read() as conn:
    account = accounts.choose(conn, None)
write_archive(store, account, Path({home!r}) / "backups", force=True, recipients=[{recipient!r}],
              layouts=lambda _conn, _account: LAYOUTS)
"""


@pytest.fixture
def here(tmp_path: Path) -> Book:
    """Sandra's book on SQLite."""
    home = tmp_path / "home"
    database = Database(f"sqlite:///{home / 'watchbook.db'}")
    migrate(database)
    return fill(Store(database, Sealer([KEY]), home), home / "backups")


def in_child(book: Book, recipient: str, die_at: str = "", room: int | None = None) -> int:
    """Write an encrypted archive in another process; its exit code."""
    code = CHILD.format(
        tests=str(Path(__file__).parent.parent),
        url=str(book.store.database.url),
        key=KEY,
        home=str(book.store.home),
        recipient=recipient,
    )

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"_WATCHBOOK_DIE_AT": die_at},
        preexec_fn=limit,
        check=False,
        capture_output=True,
    ).returncode


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    "die_at",
    [
        "backup.data",
        "backup.encrypted",
        "file.written",
        "file.renamed",
        "backup.tar",
        "file.written@2",
        "backup.digest",
        "backup.recorded",
    ],
)
def test_killed_while_encrypting(here: Book, identity: Identity, die_at: str) -> None:
    """Killed at any step: nothing plain lies there, what has its name is whole and gets known."""
    assert in_child(here, identity.recipient, die_at) == -signal.SIGKILL
    for path in here.folder.iterdir():
        assert b"\x1f\x8b\x08" not in path.read_bytes()[:3]
        if path.name.endswith(".age") and not path.name.startswith("."):
            verify_inside(path, identity.file)
    known, strange = list_archives(here.store, here.account)
    assert strange == []
    names = {path.name for path in here.folder.iterdir()}
    assert names == {name for one in known for name in (one.name, f"{one.name}.sha256")}
    again = write(here, identity.recipient)
    assert again.unchanged is bool(known)
    assert all(one.good for one in known)
    here.store.close()


def test_no_room_for_the_encrypted_file(here: Book, identity: Identity) -> None:
    """Nothing half-written stays."""
    assert in_child(here, identity.recipient, room=3000) != 0
    assert list(here.folder.iterdir()) == []
    assert list_archives(here.store, here.account) == ([], [])
    here.store.close()
