"""The project as a whole: what its files may not say, and the doors that contributors use."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("bootstrap.txt", "runtime.txt", "s3.txt", "dev.txt")
TARGETS = ("demo", "run", "s3", "test", "test-long", "lint", "bench", "lock", "clean", "help")

# The one that ran the tests may use another index than the next person.
REGISTRY = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com))\b", re.IGNORECASE)
# Folders in which people and build machines keep what is theirs.
MACHINE_PATH = re.compile(r"(?<![\w.~/}-])/(?:home|root|Users|work|workspace|builds)/[\w.]")


def tracked_texts() -> list[tuple[str, str]]:
    """Name and text of every text file that git knows."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(git, check=True, capture_output=True).stdout
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    contents = [(name, (ROOT / name).read_bytes()) for name in names if (ROOT / name).is_file()]
    return [(name, data.decode()) for name, data in contents if b"\0" not in data]


def places(pattern: re.Pattern[str]) -> list[str]:
    """``file:line`` of everything in tracked files that ``pattern`` finds."""
    return [
        f"{name}:{number}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    """Packages come from whatever index the person who installs has set."""
    assert places(REGISTRY) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    """Nothing in the project knows where it was written."""
    assert places(MACHINE_PATH) == []


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("--index-url https://pypi" + ".org/simple", REGISTRY),
        ("see /home" + "/ann/watchbook", MACHINE_PATH),
        ("'/root" + "/.cache'", MACHINE_PATH),
    ],
)
def test_the_patterns_find_what_they_are_for(line: str, pattern: re.Pattern[str]) -> None:
    """The two tests above would notice."""
    assert pattern.search(line)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    """No file is installed that was not seen when the lock was written."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text).strip())
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^\s;]+( ;[^\n]*)? \\\n\s+--hash=sha256:[0-9a-f]{64}", entry)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_place(lock: str) -> None:
    """Lock files hold names, versions and hashes: no address, no option."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    assert "://" not in text
    assert "file:" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def locked(lock: str) -> set[str]:
    """The ``name==version`` of a lock file."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    return set(re.findall(r"^[a-z0-9-]+==[^\s;]+", text, re.MULTILINE))


def named(requirements: list[str]) -> set[str]:
    """The packages that a list in pyproject.toml asks for."""
    names = [re.split(r"[\[<>=!~ ;]", line)[0] for line in requirements]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def test_locks_hold_what_the_project_asks_for() -> None:
    """A dependency added to pyproject.toml was locked too (``make lock``)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    runtime = {entry.split("==")[0] for entry in locked("runtime.txt")}
    dev = {entry.split("==")[0] for entry in locked("dev.txt")}
    assert named(project["project"]["dependencies"]) <= runtime
    assert named(project["dependency-groups"]["dev"]) <= dev
    extra = {entry.split("==")[0] for entry in locked("s3.txt")}
    assert named(project["project"]["optional-dependencies"]["s3"]) <= extra


def test_tools_are_added_to_the_same_libraries() -> None:
    """Tests run on exactly the versions that people get."""
    assert locked("runtime.txt") <= locked("s3.txt") <= locked("dev.txt")


def test_the_locked_installer_can_build_the_project() -> None:
    """The uv that is fetched satisfies the build system, which makes a build without network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (bounds,) = project["build-system"]["requires"]
    low, high = re.findall(r"\d+\.\d+", bounds)
    (installer,) = locked("bootstrap.txt")
    version = [int(part) for part in installer.removeprefix("uv==").split(".")]
    assert [int(n) for n in low.split(".")] <= version < [int(n) for n in high.split(".")]


def test_continuous_integration_only_calls_make_test() -> None:
    """Whatever is checked for a change, a contributor can check with one command."""
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text("utf-8").splitlines() if line[:1] not in {"#", ""}]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]
    assert os.access(script, os.X_OK)


def test_make_help_tells_of_every_target() -> None:
    """``make`` alone lists all targets, and lists none that does not exist."""
    shown = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout
    assert set(re.findall(r"^  ([a-z0-9-]+)  ", shown, re.MULTILINE)) == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_made(target: str) -> None:
    """Make knows each target and what it would run."""
    planned = subprocess.run(
        ["make", "--dry-run", "-C", str(ROOT), target],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout
    assert planned
