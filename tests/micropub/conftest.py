"""A website that takes posts, and what there is to post."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.websites import Website, local_client, serving
from watchbook.http import HttpClient
from watchbook.micropub.client import Micropub
from watchbook.micropub.post import Post
from watchbook.micropub.titles import Episode, Film, Ids, Picture, Show, Watched

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHELDON = Show("Young Sheldon", Ids(119172, "young-sheldon", "tt6226232", 71728, 328724), 2017)
SLUMP = Episode(
    SHELDON,
    3,
    14,
    Ids(3935937, None, "tt11591958", 2072445, 7539973),
    "A Slump, a Cross and Roadside Gravel",
    "2020-01-30",
)
HEAT = Film("Heat", Ids(832, "heat-1995", "tt0113277", 949), 1995, "1995-12-15")
POSTER = Picture("https://img.example/heat.jpg", "Poster of Heat")
WATCHED = datetime(2020, 2, 14, 15, 40, 46, tzinfo=UTC)
TEXT = "Watched Young Sheldon S03E14: A Slump, a Cross and Roadside Gravel"


def an_episode() -> Post:
    """A post about one episode."""
    return Post([Watched(5611853642, SLUMP)], TEXT, WATCHED, categories=("watched", "tv"))


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client that may reach loopback."""
    with local_client() as client:
        yield client


@pytest.fixture
def site() -> Iterator[Website]:
    """An empty website."""
    with serving(Website()) as website:
        yield website


@pytest.fixture
def micropub(site: Website, http: HttpClient) -> Micropub:
    """The website's Micropub endpoint."""
    return Micropub(http, site.url("/micropub"), "the-access-token")
