"""Encrypted archives, in the format of age: whoever holds the identity opens them without us.

An archive is encrypted to recipients, which are public. The identity that opens it is read from
a file when a person names one, and is kept nowhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyrage

from watchbook.archive.read import HashingReader, Readable
from watchbook.archive.verify import Verification, held_against_beside, verify_archive
from watchbook.errors import ArchiveDamaged, InputError, StoreError
from watchbook.files import file_errors

SUFFIX = ".age"

_START = b"age-encryption.org/v1\n"
_SECRET = "AGE-SECRET-KEY-1"  # noqa: S105 - how the line with the secret begins
_NAME_IT = "Name the file with the identity that opens it: --identity FILE"
_EXPECTED = "Expected is a file as `age-keygen -o FILE` writes it, with the secret key in a line."
_PIECE = 1 << 18
_HANDLES = Path("/proc/self/fd")


@dataclass(frozen=True)
class Digested:
    """What went through: how many bytes, and their digest.

    ``beside`` tells whether there was a .sha256 file to hold it against.
    """

    bytes: int
    sha256: str
    beside: bool = field(default=False, compare=False)


def is_encrypted(path: Path) -> bool:
    """Whether the file begins as one of age does; raises StoreError."""
    with file_errors(path), path.open("rb") as file:
        return file.read(len(_START)) == _START


def encrypt(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> Digested:
    """Encrypt what is left of ``source`` into ``target``, piece by piece.

    Raises OSError as ``target`` does, and StoreError for whatever else goes wrong.
    """
    writer = _Writer(target)
    known = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    try:
        pyrage.encrypt_io(source, writer, known)
    except (pyrage.EncryptError, OSError) as reason:
        raise writer.failure or StoreError(f"The archive was not encrypted: {reason}.") from None
    return writer.passed


@contextmanager
def opened(path: Path, identity: Path | None) -> Iterator[Path]:
    """A plain archive to read: ``path`` itself, or a private copy of what is encrypted in it.

    The copy is to be read by this process only, and is gone when it ends.

    Raises InputError when the identity is needed and missing, is none, or is not the one that
    opens it, and ArchiveDamaged when the bytes are not those that were encrypted.
    """
    if not is_encrypted(path):
        yield path
        return
    if identity is None:
        raise InputError(f"{path.name} is encrypted.", hint=_NAME_IT)
    keys = read_identities(identity)
    with tempfile.TemporaryDirectory(prefix="watchbook-") as folder:
        plain = Path(folder, path.name.removesuffix(SUFFIX))
        with _passing_file(plain) as file:
            _decrypt(path, file, keys)
            yield plain


@contextmanager
def _passing_file(path: Path) -> Iterator[BinaryIO]:
    """A private file that is read by ``path`` and gone with the process, however that ends.

    The path only points at the open file, which has no name. A system that does not show open
    files as paths gets one with a name.
    """
    if not _HANDLES.is_dir():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as named:
            yield named
        return
    with tempfile.TemporaryFile(dir=path.parent) as nameless:
        path.symlink_to(_HANDLES / str(nameless.fileno()))
        yield cast("BinaryIO", nameless)


def read_identities(path: Path) -> list[Any]:
    """The identities in a file as `age-keygen` writes it; raises InputError, which shows none."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint=_EXPECTED)
    with file_errors(path):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InputError(
                f"Others on this machine may read {path}.", hint=f"Run: chmod 600 {path}"
            )
        content = path.read_bytes()
    if content.startswith(_START):
        raise InputError(
            f"{path.name} is encrypted itself.",
            hint="Open it with `age -d` into another file, and name that one.",
        )
    lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
    numbered = [(at, line) for at, line in enumerate(lines, 1) if line and line[0] != "#"]
    if not numbered:
        raise InputError(f"{path.name} holds no identity.", hint=_EXPECTED)
    return [_identity(line, f"{path.name}, line {at}") for at, line in numbered]


def _identity(line: str, place: str) -> Any:
    if not line.startswith(_SECRET):
        raise InputError(f"{place}, is no identity of age.", hint=_EXPECTED)
    try:
        return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise InputError(f"{place}, is not whole.", hint=_EXPECTED) from None


def _decrypt(path: Path, target: BinaryIO, keys: Sequence[Any]) -> None:
    with file_errors(path), path.open("rb") as source:
        writer = _Writer(target)
        try:
            pyrage.decrypt_io(source, writer, keys)
        except pyrage.DecryptError as reason:
            if "No matching keys" in str(reason):
                raise InputError(
                    f"That identity does not open {path.name}.",
                    hint="It was encrypted to another recipient.",
                ) from None
            raise writer.failure or _damaged(path) from None
        except OSError as reason:
            if reason.errno is not None:
                raise
            raise writer.failure or _damaged(path) from None
        target.flush()


def _damaged(path: Path) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"{path.name} is damaged: its bytes are not those that were encrypted.",
        hint="Do not rely on it: `watchbook backup` makes a new one.",
    )


class _Writer:
    """Writes through to ``file`` and digests what passes; remembers why it could not.

    The library turns an error of ours into a text.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.failure: OSError | None = None

    @property
    def passed(self) -> Digested:
        return Digested(self._bytes, self._digest.hexdigest())

    def write(self, piece: bytes) -> int:
        self._digest.update(piece)
        self._bytes += len(piece)
        try:
            return self._file.write(piece)
        except OSError as reason:
            self.failure = reason
            raise

    def flush(self) -> None:
        self._file.flush()


def digested(stream: Readable) -> Digested:
    """Read ``stream`` to its end."""
    reader = HashingReader(stream)
    while reader.read(_PIECE):
        pass
    return Digested(reader.bytes, reader.sha256)


def check_digest(path: Path) -> Digested:
    """Read every byte of ``path``, as it lies there, and hold it against the .sha256 beside it.

    Raises ArchiveDamaged and StoreError.
    """
    with file_errors(path), path.open("rb") as file:
        found = digested(file)
    return replace(found, beside=held_against_beside(path, found.sha256))


def verify_inside(path: Path, identity: Path | None) -> Verification:
    """Verify an archive that may be encrypted: the file, and every byte within.

    Raises what :func:`opened` and :func:`watchbook.archive.verify.verify_archive` raise.
    """
    if not is_encrypted(path):
        return verify_archive(path)
    outside = check_digest(path)
    with opened(path, identity) as plain:
        found = verify_archive(plain)
    return replace(found, bytes=outside.bytes, sha256=outside.sha256, beside=outside.beside)
