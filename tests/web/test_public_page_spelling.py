from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.exporting.conftest import filled
from tests.web.open_book import BASE_URL, OpenBook, a_film
from tests.web.open_book import open_book as opening
from tests.web.showroom import served
from watchbook.sharing import Part
from watchbook.store import accounts
from watchbook.store.opening import Store
from watchbook.web.pages.spelling import proper

HOME = f"{BASE_URL}/@sandra"
OTHERWISE = {
    "/@sandra/": HOME,
    "/@Sandra": HOME,
    "/@SANDRA/": HOME,
    "/@S%61ndra": HOME,
    "/%40sandrA%2F": HOME,
    "/@Sandra?q=heat&before=1_2": f"{HOME}?q=heat&before=1_2",
    "/@sandra/?q=%C3%A9+%22&x": f"{HOME}?q=%C3%A9+%22&x",
    "/@Sandra/2025-03": f"{HOME}/2025-03",
    "/@Sandra/2025-03/": f"{HOME}/2025-03",
    "/@sandra/2025%2D03/?before=1_2": f"{HOME}/2025-03?before=1_2",
    "/@sandra/2025/": f"{HOME}/2025",
    "/@SandrA/77": f"{HOME}/77",
}
NOWHERE = (
    "/@Sandr%C4%81",
    "/@%E2%84%AAim/",
    "/@Sandra//",
    "/@Sandra/x",
    "/@Sandra/2025-3/",
    "/@//evil.example/",
    "/@Sandra/%2e%2e/",
    "/@Sandra%0d%0aX:y/",
)


class Answered(NamedTuple):
    """What a server said, word for word; redirects are not followed."""

    status: int
    location: str | None
    headers: dict[str, str]
    body: bytes


def ask(book: OpenBook, path: str, host: str = "evil.example", method: str = "GET") -> Answered:
    """Ask as somebody who came by another host name."""
    book.visitor.look()
    connection = HTTPConnection(book.visitor.address.removeprefix("http://"), timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("X-Forwarded-Host", host)
        connection.endheaders()
        told = connection.getresponse()
        headers = {name.lower(): value for name, value in told.getheaders() if name != "date"}
        return Answered(told.status, told.getheader("Location"), headers, told.read())
    finally:
        connection.close()


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Iterator[OpenBook]:
    """An open book with a play, on each database."""
    with opening(store, tmp_path / "out") as opened:
        opened.book.plays(a_film(77, "2025-03-03T19:30:00Z"))
        yield opened


def test_other_ways_to_write_an_address_lead_to_the_one_it_has(book: OpenBook) -> None:
    """For good, with its query, at the address of the installation whatever the question says."""
    for path, target in OTHERWISE.items():
        told = ask(book, path)
        assert (told.status, told.location, told.body) == (308, target, b""), path
        assert told.headers["cache-control"].startswith("public, max-age=60,")
    assert ask(book, "/@Sandra", method="HEAD").status == 308
    assert ask(book, "/@Sandra", method="POST").status == 405


def test_one_step_leads_there(book: OpenBook) -> None:
    """What an address leads to leads nowhere else; needless octets in it are no other address."""
    for target in {*OTHERWISE.values(), f"{BASE_URL}/%40s%61ndra"}:
        path = target.removeprefix(BASE_URL)
        if "before" not in path:
            assert ask(book, path).status == 200, path


def test_what_is_no_page_leads_nowhere(book: OpenBook) -> None:
    """Odd names and parts are answered as they always are."""
    for path in NOWHERE:
        told = ask(book, path)
        assert (told.status, told.location) == (404, None), path


def test_nobody_learns_whether_an_account_exists(book: OpenBook) -> None:
    """A private account, with all of its other parts on, and none at all: the very same answer."""
    with book.book.store.database.write() as conn:
        accounts.add(conn, "quiet", timezone="UTC")
    book.share(Part.LAST, Part.STATISTICS, Part.NOW)
    book.share(Part.HISTORY, on=False)
    for rest in ("/", "/2025-03/", "/77/", "/?q=heat"):
        seen = {
            (told.status, told.location, tuple(sorted(told.headers.items())), told.body)
            for name in ("sandra", "Sandra", "QUIET", "Nobody", "nobody")
            for told in [ask(book, f"/@{name}{rest}")]
        }
        assert len(seen) == 1
        assert next(iter(seen))[0] == 404
    usual = ask(book, "/@nobody")
    assert usual == ask(book, "/@Nobody") == ask(book, "/@SANDRA/")


def test_below_a_path_of_a_host(store: Store, tmp_path: Path) -> None:
    """The address that is led to has the path in it."""
    book = filled(store, tmp_path / "out")
    with served(store, f"{BASE_URL}/tv") as visitor:
        opened = OpenBook(book, visitor)
        opened.share(Part.HISTORY)
        assert ask(opened, "/@Sandra/2025/").location == f"{BASE_URL}/tv/@sandra/2025"


def test_a_page_that_goes_private_leads_nowhere(book: OpenBook) -> None:
    """From the moment on that it was switched off."""
    assert ask(book, "/@Sandra").status == 308
    book.share(Part.HISTORY, on=False)
    assert ask(book, "/@Sandra").status == 404


@pytest.mark.parametrize("written", ["sandra", "sandra/2025", "sandra/77", "a_b-c", ""])
def test_what_is_written_as_it_should_be_stays(written: str) -> None:
    """And so does what is nobody's address."""
    assert proper(written) == written
