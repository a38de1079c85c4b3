"""`watchbook token`: shown once, listed without itself, removed."""

from __future__ import annotations

import json

from tests.cli.conftest import Book, Run
from watchbook.store import tokens


def test_a_token_is_shown_once(run: Run, book: Book) -> None:
    """`add` prints it, `list` never does."""
    made = run("token", "add", "blog")
    assert made.code == 0
    (line,) = (line for line in made.out.splitlines() if line.startswith("wb_"))
    assert f"Authorization: Bearer {line}" in made.out
    assert "/api/v1/accounts/sandra/plays" in made.out
    with book.store.database.read() as conn:
        assert tokens.find(conn, line) is not None
    listed = run("token")
    assert "blog" in listed.out
    assert "never used" in listed.out
    assert line not in listed.out + listed.err


def test_everything_in_json(run: Run, book: Book) -> None:
    """Programs get the token, its address, the list and the removal."""
    made = json.loads(run("token", "add", "blog", "--json").out)
    assert made["url"].endswith("/api/v1/accounts/sandra")
    with book.store.database.write() as conn:
        found = tokens.find(conn, made["token"])
        assert found is not None
        tokens.note_use(conn, found)
    (listed,) = json.loads(run("token", "list", "--json").out)
    assert listed["name"] == "blog"
    assert listed["last_used"].endswith("Z")
    told = run("token", "list").out
    for moment in (listed["made_at"], listed["last_used"]):
        assert moment[:16].replace("T", " ") + " UTC" in told
    removed = json.loads(run("token", "remove", "blog", "--json").out)
    assert removed == {"account": "sandra", "removed": "blog"}
    assert json.loads(run("token", "list", "--json").out) == []


def test_mistakes_are_told(run: Run, book: Book) -> None:
    """The same name twice, an unknown name, and no tokens at all."""
    assert book.account.name == "sandra"
    assert "There is no token yet." in run("token", "list").out
    run("token", "add", "blog")
    again = run("token", "add", "blog")
    assert again.code == 2
    assert "sandra has a token called blog already." in again.err
    unknown = run("token", "remove", "phone")
    assert unknown.code == 2
    assert "These are known: blog." in unknown.err


def test_each_account_has_its_own(run: Run, book: Book) -> None:
    """A token is made for the account that was named, and only there."""
    with book.store.database.write() as conn:
        book.add(conn, "tom")
    assert run("token", "add", "blog", "--account", "tom").code == 0
    assert run("token", "add", "blog").code == 2
    assert "There is no token yet." in run("token", "--account", "sandra").out
