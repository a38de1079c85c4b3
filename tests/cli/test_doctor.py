"""`watchbook doctor`: every trouble it knows, made on purpose, and that it changes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Book, Run
from watchbook import clock
from watchbook.checkup import machine, remote
from watchbook.checkup.check import Check, State, guarded
from watchbook.errors import StoreError
from watchbook.http import Answer
from watchbook.sandbox.tmdb import TmdbOptions
from watchbook.sandbox.tmdb import running as running_tmdb
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running
from watchbook.store import datasets

OFFLINE = ("doctor", "--offline", "--json")


def checks(run: Run, *arguments: str, code: int = 0) -> dict[str, tuple[str, str]]:
    """What each check found, as its state and words with the remedy, by its name."""
    ended = run(*(arguments or OFFLINE))
    assert ended.code == code, ended.out
    return {
        check["name"]: (check["state"], f"{check['words']} -> {check['remedy']}")
        for check in json.loads(ended.out)["checks"]
    }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A Trakt for all tests of this module."""
    with running(SandboxOptions(plays=5, rate_limit=False)) as sandbox:
        yield sandbox


@pytest.fixture
def trakt(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """That Trakt as it should be, with an app that the settings name."""
    sandbox.clear_faults()
    sandbox.reset_requests()
    monkeypatch.setenv("WATCHBOOK_TRAKT_API_URL", sandbox.url)
    monkeypatch.setenv("WATCHBOOK_TRAKT_AUTH_URL", sandbox.auth_url)
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", sandbox.client_id)
    return sandbox


def test_a_machine_that_never_saw_watchbook_is_well(run: Run, home: Path) -> None:
    """Before the first command all is well, and looking makes no file."""
    found = checks(run)
    assert {state for state, _ in found.values()} == {"ok"}
    assert not home.exists()


def test_a_healthy_installation(run: Run, book: Book) -> None:
    """Each check has its line; without trouble there is nothing to do and the code is 0."""
    book.grant()
    book.read_all()
    book.archive("good.tar.gz", written=clock.now(), checked=clock.now())
    ended = run("doctor", "--offline")
    assert ended.code == 0
    assert ended.out.endswith("0 problems, 0 warnings.\n")
    assert "->" not in ended.out
    assert set(checks(run)) == {
        "settings",
        "home folder",
        "disk space",
        "secret key",
        "database",
        "integrity",
        "time zones",
        "sign-in of sandra",
        "data sets of sandra",
        "backup of sandra",
        "tokens of sandra",
        "TMDB",
        "pictures",
    }


def test_a_wrong_setting_is_the_only_finding(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be checked without settings; the trouble with them is a finding, no crash."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_BUDGET", "lots")
    found = checks(run, code=1)
    assert list(found) == ["settings"]
    assert "WATCHBOOK_TRAKT_BUDGET=450/300s" in found["settings"][1]


def test_a_home_that_others_can_read(run: Run, book: Book, home: Path) -> None:
    """It is a warning, with the command that puts it right."""
    home.chmod(0o755)
    assert checks(run)["home folder"] == (
        "warning",
        f"{home} is open to others (0755) -> chmod 700 {home}",
    )


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    """A path that is no folder is said to be none."""
    path = tmp_path / "file"
    path.write_text("")
    assert machine.check_home(path).state is State.PROBLEM


@pytest.mark.parametrize(
    ("little", "none", "state"), [(0, 0, "ok"), (1 << 60, 0, "warning"), (1, 1 << 60, "problem")]
)
def test_room_on_the_disk(tmp_path: Path, little: int, none: int, state: str) -> None:
    """Little room is a warning, none a problem; a folder not made yet lies on its parent's disk."""
    assert machine.check_room(tmp_path / "not" / "there", little, none).state == state


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (50 << 30, "53.7 GB"),
        (999_400_000, "999 MB"),
        (0, "0 MB"),
        (1_234_500_000_000, "1,234.5 GB"),
    ],
)
def test_sizes_are_told_in_decimal_units(count: int, said: str) -> None:
    """Room on a disk is written as the sizes of archives are."""
    assert machine.in_bytes(count) == said


def test_a_key_that_others_can_read(run: Run, book: Book, home: Path) -> None:
    """The key opens all tokens, so this is a problem."""
    (home / "secret.key").chmod(0o644)
    assert checks(run, code=1)["secret key"] == (
        "problem",
        f"{home / 'secret.key'} is open to others (0644) -> chmod 600 {home / 'secret.key'}",
    )


def test_a_key_that_is_gone(run: Run, book: Book, home: Path) -> None:
    """Sealed tokens without their key are a problem, and no new key is made."""
    book.grant()
    (home / "secret.key").unlink()
    assert checks(run, code=1)["tokens of sandra"] == (
        "problem",
        "sealed, and the key is gone -> Put back your copy of secret.key.",
    )
    assert not (home / "secret.key").exists()


def test_a_key_of_another_installation(run: Run, book: Book, home: Path) -> None:
    """A key that does not open the tokens is found out."""
    book.grant()
    (home / "secret.key").write_text("the key of another installation")
    state, words = checks(run, code=1)["tokens of sandra"]
    assert state == "problem"
    assert "cannot be opened with the key in force" in words
    assert "docs/how-to/secret-key.md" in words
    assert "connect" not in words


def test_a_key_from_the_environment(run: Run, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a setting gives the key, no file is asked for."""
    monkeypatch.setenv("WATCHBOOK_SECRET_KEY", "k" * 40)
    assert checks(run)["secret key"] == ("ok", "given by WATCHBOOK_SECRET_KEY -> None")


def test_no_database_at_all(run: Run, home: Path) -> None:
    """A file that is no database is a problem with a remedy."""
    home.mkdir(mode=0o700)
    (home / "watchbook.db").write_bytes(b"this is a letter to my aunt, and no database" * 100)
    state, words = checks(run, code=1)["database"]
    assert state == "problem"
    assert "watchbook backup --instance" in words


def test_a_damaged_database(run: Run, book: Book, home: Path) -> None:
    """Bytes that were changed inside the file are found by SQLite's own check."""
    with book.store.database.write() as conn:
        conn.exec_driver_sql("CREATE TABLE filler (a TEXT)")
        conn.exec_driver_sql("INSERT INTO filler VALUES (printf('%.*c', 200000, 'x'))")
        conn.exec_driver_sql("CREATE INDEX ix ON filler (a)")
        conn.exec_driver_sql("INSERT INTO filler VALUES ('y'), ('z')")
    book.store.close()
    with sqlite3.connect(home / "watchbook.db") as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        plain.execute("PRAGMA writable_schema=ON")
        plain.execute("UPDATE sqlite_master SET rootpage=rootpage-1 WHERE name='ix'")
    plain.close()
    state, words = checks(run, code=1)["integrity"]
    assert state == "problem"
    assert "damaged" in words


def test_a_database_of_a_newer_version(run: Run, book: Book) -> None:
    """A downgraded program says what to do, and looks at nothing it does not understand."""
    with book.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")
    found = checks(run, code=1)
    assert "schema 9999 is of a newer Watchbook" in found["database"][1]
    assert "sign-in of sandra" not in found


def test_a_database_of_an_older_version_is_left_as_it_is(run: Run, book: Book) -> None:
    """The doctor upgrades nothing."""
    with book.store.database.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num='0000'")
    assert "upgrades it" in checks(run)["database"][1]
    with book.store.database.read() as conn:
        version = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == "0000"


def test_a_server_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PostgreSQL that does not answer is a problem, and its password is not shown."""
    url = "postgresql://me:password-nobody-may-see@127.0.0.1:1/x"
    monkeypatch.setenv("WATCHBOOK_DATABASE_URL", url)
    ended = run(*OFFLINE)
    assert ended.code == 1
    assert "does not answer" in ended.out
    assert "password-nobody-may-see" not in ended.out


@pytest.mark.parametrize("prepared", [False])
def test_postgresql_is_checked_too(
    run: Run, home: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the same checks work."""
    monkeypatch.setenv("WATCHBOOK_DATABASE_URL", postgres_url)
    assert "empty" in checks(run)["database"][1]
    run("account", "add", "sandra")
    found = checks(run)
    assert "is current" in found["database"][1]
    assert "PostgreSQL" in found["integrity"][1]
    assert found["sign-in of sandra"][0] == "warning"


def test_a_dead_grant(run: Run, book: Book) -> None:
    """Somebody has to sign in: a problem, with the command."""
    book.grant()
    book.needs_sign_in()
    state, words = checks(run, code=1)["sign-in of sandra"]
    assert state == "problem"
    assert "`watchbook --account sandra connect`" in words


def test_a_locked_account(run: Run, book: Book) -> None:
    """Only Trakt's support can help."""
    book.change(locked="Trakt has locked this account (423).")
    state, words = checks(run, code=1)["sign-in of sandra"]
    assert (state, "support@trakt.tv" in words) == ("problem", True)


def test_an_incomplete_copy(run: Run, book: Book) -> None:
    """It is a warning that names the data sets."""
    book.data_set("history", datasets.INCOMPLETE)
    state, words = checks(run)["data sets of sandra"]
    assert (state, "incomplete: history" in words) == ("warning", True)


def test_held_rows_of_an_export_wait_for_an_import(run: Run, book: Book) -> None:
    """Who never signed in is told to import, since a sync must fail."""
    book.data_set("history", datasets.INCOMPLETE, words="short", held=30)
    told = str(checks(run)["data sets of sandra"])
    assert "watchbook --account sandra import FILE --accept-removals" in told
    assert "sync" not in told


def test_a_copy_that_was_begun(run: Run, book: Book) -> None:
    """What an interrupted first sync did not reach is counted."""
    book.data_set("history")
    state, words = checks(run)["data sets of sandra"]
    assert (state, "not read yet" in words) == ("warning", True)


def test_a_backup_whose_file_is_gone(run: Run, book: Book, home: Path) -> None:
    """What is written down about an archive is nothing without the archive."""
    book.archive("good.tar.gz", written=clock.now(), checked=clock.now())
    (home / "backups" / "good.tar.gz").unlink()
    assert checks(run)["backup of sandra"] == (
        "warning",
        "good.tar.gz: its file is gone -> `watchbook --account sandra backup`",
    )


@pytest.mark.parametrize(("days", "state"), [(1, "ok"), (13, "ok"), (15, "warning")])
def test_a_backup_grows_old(run: Run, book: Book, days: int, state: str) -> None:
    """Two weeks after its last check a backup is worth a warning, whenever it was written."""
    checked = clock.now() - timedelta(days=days)
    book.archive("good.tar.gz", written=checked - timedelta(days=300), checked=checked)
    assert checks(run)["backup of sandra"][0] == state


def test_a_zone_that_is_not_known_here(run: Run, book: Book) -> None:
    """Days would be counted wrongly."""
    book.change(timezone="Middle/Earth")
    state, words = checks(run, code=1)["time zones"]
    assert (state, "Middle/Earth" in words) == ("problem", True)


def test_trakt_takes_app_and_token(run: Run, book: Book, trakt: RunningSandbox) -> None:
    """Two requests tell that Trakt is there, knows the app, and takes the token."""
    book.grant(trakt.access_token, app=trakt.client_id)
    found = checks(run, "doctor", "--json")
    assert found["Trakt"] == ("ok", "reachable, and knows the app -> None")
    assert found["clock"][0] == "ok"
    assert found["app of sandra"][0] == "ok"
    assert found["token of sandra"] == ("ok", "Trakt takes it -> None")
    assert trakt.requests()["total"] == 2


def test_another_app_than_at_the_sign_in(
    run: Run, book: Book, trakt: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed app is found before the token runs out, while Trakt still takes it."""
    book.grant(trakt.access_token, app=trakt.client_id)
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", "a-new-app")
    found = checks(run, "doctor", "--json", code=1)
    assert found["app of sandra"][0] == "problem"
    assert found["token of sandra"][0] == "ok"


def test_offline_asks_nothing(run: Run, book: Book, trakt: RunningSandbox) -> None:
    """With --offline Trakt hears nothing."""
    book.grant(trakt.access_token, app=trakt.client_id)
    found = checks(run)
    assert "Trakt" not in found
    assert trakt.requests()["total"] == 0


def test_no_app_yet(run: Run, trakt: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is an app, that Trakt answers at all is what can be known."""
    monkeypatch.delenv("WATCHBOOK_TRAKT_CLIENT_ID")
    assert checks(run, "doctor", "--json")["Trakt"] == (
        "ok",
        "reachable; there is no app to try yet -> None",
    )


def test_an_app_that_trakt_does_not_know(
    run: Run, trakt: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong id is told apart from a wrong token and from Cloudflare."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", "wrong")
    state, words = checks(run, "doctor", "--json", code=1)["Trakt"]
    assert (state, "does not know the app" in words) == ("problem", True)


@pytest.mark.parametrize(
    ("fault", "state", "said"),
    [
        ("cloudflare-403", "problem", "Cloudflare"),
        ("cloudflare-429", "problem", "Cloudflare"),
        ("rate-429", "warning", "asks to wait (429)"),
        ("http-423", "problem", "support@trakt.tv"),
        ("http-503", "warning", "status 503"),
        ("http-522", "warning", "status 522"),
        ("body-html", "warning", "status 200"),
    ],
)
def test_what_else_trakt_may_answer(
    run: Run, trakt: RunningSandbox, fault: str, state: str, said: str
) -> None:
    """Each answer is put into words; what says nothing about the app accuses nobody."""
    trakt.set_faults(fault)
    found = checks(run, "doctor", "--json", code=int(state == "problem"))
    assert found["Trakt"][0] == state
    assert said in found["Trakt"][1]


def test_a_trakt_that_cannot_be_reached(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is a problem of the network, and the other checks are done all the same."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_API_URL", "http://127.0.0.1:1")
    found = checks(run, "doctor", "--json", code=1)
    assert found["Trakt"][0] == "problem"
    assert found["Trakt"][1].endswith("Check the network of this machine.")
    assert "clock" not in found


def test_an_outage_is_one_problem(
    run: Run, book: Book, trakt: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Trakt is away nothing is said about the token."""
    book.grant(trakt.access_token, app=trakt.client_id)
    monkeypatch.setenv("WATCHBOOK_TRAKT_API_URL", "http://127.0.0.1:1")
    found = checks(run, "doctor", "--json", code=1)
    assert [name for name, (state, _) in found.items() if state == "problem"] == ["Trakt"]
    assert found["token of sandra"][1].startswith("not checked")


def test_a_token_that_has_to_wait(run: Run, book: Book, trakt: RunningSandbox) -> None:
    """A 429 to the token is no trouble with it."""
    book.grant(trakt.access_token, app=trakt.client_id)
    trakt.set_faults("rate-429@2")
    state, words = checks(run, "doctor", "--json")["token of sandra"]
    assert (state, "asks to wait (429)" in words) == ("warning", True)


@pytest.mark.parametrize(
    ("budget", "state"),
    [("500/300s", "ok"), ("501/300s", "warning"), ("501/1h", "warning"), ("2/1s", "warning")],
)
def test_a_budget_beyond_trakts_own(
    run: Run, monkeypatch: pytest.MonkeyPatch, budget: str, state: str
) -> None:
    """More reads than Trakt allows in five minutes end in refusals, which is said beforehand."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_BUDGET", budget)
    assert checks(run)["settings"][0] == state


@pytest.mark.parametrize(
    ("fault", "said"), [("http-401@2", "(401)"), ("http-403@2", "(403)"), ("http-423@2", "(423)")]
)
def test_a_token_that_trakt_refuses(
    run: Run, book: Book, trakt: RunningSandbox, fault: str, said: str
) -> None:
    """The reason is told, and nothing is renewed: that is not the doctor's business."""
    book.grant(trakt.access_token, app=trakt.client_id)
    trakt.set_faults(fault)
    state, words = checks(run, "doctor", "--json", code=1)["token of sandra"]
    assert (state, said in words) == ("problem", True)
    assert trakt.requests()["total"] == 2


def answer(date: str | None) -> Answer:
    """An answer of Trakt's with that date."""
    headers = {} if date is None else {"date": date}
    return Answer(401, headers, b"", "https://api.trakt.tv/")


def at(moment: datetime) -> str:
    """A moment as HTTP writes it."""
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("offset", "state", "said"),
    [
        (timedelta(), State.OK, "agrees"),
        (timedelta(seconds=110), State.OK, "agrees"),
        (timedelta(minutes=10, seconds=30), State.WARNING, "10 minutes behind"),
        (timedelta(hours=-3, seconds=-30), State.WARNING, "3 hours ahead of"),
    ],
)
def test_the_clock_is_compared(offset: timedelta, state: State, said: str) -> None:
    """More than two minutes either way is a warning."""
    found = remote.check_clock(answer(at(clock.now() + offset)))
    assert found.state is state
    assert said in found.words


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sat, 99 Nov 2026 99:99:99 GMT"])
def test_a_date_that_is_none_accuses_nobody(date: str | None) -> None:
    """Without a date to compare with, the clock is not called wrong."""
    assert remote.check_clock(answer(date)).state is State.OK


def broken() -> Check:
    """A check that meets what nobody thought of."""
    raise KeyError("Bearer a-token-that-nobody-may-see")


def refused() -> Check:
    """A check that meets a trouble of our own tree."""
    raise StoreError("It is full.", hint="Empty it.")


def test_no_check_raises() -> None:
    """What a check did not expect is a finding of its own, without secrets."""
    found = guarded("x", broken)
    assert (found.state, found.name) == (State.PROBLEM, "x")
    assert "KeyError" in found.words
    assert "nobody-may-see" not in found.words


def test_an_error_of_ours_keeps_its_hint() -> None:
    """The remedy is the error's own, if it has one."""
    assert guarded("x", refused) == Check("x", State.PROBLEM, "It is full.", "Empty it.")


def test_all_findings_are_lines(run: Run, book: Book) -> None:
    """For a person each check is a line that begins with its state, the remedy at its end."""
    ended = run("doctor", "--offline")
    *lines, last = ended.out.splitlines()
    assert all(line.split()[0] in {"ok", "warning", "problem"} for line in lines)
    assert any(line.endswith("-> `watchbook --account sandra backup`") for line in lines)
    assert last == f"{len(lines)} checks, 0 problems, 3 warnings."


@pytest.mark.parametrize(
    ("key", "fault", "state", "words"),
    [
        ("", "late:0", "ok", "no key is set, so Trakt's own pictures serve"),
        ("right", "late:0", "ok", "takes the key; posters in 'en'"),
        ("wrong-but-long-enough", "late:0", "problem", "Check WATCHBOOK_TMDB_TOKEN"),
        ("right", "http-503", "problem", "Posters stay as they are meanwhile."),
        ("right", "list-200", "problem", "Look for a newer Watchbook."),
    ],
)
def test_the_key_for_tmdb(
    run: Run,
    trakt: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    fault: str,
    state: str,
    words: str,
) -> None:
    """TMDB is asked with it, and the remedy depends on what it says; without one that is told."""
    with running_tmdb(TmdbOptions(plays=5, faults=(fault,))) as tmdb:
        monkeypatch.setenv("WATCHBOOK_TMDB_API_URL", tmdb.api_url)
        monkeypatch.setenv("WATCHBOOK_TMDB_TOKEN", tmdb.token if key == "right" else key)
        found = checks(run, "doctor", "--json", code=1 if state == "problem" else 0)["TMDB"]
    assert found[0] == state
    assert words in found[1]
    assert tmdb.token not in str(found)
