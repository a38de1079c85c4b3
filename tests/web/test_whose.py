"""Two people who both show everything: each address answers for the one who is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from tests.exporting.conftest import empty, small
from tests.web.api.conftest import Api, api
from tests.web.api.test_access import OF_TOM, PLACES, path_of
from tests.web.showroom import Told
from watchbook import sharing
from watchbook.sharing import Part
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.app import VIEWS

__all__ = ["api", "empty", "small"]

BASE = "https://watch.example"
MARKS = {"sandra": (b"sandra", b"Film 2", b"Show 70"), "tom": (b"@tom", b"/tom", b"Film 99")}
"""What stands in answers about each, and in none about the other."""
PLAYS = {"sandra": "13", "tom": "99"}


@pytest.fixture
def both(api: Api) -> Api:
    """Sandra, who is the owner, and Tom, each with plays of their own."""
    for book in (api.sandra, api.tom):
        with book.store.database.write() as conn:
            sharing.switch_on(conn, book.account.id, Part)
    api.visitor.look()
    return api


def check_whose(told: Mapping[str, Told]) -> None:
    """Both are answered, differently, and neither with anything of the other's."""
    assert {one.status for one in told.values()} == {200}
    assert told["sandra"].body != told["tom"].body
    for name, other in (("sandra", "tom"), ("tom", "sandra")):
        assert not [mark for mark in MARKS[other] if mark in told[name].body]


def test_every_view(both: Api, subtests: pytest.Subtests) -> None:
    """By ``?account=``, or by the name in the path; without either it is the owner's."""
    for view in VIEWS:
        with subtests.test(view.path):
            named = "{name}" in view.path
            told = {}
            for name, play in PLAYS.items():
                path = view.path.replace("{name}", name).replace("{what}", play)
                told[name] = both.visitor.ask(path if named else f"{path}?account={name}")
            check_whose(told)
            if not named:
                assert both.visitor.ask(view.path).body == told["sandra"].body


def test_every_operation(both: Api, subtests: pytest.Subtests) -> None:
    """The name in the path says whose it is, whatever stands behind the question mark."""
    for operation in OPERATIONS:
        if operation.is_public:
            with subtests.test(operation.name):
                check_whose(
                    {
                        "sandra": both.ask(path_of(operation, PLACES)),
                        "tom": both.ask(path_of(operation, OF_TOM), account="tom"),
                    }
                )


@pytest.mark.parametrize(
    ("question", "whose"),
    [
        ({"url": f"{BASE}/embed/last"}, "sandra"),
        ({"url": f"{BASE}/embed/last", "account": "tom"}, "tom"),
        ({"url": f"{BASE}/embed/last?account=tom"}, "tom"),
        ({"url": f"{BASE}/@tom"}, "tom"),
        ({"url": f"{BASE}/@tom", "account": "sandra"}, "tom"),
        ({"url": f"{BASE}/embed/last?account=tom", "account": "sandra"}, "tom"),
    ],
)
def test_oembed(both: Api, question: dict[str, str], whose: str) -> None:
    """The address that is asked about says whose it is, else ``?account=``, else the owner's."""
    told = both.visitor.ask(f"/oembed?{urlencode(question)}").json
    assert told["author_name"] == whose
    assert told["author_url"] == f"{BASE}/@{whose}"


def test_oembed_of_nobody(both: Api) -> None:
    """A name that nobody has is no reason to tell of the owner."""
    question = urlencode({"url": f"{BASE}/embed/last", "account": "nobody"})
    assert both.visitor.ask(f"/oembed?{question}").status == 404
