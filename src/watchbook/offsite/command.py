"""Commands that a person has run, after each backup or when files were published.

They get what they need to know in their environment, and none of our secrets.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from watchbook.errors import RemoteUnavailable
from watchbook.redaction import redact, tame
from watchbook.settings.table import SETTINGS

LIMIT = 3600.0
"""Seconds after which a command is ended."""

_SHELL = "/bin/sh"
_TOLD = 1000
_LAST_WORDS = 2.0
_SECRET = {one.variable for one in SETTINGS if one.secret} | {"DATABASE_URL", "PGPASSWORD"}
_HINT = "Try WATCHBOOK_AFTER_BACKUP in a shell; the archive's path is in WATCHBOOK_ARCHIVE."


def run(command: str, archive: Path, account: str, verdict: str, limit: float = LIMIT) -> str:
    """Run ``command`` and give what it said last; raises RemoteUnavailable when it fails.

    It and what it has started are ended after ``limit`` seconds.
    """
    about = {
        "WATCHBOOK_ARCHIVE": str(archive),
        "WATCHBOOK_ACCOUNT": account,
        "WATCHBOOK_VERDICT": verdict,
    }
    return run_in(archive.parent, command, about, hint=_HINT, limit=limit)


def run_in(
    folder: Path, command: str, about: Mapping[str, str], *, hint: str, limit: float = LIMIT
) -> str:
    """The same in ``folder``, with ``about`` in the environment."""
    process = subprocess.Popen(  # noqa: S603 - it is what the person has set
        [_SHELL, "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**without_secrets(os.environ), **about},
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        _end(process)
        how = f"was ended after {limit:.0f} seconds"
        raise _failed(how, tail.text(), hint) from None
    except BaseException:
        _end(process)
        raise
    if code:
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise _failed(how, tail.text(), hint)
    return tail.text()


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` less the settings that are secret."""
    return {name: text for name, text in environment.items() if name not in _SECRET}


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(how: str, said: str, hint: str) -> RemoteUnavailable:
    told = f": {said}" if said else "."
    return RemoteUnavailable(f"The command {how}{told}", service="the command", hint=hint)


class _Tail:
    """Reads what a process says, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._stream:
            while piece := self._stream.read1(1 << 16):  # type: ignore[attr-defined]  # a pipe is buffered
                self._kept = (self._kept + piece)[-4 * _TOLD :]

    def text(self) -> str:
        """The last words, fit to be shown.

        What the command has left running may keep the pipe open; nobody waits for that.
        """
        self._reader.join(_LAST_WORDS)
        lines = redact(self._kept.decode("utf-8", "replace")).splitlines()
        text = tame("; ".join(line.strip() for line in lines if line.strip()))
        return f"…{text[-_TOLD:]}" if len(text) > _TOLD else text
