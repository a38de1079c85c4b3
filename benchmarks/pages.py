"""Pages of history as Trakt would answer them."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

from benchmarks.running import BenchmarkFailed
from benchmarks.stand_in import stand_in

_PAGE = 250


def history_pages(plays: int) -> list[bytes]:
    """The body of every page of an account's history, newest first."""
    with stand_in(plays) as trakt:
        connection = HTTPConnection(urlsplit(trakt.facts["url"]).netloc)
        headers = {
            "Authorization": f"Bearer {trakt.facts['access_token']}",
            "Content-Type": "application/json",
            "User-Agent": "watchbook-benchmarks",
            "trakt-api-key": trakt.facts["client_id"],
            "trakt-api-version": "2",
        }
        bodies = []
        for page in range(1, -(-plays // _PAGE) + 1):
            address = f"/users/me/history?page={page}&limit={_PAGE}"
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            bodies.append(answer.read())
            if answer.status != 200:
                raise BenchmarkFailed(f"page {page} of history: status {answer.status}")
        connection.close()
    return bodies
