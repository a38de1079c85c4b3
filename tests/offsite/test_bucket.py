"""Copies into a bucket of a real S3 server, which may be away, full, wrong or cut off."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from watchbook.archive.verify import beside_line, beside_of
from watchbook.archive.write import WrittenArchive
from watchbook.errors import RemoteError, RemoteRejected, SettingsError
from watchbook.offsite.copies import COPIED, PRUNED
from watchbook.offsite.handing_on import after_backup, place_for
from watchbook.redaction import redact

from .conftest import HIDDEN, KEY, Owner, S3Server, Wire

pytestmark = pytest.mark.sqlite_daily


def names(written: WrittenArchive) -> set[str]:
    """What a verified copy consists of."""
    return {f"deep/books/{written.path.name}", f"deep/books/{written.path.name}.sha256"}


def test_a_copy_is_the_same(owner: Owner, s3: S3Server) -> None:
    """Archive and digest lie below the prefix, byte for byte."""
    owner.use(s3)
    written = owner.write()
    (result,) = owner.hand_on(written)
    assert (result.place, result.state) == ("s3://bucket/deep/books", COPIED)
    found = s3.files()
    assert set(found) == names(written)
    for name, content in found.items():
        assert content == (owner.folder / Path(name).name).read_bytes()


def test_large_files_go_in_parts(owner: Owner, s3: S3Server) -> None:
    """A copy of several parts is whole, and is right below the bucket when there is no prefix."""
    owner.use(s3, copy_to="s3://bucket")
    path = owner.folder / "instance-20261121T201500Z.tar.gz"
    owner.folder.mkdir(parents=True)
    content = os.urandom(20_000_001)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    beside_of(path).write_bytes(beside_line(digest, path.name))
    (result,) = after_backup(owner.store, owner.settings, owner.account, path)
    assert result.state == COPIED
    assert hashlib.sha256(s3.files()[path.name]).hexdigest() == digest


def test_old_copies_make_room(owner: Owner, s3: S3Server) -> None:
    """The keep rule counts there too; foreign objects are not touched."""
    owner.use(s3, keep="1 yearly")
    first, second = owner.write(), owner.write()
    owner.hand_on(first)
    for name in ("backup-ann-20200101T000000Z.tar.gz", "other/letter.txt"):
        path = s3.folder / "bucket" / "deep" / "books" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not ours")
    (result,) = owner.hand_on(second)
    assert result.words == "read back and verified; 1 older copy pruned"
    foreign = {"deep/books/backup-ann-20200101T000000Z.tar.gz", "deep/books/other/letter.txt"}
    assert set(s3.files()) == names(second) | foreign
    assert {one.archive: one.state for one in owner.copies()} == {
        first.path.name: PRUNED,
        second.path.name: COPIED,
    }


def test_a_server_that_is_away_is_waited_for(owner: Owner, s3: S3Server) -> None:
    """What could not be copied is copied when the server is back."""
    owner.use(s3)
    written = owner.write()
    s3.stop()
    (result,) = owner.hand_on(written)
    assert result.failed
    assert result.words == f"s3://bucket/deep/books: {s3.address} cannot be reached."
    s3.start()
    owner.hurry()
    (again,) = owner.send_due()
    assert again.state == COPIED
    assert set(s3.files()) == names(written)


@pytest.mark.parametrize("known", [True, False], ids=["wrong secret", "unknown id"])
def test_a_wrong_key_is_told_without_telling_it(owner: Owner, s3: S3Server, known: bool) -> None:
    """The error names the place and what the server said, and no key."""
    wrong = {"s3_secret_key": "another-hidden-key"} if known else {"s3_access_key": "SOMEBODYELSE"}
    owner.use(s3, **wrong)
    (result,) = owner.hand_on(owner.write())
    assert result.failed
    code = "SignatureDoesNotMatch" if known else "InvalidAccessKeyId"
    assert result.words == f"s3://bucket/deep/books: {s3.address} answered 403 {code}."
    assert result.hint is not None
    assert "WATCHBOOK_S3_SECRET_KEY" in result.hint
    told = repr(result) + repr(owner.copies())
    for hidden in (KEY, HIDDEN, *wrong.values()):
        assert hidden not in told


def test_a_bucket_that_is_not_there_is_told(owner: Owner, s3: S3Server) -> None:
    """A wrong bucket is not made."""
    owner.use(s3, copy_to="s3://elsewhere")
    (result,) = owner.hand_on(owner.write())
    assert "answered 404 NoSuchBucket" in result.words
    assert not (s3.folder / "elsewhere").exists()


def test_a_full_disk_there_is_told(owner: Owner, s3: S3Server) -> None:
    """The server has no room: a failure, and a copy once there is some."""
    owner.use(s3)
    written = owner.write()
    s3.limit(1000)
    (result,) = owner.hand_on(written)
    assert result.failed
    assert "answered 500" in result.words
    s3.stop()
    s3.start()
    (again,) = owner.hand_on(written)
    assert again.state == COPIED


def test_an_upload_that_is_cut_off_is_no_copy(owner: Owner, s3: S3Server) -> None:
    """A connection that ends in the middle of the archive leaves nothing that counts."""
    written = owner.write()
    passed = 0

    def cut(data: bytes) -> bytes | None:
        nonlocal passed
        passed += len(data)
        return data if passed < written.archive.bytes // 2 else None

    wire = Wire(s3, sent=cut)
    owner.use(s3, s3_endpoint=wire.address)
    (result,) = owner.hand_on(written)
    wire.close()
    assert result.failed
    assert not any(name.endswith(".sha256") for name in s3.files())
    owner.use(s3)
    (again,) = owner.hand_on(written)
    assert again.state == COPIED
    assert set(s3.files()) == names(written)


def test_a_server_that_is_killed_midway(owner: Owner, s3: S3Server) -> None:
    """The server dies while it takes the archive: a failure, and a copy once it is back."""
    written = owner.write()

    def kill(data: bytes) -> bytes:
        if b"\x1f\x8b\x08" in data:
            s3.stop()
        return data

    wire = Wire(s3, sent=kill)
    owner.use(s3, s3_endpoint=wire.address)
    (result,) = owner.hand_on(written)
    wire.close()
    assert result.failed
    s3.start()
    owner.use(s3)
    (again,) = owner.hand_on(written)
    assert again.state == COPIED
    assert set(s3.files()) == names(written)


def test_what_reads_back_differently_is_no_copy(owner: Owner, s3: S3Server) -> None:
    """One wrong byte in what comes back: it is told, does not stay, and is sent again."""
    written = owner.write()

    def flip(data: bytes) -> bytes:
        at = data.find(b"\x1f\x8b\x08")
        return data if at < 0 else data[: at + 20] + b"?!" + data[at + 22 :]

    wire = Wire(s3, came=flip)
    owner.use(s3, s3_endpoint=wire.address)
    (result,) = owner.hand_on(written)
    wire.close()
    assert result.failed
    assert "is not what was sent" in result.words
    assert s3.files() == {}
    owner.use(s3)
    (again,) = owner.hand_on(written)
    assert again.state == COPIED


def test_settings_of_other_tools_do_not_count(
    owner: Owner, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither endpoint nor keys are taken from the environment of Amazon's tools."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "somebody-elses")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    owner.use(s3)
    (result,) = owner.hand_on(owner.write())
    assert result.state == COPIED


def test_a_redirection_does_not_take_the_signature_along(
    owner: Owner,
) -> None:
    """Whoever a service sends us to sees neither key nor signature nor archive."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.command, {name.lower(): text for name, text in self.headers.items()}))
            self.send_error(404)

        do_PUT = do_GET  # noqa: N815 - so called there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so called there
            pass

    class Redirecting(Elsewhere):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(307)
            self.send_header("Location", f"http://localhost:{far.server_port}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_GET  # noqa: N815 - so called there

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as far:
        with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as near:
            for server in (far, near):
                threading.Thread(target=server.serve_forever).start()
            owner.set(
                copy_to="s3://bucket",
                s3_endpoint=f"http://127.0.0.1:{near.server_port}",
                s3_access_key=KEY,
                s3_secret_key=HIDDEN,
            )
            (result,) = owner.hand_on(owner.write())
            place = place_for(owner.settings.copy_to[0], owner.settings)
            with pytest.raises(RemoteError):
                place.names()
            near.shutdown()
        far.shutdown()
    assert result.failed
    assert "answered 307" in result.words
    assert [command for command, _ in seen] == ["GET"] * len(seen)
    assert not any("authorization" in headers or KEY in repr(headers) for _, headers in seen)


def test_a_missing_key_is_named(owner: Owner, s3: S3Server) -> None:
    """Which of the two settings is missing is said."""
    owner.use(s3, s3_secret_key="")
    (result,) = owner.hand_on(owner.write())
    assert result.words.endswith("WATCHBOOK_S3_SECRET_KEY is not set.")


def test_a_missing_library_is_named(
    owner: Owner, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra it is said what to run."""
    for name in ("obstore", "obstore.store"):
        monkeypatch.setitem(sys.modules, name, None)
    owner.use(s3)
    with pytest.raises(SettingsError) as told:
        place_for(owner.settings.copy_to[0], owner.settings)
    assert told.value.hint is not None
    assert "make s3" in told.value.hint
    assert "'watchbook[s3]'" in told.value.hint


def test_trying_a_bucket_out_leaves_nothing(owner: Owner, s3: S3Server) -> None:
    """The doctor writes and deletes; a key that may not is told."""
    owner.use(s3)
    place_for(owner.settings.copy_to[0], owner.settings).try_out()
    assert s3.files() == {}
    owner.use(s3, s3_secret_key="not-the-right-one")
    with pytest.raises(RemoteRejected):
        place_for(owner.settings.copy_to[0], owner.settings).try_out()


def test_keys_are_masked_wherever_they_turn_up(owner: Owner, s3: S3Server) -> None:
    """Once used, a key never reaches a log."""
    owner.use(s3)
    place_for(owner.settings.copy_to[0], owner.settings)
    assert HIDDEN not in redact(f"oops {HIDDEN}")
