"""What is compressed, for whom, and how either form is asked for again."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import TEST_KEY
from tests.web.showroom import Owner, Told, Visitor, served
from watchbook.clock import now
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.web.answers import JSON, PNG, Answer, kept_for
from watchbook.web.compression import WORTH, compressed, takes_gzip
from watchbook.web.front import Front
from watchbook.web.static_files import told

KEPT = kept_for(timedelta(minutes=1))
BIG = (
    "/feeds/plays.atom",
    "/feeds/plays.json",
    "/card/year.svg",
    "/widget.js",
    "/@sandra",
    "/api/docs",
    "/api/openapi.json",
    "/api/v1/accounts/sandra/plays",
)
SMALL = ("/api/trakt/last", "/healthz", "/favicon.ico", "/nothing")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A stranger at a book with a few plays."""
    home = tmp_path_factory.mktemp("compression", numbered=True)
    database = Database(f"sqlite:///{home / 'watchbook.db'}")
    migrate(database)
    owner = Owner(Store(database, Sealer([TEST_KEY]), home))
    for number in range(1, 20):
        owner.watch(number, now() - timedelta(hours=number), episode=number % 2 == 0)
    owner.share(Part.LAST, Part.HISTORY, Part.FEEDS, Part.STATISTICS)
    with served(owner.store) as found:
        yield found
    database.close()


def asked(
    visitor: Visitor, path: str, wish: str = "gzip", method: str = "GET", **more: str
) -> Told:
    """An answer to somebody who wishes this encoding."""
    return visitor.ask(path, method, Accept_Encoding=wish, **more)


@pytest.mark.parametrize("path", BIG)
def test_big_texts_are_small_for_whoever_takes_it(visitor: Visitor, path: str) -> None:
    """The same text, in fewer bytes, with all that caches have to know; first and from memory."""
    plain = asked(visitor, path, "identity")
    assert "content-encoding" not in plain.headers
    assert len(plain.body) >= WORTH
    for _ in range(4):
        small = asked(visitor, path)
        assert gzip.decompress(small.body) == plain.body
        assert len(small.body) < len(plain.body)
        assert small.headers["content-length"] == str(len(small.body))
        for form in (plain, small):
            assert "Accept-Encoding" in form.headers["vary"]
        head = asked(visitor, path, method="HEAD")
        unlike = {"date", "age"}
        assert head.body == b""
        assert {n: v for n, v in head.headers.items() if n not in unlike} == {
            n: v for n, v in small.headers.items() if n not in unlike
        }


@pytest.mark.parametrize("path", BIG)
def test_each_form_is_asked_for_again_by_its_own_name(visitor: Visitor, path: str) -> None:
    """Both have a name, and both are answered with 304; what one has is no use for the other."""
    names = {wish: asked(visitor, path, wish).headers["etag"] for wish in ("gzip", "identity")}
    assert len(set(names.values())) == 2
    for _ in range(4):
        for wish, name in names.items():
            again = asked(visitor, path, wish, If_None_Match=name)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", name)
            assert "content-encoding" not in again.headers
            assert "Accept-Encoding" in again.headers["vary"]
            other = names["identity" if wish == "gzip" else "gzip"]
            assert asked(visitor, path, wish, If_None_Match=other).status == 200
            both = asked(visitor, path, wish, If_None_Match=f'W/{other}, W/{name}, "x"')
            assert both.status == 304


@pytest.mark.parametrize("path", SMALL)
def test_small_texts_stay_as_they_are(visitor: Visitor, path: str) -> None:
    """They fit into a packet, and nothing about them hangs on who asks."""
    answer = asked(visitor, path)
    assert len(answer.body) < WORTH
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" not in answer.headers.get("vary", "")


def test_pictures_stay_as_they_are(visitor: Visitor) -> None:
    """They are compressed in their own way."""
    answer = asked(visitor, "/card/year.png")
    assert answer.body.startswith(b"\x89PNG")
    assert "content-encoding" not in answer.headers


def test_the_widget_keeps_its_promise(visitor: Visitor) -> None:
    """What the server really sends of the component is below 8 kB."""
    assert len(asked(visitor, "/widget.js").body) <= 8_000


def test_what_a_token_opens_varies_by_both(visitor: Visitor) -> None:
    """Caches are told of the token and of the form."""
    vary = asked(visitor, "/api/v1/accounts/sandra/plays").headers["vary"]
    assert vary == "Authorization, Accept-Encoding"


def test_bytes_of_one_answer_are_always_the_same(visitor: Visitor) -> None:
    """A name stands for bytes: no moment is written into them."""
    body = asked(visitor, "/widget.js").body
    assert body[4:8] == bytes(4)
    assert compressed(gzip.decompress(body), "text/javascript") == body


@pytest.mark.parametrize(
    ("wish", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("identity, *;q=0.5", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("identity;q=0", False),
        ("identity;q=0, gzip", True),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("br", False),
        ("gzip;q=x", False),
        ("gzip;q=nan", False),
        (",;=,", False),
        ("gzip" + ", br" * 1000, False),
    ],
)
def test_what_is_wished_is_done(wish: str, takes: bool) -> None:
    """Weights count, nobody gets what they refuse, and nonsense is no wish."""
    assert takes_gzip(wish) is takes


def test_what_gains_nothing_is_left() -> None:
    """Too small, not a text, or a text that gets no smaller."""
    assert compressed(b"x" * (WORTH - 1), JSON) is None
    assert compressed(b"x" * WORTH, PNG) is None
    assert compressed(b"x" * WORTH, JSON) is not None
    assert compressed(os.urandom(WORTH), "text/plain") is None


def test_the_shelf_weighs_both_forms(store: Store) -> None:
    """What is kept in memory beside the body counts, and is made once."""
    body = json.dumps({"titles": ["Severance"] * 500}).encode()
    answer = Answer(body, JSON, cache=KEPT)
    assert answer.small is not None
    assert answer.weight == len(body) + len(answer.small.body)
    assert answer.form_for("gzip") is answer.form_for("gzip, br") is answer.small
    assert answer.form_for("identity") is answer
    assert answer.small.small is None
    assert Answer(body, JSON).small is None
    front = Front(store, "https://watch.example")
    assert front._views._weigh(answer) == answer.weight


def test_a_file_is_compressed_once() -> None:
    """Whoever asks for the component gets the same answer, not one of their own."""
    assert told("widget.js", KEPT) is told("widget.js", KEPT)
