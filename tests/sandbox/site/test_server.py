from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from watchbook.cli.main import cli
from watchbook.sandbox.site import FAULTS, SiteControl, SiteOptions, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.site.conftest import Visitor


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command(number: int) -> None:
    """It announces itself with one line of JSON, can be controlled, and ends cleanly."""
    command = [sys.executable, "-m", "watchbook", "sandbox", "site", "--people", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        line = json.loads(process.stdout.readline())
        assert set(line) == {
            "url", "me", "micropub", "media", "token", "refresh_token", "people",
        }  # fmt: skip
        assert line["people"][0]["token"] == line["token"]
        assert SiteControl(line["url"]).posts() == []
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_command_lists_its_faults() -> None:
    """All of them, a line each."""
    result = CliRunner().invoke(cli, ["sandbox", "site", "--list-faults"])
    assert [line.split()[0] for line in result.output.splitlines()] == list(FAULTS)


def test_the_command_refuses_unknown_faults() -> None:
    """With a hint where their names are."""
    command = [sys.executable, "-m", "watchbook", "sandbox", "site", "--fault", "nonsense"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "watchbook sandbox site --list-faults" in result.stderr


def test_nothing_is_left_running() -> None:
    """The thread ends with the block."""
    before = threading.active_count()
    with running(SiteOptions()) as site:
        assert site.requests()["total"] == 0
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_port_can_be_chosen() -> None:
    """The same port again, once it is free."""
    with running() as first:
        port = int(first.url.rpartition(":")[2])
    with running(SiteOptions(port=port)) as second:
        assert second.url == first.url


def test_the_line_names_people_only_when_there_are_several(start: Callable[..., Visitor]) -> None:
    """One needs no list."""
    assert "people" not in start().site.line()
    people = start(people=8).site.people
    assert len({person.me for person in people}) == len({p.token for p in people}) == 8


def test_wrong_control_requests(visitor: Visitor) -> None:
    """Each says what is wrong with it."""
    wrong = {"posts/delete": {"url": "x"}, "posts/edit": {}, "consent": {"person": "zoe"}}
    for path, data in wrong.items():
        assert visitor.http.post(f"/_sandbox/{path}", json=data).status_code == 400
    assert visitor.get("/_sandbox/none").status_code == 404
