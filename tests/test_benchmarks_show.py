"""What the benchmark of views is made of; all of it runs, small and once, in the long run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.figures import Figure, Result
from benchmarks.load import ask
from benchmarks.running import BenchmarkFailed

EXPRESS = Path(__file__).parent.parent / "benchmarks" / "express"


class Handler(BaseHTTPRequestHandler):
    """Answers 200 with a body, and 404 at one address."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = b"x" * 5000
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A small server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_load_counts_answers_and_times(address: str) -> None:
    """As many as a server gives; half of them are no slower than 99 of 100."""
    found = ask(f"{address}/", 0.3, connections=2)
    assert found.answers > 0
    assert found.others == 0
    assert 0 < found.p50 <= found.p99 <= found.slowest


def test_a_load_at_a_pace_asks_so_often_and_no_oftener(address: str) -> None:
    """Each question is asked, however long the others took."""
    assert ask(f"{address}/", 1, connections=4, rate=50).answers == 50


def test_refusals_are_told_apart(address: str) -> None:
    """They are no good answers; a benchmark that counts them would praise a broken server."""
    with pytest.raises(BenchmarkFailed, match="0 answers"):
        ask(f"{address}/missing", 0.2)


def test_nobody_there_is_a_failure() -> None:
    """Not a figure of zero."""
    with pytest.raises(BenchmarkFailed):
        ask("http://127.0.0.1:9/", 0.2)


@pytest.mark.parametrize(("value", "met"), [(1.6, "met"), (1.4, "MISSED")])
def test_an_aim_may_be_a_lowest_value(value: float, met: str) -> None:
    """A ratio has to be high, a time low."""
    row = Result("t", [Figure("ratio", value, at_least=1.5)]).as_markdown().splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[4:6]] == ["≥ 1.5", met]


def test_what_is_compared_is_locked() -> None:
    """One version of Express, by its digests, from whatever registry is set."""
    wanted = json.loads((EXPRESS / "package.json").read_text())["dependencies"]
    locked = json.loads((EXPRESS / "package-lock.json").read_text())["packages"]
    assert locked["node_modules/express"]["version"] == wanted["express"]
    for name, package in locked.items():
        assert "resolved" not in package
        assert package.get("integrity") or not name


@pytest.mark.long
def test_a_quick_run_shows_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Full speed, a pace, a sync beside it, and an hour in which nobody asks Trakt."""
    assert main(["--quick", "--json", "show"]) == 0
    found = json.loads(capsys.readouterr().out)["benchmarks"]["show"]["figures"]
    by_name = {figure["what"]: figure for figure in found}
    assert by_name["requests to Trakt meanwhile"]["value"] == 0
    assert by_name["/api/trakt/last: Watchbook"]["value"] > 0
    assert by_name["while a sync writes: Watchbook"]["value"] > 0
