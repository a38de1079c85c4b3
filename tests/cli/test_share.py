"""`watchbook share`: what everybody may see, said and switched."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Book, Run
from watchbook.sharing import MEANINGS, Part
from watchbook.store import accounts, shares, watching


def on(book: Book) -> set[str]:
    """The parts that are on."""
    with book.store.database.read() as conn:
        return set(shares.parts(conn, book.account.id))


def delay(book: Book) -> str | None:
    """The delay as it is kept."""
    with book.store.database.read() as conn:
        return accounts.get(conn, book.account.id).show_after


def test_everything_is_off_at_first(book: Book, run: Run) -> None:
    """The bare command lists every part, what it shows, and that it is off; it changes nothing."""
    told = run("share")
    assert told.code == 0
    for part, meaning in MEANINGS.items():
        assert f"{part.value:<10}" in told.out
        assert meaning in told.out
    assert "  on " not in told.out
    assert "So far nobody sees any of it" in told.out
    assert "<watchbook-last" not in told.out
    assert on(book) == set()


def test_parts_are_switched_on_and_off(book: Book, run: Run) -> None:
    """Each by itself, several at once, or all of them; again changes nothing."""
    assert run("share", "on", "last", "history").code == 0
    assert run("share", "on", "last").code == 0
    assert on(book) == {"last", "history"}
    run("share", "off", "history")
    assert on(book) == {"last"}
    run("share", "on", "all")
    assert on(book) == set(Part) - {Part.SEARCH_ENGINES}
    run("share", "on", "search-engines")
    assert on(book) == set(Part)
    run("share", "off", "all")
    assert on(book) == set()
    run("share", "on", "last,history")
    assert on(book) == {"last", "history"}


def test_addresses_are_those_that_people_see(
    book: Book, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They begin with the base address; whoever is not the owner is named in them."""
    told = run("share", "on", "last")
    assert "WATCHBOOK_BASE_URL" in told.out
    assert "<watchbook-last></watchbook-last>" in told.out
    monkeypatch.setenv("WATCHBOOK_BASE_URL", "https://watch.example")
    told = run("share")
    assert "https://watch.example/api/trakt/last\n" in told.out
    assert "WATCHBOOK_BASE_URL" not in told.out
    with book.store.database.write() as conn:
        book.add(conn, "tom")
    theirs = run("share", "on", "last", "--account", "tom").out
    assert "https://watch.example/api/trakt/last?account=tom\n" in theirs


def test_what_was_switched_on_is_shown_with_its_addresses(book: Book, run: Run) -> None:
    """The addresses of the other parts are listed by the command alone."""
    assert "/api/trakt/last" in run("share", "on", "last").out
    for arguments in (("on", "ratings"), ("off", "ratings"), ("--delay", "2h")):
        told = run("share", *arguments).out
        assert "/api/trakt/last" not in told
        assert "<watchbook-last" not in told
    assert on(book) == {"last"}
    assert "/api/trakt/last" in run("share").out


def test_json(book: Book, run: Run) -> None:
    """Every part with its state and addresses, and the delay."""
    told = json.loads(run("share", "on", "last", "--delay", "2h", "--json").out)
    assert (told["account"], told["delay"]) == ("sandra", "2h")
    parts = {one["part"]: one for one in told["parts"]}
    assert list(parts) == [part.value for part in MEANINGS]
    assert [name for name, one in parts.items() if one["on"]] == ["last"]
    assert "http://localhost:8420/api/trakt/last" in parts["last"]["addresses"]
    assert delay(book) == "2h"


def test_delay_alone(book: Book, run: Run) -> None:
    """It is set and taken back by itself, and touches no part."""
    assert "2h after" in run("share", "--delay", "2h").out
    assert delay(book) == "2h"
    assert "2h after" in run("share", "on", "last").out
    assert "at once" in run("share", "--delay", "off").out
    assert delay(book) is None
    assert on(book) == {"last"}


@pytest.mark.parametrize("part", ["history", "feeds"])
def test_grey_zone_is_told(book: Book, run: Run, part: str) -> None:
    """Whoever lets programs follow all plays is told what Trakt's terms say about that."""
    assert "grey" not in run("share", "on", "last").out
    assert "docs/trakt-terms.md" in run("share", "on", part).out
    assert "grey" not in run("share", "off", part).out
    assert on(book) == {"last"}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("on",), "last, now"),
        (("on", "everything"), "last, now"),
        (("last",), "share on last"),
        (("off", "last", "--delay", "soon"), "--delay 2h"),
        (("--delay", "5s"), "--delay 2h"),
        (("--delay", "9999999d"), "--delay 2h"),
    ],
)
def test_mistakes_change_nothing(
    book: Book, run: Run, arguments: tuple[str, ...], hint: str
) -> None:
    """A word that is none is refused with what there is, before anything is switched."""
    run("share", "on", "last")
    told = run("share", *arguments)
    assert told.code == 2
    assert hint in told.err
    assert (on(book), delay(book)) == ({"last"}, None)


def test_trouble_with_now_is_told(book: Book, run: Run) -> None:
    """Why Trakt could not be asked what is being watched, as long as that part is on."""
    assert json.loads(run("share", "on", "now", "--json").out)["trouble"] is None
    with book.store.database.write() as conn:
        watching.note(conn, book.account.id, "Trakt is not available at present.")
    assert "not known at present: Trakt is not available" in run("share").out
    assert json.loads(run("share", "--json").out)["trouble"].startswith("Trakt is not")
    assert "not known" not in run("share", "off", "now").out


def test_accounts_tell_what_they_show(book: Book, run: Run) -> None:
    """The list of accounts says which parts are public."""
    assert "shows" not in run("account").out
    run("share", "on", "history", "last")
    assert "shows history last" in run("account").out
    assert json.loads(run("account", "--json").out)[0]["shared"] == ["history", "last"]
    assert on(book) == {"history", "last"}
