from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from watchbook.sandbox.trakt import SandboxControl, SandboxOptions, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Api

PROGRAM = """
import sys
from watchbook.sandbox.trakt import SandboxOptions, serve
serve(SandboxOptions(plays=20, accounts=2), lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_of_its_own_process(number: int) -> None:
    """It announces itself with one line of JSON, can be controlled, and ends cleanly."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        line = json.loads(process.stdout.readline())
        assert set(line) == {
            "url",
            "auth_url",
            "client_id",
            "client_secret",
            "access_token",
            "refresh_token",
            "accounts",
        }
        assert line["url"] != line["auth_url"]
        assert line["accounts"][0]["access_token"] == line["access_token"]
        control = SandboxControl(line["url"])
        control.add_plays(2)
        assert len(control.truth()["plays"]) == 22
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_nothing_is_left_running() -> None:
    """The thread ends with the block, though somebody is still waiting for an answer."""
    before = threading.active_count()
    with running(SandboxOptions(plays=5, faults=("stall",))) as sandbox:
        assert sandbox.truth()["plays"]
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_the_line_names_accounts_only_when_there_are_several(
    start: Callable[..., Api],
) -> None:
    """One account needs no list."""
    assert "accounts" not in start().sandbox.line()
    several = start(accounts=8).sandbox
    slugs = [account.slug for account in several.accounts]
    assert len(set(slugs)) == 8
    assert "sam-example-2" in slugs


def test_the_same_seed_serves_the_same_library(start: Callable[..., Api]) -> None:
    """Bodies are equal byte for byte, and the app is the same; another seed differs."""
    first, again, other = start(seed=7), start(seed=7), start(seed=8)
    paths = ("/users/me/history", "/sync/watchlist?extended=full", "/users/settings")
    for path in paths:
        assert first.get(path).content == again.get(path).content
    assert first.get(paths[0]).content != other.get(paths[0]).content
    assert first.sandbox.client_id == again.sandbox.client_id


def test_a_port_can_be_chosen() -> None:
    """The same port again, once it is free."""
    options = SandboxOptions(plays=1)
    with running(options) as first:
        port = int(first.url.rpartition(":")[2])
    with running(replace(options, port=port)) as second:
        assert second.url == first.url


def test_many_accounts_cost_nothing_before_they_are_read(start: Callable[..., Api]) -> None:
    """A thousand accounts start at once; the last one has a library of its own."""
    api = start(accounts=1_000, plays=50)
    last = api.sandbox.accounts[-1]
    plays = api.sandbox.truth(last.slug)["plays"]
    assert len(plays) == 50
    assert plays != api.sandbox.truth()["plays"]
