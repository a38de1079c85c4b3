"""`watchbook account`: listing, adding, renaming and removing books."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Book, Run
from watchbook.sandbox.trakt import SandboxOptions, running
from watchbook.store import accounts, leases
from watchbook.store.accounts import HOW_TO_BEGIN
from watchbook.store.schema import metadata


def names(book: Book) -> list[str]:
    """The accounts in the database, the owner's first."""
    with book.store.database.read() as conn:
        return [account.name for account in accounts.all_accounts(conn)]


def rows_of(book: Book, account_id: int) -> dict[str, int]:
    """How many rows each table has for an account; tables without any are left out."""
    found = {}
    with book.store.database.read() as conn:
        for table in metadata.sorted_tables:
            column = table.c.get("account_id")
            if column is not None:
                mine = sa.select(sa.func.count()).where(column == account_id)
                found[table.name] = conn.scalar(mine) or 0
    return {name: count for name, count in found.items() if count}


def test_nobody_is_here_yet(run: Run) -> None:
    """An empty installation says what to do."""
    ended = run("account")
    assert (ended.code, ended.out) == (
        0,
        f"There is no account yet. {HOW_TO_BEGIN}\n",
    )
    assert json.loads(run("account", "list", "--json").out) == []
    for command in (("backup",), ("backup", "list"), ("export", "csv"), ("sync",), ("--help",)):
        ended = run(*command)
        assert "watchbook import FILE" in ended.out + ended.err, command


@pytest.mark.parametrize("form", [("account",), ("account", "list")])
def test_accounts_are_listed(run: Run, book: Book, form: tuple[str, ...]) -> None:
    """Bare `account` is `account list`: who, how many plays, connected or not."""
    book.grant()
    book.play()
    run("account", "add", "tom")
    shown = run(*form).out.splitlines()
    assert shown == [
        "  sandra  1 play, Trakt user sandra, connected, owner",
        "  tom     0 plays, not known at Trakt, not connected",
    ]


def test_what_an_account_has_of_its_own_is_shown(run: Run, book: Book) -> None:
    """The list and the status tell it, for a person and as data; nothing where there is none."""
    assert "its own" not in run("status").out
    run("account", "set", "sandra", "sync-every=1h", "keep=30 daily")
    own = {"sync-every": "1h", "backup-every": None, "keep": "30 daily"}
    assert "sync-every 1h, keep 30 daily" in run("account").out
    assert json.loads(run("account", "list", "--json").out)[0]["own"] == own
    assert "its own    sync-every 1h, keep 30 daily" in run("status").out
    assert json.loads(run("status", "--json").out)["accounts"][0]["own"] == own


def test_the_list_as_data(run: Run, book: Book) -> None:
    """The same as objects."""
    book.change(locked="for a reason")
    (found,) = json.loads(run("account", "--json").out)
    assert found == {
        "name": "sandra",
        "user": "sandra",
        "owner": True,
        "connected": False,
        "plays": 0,
        "timezone": "Europe/Berlin",
        "locked": "for a reason",
        "own": {"sync-every": None, "backup-every": None, "keep": None},
        "shared": [],
    }


def test_the_first_account_is_the_owners(run: Run) -> None:
    """A book can be begun without Trakt's consent, and its maker owns the installation."""
    assert json.loads(run("account", "add", "sandra", "--json").out)["owner"] is True
    assert json.loads(run("account", "add", "tom", "--json").out)["owner"] is False


@pytest.mark.parametrize("name", ["", "Sandra", "a b", "-x", "a" * 61, "../up", "x\n", "sören"])
def test_names_are_plain(run: Run, name: str) -> None:
    """A name is safe in files, addresses and commands, or it is refused with an example."""
    ended = run("account", "add", "--", name)
    assert ended.code == 2
    assert "Example: tom" in ended.err


@pytest.mark.parametrize(
    "arguments", [("add", "sandra"), ("rename", "tom", "sandra"), ("rename", "tom", "tom")]
)
def test_names_are_given_once(run: Run, book: Book, arguments: tuple[str, ...]) -> None:
    """Two books never go by one name."""
    run("account", "add", "tom")
    ended = run("account", *arguments)
    assert ended.code == 2
    assert "already" in ended.err
    assert names(book) == ["sandra", "tom"]


def test_renaming_keeps_everything(run: Run, book: Book) -> None:
    """Only the name changes."""
    book.play()
    assert run("account", "rename", "sandra", "sandra-b").code == 0
    assert names(book) == ["sandra-b"]
    assert rows_of(book, book.account.id) == {"plays": 1}


def test_an_account_that_is_not_there(run: Run, book: Book) -> None:
    """A mistyped name changes nothing and names the right ones."""
    for arguments in (("remove", "sandar", "--yes"), ("rename", "sandar", "x")):
        ended = run("account", *arguments)
        assert ended.code == 2
        assert "Known accounts: sandra" in ended.err


def test_removing_asks_first(run: Run, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question says what is lost and what stays; anything but yes changes nothing."""
    book.play()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ended = run("account", "remove", "sandra")
    assert ended.code == 130
    assert "1 play" in ended.err
    assert "Archives stay in" in ended.err
    assert names(book) == ["sandra"]


def test_yes_removes(run: Run, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is taken from standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("account", "remove", "sandra").code == 0
    assert names(book) == []


def test_removing_leaves_nothing_in_the_database(run: Run, book: Book, home: Path) -> None:
    """Every row of the account goes; the archives of it, and the others' rows, stay."""
    archive = home / "backups" / "backup-tom.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(b"kept")
    run("account", "add", "tom")
    book.play()
    with book.store.database.read() as conn:
        sandra, book.account = book.account, accounts.choose(conn, "tom")
    book.play()
    book.data_set("history")
    assert run("account", "remove", "tom", "--yes").code == 0
    assert rows_of(book, book.account.id) == {}
    assert rows_of(book, sandra.id) == {"plays": 1}
    assert archive.read_bytes() == b"kept"


def test_the_owner_goes_last(run: Run, book: Book) -> None:
    """An installation with accounts always has an owner."""
    run("account", "add", "tom")
    ended = run("account", "remove", "sandra", "--yes")
    assert ended.code == 2
    assert "Remove tom first." in ended.err
    assert names(book) == ["sandra", "tom"]


def test_nothing_is_removed_while_somebody_works_on_it(run: Run, book: Book) -> None:
    """A sync under way is robbed neither of its account nor of its tokens."""
    book.grant()
    with leases.holding(book.store.database, f"account:{book.account.id}", "a sync of sandra"):
        ended = run("account", "remove", "sandra", "--yes")
    assert ended.code == 75
    assert "a sync of sandra" in ended.err
    assert rows_of(book, book.account.id) == {"grants": 1, "grant_events": 1}


def test_the_sign_in_is_given_back(run: Run, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trakt is told that the tokens are of no use any more."""
    with running(SandboxOptions(plays=5)) as trakt:
        monkeypatch.setenv("WATCHBOOK_TRAKT_API_URL", trakt.url)
        monkeypatch.setenv("WATCHBOOK_TRAKT_AUTH_URL", trakt.auth_url)
        monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", trakt.client_id)
        monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_SECRET", trakt.client_secret)
        book.grant(access=trakt.access_token)
        ended = run("account", "remove", "sandra", "--yes", "--json")
        paths = [request["path"] for request in trakt.requests()["requests"]]
    assert json.loads(ended.out) == {"removed": "sandra", "problem": None}
    assert "/oauth/revoke" in paths


def test_trakt_being_away_does_not_keep_an_account(
    run: Run, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is removed all the same, and the person is told what is left to do."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_AUTH_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", "app")
    book.grant()
    ended = run("account", "remove", "sandra", "--yes")
    assert ended.code == 0
    assert "Trakt could not be told" in ended.err
    assert "https://app.trakt.tv/settings/apps/connected" in ended.err
    assert names(book) == []
