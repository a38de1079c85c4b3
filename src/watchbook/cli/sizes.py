"""Sizes of files, as people say them."""

from __future__ import annotations


def said_size(count: int) -> str:
    """``6217289`` as ``6.2 MB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if round(size, 1) < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
