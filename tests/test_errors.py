from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from watchbook import errors
from watchbook.errors import Fate, RateLimited, RemoteError, WatchbookError

LINE = re.compile(
    r"(?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+) *(?P<code>\d+)? *"
    r"(?P<fate>transient|permanent|unknown)?"
)


def drawn() -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Name, parent, exit code and fate of every line of the tree in the module's docstring."""
    tree = inspect.cleandoc(errors.__doc__ or "").split("::\n")[1].split("\nThe numbers")[0]
    above: list[tuple[int, str]] = []
    for line in tree.splitlines():
        found = LINE.match(line.removeprefix("    "))
        if found is None:
            continue
        depth = len(found["indent"])
        above = [(d, name) for d, name in above if d < depth]
        yield found["name"], above[-1][1] if above else None, found["code"], found["fate"]
        above.append((depth, found["name"]))


TREE = list(drawn())
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, WatchbookError)
}


def test_every_error_is_drawn_once() -> None:
    """The tree shows all classes of the module and no other."""
    assert sorted(name for name, *_ in TREE) == sorted(CLASSES)


@pytest.mark.parametrize("line", TREE, ids=lambda line: line[0])
def test_tree_is_true(line: tuple[str, str | None, str | None, str | None]) -> None:
    """Parent, exit code and fate are as drawn."""
    name, parent, code, fate = line
    kind = CLASSES[name]
    assert kind.__base__ is (CLASSES[parent] if parent else Exception)
    assert code is None or kind.exit_code == int(code)
    assert fate is None or kind.fate is Fate(fate)
    assert kind.exit_code not in {0, 1}
    assert kind.__doc__


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_speaks(name: str) -> None:
    """Each is made of a message and perhaps a hint, and prints as its message."""
    error = CLASSES[name]("What happened.", hint="What to do.")
    assert (str(error), error.message, error.hint) == ("What happened.",) * 2 + ("What to do.",)
    assert CLASSES[name]("What happened.").hint is None


def test_errors_of_others_say_where() -> None:
    """An error of another server knows which, with what status, and when to come back."""
    error = RateLimited("Wait.", retry_after=3.5, service="Trakt", status=429, address="https://x")
    assert isinstance(error, RemoteError)
    assert (error.service, error.status, error.address) == ("Trakt", 429, "https://x")
    assert error.retry_after == 3.5
    assert RateLimited("Wait.").retry_after is None
