"""``python -m watchbook`` and the ``watchbook`` command."""

from __future__ import annotations

from watchbook.cli.main import main

if __name__ == "__main__":
    main()
