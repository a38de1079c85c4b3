from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.errors import RemoteChanged, RemoteUnavailable
from watchbook.http import Answer
from watchbook.trakt import paging
from watchbook.trakt.paging import Page, PageReader, read_page

SIZE = 3
Result = TypeVar("Result")


def answer(rows: object, **counts: int | str | None) -> Answer:
    """An answer with those rows and headers (``page_count`` for X-Pagination-Page-Count)."""
    headers = {
        f"x-pagination-{name.replace('_', '-')}": str(value)
        for name, value in counts.items()
        if value is not None
    }
    return Answer(200, headers, msgspec.json.encode(rows), "https://api.trakt.tv/x")


@dataclass
class Source:
    """An endpoint with ``rows``; ``says`` makes its headers, ``odd`` are answers of some pages."""

    rows: list[int]
    says: Callable[[Source], dict[str, int | None]] | None = None
    odd: dict[int, list[int]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    @property
    def pages(self) -> int:
        """How many pages there are in truth."""
        return -(-len(self.rows) // SIZE)

    def __call__(self, number: int) -> Page:
        self.asked.append(number)
        rows = self.odd.get(number, self.rows[(number - 1) * SIZE : number * SIZE])
        said = self.says(self) if self.says else truthful(self)
        return read_page(answer(rows, **said), number)


def truthful(source: Source) -> dict[str, int | None]:
    """Headers that are right."""
    return {"limit": SIZE, "page_count": source.pages, "item_count": len(source.rows)}


def page_count(number: int) -> Callable[[Source], dict[str, int | None]]:
    """Headers with another page count."""
    return lambda source: truthful(source) | {"page_count": number}


def silent(_: Source) -> dict[str, int | None]:
    """No headers at all."""
    return {}


class Inline(Executor):
    """Does what it is given at once."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as reason:  # noqa: BLE001 - handed on, as an executor does
            future.set_exception(reason)
        return future


def rows_of(page: Page) -> list[int]:
    """What a page holds, decoded."""
    return [msgspec.json.decode(row) for row in page.rows]


def read(source: Callable[[int], Page], **options: Any) -> list[int]:
    """All rows in the order in which they came, one lane."""
    reader = PageReader(source, Inline(), **{"lanes": 1, **options})
    return [row for page in reader.pages() for row in rows_of(page)]


def upto(count: int) -> list[int]:
    """Rows 1 to ``count``."""
    return list(range(1, count + 1))


CASES: dict[str, tuple[Source, list[int], int]] = {
    # an endpoint, what comes of it, and how many pages are asked for
    "nothing": (Source([]), [], 1),
    "nothing, no headers": (Source([], silent), [], 1),
    "one row": (Source([1]), [1], 1),
    "short last page": (Source(upto(7)), upto(7), 3),
    "full last page": (Source(upto(6)), upto(6), 3),
    "count lags": (Source(upto(8), page_count(2)), upto(8), 3),
    "count lags a lot": (Source(upto(16), page_count(1)), upto(16), 6),
    "count is zero": (Source(upto(7), page_count(0)), upto(7), 3),
    "count lags, full last page": (Source(upto(9), page_count(2)), upto(9), 4),
    "count too high": (Source(upto(7), page_count(6)), upto(7), 6),
    "count missing": (
        Source(upto(7), lambda _: {"limit": SIZE}),
        upto(7),
        3,
    ),
    "no headers": (Source(upto(7), silent), upto(7), 4),
    "no headers, full last page": (Source(upto(6), silent), upto(6), 3),
    "headers of nonsense": (
        Source(upto(7), lambda _: {"limit": -1, "page_count": -5, "item_count": 10**20}),
        upto(7),
        4,
    ),
    "clamped, headers say so": (Source(upto(7)), upto(7), 3),
    "short page in the middle": (Source(upto(9), odd={2: [4]}), [1, 2, 3, 4, 7, 8, 9], 4),
    "empty page in the middle": (Source(upto(9), odd={2: []}), [1, 2, 3, 7, 8, 9], 4),
    "empty page in the middle of what was promised late": (
        Source(upto(11), lambda s: page_count(4 if len(s.asked) > 1 else 1)(s), odd={3: []}),
        [1, 2, 3, 4, 5, 6, 10, 11],
        4,
    ),
    "page repeated": (Source(upto(9), odd={2: [1, 2, 3]}), [1, 2, 3, 1, 2, 3, 7, 8, 9], 4),
    "last page again and again": (
        Source(upto(6), page_count(1), odd={n: [4, 5, 6] for n in range(3, 300)}),
        upto(6),
        3,
    ),
    "page is ignored": (
        Source(upto(3), silent, odd={n: [1, 2, 3] for n in range(2, 300)}),
        upto(3),
        2,
    ),
    "page is ignored, count lags": (
        Source(upto(3), page_count(1), odd={n: [1, 2, 3] for n in range(2, 300)}),
        upto(3),
        2,
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("lanes", [1, 3])
def test_stop_rule(name: str, lanes: int) -> None:
    """Everything that an endpoint shows comes, for as few requests as the rule allows."""
    kind, expected, requests = CASES[name]
    source = Source(kind.rows, kind.says, kind.odd)
    assert sorted(read(source, lanes=lanes)) == sorted(expected)
    assert sorted(source.asked) == list(range(1, requests + 1))


def test_answer_that_is_not_paged() -> None:
    """A full answer without headers is all there is, where the catalogue says it is not paged."""
    source = Source(upto(3), silent)
    assert read(source, paged=False) == upto(3)
    assert source.asked == [1]


def test_unpaged_endpoint_that_pages_after_all() -> None:
    """Where headers count pages, they are read, whatever the catalogue says."""
    assert read(Source(upto(7), page_count(1)), paged=False) == upto(7)


@pytest.mark.parametrize("promised", [None, 1, 7])
def test_endless_source_is_cut(promised: int | None) -> None:
    """A source that never ends is left after a hundred pages too many, and that is an error."""
    asked: list[int] = []

    def endless(number: int) -> Page:
        asked.append(number)
        return read_page(answer([number, -number, 0], limit=3, page_count=promised), number)

    with pytest.raises(RemoteChanged, match="do not end"):
        read(endless)
    assert max(asked) == (promised or 1) + paging.MAX_OVERRUN


def test_source_that_promises_ever_more_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page count that runs ahead of the reading does not keep it going for ever."""
    monkeypatch.setattr(paging, "MAX_PAGES", 300)
    source = Source(upto(3 * 1000), lambda s: truthful(s) | {"page_count": len(s.asked) + 1})
    with pytest.raises(RemoteChanged, match="do not end"):
        read(source)
    assert max(source.asked) == 300


@pytest.mark.parametrize(
    ("done", "asked"),
    [
        (set(), [1, 2, 3]),
        ({1}, [1, 2, 3]),
        ({1, 2}, [1, 3]),
        ({2}, [1, 3]),
        ({1, 3}, [1, 2, 4]),
        ({1, 2, 3}, [1, 4]),
    ],
)
def test_interrupted_reading_goes_on(done: set[int], asked: list[int]) -> None:
    """Pages kept before are not read again, but for the first, whose headers count the others."""
    source = Source(upto(8))
    found = read(source, done=frozenset(done))
    kept = {row for number in done for row in source.rows[(number - 1) * SIZE : number * SIZE]}
    assert sorted(found) == sorted(set(upto(8)) - kept)
    assert source.asked == asked


def test_interrupted_in_the_overrun() -> None:
    """Pages beyond the promised end that were kept before are read again, and those after them."""
    assert read(Source(upto(14), page_count(2)), done=frozenset({1, 2, 3}))[-5:] == upto(14)[-5:]


def test_first_page_read_before() -> None:
    """A page that was fetched ahead is not fetched twice."""
    source = Source(upto(7))
    first = source(1)
    reader = PageReader(source, Inline(), lanes=1)
    assert [row for page in reader.pages(first) for row in rows_of(page)] == upto(7)
    assert source.asked == [1, 2, 3]


def test_what_the_source_claims() -> None:
    """The largest count that any page named is the claim; without one there is none."""
    counts = iter([7, 9, 8])
    source = Source(upto(7), lambda s: truthful(s) | {"item_count": next(counts)})
    reader = PageReader(source, Inline(), lanes=1)
    assert len(list(reader.pages())) == reader.total == 3
    assert reader.claimed == 9
    nothing = PageReader(Source(upto(2), silent), Inline(), lanes=1)
    list(nothing.pages())
    assert nothing.claimed is None


@pytest.mark.parametrize("text", ["", "-1", "1.5", "٣", "1" * 12, "many"])
def test_headers_that_are_no_numbers(text: str) -> None:
    """A header that holds no sensible number counts as missing."""
    page = read_page(answer([1], limit=text, page_count=text, item_count=text), 1)
    assert (page.limit, page.pages, page.items) == (None, None, None)


def test_no_content_is_no_rows() -> None:
    """An answer without a body (204) is a page without rows."""
    assert read_page(Answer(204, {}, b"", "https://api.trakt.tv/x"), 1).rows == []


@pytest.fixture
def pool() -> Iterator[Callable[[int], ThreadPoolExecutor]]:
    """Makes executors and holds every thread of theirs to have ended afterwards."""
    before = set(threading.enumerate())
    made: list[ThreadPoolExecutor] = []

    def make(lanes: int) -> ThreadPoolExecutor:
        made.append(ThreadPoolExecutor(lanes))
        return made[-1]

    yield make
    for executor in made:
        executor.shutdown()
    assert set(threading.enumerate()) <= before


MakePool = Callable[[int], ThreadPoolExecutor]


def test_lanes_read_at_the_same_time(pool: MakePool) -> None:
    """As many pages are under way as there are lanes, and each comes once."""
    together = threading.Barrier(3)
    source = Source(upto(SIZE * 9))

    def fetch(number: int) -> Page:
        if number in {2, 3, 4}:
            together.wait(timeout=60)
        return source(number)

    reader = PageReader(fetch, pool(3), lanes=3)
    assert sorted(page.number for page in reader.pages()) == list(range(1, 10))


@pytest.mark.parametrize("failing", [1, 2, 5, 11])
@pytest.mark.parametrize("lanes", [1, 3])
def test_failing_page_stops_the_others(pool: MakePool, failing: int, lanes: int) -> None:
    """The error of a page leaves the reading, and none but pages under way are asked for."""
    source = Source(upto(SIZE * 10))

    def fetch(number: int) -> Page:
        if number == failing:
            raise RemoteUnavailable("not now", status=500)
        return source(number)

    reader = PageReader(fetch, pool(lanes), lanes=lanes)
    with pytest.raises(RemoteUnavailable, match="not now"):
        list(reader.pages())
    assert max(source.asked, default=0) < failing + 2 * lanes
    assert not reader._running


def test_reading_that_is_given_up(pool: MakePool) -> None:
    """Whoever stops listening stops the reading: nothing is asked for any more."""
    source = Source(upto(SIZE * 50))
    reader = PageReader(source, pool(3), lanes=3)
    pages = reader.pages()
    assert [next(pages).number, next(pages).number][0] == 1
    pages.close()  # type: ignore[attr-defined]  # it is a generator
    asked = len(source.asked)
    assert asked < 10
    assert not reader._running
    assert len(source.asked) == asked


@dataclass
class Changing:
    """An endpoint whose rows change while it is read: page n is answered from a version."""

    versions: list[list[int]]
    answered_from: list[int]
    lag: int = 0
    items: bool = True
    asked: int = 0

    def __call__(self, number: int) -> Page:
        chosen = self.answered_from[min(self.asked, len(self.answered_from) - 1)]
        self.asked += 1
        rows = self.versions[chosen]
        pages = max(1, -(-len(rows) // SIZE) - self.lag)
        count = len(rows) if self.items else None
        shown = rows[(number - 1) * SIZE : number * SIZE]
        return read_page(answer(shown, limit=SIZE, page_count=pages, item_count=count), number)


Edits = list[tuple[int, int]]
EDITS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8)


def inserted(start: int, edits: Edits) -> list[list[int]]:
    """Versions of ``start`` rows, each with another row more at some place."""
    versions = [upto(start)]
    for number, (place, _) in enumerate(edits):
        rows = list(versions[-1])
        rows.insert(place % (len(rows) + 1), 1000 + number)
        versions.append(rows)
    return versions


def deleted(start: int, edits: Edits) -> list[list[int]]:
    """Versions of ``start`` rows, each with one row less."""
    versions = [upto(start)]
    for place, _ in edits:
        rows = list(versions[-1])
        if rows:
            del rows[place % len(rows)]
        versions.append(rows)
    return versions


def seen_in_order(edits: Edits, step: int) -> list[int]:
    """Which version each request meets when time goes on by at most ``step`` changes."""
    order = [0]
    for _, wait in edits * 3:
        order.append(min(len(edits), order[-1] + wait % (step + 1)))
    return [*order, len(edits)]


def check_growing(start: int, edits: Edits, lag: int) -> None:
    """Read one page after the other while rows are added: every row of the start comes."""
    source = Changing(inserted(start, edits), seen_in_order(edits, SIZE - 1), lag, items=False)
    assert set(upto(start)) <= set(read(source))


def check_either(start: int, edits: Edits, lanes: int, *, growing: bool) -> None:
    """Lanes meet versions in any order: rows that were there all along come, or too few do.

    Too few means fewer than the source claims, and then a second look brings the rest.
    """
    versions = inserted(start, edits) if growing else deleted(start, edits)
    order = [wait % len(versions) for _, wait in edits]
    source = Changing(versions, order)
    reader = PageReader(source, Inline(), lanes=lanes)
    found = {row for page in reader.pages() for row in rows_of(page)}
    stable = set.intersection(*map(set, versions))
    assert reader.claimed is not None
    if len(found) < reader.claimed:
        found |= set(read(Changing([versions[-1]], [0])))
    assert stable <= found


STARTS = st.integers(0, 25)


@settings(max_examples=200, deadline=None)
@given(STARTS, EDITS, st.integers(0, 4))
def test_rows_added_while_paging(start: int, edits: Edits, lag: int) -> None:
    """No row is lost when others are added meanwhile, even with a page count that lags."""
    check_growing(start, edits, lag)


@settings(max_examples=200, deadline=None)
@given(STARTS, EDITS, st.integers(1, 4), st.booleans())
def test_rows_added_or_deleted_while_paging(
    start: int, edits: Edits, lanes: int, growing: bool
) -> None:
    """A row that slips from page to page is never lost unnoticed."""
    check_either(start, edits, lanes, growing=growing)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(STARTS, EDITS, st.integers(0, 4))
def test_rows_added_while_paging_long(start: int, edits: Edits, lag: int) -> None:
    """The same for ten thousand schedules."""
    check_growing(start, edits, lag)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(STARTS, EDITS, st.integers(1, 4), st.booleans())
def test_rows_added_or_deleted_while_paging_long(
    start: int, edits: Edits, lanes: int, growing: bool
) -> None:
    """The same for ten thousand schedules."""
    check_either(start, edits, lanes, growing=growing)
