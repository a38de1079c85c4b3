"""Answers of the sandbox that are changed on their way, for what it cannot do wrong by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.sync.conftest import Book
from watchbook.http import Answer, HttpClient


@dataclass(frozen=True)
class Asked:
    """One read: its path, and its query as texts."""

    path: str
    query: Mapping[str, str]

    @property
    def page(self) -> int:
        """The page that is asked for."""
        return int(self.query.get("page", "1"))


Rule = Callable[[Asked, Answer], Answer]


@dataclass
class Meddler:
    """Stands in for the HTTP client of a book: passes answers through its rules."""

    http: HttpClient
    rules: list[Rule] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def counting_apart(self) -> Meddler:
        """The same, with a count of its own."""
        return replace(self, http=self.http.counting_apart())

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self.http.requests

    def request(self, method: str, url: str, **terms: Any) -> Answer:
        """Make a request and let every rule have its say."""
        answer = self.http.request(method, url, **terms)
        query = {name: str(value) for name, value in (terms.get("params") or {}).items()}
        asked = Asked(urlsplit(url).path, query)
        self.asked.append(asked)
        for rule in self.rules:
            answer = rule(asked, answer)
        return answer


def meddle(book: Book) -> Meddler:
    """Put a meddler between the book and its sandbox."""
    meddler = Meddler(book.installation.http)
    book.installation = replace(book.installation, http=meddler)  # type: ignore[arg-type]
    return meddler


def edited(answer: Answer, edit: Callable[[Any], object]) -> Answer:
    """The answer with another body: what ``edit`` makes of the decoded one."""
    return replace(answer, body=msgspec.json.encode(edit(msgspec.json.decode(answer.body))))


def without_headers(answer: Answer) -> Answer:
    """The answer without what it says about paging."""
    kept = {k: v for k, v in answer.headers.items() if not k.lower().startswith("x-pagination")}
    return replace(answer, headers=kept)
