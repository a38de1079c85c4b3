"""``watchbook demo --once``: the whole main job, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_it_does_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Each step fails loudly, so an end without an error says that all of them went well."""
    program = Path(sys.executable).with_name("watchbook")
    done = subprocess.run(
        [program, "demo", "--once", "--plays", "500"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ticked = [line.split("✓ ")[1] for line in done.stdout.splitlines() if "✓" in line]
    assert [step for step in STEPS if not any(line.startswith(step) for line in ticked)] == []
    assert list(tmp_path.iterdir()) == []
