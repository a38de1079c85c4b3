"""``watchbook import`` of Trakt's export and of archives, as a person meets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A Trakt with 600 plays."""
    with running(SandboxOptions(plays=600, rate_limit=False)) as sandbox:
        yield sandbox


@pytest.fixture
def export(sandbox: RunningSandbox, tmp_path: Path) -> Path:
    """An export of that Trakt, as it is downloaded."""
    return sandbox.export_zip(tmp_path / "trakt-export-sam.zip", numbered=True)


def test_the_first_import_says_what_came(run: Run, export: Path) -> None:
    """It makes the account, counts what was added, and names what the export lacks."""
    ended = run("import", str(export))
    assert ended.code == 0
    assert "trakt-export-sam.zip for sam-example: " in ended.out
    assert "history" in ended.out
    assert "600 rows  +600" in ended.out
    assert re.search(r"list_items \(\d+\) ", ended.out)
    assert "list_items/" not in ended.out
    assert " 1 rows" not in ended.out
    lacking = re.search(r"Trakt's export does not hold (\d+) data sets: (.*)", ended.out)
    assert lacking is not None
    named = [int(number or 1) for number in re.findall(r"\w+(?: \((\d+)\))?", lacking[2])]
    assert sum(named) == int(lacking[1])
    assert f"{lacking[1]} of them unavailable" in ended.out
    assert "hidden_dropped" in ended.out
    assert "Complete: 600 plays" in ended.out


def test_an_account_that_lives_on_exports_is_well(run: Run, export: Path) -> None:
    """After an import every data set is told, read or not held by exports, and nobody signs in."""
    run("import", str(export))
    ended = run("status")
    assert ended.code == 0, ended.out
    assert "not read yet" not in ended.out


def test_the_second_import_says_nothing_new(run: Run, export: Path) -> None:
    """The same file again adds nothing."""
    run("import", str(export))
    ended = run("import", str(export))
    assert ended.code == 0
    assert "sam-example: nothing new." in ended.out


def test_a_backup_after_an_import_is_complete(run: Run, export: Path) -> None:
    """An account that never had an app has a complete archive, and is asked for no sign-in."""
    run("import", str(export))
    ended = run("backup")
    assert ended.code == 0
    assert "Not signed in to Trakt" in ended.out
    assert "complete, every byte read back and verified" in ended.out


def test_several_files_are_taken_in_by_their_own_time(
    run: Run, sandbox: RunningSandbox, export: Path, tmp_path: Path
) -> None:
    """The oldest comes first, whatever the order of the arguments; --json tells of each."""
    sandbox.add_plays(1)
    newer = sandbox.export_zip(tmp_path / "a-newer.zip")
    ended = run("--json", "import", str(newer), str(export))
    first, second = json.loads(ended.out)
    assert (first["file"], second["file"]) == (export.name, newer.name)
    assert [report["order"] for report in (first, second)] == ["newer", "newer"]
    history = next(found for found in second["data_sets"] if found["name"] == "history")
    assert history["added"] == 1


def test_what_failed_at_trakt_is_told(run: Run, sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The words of `_errors.json` are printed, and the exit code says incomplete."""
    path = sandbox.export_zip(tmp_path / "holes.zip", errors=["ratings-movies"])
    ended = run("import", str(path))
    assert ended.code == 65
    assert "failed at Trakt: Trakt's exporter could not read users/sam-example/ratings" in ended.out
    assert "Incomplete: ratings_movies" in ended.out


def test_a_folder_may_be_given(run: Run, export: Path, tmp_path: Path) -> None:
    """The unpacked export is as good."""
    with zipfile.ZipFile(export) as packed:
        packed.extractall(tmp_path / "unpacked")
    assert run("import", str(tmp_path / "unpacked")).code == 0


def test_another_person_is_refused(run: Run, export: Path, tmp_path: Path) -> None:
    """The message names both, and how to give the other a book."""
    run("import", str(export))
    with running(SandboxOptions(plays=500, accounts=2)) as other:
        slug = other.accounts[1].slug
        path = other.export_zip(tmp_path / "other.zip", account=slug)
    ended = run("import", str(path))
    assert ended.code == 2
    assert slug in ended.err
    assert "sam-example" in ended.err
    assert run("--account", slug, "import", str(path)).code == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"PK", b"text"])
def test_a_file_that_is_none_is_refused(run: Run, tmp_path: Path, content: bytes) -> None:
    """What cannot be imported is told by its name, with what could be."""
    path = tmp_path / "odd.zip"
    path.write_bytes(content)
    ended = run("import", str(path))
    assert ended.code in {2, 65}
    assert "odd.zip" in ended.err


def test_a_file_that_is_missing_is_refused(run: Run, tmp_path: Path) -> None:
    """So is a name without a file, before anything else is taken in."""
    ended = run("import", str(tmp_path / "nowhere.zip"))
    assert ended.code == 2
    assert "There is no file" in ended.err


@pytest.mark.parametrize("name", ["../x", "A b", ""])
def test_a_new_account_has_a_plain_name(run: Run, export: Path, name: str) -> None:
    """No import makes an account that `account add` would refuse."""
    ended = run("--account", name, "import", str(export))
    assert (ended.code, "cannot be the name of an account" in ended.err) == (2, True)
    assert "no account yet" in run("account").out


def killed(arguments: list[str], step: str) -> int:
    """How a process ends that is killed at a step."""
    command = [sys.executable, "-m", "watchbook", *arguments]
    return subprocess.run(
        command, env={**os.environ, "_WATCHBOOK_DIE_AT": step}, capture_output=True, check=False
    ).returncode


def test_a_killed_import_left_nothing_or_everything(run: Run, export: Path) -> None:
    """After kill -9 before the commit nothing is there, not even the account; then all is."""
    assert killed(["import", str(export)], "import.taken") == -9
    assert "no account" in run("status").out + run("status").err
    assert killed(["import", str(export)], "import.committed") == -9
    ended = run("import", str(export))
    assert ended.code == 0
    assert "sam-example: nothing new." in ended.out


# An account's own archives ------------------------------------------------------------------


@pytest.fixture
def archive(run: Run, export: Path, home: Path, tmp_path: Path) -> Path:
    """The archive of an account whose home was lost since."""
    run("import", str(export))
    run("backup")
    (written,) = (home / "backups").glob("*.tar.gz")
    saved = written.rename(tmp_path / written.name)
    shutil.rmtree(home)
    return saved


def test_an_archive_rebuilds_its_account(run: Run, sandbox: RunningSandbox, archive: Path) -> None:
    """In an empty home the account is made, with every row, and the next backup is the same."""
    ended = run("import", str(archive))
    assert ended.code == 0, ended.err
    assert f"{archive.name} for sam-example: " in ended.out
    assert "rows as they were." in ended.out
    assert f"Complete: {len(sandbox.truth()['plays'])} plays" in ended.out
    assert "complete, every byte" in run("backup", "--no-sync").out


def test_the_same_archive_again_is_told(run: Run, archive: Path) -> None:
    """It changes nothing, says so, and ends well."""
    run("import", str(archive))
    ended = run("import", str(archive))
    assert ended.code == 0
    assert f"sam-example holds what is in {archive.name} already; nothing changed." in ended.out


def test_archives_and_exports_may_be_given_together(
    run: Run, sandbox: RunningSandbox, archive: Path, tmp_path: Path
) -> None:
    """The archive comes first, then the exports on top of it; --json tells of both in one form."""
    sandbox.add_plays(1)
    newer = sandbox.export_zip(tmp_path / "newer.zip")
    ended = run("--json", "import", str(newer), str(archive))
    assert ended.code == 0, ended.err
    first, second = json.loads(ended.out)
    assert (first["file"], second["file"]) == (archive.name, newer.name)
    assert first.keys() == second.keys()
    history = [
        next(found for found in report["data_sets"] if found["name"] == "history")
        for report in (first, second)
    ]
    assert history[0].keys() == history[1].keys()
    assert history[1]["added"] == 1


def test_an_archive_on_top_of_other_rows_is_refused(
    run: Run, sandbox: RunningSandbox, archive: Path, tmp_path: Path
) -> None:
    """The way out is named."""
    sandbox.add_plays(1)
    run("import", str(sandbox.export_zip(tmp_path / "newer.zip")))
    ended = run("import", str(archive))
    assert ended.code == 2
    assert "sam-example holds something else" in ended.err
    assert "watchbook account remove" in ended.err


def test_a_damaged_archive_is_refused(run: Run, archive: Path) -> None:
    """The store stays empty."""
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    ended = run("import", str(archive))
    assert ended.code == 65
    assert archive.name in ended.err
    assert "no account" in run("status").out + run("status").err
