"""The programs that make a site of files: where each looks for posts, and how it tells drafts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Generator:
    """What one generator expects.

    Posts go to ``folder``, by their day in the file's name (``dated``) or else into a folder for
    each year. ``draft`` are the fields that keep a post from being published; ``signs`` are files
    in the top folder of its sites. Pictures go to ``pictures``, which the site shows at ``shown``,
    and ``image`` makes the fields that name one, of its address and what it shows.
    """

    folder: str
    languages: tuple[str, ...]
    draft: Mapping[str, Any]
    signs: tuple[str, ...]
    pictures: str
    shown: str | None
    image: Callable[[str, str], Mapping[str, Any]]
    dated: bool = False

    def place(self, slug: str, local: datetime | None) -> Path:
        """Where a post goes, below the site's folder; raises ValueError where that takes a date."""
        if local is None:
            if self.dated:
                raise ValueError("a post without a date has no place there")
            return Path(self.folder, f"{slug}.md")
        if self.dated:
            return Path(self.folder, f"{local.date().isoformat()}-{slug}.md")
        return Path(self.folder, f"{local.year:04}", f"{slug}.md")

    def pictured(self, picture: str, alt: str, post: Path) -> Mapping[str, Any]:
        """The fields with which ``post`` names a picture; both are paths below the site's folder.

        Without ``shown`` the generator wants the way from the post to the picture.
        """
        if self.shown is None:
            return self.image(os.path.relpath(picture, post.parent), alt)
        return self.image(f"{self.shown}/{Path(picture).name}", alt)


def _image(address: str, alt: str) -> Mapping[str, Any]:
    return {"image": address, "imageAlt": alt}


def _for_hugo(address: str, alt: str) -> Mapping[str, Any]:
    return {"images": [address], "imageAlt": alt}


def _for_jekyll(address: str, alt: str) -> Mapping[str, Any]:
    return {"image": {"path": address, "alt": alt}}


_UNLISTED = {"draft": True, "permalink": False, "eleventyExcludeFromCollections": True}

GENERATORS: Mapping[str, Generator] = {
    "hugo": Generator(
        "content/watched",
        ("yaml", "toml"),
        {"draft": True},
        ("hugo.*", "config.toml", "config/_default/hugo.*"),
        "static/watched/posters",
        "/watched/posters",
        _for_hugo,
    ),
    "jekyll": Generator(
        "_posts",
        ("yaml",),
        {"published": False},
        ("_config.yml", "_config.yaml"),
        "assets/watched/posters",
        "/assets/watched/posters",
        _for_jekyll,
        dated=True,
    ),
    "eleventy": Generator(
        "watched",
        ("yaml",),
        _UNLISTED,
        (".eleventy.js", "eleventy.config.*"),
        "watched/posters",
        "/watched/posters",
        _image,
    ),
    "astro": Generator(
        "src/content/watched",
        ("yaml", "toml"),
        {"draft": True},
        ("astro.config.*",),
        "src/content/watched/posters",
        None,
        _image,
    ),
}


def recognised(folder: Path) -> str | None:
    """The generator whose files are in ``folder``; None when there are none, or of several."""
    found = [
        name
        for name, generator in GENERATORS.items()
        if any(next(folder.glob(sign), None) is not None for sign in generator.signs)
    ]
    return found[0] if len(found) == 1 else None
