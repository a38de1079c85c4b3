"""`watchbook site add FOLDER`: a folder as a site, from connecting to a pushed commit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Book, Run
from tests.exporting.conftest import Filled, film_play
from tests.publish.conftest import Book as Published
from tests.publish.conftest import ago
from watchbook.store import accounts, runs, sites

COMMAND = "git add -A && { git diff --cached --quiet || git commit -qm Watched; } && git push -q"
GIT = {"user.name": "Sandra", "user.email": "sandra@example.org", "commit.gpgsign": "false"}


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    told = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)
    return told.stdout.decode()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A site for Jekyll with a place to push to."""
    top, remote = tmp_path / "blog", tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", top], check=True)
    for name, value in GIT.items():
        git(top, "config", name, value)
    (top / "_config.yml").touch()
    git(top, "remote", "add", "origin", str(remote))
    git(top, "config", "push.autoSetupRemote", "true")
    return top


def test_a_folder_is_published_to_and_pushed(book: Book, run: Run, repository: Path) -> None:
    """A play becomes a file, a commit and a push; connecting again changes nothing."""
    filled = Filled(book.store, book.account, repository.parent)
    filled.read("watched_history")
    with book.store.database.write() as conn:
        runs.finish(conn, runs.start(conn, book.account.id, "sync"), runs.COMPLETE, "complete")
    added = run("site", "add", str(repository))
    assert (added.code, "for jekyll" in added.out) == (0, True)
    assert "Known already" in run("site", "add", str(repository)).out
    assert run("site", "set", "blog", "delay=0s", f"command={COMMAND}").code == 0
    with book.store.database.read() as conn:
        site = sites.choose(conn, book.account, None)
    Published(filled, site).watch(film_play(11, 1, ago(seconds=-30)))
    shown = run("publish", "--dry-run").out
    assert run("publish").code == 0
    (path,) = (repository / "_posts").iterdir()
    assert path.read_text().strip() in shown
    assert git(repository, "log", "--format=%s", "origin/main") == "Watched\n"
    assert git(repository, "ls-tree", "-r", "--name-only", "origin/main").split() == [
        "_config.yml",
        f"_posts/{path.name}",
    ]
    assert json.loads(run("site", "list", "--json").out)[0]["state"] == "working"


def test_a_folder_that_cannot_be_one(book: Book, run: Run, tmp_path: Path) -> None:
    """One that does not exist, one for somebody else, and one that is asked for a test post."""
    missing = run("site", "add", str(tmp_path / "nowhere"))
    assert (missing.code, "There is no folder" in missing.err) == (2, True)
    assert run("site", "add", str(tmp_path)).code == 0
    tried = run("site", "test")
    assert (tried.code, "needs no test post" in tried.err) == (2, True)
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, owner=False)
    other = run("site", "add", str(tmp_path))
    assert (other.code, "Only the owner" in other.err) == (2, True)
