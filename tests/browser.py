"""A real browser for tests of pages: Debian's Chromium, driven by Playwright, without a network.

A test module asks for the fixtures by importing ``browser`` and ``page``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The same list as in scripts/setup.sh."""

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE = 60_000
"""Milliseconds after which something will never come, on however busy a machine."""
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@cache
def find_browser() -> str:
    """The browser's program; fails the test with what to do when there is none."""
    for name in os.environ.get("CHROMIUM", "").split() or NAMES:
        path = shutil.which(name)
        if path is not None and _is_usable(path):
            return path
    pytest.fail("There is no Chromium: `make setup-dev` installs it or says what to do.")


def _is_usable(path: str) -> bool:
    """Whether it starts; a snap does not count, since it sees nothing of /tmp."""
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return told.returncode == 0 and "snap" not in told.stdout


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with an empty profile, gone with its module.

    Not for longer: while Playwright runs, its event loop counts as running in this thread, and
    tests that run one themselves would fail.
    """
    home = tmp_path_factory.mktemp("browser-home")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(),
            args=[*FLAGS, *as_root],
            env={"HOME": str(home), "PATH": os.environ["PATH"], "TMPDIR": str(home)},
        )
        yield browser
        browser.close()


@dataclass
class Troubles:
    """What a page did that no page may do."""

    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Write down requests that leave the disk, errors, and dialogs of ``page``."""
        page.on("request", self._request)
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", self._dialog)

    def _request(self, request: Request) -> None:
        if not request.url.startswith("file:"):
            self.seen.append(f"request: {request.url[:200]}")

    def _console(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.seen.append(f"console: {text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page without a network, in a context of its own; it must do nothing forbidden."""
    context = browser.new_context(**{"offline": True, "viewport": DESK, **options})
    context.set_default_timeout(PATIENCE)
    troubles = Troubles()
    page = context.new_page()
    troubles.watch(page)
    yield page
    context.close()
    assert troubles.seen == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, 1280 pixels wide."""
    with opened(browser) as page:
        yield page


def address(path: Path, part: str = "") -> str:
    """The address of a file on disk, and of a part of it."""
    return path.absolute().as_uri() + part


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def violations(page: Page) -> list[str]:
    """What axe holds against a page as it stands: each rule with the first place of each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found]
