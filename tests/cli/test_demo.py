"""``watchbook demo --once``: the whole main job, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
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


def test_it_stays_up_for_a_look_until_it_is_stopped(tmp_path: Path) -> None:
    """What is open then works; stopped as machines stop programs, it leaves nothing behind."""
    demo = subprocess.Popen(
        _call("--plays", "500"),
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
    )
    with demo:
        assert demo.stdout is not None
        told = []
        for line in demo.stdout:
            told.append(line)
            if line.startswith("Open this:"):
                break
        book = re.search(r"WATCHBOOK_BASE_URL=(\S+)", "".join(told))
        assert book is not None, told
        health = json.loads(_read(f"{book[1]}/healthz"))
        assert (health["status"], health["accounts"], health["signed_out"]) == ("ok", 1, 0)
        assert b"watchbook" in _read(f"{book[1]}/metrics")
        demo.send_signal(signal.SIGTERM)
        assert "its folder is gone" in demo.stdout.read()
    assert demo.returncode == 0
    assert list(tmp_path.iterdir()) == []


def _call(*options: str) -> list[str]:
    return [str(Path(sys.executable).with_name("watchbook")), "demo", *options]


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)}


def _read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        body: bytes = answer.read()
        return body
