"""Draws one SVG, given on standard input with the fonts to use, as PNG on standard output.

A program of its own: run by `png`, and importing nothing of ours.
"""

from __future__ import annotations

import json
import sys

import resvg_py


def main() -> None:
    """Draw what is asked for."""
    asked = json.load(sys.stdin)
    drawn = resvg_py.svg_to_bytes(
        svg_string=asked["svg"],
        zoom=asked["zoom"],
        font_family=asked["family"],
        sans_serif_family=asked["family"],
        font_files=asked["fonts"],
        skip_system_fonts=True,
        resources_dir=None,
    )
    sys.stdout.buffer.write(bytes(drawn))


if __name__ == "__main__":
    main()
