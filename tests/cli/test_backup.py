"""`watchbook backup` and `watchbook import`: what they print, write down and end with."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa

from watchbook import clock
from watchbook.archive.layout import trakt_layouts
from watchbook.cli.main import main
from watchbook.errors import RemoteUnavailable
from watchbook.settings import load
from watchbook.store import accounts, datasets, runs
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store, open_store
from watchbook.store.schema import data_sets, items, plays

Run = Callable[..., tuple[int, str, str]]
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in the environment."""
    home = tmp_path / "home"
    monkeypatch.setenv("WATCHBOOK_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; gives exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, out, err

    return run


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """Sandra's account, everything read to the end."""
    store = open_store(load({"WATCHBOOK_HOME": str(home)}, home))
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra", trakt_slug="sandra")
        for layout in trakt_layouts(conn, account.id):
            datasets.save(conn, account.id, DataSetState(layout.name, datasets.COMPLETE))
        row: dict[str, Any] = {
            "account_id": account.id,
            "history_id": 1,
            "type": "movie",
            "watched_at": 0,
            "action": "watch",
            "raw": '{"id":1}',
            "discovered_at": 0,
            "generation": 0,
        }
        conn.execute(sa.insert(plays).values(row))
    yield store
    store.close()


def archives_in(home: Path) -> list[Path]:
    """The account's archives on the disk."""
    return sorted((home / "backups").glob("backup-*.tar.gz"))


def last_run(store: Store, kind: str) -> runs.Run:
    """The newest run of a kind."""
    with store.database.read() as conn:
        return runs.latest(conn, accounts.choose(conn, None).id, kind)[0]


def incomplete(store: Store) -> None:
    """Let a play be missing."""
    with store.database.write() as conn:
        conn.execute(
            sa.update(data_sets)
            .where(data_sets.c.name == "history")
            .values(state="incomplete", words="1 of 2 [plays] is missing")
        )


def test_bare_backup_creates(run: Run, store: Store, home: Path) -> None:
    """`backup` writes an archive and says name, rows, size, verdict and where."""
    code, out, _ = run("backup", "--no-sync")
    (path,) = archives_in(home)
    assert code == 0
    assert path.name in out
    assert "1 row in" in out
    assert "complete" in out
    assert "Where" in out
    assert last_run(store, "backup").outcome == runs.COMPLETE


def test_second_backup_verifies(run: Run, store: Store, home: Path) -> None:
    """With nothing new, the last archive is verified and that is said; --force writes one."""
    run("backup", "create", "--no-sync")
    code, out, _ = run("backup", "create", "--no-sync")
    assert code == 0
    assert "holds the same, verified again" in out
    assert len(archives_in(home)) == 1
    assert run("backup", "--no-sync", "--force")[0] == 0
    assert len(archives_in(home)) == 2


def test_incomplete_backup(run: Run, store: Store, home: Path) -> None:
    """An incomplete archive is written; two lines say what is missing and what to do; code 65."""
    incomplete(store)
    code, out, err = run("backup", "--no-sync")
    assert code == 65
    assert "incomplete" in out
    what, hint = err.splitlines()
    assert "history: 1 of 2 [plays] is missing" in what
    assert "watchbook sync" in hint
    assert len(archives_in(home)) == 1
    assert last_run(store, "backup").outcome == runs.INCOMPLETE
    assert "incomplete" in run("backup", "list")[1]


def test_json(run: Run, store: Store, home: Path) -> None:
    """With --json there is one JSON value on standard output, also when it is incomplete."""
    code, out, _ = run("backup", "--no-sync", "--json")
    answer = json.loads(out)
    assert code == 0
    assert Path(answer["path"]) == archives_in(home)[0]
    assert answer["archive"]["verdict"] == "complete"
    assert json.loads(run("backup", "list", "--json")[1])["archives"][0]["check_outcome"] == "whole"
    assert json.loads(run("backup", "verify", "--json")[1])[0]["outcome"] == "whole"
    answer = json.loads(run("backup", "verify", answer["path"], "--json")[1])
    assert (answer["outcome"], answer["digest_beside"]) == ("whole", True)
    incomplete(store)
    code, out, err = run("backup", "--no-sync", "--json")
    assert (code, err) == (65, "")
    assert json.loads(out)["archive"]["words"] == "history: 1 of 2 [plays] is missing"


def test_syncs_first(run: Run, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --no-sync the account is synced before the archive is written."""
    order: list[str] = []
    fake: Any = types.ModuleType("watchbook.cli.sync")

    def syncable_account(context: Any) -> Any:
        return context.account()

    def sync_first(_context: Any, account: Any) -> None:
        order.append(f"sync of {account.name}, {len(archives_in(home))} archives")

    fake.syncable_account, fake.sync_first = syncable_account, sync_first
    monkeypatch.setitem(sys.modules, "watchbook.cli.sync", fake)
    assert run("backup")[0] == 0
    assert run("backup", "create")[0] == 0
    assert order == ["sync of sandra, 0 archives", "sync of sandra, 1 archives"]


def test_list(run: Run, store: Store, home: Path) -> None:
    """`list` names each archive with size and verdict, marks the latest good and the gone."""
    assert "no archive yet" in run("backup", "list")[1]
    run("backup", "--no-sync")
    first = archives_in(home)[0]
    run("backup", "--no-sync", "--force")
    first.unlink()
    lines = run("backup", "list")[1].splitlines()
    assert "latest good" in lines[0]
    assert first.name in lines[1]
    assert "gone" in lines[1]
    assert str(home / "backups") in lines[2]


def test_what_is_gone_is_not_the_latest_good(run: Run, store: Store, home: Path) -> None:
    """The mark goes to the newest archive that lies there, for a person and for a program."""
    run("backup", "--no-sync")
    run("backup", "--no-sync", "--force")
    newest = archives_in(home)[-1]
    newest.unlink()
    first, second, _ = run("backup", "list")[1].splitlines()
    assert first.endswith("complete, gone")
    assert second.endswith("latest good")
    listed = json.loads(run("backup", "list", "--json")[1])["archives"]
    assert [one["check_outcome"] for one in listed] == ["gone", "whole"]
    moments = [clock.from_iso(one["written_at"]) for one in listed]
    assert moments == sorted(moments, reverse=True)


def test_a_folder_is_no_archive(run: Run, store: Store, home: Path, tmp_path: Path) -> None:
    """Who names an unpacked archive is told of the verifier inside it."""
    code, _, err = run("backup", "verify", str(tmp_path))
    assert code == 2
    assert "python3 verify.py" in err


def test_a_backup_that_cannot_sync_names_the_way_out(
    run: Run, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trakt's absence keeps nobody from an archive of what is here."""

    def sync_first(_context: Any, _account: Any) -> None:
        raise RemoteUnavailable("Trakt could not be reached.", hint="Check the network.")

    monkeypatch.setattr("watchbook.cli.sync.sync_first", sync_first)
    code, _, err = run("backup")
    assert code == 75
    assert err.splitlines()[-1].startswith("  Check the network. `watchbook backup --no-sync`")


def test_only_who_lives_on_exports_needs_no_sign_in(
    run: Run, home: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A book read back from the archive of a signed-in account asks for the sign-in."""
    run("backup", "--no-sync")
    (archive,) = archives_in(home)
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path / "other"))
    assert run("import", str(archive))[0] == 0
    code, _, err = run("backup")
    assert code == 77
    assert "--no-sync" in err


@pytest.mark.parametrize("option", ["--no-sync", "--force", "--instance", "--encrypt-to"])
def test_options_of_a_new_archive_do_not_go_before_a_subcommand(
    run: Run, store: Store, option: str
) -> None:
    """What would be passed over in silence is refused."""
    given = [RECIPIENT] if option == "--encrypt-to" else []
    code, _, err = run("backup", option, *given, "list")
    assert (code, f"{option} " in err) == (2, True)


def test_strange_files_are_named(run: Run, store: Store, home: Path) -> None:
    """What looks like an archive and is none is named by `list` and by `backup`."""
    run("backup", "--no-sync")
    (home / "backups" / "backup-sandra-20200101T000000Z.tar.gz").write_bytes(b"no")
    for arguments in (("backup", "list"), ("backup", "--no-sync")):
        assert "Not an archive of ours: backup-sandra-20200101T000000Z" in run(*arguments)[1]


def test_an_encrypted_archive_without_a_record_alarms_nobody(
    run: Run, store: Store, home: Path
) -> None:
    """`list` tells what to do about it, calmly; `backup` and `verify` are about the others."""
    run("backup", "--no-sync")
    name = "backup-sandra-20200101T000000Z.tar.gz.age"
    (home / "backups" / name).write_bytes(b"age-encryption.org/v1\n")
    told = " ".join(run("backup", "list")[1].split())
    assert "Not an archive of ours" not in told
    assert f"Note {name}: it is encrypted, and there is no record of it here" in told
    assert f"`watchbook backup verify {name} --identity KEY` tells what is in it" in told
    assert name not in run("backup", "--no-sync")[1]
    assert run("backup", "verify")[0] == 0


def test_verify(run: Run, store: Store, home: Path, tmp_path: Path) -> None:
    """`verify` takes no file, a name or a path; damage ends with 65 and names the place."""
    assert "no archive yet" in run("backup", "verify")[1]
    run("backup", "--no-sync")
    (path,) = archives_in(home)
    elsewhere = tmp_path / "elsewhere" / path.name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path.read_bytes())
    for arguments in ((), (path.name,), (str(path),), (str(elsewhere),)):
        code, out, _ = run("backup", "verify", *arguments)
        assert code == 0
        assert "whole" in out.lower()
    assert "no .sha256 beside it" in run("backup", "verify", str(elsewhere))[1]
    path.write_bytes(path.read_bytes()[:-100])
    for arguments in ((), (path.name,), (str(path),)):
        code, _, err = run("backup", "verify", *arguments)
        assert code == 65
        assert path.name in err
        assert "watchbook backup" in err
    assert last_run(store, "verify").outcome == runs.FAILED
    assert run("backup", "verify", "--json")[0] == 65
    code, _, err = run("backup", "verify", "none.tar.gz")
    assert code == 2
    assert "none.tar.gz" in err


def test_verify_when_some_or_all_are_gone(run: Run, store: Store, home: Path) -> None:
    """One that was moved away is named and no failure; none left at all is one."""
    run("backup", "--no-sync")
    run("backup", "--no-sync", "--force")
    first, second = archives_in(home)
    first.unlink()
    code, out, _ = run("backup", "verify")
    assert code == 0
    assert f"{first.name}  gone from {home / 'backups'}." in out
    second.write_bytes(second.read_bytes()[:-100])
    assert f"{second.name}  damaged: " in run("backup", "verify")[1]
    second.unlink()
    code, _, err = run("backup", "verify")
    assert code == 65
    assert "No archive is left" in err
    assert run("backup", "verify", "--json")[0] == 65


def test_damage_beside_a_whole_archive(run: Run, store: Store, home: Path) -> None:
    """Who has a whole one needs no new one, but the damaged one out of the way."""
    run("backup", "--no-sync")
    run("backup", "--no-sync", "--force")
    first = archives_in(home)[0]
    first.write_bytes(first.read_bytes()[:-100])
    code, _, err = run("backup", "verify")
    assert code == 65
    assert "move it to another folder" in err


def test_lost_archive_is_said_loudly(run: Run, store: Store, home: Path) -> None:
    """When the archive that held the same is damaged, the next backup says so."""
    run("backup", "--no-sync")
    archives_in(home)[0].write_bytes(b"damaged")
    code, out, _ = run("backup", "--no-sync")
    assert code == 0
    assert "Not to be relied on any more" in out
    assert "Written" in out


def test_what_is_gone_and_hostile_words(run: Run, store: Store, home: Path) -> None:
    """Rows gone at Trakt are counted, and words from outside cannot colour the terminal."""
    with store.database.write() as conn:
        conn.execute(
            sa.insert(items).values(
                account_id=1,
                data_set="ratings_movies",
                key="1",
                place=0,
                raw="{}",
                discovered_at=0,
                changed_at=0,
                generation=0,
                removed_at=1,
            )
        )
        conn.execute(
            sa.update(data_sets)
            .where(data_sets.c.name == "notes_movies")
            .values(state="unavailable", words="[red]\x1b[31mVIP[/]")
        )
    out = run("backup", "--no-sync")[1]
    assert "1 row gone at Trakt" in out
    assert "[red]" in out
    assert "\x1b" not in out


def test_instance_out_and_in(
    run: Run, store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`backup --instance` and `import` move an installation into another home."""
    code, out, _ = run("backup", "--instance")
    (path,) = (home / "backups").glob("instance-*.tar.gz")
    assert code == 0
    assert path.name in out
    assert "keep it private" in out
    assert last_run(store, "instance").words == f"{path.name} written"
    assert "whole" in run("backup", "verify", path.name)[1].lower()
    assert json.loads(run("backup", "--instance", "--json")[1])["bytes"] > 1000
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path / "other"))
    code, out, _ = run("import", str(path))
    assert code == 0
    assert "1 account, 1 play, 0 items" in out
    assert "Key" in out
    assert run("backup", "--no-sync")[0] == 0
    code, _, err = run("import", str(path))
    assert code == 2
    assert "empty one only" in err


def test_instance_without_an_account(run: Run, home: Path) -> None:
    """An installation that nobody uses yet can be saved as well."""
    assert run("backup", "--instance")[0] == 0
    (path,) = (home / "backups").glob("instance-*.tar.gz")
    answer = json.loads(run("import", str(path), "--json")[1])
    assert answer[0]["rows"]["accounts"] == 0


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x1f\x8b no"])
def test_import_says_what_it_takes(
    run: Run, home: Path, tmp_path: Path, content: bytes | None
) -> None:
    """A file of another kind is refused with what would be accepted."""
    file = tmp_path / "export.zip"
    if content is not None:
        file.write_bytes(content)
    code, _, err = run("import", str(file))
    assert code in {2, 65}
    assert "export.zip" in err
    assert content == b"\x1f\x8b no" or "instance-" in err


def test_import_rebuilds_an_account(
    run: Run, store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive of an account is told from that of an installation."""
    run("backup", "--no-sync")
    (path,) = archives_in(home)
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path / "other"))
    code, out, _ = run("import", str(path))
    assert code == 0
    assert f"{path.name} for sandra: " in out


def test_help_shows_an_example(run: Run) -> None:
    """Each command's help has an example."""
    for arguments in (
        ("backup",),
        ("backup", "create"),
        ("backup", "list"),
        ("backup", "verify"),
        ("import",),
    ):
        code, out, _ = run(*arguments, "--help")
        assert code == 0
        assert f"Example: watchbook {' '.join(arguments)}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (999_940, "999.9 kB"),
        (999_960, "1.0 MB"),
        (999_970_000, "1.0 GB"),
        (6_217_289, "6.2 MB"),
        (3e10, "30.0 GB"),
    ],
)
def test_sizes(size: int, shown: str) -> None:
    """Sizes are said as people say them."""
    from watchbook.cli.sizes import said_size  # noqa: PLC0415 - for this one fact

    assert said_size(size) == shown


def test_another_file_is_no_archive(run: Run, store: Store, home: Path, tmp_path: Path) -> None:
    """That is a mistake of the one who asks, and no damage."""
    for name, content in (("notes.txt", b"milk"), ("export.zip", b"PK\x03\x04")):
        (tmp_path / name).write_bytes(content)
        code, _, err = run("backup", "verify", name)
        assert (code, f"{name} is no archive of Watchbook." in err) == (2, True)


def test_a_cut_archive_is_not_answered_with_a_new_one(
    run: Run, store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into an empty home belongs another copy of it."""
    run("backup", "--no-sync")
    (archive,) = archives_in(home)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-100])
    monkeypatch.setenv("WATCHBOOK_HOME", str(tmp_path / "other"))
    code, _, err = run("import", str(cut))
    assert code != 0
    assert err.splitlines()[-1].strip() == (
        "Try the copy that lies elsewhere, or the archive before it."
    )
