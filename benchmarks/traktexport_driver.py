"""Runs traktexport's full export against another address than Trakt's.

Usage: ``python traktexport_driver.py URL USERNAME``, with a Python that has traktexport. Prints
``export``, as the program's own command would write it, and ``refused``: addresses that did not
answer and on which the program alone would have ended; here it goes on without their rows.

It gets a User-Agent of its own, since the stand-in turns away the one that HTTP libraries send
by themselves.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def main(url: str, username: str) -> None:
    """Point the library at ``url`` before the program reads where Trakt is, then export."""
    core: Any = importlib.import_module("trakt.core")
    core.BASE_URL = f"{url}/"
    core.session.headers["User-Agent"] = "traktexport/0.1.10"
    refusal: Any = importlib.import_module("trakt.errors").TraktException
    export: Any = importlib.import_module("traktexport.export")
    request, refused = export._trakt_request, []  # noqa: SLF001 - the one place where it asks

    def patient(endpoint: str, **options: Any) -> Any:
        """Ask as the program does; nothing instead of an error."""
        try:
            return request(endpoint, **options)
        except refusal as reason:
            refused.append(f"{endpoint} ({reason})")
            return []

    export._trakt_request = patient  # noqa: SLF001 - likewise
    json.dump({"export": export.full_export(username), "refused": refused}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
