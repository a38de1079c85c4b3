"""Publishing against kill -9: one post for each play, whatever was going on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, Home, ago, environment, give_token, token_of
from tests.websites import Asked, Said, as_json
from watchbook.indieauth.endpoints import Endpoints, SignIn

KILLED = -9


@dataclass
class Processes:
    """Real ``watchbook publish`` processes on a book."""

    home: Home
    environment: dict[str, str]

    def publish(self, die_at: str = "") -> int:
        """Run one to its end; its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "watchbook", "publish"],
            env=self.environment | {"_WATCHBOOK_DIE_AT": die_at},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr
        return done.returncode


@pytest.fixture
def processes(home: Home, database_url: str, tmp_path: Path) -> Processes:
    """Processes that work on the same database, with the same key."""
    return Processes(home, environment(tmp_path / "home", database_url))


STEPS = ("publish.begun", "publish.answered", "publish.settled", "publish.answered@2")


@pytest.mark.daily(4)
@pytest.mark.parametrize("die_at", STEPS)
def test_a_kill_makes_no_second_post(processes: Processes, blog: Blog, die_at: str) -> None:
    """Killed around the request, publishing goes on and every play is posted once."""
    book = processes.home.book
    book.watch(film_play(11, 1, ago(hours=2)), film_play(12, 2, ago(hours=1)))
    assert processes.publish(die_at) == KILLED
    assert processes.publish() == 0
    for minutes in (1, 4, 5):
        book.pass_time(minutes=minutes)
        assert processes.publish() == 0
    assert sorted(blog.made) == ["trakt-11", "trakt-12"]
    assert book.states() == ["published", "published"]


@pytest.mark.daily(2)
@pytest.mark.parametrize(("die_at", "again"), [("site.renewing", 0), ("site.renewed", 1)])
def test_a_kill_while_the_token_is_renewed(
    processes: Processes, blog: Blog, die_at: str, again: int
) -> None:
    """What was noted keeps the refresh token from being sent twice; what was kept is used."""
    book = processes.home.book
    endpoints = Endpoints(blog.site.url("/auth"), blog.site.url("/token"))
    blog.site.pages["/token"] = _swapped(blog)
    give_token(book, token_of(refresh="refresh-1"), SignIn("client", endpoints))
    blog.tokens = set()
    book.watch(film_play(11, 1, ago(hours=1)))
    assert processes.publish(die_at) == KILLED
    assert len(blog.site.of("POST", "/token")) == again
    processes.publish()
    book.pass_time(minutes=10)
    processes.publish()
    assert len(blog.site.of("POST", "/token")) == 1
    assert len(blog.made) <= 1


def _swapped(blog: Blog) -> Callable[[Asked], Said]:
    def swap(_asked: Asked) -> Said:
        blog.tokens = {"access-2"}
        answer = {"access_token": "access-2", "refresh_token": "refresh-2"}
        return as_json({**answer, "token_type": "Bearer"})

    return swap
