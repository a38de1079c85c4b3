"""Draw docs/images/demo.svg: what a run of the demo really prints (``make screenshot``)."""

# ruff: noqa: INP001 - a folder of programs, no package

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from watchbook.cli.context import Context
from watchbook.cli.demo import Demo, demo_context
from watchbook.sandbox.trakt import SandboxOptions, running

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "demo.svg"


def main() -> None:
    """Run the demo on a recording console and save what it shows."""
    console = Console(
        record=True, width=98, force_terminal=True, highlight=False, file=io.StringIO()
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        running(SandboxOptions(device_interval=0)) as sandbox,
        demo_context(Context(), Path(folder), sandbox) as context,
    ):
        context.console = console
        context.say_styled("[bold]$ make demo[/bold]")
        Demo(context, sandbox).run()
    IMAGE.parent.mkdir(exist_ok=True)
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(
        str(IMAGE), title="watchbook demo", unique_id="demo", code_format=without_fonts
    )


if __name__ == "__main__":
    main()
