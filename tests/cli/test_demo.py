"""``watchbook demo --once``: the whole main job, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser import PHONE, browser, violations
from tests.web.elsewhere import visiting
from tests.web.showroom import Visitor, until
from tests.web.test_away import spoil_file

__all__ = ["browser"]

STEPS = (
    "first sync",
    "compare",
    "verify",
    "restore into an empty home",
    "import the export ZIP",
    "publish again",
    "deleted at Trakt",
    "share",
    "fetch posters",
    "show elsewhere",
)


_CARD_SAYS = """async (title) => {
    const card = await fetch(document.querySelector("main img").src);
    const drawn = new DOMParser().parseFromString(await card.text(), "image/svg+xml");
    return drawn.documentElement.textContent.includes(title);
}"""
"""Whether the picture on the page, as the browser has it, says a title."""


def test_it_does_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Each step fails loudly, so an end without an error says that all of them went well."""
    done = subprocess.run(
        _call("--once", "--plays", "500"),
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ticked = [line.split("✓ ")[1] for line in done.stdout.splitlines() if "✓" in line]
    assert [step for step in STEPS if not any(line.startswith(step) for line in ticked)] == []
    assert list(tmp_path.iterdir()) == []


@contextmanager
def staying_up(folder: Path, **environment: str) -> Iterator[str]:
    """A demo that stays up; what it told. Stopped as machines stop programs, it leaves nothing."""
    demo = subprocess.Popen(
        _call("--plays", "500"),
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=_environment(folder) | environment,
    )
    with demo:
        assert demo.stdout is not None
        told = []
        for line in demo.stdout:
            told.append(line)
            if line.startswith("Open this:"):
                break
        try:
            yield "".join(told)
        finally:
            demo.send_signal(signal.SIGTERM)
        end = demo.stdout.read()
        assert "Stopping…" in end.partition("its folder is gone")[0]
        assert "its folder is gone" in end
    assert demo.returncode == 0
    assert list(folder.iterdir()) == []


def test_it_stays_up_for_a_look_until_it_is_stopped(tmp_path: Path) -> None:
    """What is open then works, the schedule too; a database that is gone is told, and no fault."""
    with staying_up(tmp_path) as told:
        book = re.search(r"WATCHBOOK_BASE_URL=(\S+)", told)
        assert book is not None, told
        health = json.loads(_read(f"{book[1]}/healthz"))
        assert (health["status"], health["accounts"], health["signed_out"]) == ("ok", 1, 0)
        assert health["workers"] == 1
        assert b"watchbook" in _read(f"{book[1]}/metrics")
        watched = Visitor(told.split()[-1].rstrip("/")).ask("/watch", "POST")
        assert (watched.status, watched.body[:9]) == (200, b"Watched: ")
        spoil_file(next(tmp_path.glob("watchbook-demo-*/watchbook.db")))
        visitor = Visitor(book[1])
        until(lambda: visitor.ask("/healthz").status != 200)
        down = visitor.ask("/healthz")
        assert (down.status, down.json["status"]) == (503, "down")
        metrics = visitor.ask("/metrics")
        assert (metrics.status, b'status="down"} 1' in metrics.body) == (200, True)
        until(lambda: visitor.ask("/api/trakt/last").json["stale"])


def test_what_is_watched_shows_by_itself(browser: Browser, tmp_path: Path) -> None:
    """The page that the demo names follows what its button does at Trakt's stand-in."""
    with staying_up(tmp_path, _WATCHBOOK_SPEED="5") as told:
        somewhere = told.split()[-1]
        book = re.search(r"WATCHBOOK_BASE_URL=(\S+)", told)
        assert book is not None, told
        with visiting(browser, somewhere, book[1], viewport=PHONE) as page:
            page.goto(somewhere)
            titles = page.locator("watchbook-last .title")
            expect(titles).to_have_count(14)  # a line, a card and a wall of twelve
            before = _watched_at(page)
            heatmap = page.locator("main img").nth(1)
            expect(heatmap).to_have_js_property("naturalWidth", 358)
            page.get_by_role("button", name="Watch something").click()
            expect(page.get_by_role("status")).to_contain_text("Here it is: ")
            newest = titles.first.text_content() or ""
            expect(page.get_by_role("status")).to_contain_text(f"Here it is: {newest}, ")
            for place in (1, 2):
                expect(titles.nth(place)).to_have_text(newest)
            assert _watched_at(page) >= before
            page.wait_for_function(_CARD_SAYS, arg=newest)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            page.get_by_role("link", name="The public page").click()
            expect(page.locator(".h-entry").first).to_be_visible()


def _watched_at(page: Page) -> str:
    """When the play was that the first component shows."""
    found = page.locator("watchbook-last time").first.get_attribute("datetime")
    assert found is not None
    return found


def _call(*options: str) -> list[str]:
    return [str(Path(sys.executable).with_name("watchbook")), "demo", *options]


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)}


def _read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        body: bytes = answer.read()
        return body
