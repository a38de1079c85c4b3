"""Entries that no honest archive has are refused before anything is done with them."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from watchbook.archive.read import GZIP_HEADER, Limits, SafeArchive
from watchbook.archive.verify import verify_archive
from watchbook.errors import ArchiveDamaged, ArchiveError, ArchiveUnsafe

Build = Callable[[tarfile.TarFile], None]


def entry(tar: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> None:
    """Add an entry of any kind."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(content))


def packed(build: Build, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """A .tar.gz as tools make it, with a folder ``x`` first."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        entry(tar, "x", type=tarfile.DIRTYPE)
        build(tar)
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=out, mtime=0) as stream:
        stream.write(raw.getvalue())
    return GZIP_HEADER + out.getvalue()[10:]


def read_all(content: bytes, limits: Limits | None = None) -> list[str]:
    """Read every member to its end."""
    archive = SafeArchive(io.BytesIO(content), limits)
    return [path for path, stream in archive.members() if stream.read() is not None]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("x/../../etc/passwd", tarfile.REGTYPE, "not a name"),
        ("/etc/passwd", tarfile.REGTYPE, "not a name"),
        ("x//y", tarfile.REGTYPE, "not a name"),
        ("x/./y", tarfile.REGTYPE, "not a name"),
        ("x/a b", tarfile.REGTYPE, "not a name"),
        ("x/C:\\y", tarfile.REGTYPE, "not a name"),
        ("x/new\nline", tarfile.REGTYPE, "not a name"),
        ("y/z", tarfile.REGTYPE, "outside"),
        ("z", tarfile.REGTYPE, "outside"),
        ("y", tarfile.DIRTYPE, "outside"),
        ("x", tarfile.DIRTYPE, "twice"),
        ("x/symlink", tarfile.SYMTYPE, "a link"),
        ("x/hardlink", tarfile.LNKTYPE, "a link"),
        ("x/character", tarfile.CHRTYPE, "a device"),
        ("x/block", tarfile.BLKTYPE, "a device"),
        ("x/fifo", tarfile.FIFOTYPE, "a pipe"),
        ("x/contiguous", tarfile.CONTTYPE, "foreign kind"),
        ("x/ancient", tarfile.AREGTYPE, "foreign kind"),
    ],
)
def test_hostile_entries(name: str, kind: bytes, words: str) -> None:
    """Escapes, absolute and odd names, links, devices and doubles are refused."""
    hostile = packed(lambda tar: entry(tar, name, type=kind, linkname="x/a"))
    with pytest.raises(ArchiveUnsafe, match=words):
        read_all(hostile)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_other_forms_of_tar(form: int) -> None:
    """Long names of other dialects, whose headers may be of any size, are refused."""
    with pytest.raises(ArchiveError):
        read_all(packed(lambda tar: entry(tar, "x/" + "ä" * 300), form))


def test_honest_archive() -> None:
    """Folders and plain files are read, long paths too."""
    deep = "x/" + "a" * 90 + "/" + "b" * 90

    def build(tar: tarfile.TarFile) -> None:
        entry(tar, "x/lists", type=tarfile.DIRTYPE)
        entry(tar, "x/lists/1.json", b"[]\n")
        entry(tar, deep, b"1")

    assert read_all(packed(build)) == ["lists/1.json", deep[2:]]


def test_too_many_entries() -> None:
    """The number of entries is limited."""

    def build(tar: tarfile.TarFile) -> None:
        for number in range(20):
            entry(tar, f"x/{number}")

    with pytest.raises(ArchiveUnsafe, match="over 10 entries"):
        read_all(packed(build), Limits(entries=10))


def test_too_large_a_member() -> None:
    """A member's claimed size is looked at before its content."""
    with pytest.raises(ArchiveUnsafe, match="claims 100 bytes"):
        read_all(packed(lambda tar: entry(tar, "x/a", b"0" * 100)), Limits(member_bytes=99))


def test_too_much_in_all() -> None:
    """The sum of all bytes is limited."""
    with pytest.raises(ArchiveUnsafe, match="unpacks to over"):
        read_all(packed(lambda tar: entry(tar, "x/a", b"0" * 100)), Limits(total_bytes=1000))


def bomb(megabytes: int) -> bytes:
    """A member of zeros, made without holding it."""
    info = tarfile.TarInfo("x/a")
    info.size = megabytes << 20
    packer = zlib.compressobj(9, wbits=31)
    folder = tarfile.TarInfo("x")
    folder.type = tarfile.DIRTYPE
    parts = [packer.compress(folder.tobuf() + info.tobuf(tarfile.USTAR_FORMAT))]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    parts.append(packer.flush())
    return GZIP_HEADER + b"".join(parts)[10:]


def test_bomb_is_refused_with_flat_memory() -> None:
    """A bomb is refused by its ratio after a few megabytes, without holding them."""
    content = bomb(100)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveUnsafe, match="unpacks to over"):
            list(SafeArchive(io.BytesIO(content)).members())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_endless_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without an end is given up at a limit, not collected."""
    from watchbook.archive.standalone import verify as standalone  # noqa: PLC0415

    monkeypatch.setattr(standalone, "LONGEST_ROW", 1000)
    for content in (b'[\n"' + b"a" * 5000 + b'"\n]\n', b"[\n[\n" + b"1,\n" * 5000 + b"1]\n]\n"):
        path = tmp_path / "x.tar.gz"
        path.write_bytes(packed(partial(entry, name="x/a.json", content=content)))
        with pytest.raises(ArchiveDamaged, match="too long"):
            verify_archive(path)


def test_bytes_behind_the_end() -> None:
    """Nothing may follow the end of the tar or of the gzip stream."""
    good = packed(lambda tar: entry(tar, "x/a", b"1"))
    with pytest.raises(ArchiveDamaged, match="behind the end"):
        read_all(good + b"\0")
    raw = bytearray(zlib.decompress(good, wbits=31))
    raw[-1] = 1
    again = GZIP_HEADER + gzip.compress(bytes(raw), mtime=0)[10:]
    with pytest.raises(ArchiveDamaged, match="behind its end"):
        read_all(again)


def test_unread_members_are_skipped() -> None:
    """A member that nobody reads does not disturb the next."""

    def build(tar: tarfile.TarFile) -> None:
        entry(tar, "x/a", b"1" * 1_000_000)
        entry(tar, "x/b", b"2")

    archive = SafeArchive(io.BytesIO(packed(build)))
    assert [path for path, _ in archive.members()] == ["a", "b"]


def test_not_a_gzip_file(tmp_path: Path) -> None:
    """What is no archive at all says so."""
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ArchiveDamaged, match="does not begin"):
        verify_archive(path)
