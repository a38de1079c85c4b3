from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from watchbook import logs
from watchbook.errors import SchemaMismatch, SettingsError, StoreError
from watchbook.redaction import redact
from watchbook.seal import KEY_FILE, fingerprint
from watchbook.settings import Settings, load
from watchbook.store import accounts, grants
from watchbook.store.database import Database
from watchbook.store.grants import Issue, Tokens
from watchbook.store.migrating import MIGRATIONS
from watchbook.store.opening import SCHEMA_VERSION, Store, migrate, open_store, schema_version
from watchbook.store.schema import metadata

OLD, NEW = "the old key that is long enough to seal", "the new key that is long enough to seal"
NEXT = "9001"
MORE = f'''"""More."""

import os, signal
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{SCHEMA_VERSION}"


def upgrade():
    op.create_table("more", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("mood", sa.String(), nullable=True))
    op.execute("UPDATE accounts SET mood = 'fine'")
    if os.environ.get("DIE_INSIDE"):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("FAIL_INSIDE"):
        op.execute("SELECT nothing FROM nowhere")
'''
MIGRATE = """
import sys
from pathlib import Path
from watchbook.store.database import Database
from watchbook.store.grants import Issue, Tokens
from watchbook.store.opening import migrate
url, folder, target, scripts = sys.argv[1:]
database = Database(url)
print("ready", flush=True)
sys.stdin.readline()
migrate(database, folder=Path(folder), target=target, scripts=Path(scripts))
database.close()
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The migrations of the next release: ours and one more."""
    folder = tmp_path / "scripts"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{NEXT}_more.py").write_text(MORE)
    return folder


@pytest.fixture
def prepared() -> bool:
    """These tests make the tables themselves."""
    return False


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """A database without anything in it, once of each kind."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def filled(database: Database) -> Database:
    """A database of today with one account."""
    with database.write() as conn:
        accounts.add(conn, "sandra")
    return database


def names(database: Database) -> list[str]:
    """The accounts, read as any version of the program could."""
    with database.read() as conn:
        return list(conn.scalars(sa.text("SELECT name FROM accounts")))


def tables(database: Database) -> set[str]:
    """The tables that there are."""
    with database.read() as conn:
        return set(sa.inspect(conn).get_table_names())


def copies(folder: Path) -> list[Path]:
    """The copies made before an upgrade."""
    return sorted(folder.glob("*-before-upgrade-*.db"))


def waiting(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A process that has imported everything and waits for the word to begin."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def in_process(url: str, folder: Path, scripts: Path, **environment: str) -> subprocess.Popen[str]:
    """A process that is ready to migrate to the next release."""
    return waiting(MIGRATE, url, str(folder), NEXT, str(scripts), **environment)


def go(*children: subprocess.Popen[str]) -> list[int]:
    """Let them begin at once; how each ended."""
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=120)
    return [child.returncode for child in children]


def test_version_is_the_newest_migration() -> None:
    """The program opens what its migrations make."""
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == SCHEMA_VERSION


def test_migrations_are_one_line() -> None:
    """Every migration follows one other, and their names sort as they follow."""
    found = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())
    assert [s.revision for s in found] == sorted((s.revision for s in found), reverse=True)
    assert [s.down_revision for s in found] == [*(s.revision for s in found[1:]), None]


def test_models_equal_the_migrated_schema(database: Database) -> None:
    """What the migrations make is what the program believes to be there."""
    with database.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_empty_database_gets_everything(empty: Database, tmp_path: Path) -> None:
    """A fresh database is made whole, without a copy of nothing; the second time costs nothing."""
    assert schema_version(empty) is None
    assert migrate(empty, folder=tmp_path) is None
    assert schema_version(empty) == SCHEMA_VERSION
    assert tables(empty) == {*metadata.tables, "alembic_version"}
    assert migrate(empty, folder=tmp_path) is None
    assert copies(tmp_path) == []


def test_older_database_is_copied_and_migrated(
    filled: Database, tmp_path: Path, scripts: Path
) -> None:
    """Before an upgrade a private copy is laid aside, which is a whole database as it was."""
    home = tmp_path / "copies"
    copy = migrate(filled, folder=home, target=NEXT, scripts=scripts)
    assert copy is not None
    assert copies(home) == [copy]
    assert f"-before-upgrade-{SCHEMA_VERSION}-" in copy.name
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert schema_version(filled) == NEXT
    assert names(filled) == ["sandra"]
    with filled.read() as conn:
        assert conn.scalar(sa.text("SELECT mood FROM accounts")) == "fine"
    before = Database(f"sqlite:///{copy}")
    assert schema_version(before) == SCHEMA_VERSION
    assert names(before) == ["sandra"]
    assert "more" not in tables(before)
    before.close()


def test_newer_database_is_refused(filled: Database, tmp_path: Path, scripts: Path) -> None:
    """A database of a newer program is left alone, and the way back is told."""
    migrate(filled, folder=tmp_path, target=NEXT, scripts=scripts)
    with pytest.raises(SchemaMismatch, match=NEXT) as caught:
        migrate(filled)
    assert "newer Watchbook" in str(caught.value.hint)
    assert caught.value.exit_code == 78
    assert schema_version(filled) == NEXT


def test_migration_that_fails(
    filled: Database, tmp_path: Path, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that fails leaves nothing of itself, and the error is one of our tree."""
    monkeypatch.setenv("FAIL_INSIDE", "1")
    with pytest.raises(StoreError):
        migrate(filled, folder=tmp_path, target=NEXT, scripts=scripts)
    assert schema_version(filled) == SCHEMA_VERSION
    assert "more" not in tables(filled)
    monkeypatch.delenv("FAIL_INSIDE")
    migrate(filled, folder=tmp_path, target=NEXT, scripts=scripts)
    assert names(filled) == ["sandra"]


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    ("environment", "version"),
    [
        ({"_WATCHBOOK_DIE_AT": "copy.written"}, SCHEMA_VERSION),
        ({"_WATCHBOOK_DIE_AT": "migrate.copied"}, SCHEMA_VERSION),
        ({"DIE_INSIDE": "1"}, SCHEMA_VERSION),
        ({"_WATCHBOOK_DIE_AT": "migrate.done"}, NEXT),
    ],
    ids=["while copying", "before", "inside", "after"],
)
def test_killed_while_migrating(
    filled: Database,
    database_url: str,
    tmp_path: Path,
    scripts: Path,
    environment: dict[str, str],
    version: str,
) -> None:
    """Killed at whatever step, the database is the old or the new one, and goes on from there."""
    assert go(in_process(database_url, tmp_path, scripts, **environment)) == [-9]
    assert schema_version(filled) == version
    assert ("more" in tables(filled)) is (version == NEXT)
    assert names(filled) == ["sandra"]
    for copy in copies(tmp_path):
        whole = Database(f"sqlite:///{copy}")
        assert names(whole) == ["sandra"]
        whole.close()
    migrate(filled, folder=tmp_path, target=NEXT, scripts=scripts)
    assert schema_version(filled) == NEXT
    assert names(filled) == ["sandra"]


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "filled",
    ],
)
def test_processes_migrate_at_once(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, scripts: Path, kind: str
) -> None:
    """Processes that start together on a fresh or an older database all find it migrated."""
    database: Database = request.getfixturevalue(kind)
    children = [in_process(database_url, tmp_path / "copies", scripts) for _ in range(3)]
    assert go(*children) == [0, 0, 0]
    assert schema_version(database) == NEXT
    assert names(database) == (["sandra"] if kind == "filled" else [])
    assert bool(copies(tmp_path / "copies")) is (kind == "filled")


def settings_of(url: str, home: Path, *keys: str) -> Settings:
    """Settings of an installation."""
    values = {"WATCHBOOK_HOME": str(home), "WATCHBOOK_DATABASE_URL": url}
    return load(values | ({"WATCHBOOK_SECRET_KEY": ",".join(keys)} if keys else {}), home)


def opened(settings: Settings) -> Store:
    """The store, its connections given back."""
    store = open_store(settings)
    store.close()
    return store


def version_at(url: str) -> str | None:
    """The version of the schema there."""
    database = Database(url)
    try:
        return schema_version(database)
    finally:
        database.close()


def test_first_start_makes_everything(database_url: str, tmp_path: Path) -> None:
    """With nothing there, opening makes home, key and database, and finds them the next time."""
    settings = settings_of(database_url, tmp_path / "home")
    first = opened(settings)
    assert (tmp_path / "home" / KEY_FILE).exists()
    assert opened(settings).sealer.key_name == first.sealer.key_name
    assert version_at(database_url) == SCHEMA_VERSION


def test_a_first_start_takes_one_line(database_url: str, tmp_path: Path) -> None:
    """What is told of the making of a database is ours, not the chatter of a library."""
    stream = io.StringIO()
    logs.configure("info", stream)
    opened(settings_of(database_url, tmp_path / "home"))
    (line,) = [line for line in stream.getvalue().splitlines() if "key" not in line]
    assert "the database was made" in line


START = """
import sys
from pathlib import Path
from watchbook.settings import load
from watchbook.store.opening import open_store
print("ready", flush=True)
sys.stdin.readline()
home = Path(sys.argv[2])
open_store(load({"WATCHBOOK_HOME": str(home), "WATCHBOOK_DATABASE_URL": sys.argv[1]}, home)).close()
"""


def test_processes_start_at_once(database_url: str, tmp_path: Path) -> None:
    """Web, worker and command line may meet a fresh home together: one key, one database."""
    home = tmp_path / "home"
    children = [waiting(START, database_url, str(home)) for _ in range(3)]
    assert go(*children) == [0, 0, 0]
    opened(settings_of(database_url, home))
    assert version_at(database_url) == SCHEMA_VERSION


def test_wrong_key(database_url: str, tmp_path: Path) -> None:
    """Another key than the one in use is refused, with the two ways out, and changes nothing."""
    opened(settings_of(database_url, tmp_path, OLD))
    for keys in ([NEW], []):
        with pytest.raises(SettingsError, match="not the one") as caught:
            open_store(settings_of(database_url, tmp_path, *keys))
        hint = str(caught.value.hint)
        assert "the new key before the old one in WATCHBOOK_SECRET_KEY" in hint
        assert redact(hint) == hint
        assert caught.value.exit_code == 78
    opened(settings_of(database_url, tmp_path, OLD))


def test_rotated_key(database_url: str, tmp_path: Path) -> None:
    """With the new key before the old one the store opens what the old one sealed."""
    sealed = opened(settings_of(database_url, tmp_path, OLD)).sealer.seal("a token", "here")
    rotated = opened(settings_of(database_url, tmp_path, NEW, OLD))
    assert rotated.sealer.open(sealed, "here") == "a token"
    assert rotated.sealer.key_name == fingerprint(NEW)
    opened(settings_of(database_url, tmp_path, NEW))
    with pytest.raises(SettingsError):
        open_store(settings_of(database_url, tmp_path, OLD))


def test_rotation_seals_every_secret_anew(database_url: str, tmp_path: Path) -> None:
    """Once the new key came before the old one, tokens and app secrets open without the old."""
    store = open_store(settings_of(database_url, tmp_path, OLD))
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    issue = Issue(Tokens("access", "refresh"), moment, moment, "app", "uri", None, "test")
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra")
        sealed = store.sealer.seal("of the app", account.secret_place)
        accounts.change(conn, account.id, client_secret_sealed=sealed)
        grants.save(conn, store.sealer, account.id, issue)
    store.close()
    opened(settings_of(database_url, tmp_path, NEW, OLD))
    store = open_store(settings_of(database_url, tmp_path, NEW))
    with store.database.read() as conn:
        account = accounts.get(conn, account.id)
        grant = grants.find(conn, account.id)
    store.close()
    assert (
        store.sealer.open(account.client_secret_sealed or "", account.secret_place) == "of the app"
    )
    assert grant is not None
    assert grant.opened(store.sealer) == Tokens("access", "refresh")


def test_failed_opening_leaves_no_connection(database_url: str, tmp_path: Path) -> None:
    """A store that could not be opened holds nothing open: the server could be shut down."""
    opened(settings_of(database_url, tmp_path, OLD))
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    with pytest.raises(SettingsError):
        open_store(settings_of(database_url, tmp_path, NEW))
    assert {path.name for path in Path("/proc/self/fd").iterdir()} <= before
