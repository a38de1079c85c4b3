"""Damage is noticed, wherever it strikes, and named by its place."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchbook.archive.documents import documents
from watchbook.archive.manifest import (
    ACCOUNT_FORMAT,
    COMPLETE,
    AccountEntry,
    Manifest,
    count_rows,
    encode,
)
from watchbook.archive.packing import Member, in_memory, pack
from watchbook.archive.standalone import verify as standalone
from watchbook.archive.verify import beside_of, verify_archive
from watchbook.clock import from_iso
from watchbook.errors import ArchiveDamaged, ArchiveError

MOMENT = from_iso("2026-11-21T20:15:00Z")
ROWS = b'[\n{"id":1},\n{"id":2}\n]\n'


def manifest_of(members: list[Member], **changes: object) -> bytes:
    """The manifest of ``members``."""
    entries = [member.entry for member in members]
    fields: dict[str, object] = {
        "format": ACCOUNT_FORMAT,
        "format_version": 1,
        "generator": "Watchbook 0",
        "name": "small",
        "created_at": "2026-11-21T20:15:00Z",
        "account": AccountEntry("sandra", None, None),
        "schema": None,
        "verdict": COMPLETE,
        "words": ["all said"],
        "counts": count_rows(entries),
        "content": "",
        "data_sets": [],
        "files": entries,
    }
    return encode(Manifest(**(fields | changes)))  # type: ignore[arg-type]


def small(folder: Path, content: bytes = ROWS, rows: int = 2, **changes: Any) -> Path:
    """A small archive with one file of rows in it, without verifying what it holds."""
    path = folder / "small.tar.gz"
    path.unlink(missing_ok=True)
    members = [in_memory("history_movies.json", "data", content, rows)]
    members.append(in_memory("manifest.json", "document", manifest_of(members, **changes)))
    pack(path, members, MOMENT)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small archive that is whole."""
    return small(tmp_path)


def noticed(path: Path) -> bool:
    """Whether both verifiers refuse ``path``."""
    with pytest.raises(ArchiveError):
        verify_archive(path)
    return standalone.main([str(path)]) == 1


def test_whole_archive_verifies(archive: Path) -> None:
    """An archive as it was written verifies, against its own digests and the one beside."""
    found = verify_archive(archive)
    assert (found.rows, found.beside, found.complete) == (2, True, True)
    assert found.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert standalone.main([str(archive)]) == 0


def test_every_flipped_byte_is_noticed(archive: Path) -> None:
    """Each byte of an archive, changed in one bit or in all, is noticed."""
    good = archive.read_bytes()
    for place in range(len(good)):
        for mask in (0x01, 0xFF):
            archive.write_bytes(good[:place] + bytes([good[place] ^ mask]) + good[place + 1 :])
            assert noticed(archive), place


def test_every_cut_is_noticed(archive: Path) -> None:
    """An archive cut off anywhere is noticed."""
    good = archive.read_bytes()
    for place in range(len(good)):
        archive.write_bytes(good[:place])
        assert noticed(archive), place


def test_without_a_digest_beside_it_is_noticed_too(archive: Path) -> None:
    """With no .sha256 beside, what is inside still shows every change of what it says."""
    beside_of(archive).unlink()
    good = archive.read_bytes()
    whole = verify_archive(archive)
    assert not whole.beside
    unnoticed = []
    for place in range(len(good)):
        archive.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        try:
            assert verify_archive(archive).manifest == whole.manifest
            unnoticed.append(place)
        except ArchiveError:
            pass
    assert len(unnoticed) <= 1, "only the bits that fill up the last byte say nothing"
    for place in range(len(good)):
        archive.write_bytes(good[:place])
        with pytest.raises(ArchiveError):
            verify_archive(archive)


def test_every_byte_of_the_digest_file_counts(archive: Path) -> None:
    """A .sha256 file that was changed or cut is noticed."""
    beside = beside_of(archive)
    good = beside.read_bytes()
    changed = [good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :] for i in range(len(good))]
    for content in (*changed, good[:-1], b"", good + b"\n"):
        beside.write_bytes(content)
        assert noticed(archive)


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_mangling_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes inserted, deleted or replaced anywhere leave only errors of our own tree."""
    path = tmp_path / "small.tar.gz"
    if not path.exists():
        small(tmp_path)
    good = path.read_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 20)))
    mangled = good[:start] + data.draw(st.binary(max_size=20)) + good[end:]
    try:
        path.write_bytes(mangled)
        if mangled != good:
            assert noticed(path)
    finally:
        path.write_bytes(good)


@given(content=st.binary(max_size=2000))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_anything_is_no_archive(tmp_path: Path, content: bytes) -> None:
    """Any bytes at all are refused in our own words."""
    path = tmp_path / "any.tar.gz"
    path.write_bytes(content)
    assert noticed(path)


@pytest.mark.parametrize(
    "content",
    [
        b'[\n{"id":1}\n{"id":2}\n]\n',
        b'[\n{"id":1},\n{"id":2},\n]\n',
        b'[\n{"id":1},\n{"id":2}\n',
        b'[\n{"id":1},\n{"id":2}\n]',
        b'[\n{"id":1},\n{"id":2}\n]\n]\n',
        b'[\n{"id":1},\n{"id":NaN}\n]\n',
        b'[\n{"id":1},\n{"id":\n]\n',
        b'{"id":1}{"id":2}\n',
        b'{"id":"\xff"}\n',
        b"",
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_json_is_never_packed(tmp_path: Path, content: bytes) -> None:
    """Verified before it gets its name, an archive with broken JSON does not come to be."""
    with pytest.raises(ArchiveDamaged, match=r"history_movies\.json"):
        small(tmp_path, content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"counts": {"data": 3}}, "does not add up"),
        ({"files": []}, "is not in the manifest"),
        ({"format_version": 2}, "newer"),
        ({"name": "other"}, "folder"),
        ({"counts": []}, "does not read as a manifest"),
        ({"verdict": 7}, "unknown shape"),
    ],
)
def test_manifest_must_agree(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """A manifest that contradicts itself or the files is damage, though its digest is right."""
    with pytest.raises(ArchiveDamaged, match=words):
        small(tmp_path, **changes)


def test_rows_must_be_as_many_as_written(tmp_path: Path) -> None:
    """Rows are counted again, not believed."""
    with pytest.raises(ArchiveDamaged, match="rows is 2, written was 3"):
        small(tmp_path, rows=3)


def test_missing_file_is_noticed(tmp_path: Path) -> None:
    """A file that the manifest lists and the archive lacks is named."""
    members = [in_memory("a.json", "data", b"[]\n", 0), in_memory("b.json", "data", b"[]\n", 0)]
    manifest = in_memory("manifest.json", "document", manifest_of(members))
    with pytest.raises(ArchiveDamaged, match=r"b\.json is missing"):
        pack(tmp_path / "small.tar.gz", [members[0], manifest], MOMENT)


def test_manifest_must_be_there(tmp_path: Path) -> None:
    """An archive without a manifest is none."""
    with pytest.raises(ArchiveDamaged, match=r"manifest\.json is missing"):
        pack(tmp_path / "small.tar.gz", [in_memory("a.json", "data", b"[]\n", 0)], MOMENT)


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier of an unpacked archive with a bare Python."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """An archive with its verifier, unpacked by tar."""
    members = [
        in_memory("removed/a.json", "removed", ROWS, 2),
        in_memory("history_movies.json", "data", ROWS, 2),
        in_memory("verify.py", "document", Path(standalone.__file__).read_bytes()),
    ]
    members.append(in_memory("manifest.json", "document", manifest_of(members)))
    pack(tmp_path / "small.tar.gz", members, MOMENT)
    subprocess.run(["tar", "-xzf", "small.tar.gz"], cwd=tmp_path, check=True)
    return tmp_path / "small"


def test_stand_alone_verdict(unpacked: Path) -> None:
    """The verifier inside says clearly how folder and packed file stand, from any folder."""
    packed = str(unpacked.with_name("small.tar.gz"))
    for arguments in ((), (str(unpacked),), (packed,)):
        ended = alone(unpacked, *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith("OK: small is whole: 4 files, 2 rows")
        assert "complete" in ended.stdout
    beside_of(Path(packed)).unlink()
    assert "no .sha256" in alone(unpacked, packed).stdout


@pytest.mark.parametrize("name", ["removed/a.json", "history_movies.json", "manifest.json"])
def test_stand_alone_notices_a_changed_file(unpacked: Path, name: str) -> None:
    """Each byte of each unpacked file counts, the manifest's own words too."""
    path = unpacked / name
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert standalone.main([str(unpacked)]) == 1
    path.unlink()
    ended = alone(unpacked)
    assert ended.returncode == 1
    assert ended.stdout == f"DAMAGED: {name} is missing.\n"


def test_stand_alone_notices_what_does_not_belong(unpacked: Path) -> None:
    """A file or link that was put in is named; what desktops hide in folders is not."""
    (unpacked / ".DS_Store").touch()
    assert alone(unpacked).returncode == 0
    (unpacked / "extra.json").write_text("[]\n")
    assert "extra.json is not in the manifest" in alone(unpacked).stdout
    (unpacked / "extra.json").unlink()
    os.link(unpacked / "verify.py", unpacked / "other")
    (unpacked / "other").unlink()
    (unpacked / "link").symlink_to("verify.py")
    assert "link is a link" in alone(unpacked).stdout


def test_stand_alone_runs_on_old_pythons() -> None:
    """The verifier keeps to the language and library of Python 3.8."""
    import ast  # noqa: PLC0415 - for this one fact

    source = Path(standalone.__file__).read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names
    assert "removeprefix" not in source


@pytest.mark.parametrize("arguments", [["none.tar.gz"], ["--help"], ["-x"], ["one", "two"]])
def test_what_cannot_be_checked_is_not_called_damaged(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped name or option is answered with how to call it, and ends with 2."""
    assert standalone.main(arguments) == 2
    shown = capsys.readouterr().out
    assert shown.endswith("usage: python3 verify.py [FOLDER or FILE.tar.gz]\n")
    assert ("no such file" in shown) is (arguments == ["none.tar.gz"])
    assert "DAMAGED" not in shown


@pytest.mark.parametrize("verdict", ["complete", "incomplete"])
def test_the_letter_to_the_reader_has_single_blank_lines(verdict: str) -> None:
    """README.txt reads well, with and without the words about what is missing."""
    moment = from_iso("2026-11-21T20:15:00Z")
    readme = documents("backup-sandra", "sandra", moment, verdict)[0]
    text = b"".join(readme.content()).decode()
    assert "\n\n\n" not in text
    assert "\n\nTo check" in text
    assert ("\n\nThis archive is INCOMPLETE" in text) is (verdict == "incomplete")
