"""Killed at any step of handing on: run again, and there is exactly one verified copy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from watchbook.archive.verify import verify_archive
from watchbook.offsite.copies import COPIED
from watchbook.seal import Sealer
from watchbook.settings import Settings
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

from .conftest import Owner, S3Server

KEY = "a key that only tests use, long enough"
CHILD = """
import json, sys
from pathlib import Path
from watchbook.offsite.handing_on import after_backup
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store import accounts
from watchbook.store.database import Database
from watchbook.store.opening import Store
given = json.loads(sys.argv[1])
database = Database(given["url"])
store = Store(database, Sealer([given["key"]]), Path(given["home"]))
with database.read() as conn:
    account = accounts.choose(conn, None)
settings = load(given["settings"], Path(given["home"]))
after_backup(store, settings, account, Path(given["archive"]))
"""


@pytest.fixture
def owner(tmp_path: Path, settings_with: Callable[..., Settings]) -> Owner:
    """Sandra on SQLite."""
    home = tmp_path / "home"
    database = Database(f"sqlite:///{home / 'watchbook.db'}")
    migrate(database)
    return Owner(Store(database, Sealer([KEY]), home), settings_with)


def killed(owner: Owner, archive: Path, die_at: str) -> int:
    """Hand ``archive`` on in a process that is killed at a step; its exit code."""
    settings = {f"WATCHBOOK_{name.upper()}": text for name, text in owner.given.items()}
    given = {
        "url": str(owner.store.database.url),
        "key": KEY,
        "home": str(owner.store.home),
        "archive": str(archive),
        "settings": settings | {"WATCHBOOK_HOME": str(owner.store.home)},
    }
    return subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(given)],
        env=os.environ | {"_WATCHBOOK_DIE_AT": die_at},
        check=False,
    ).returncode


STEPS = ["copy.waiting", "copy.sent", "copy.verified", "copy.whole", "copy.recorded"]


@pytest.mark.daily(2)
@pytest.mark.parametrize("die_at", [*STEPS, "file.written", "file.renamed", "file.written@2"])
def test_killed_while_copying_to_a_folder(owner: Owner, nas: Path, die_at: str) -> None:
    """The schedule finishes what a killed process began, and nothing of that one stays."""
    owner.set(copy_to=nas)
    written = owner.write()
    assert killed(owner, written.path, die_at) == -signal.SIGKILL
    for name in (path.name for path in nas.glob("backup-*.tar.gz")):
        verify_archive(nas / name)
    owner.send_due()
    name = written.path.name
    assert {path.name for path in nas.iterdir()} == {name, f"{name}.sha256"}
    assert verify_archive(nas / name).beside
    assert [(one.archive, one.state) for one in owner.copies()] == [(name, COPIED)]
    owner.store.close()


@pytest.mark.daily(2)
@pytest.mark.parametrize("die_at", STEPS)
def test_killed_while_copying_to_a_bucket(owner: Owner, s3: S3Server, die_at: str) -> None:
    """The same with a bucket."""
    owner.use(s3)
    written = owner.write()
    assert killed(owner, written.path, die_at) == -signal.SIGKILL
    owner.send_due()
    assert {Path(name).name: content for name, content in s3.files().items()} == {
        path.name: path.read_bytes() for path in owner.folder.iterdir()
    }
    assert [one.state for one in owner.copies()] == [COPIED]
    owner.store.close()
