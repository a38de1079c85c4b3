"""Reading a paged endpoint to its true end, several pages at a time.

``X-Pagination-Page-Count`` can be lower than reality, because the count behind it is cached
(Trakt's own exporter lost plays to it and now goes on). So the count is a floor: while the
header promises more pages, or a page came back full, there is another one to ask for; past the
promised end an empty page ends it, and so does a page that only repeats the one before. A
source that never ends is cut after :data:`MAX_OVERRUN` pages, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from watchbook.errors import RemoteChanged
from watchbook.http import Answer
from watchbook.trakt.parse import split_rows
from watchbook.waits import first_done

MAX_OVERRUN = 100
"""Pages read beyond the promised end before a source counts as endless."""

MAX_PAGES = 10_000


@dataclass(frozen=True)
class Page:
    """One answer of a paged endpoint.

    ``limit`` is the size in force at the server (None when it does not say), ``pages`` and
    ``items`` what it promises in all.
    """

    number: int
    rows: list[bytes]
    limit: int | None
    pages: int | None
    items: int | None

    @property
    def full(self) -> bool:
        """Whether it holds as many rows as a page can; any row will do if that is not known."""
        return bool(self.rows) and len(self.rows) >= (self.limit or 1)


def read_page(
    answer: Answer, number: int, split: Callable[[bytes], list[bytes]] = split_rows
) -> Page:
    """Make a page of an answer; raises RemoteChanged when ``split`` finds no rows in it."""
    rows = split(answer.body) if answer.body else []
    return Page(
        number,
        rows,
        _number(answer.headers, "x-pagination-limit"),
        _number(answer.headers, "x-pagination-page-count"),
        _number(answer.headers, "x-pagination-item-count"),
    )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


Fetch = Callable[[int], Page]
"""Reads the page with that number, counted from 1."""


class PageReader:
    """Reads all pages of one endpoint through the lanes of ``executor``.

    ``done`` are pages that an interrupted reading has already kept; ``paged`` tells whether a
    full page means more where the server sends no page count. After the iteration ``claimed``
    is how many rows the server says there are, if it said so.
    """

    def __init__(
        self,
        fetch: Fetch,
        executor: Executor,
        *,
        lanes: int,
        paged: bool = True,
        done: frozenset[int] = frozenset(),
    ) -> None:
        self._fetch = fetch
        self._executor = executor
        self._lanes = lanes
        self._paged = paged
        self._done = done
        self._running: dict[Future[Page], int] = {}
        self._next = 1
        self._floor = 1
        self._end: int | None = None
        self._last: list[bytes] = []
        self.claimed: int | None = None

    def pages(self, first: Page | None = None) -> Iterator[Page]:
        """Every page, in the order in which they arrive; ``first`` was read before.

        Raises what reading a page raised; pages under way then are given up.
        """
        try:
            yield from self._promised(first)
            yield from self._overrun()
        finally:
            for future in self._running:
                future.cancel()
            self._running.clear()

    @property
    def total(self) -> int:
        """How many pages there are at least."""
        return self._floor

    def _promised(self, first: Page | None) -> Iterator[Page]:
        """The first page, then in parallel all that the headers promise."""
        page = first or self._fetch(1)
        self._next = 2
        self._note(page)
        if 1 not in self._done:
            yield page
        while True:
            self._fill_lanes()
            if not self._running:
                return
            for future in first_done(self._running):
                self._running.pop(future)
                self._note(future.result())
                yield future.result()

    def _fill_lanes(self) -> None:
        while len(self._running) < self._lanes and self._next <= min(self._floor, MAX_PAGES):
            if self._next not in self._done:
                self._running[self._executor.submit(self._fetch, self._next)] = self._next
            self._next += 1

    def _overrun(self) -> Iterator[Page]:
        """Pages beyond the promised end, one after the other, until an empty one."""
        promised = self._floor
        while self._end is None:
            if self._next > min(promised + MAX_OVERRUN, MAX_PAGES):
                raise RemoteChanged(
                    f"Trakt's pages do not end: page {self._next - 1} is full, {promised} were "
                    "promised.",
                    service="Trakt",
                    hint="Run it again; if it stays so, tell the people of Watchbook.",
                )
            page = self._fetch(self._next)
            self._next += 1
            promised = max(promised, page.pages or 1)
            if page.number > promised and (not page.rows or page.rows == self._last):
                return
            self._note(page)
            self._floor = max(self._floor, page.number)
            yield page

    def _note(self, page: Page) -> None:
        """Learn from a page how many there are, and whether the last one seen ends it."""
        if page.items is not None:
            self.claimed = max(page.items, self.claimed or 0)
        self._floor = max(self._floor, page.pages or 1)
        if page.number >= self._floor:
            known = self._paged or page.pages is not None
            self._end = None if page.full and known else page.number
            self._last = page.rows
