"""Draw docs/images: what a run of the demo really prints, and the page that it exports.

Needs Chromium, which `make setup-dev` installs.
"""

# ruff: noqa: INP001 - a folder of programs, no package

from __future__ import annotations

import io
import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from watchbook.cli.context import Context
from watchbook.cli.demo import performed

IMAGES = Path(__file__).parent.parent / "docs" / "images"
IMAGE = IMAGES / "demo.svg"
PAGE = IMAGES / "page.png"
SHOWN = IMAGES / "shown.png"


def main() -> None:
    """Run the demo on a recording console and save what it shows."""
    console = Console(
        record=True, width=98, force_terminal=True, highlight=False, file=io.StringIO()
    )
    context = Context()
    context.console = console
    context.say_styled("[bold]$ make demo[/bold]")
    with performed(context, plays=10_000) as showing:
        photograph((showing.demo.context.settings.home / "watchbook.html").as_uri(), PAGE)
        photograph(showing.page, SHOWN, height=1500)
    IMAGE.parent.mkdir(exist_ok=True)
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(
        str(IMAGE), title="watchbook demo", unique_id="demo", code_format=without_fonts
    )


def photograph(address: str, picture: Path, *, height: int = 760) -> None:
    """Save how a page looks in a browser."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        view = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme="light")
        view.goto(address)
        view.wait_for_timeout(1000)
        view.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
