"""Files that pages load, under addresses made of their content, so that they are kept for good."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchbook.web.answers import FOR_ANYBODY, FOR_GOOD, SVG, Answer, kept_for

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": SVG,
}
ICON = "icon.svg"
_A_WHILE = kept_for(timedelta(minutes=5))
_A_DAY = kept_for(timedelta(days=1), timedelta(days=7))


@cache
def content(name: str) -> bytes:
    """What the file ``name`` holds."""
    return (files("watchbook.web") / "static" / name).read_bytes()


@cache
def icon() -> str:
    """Watchbook's icon as an address that holds all of it, for pages that load nothing."""
    return f"data:image/svg+xml,{quote(content(ICON).decode())}"


@cache
def address(name: str) -> str:
    """Where the file ``name`` is found, below the address of the installation."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{_digest(name)}.{kind}"


def named(asked: str) -> Answer | None:
    """What is answered for the last part of an address; None when there is no such file.

    A page from before an upgrade asks for a file by its old digest, and gets what there is now.
    """
    stem, _, kind = asked.rpartition(".")
    stem, _, digest = stem.rpartition(".")
    name = f"{stem}.{kind}"
    if name not in _names():
        return None
    return told(name, FOR_GOOD if digest == _digest(name) else _A_WHILE)


@cache
def told(name: str, kept: str) -> Answer:
    """The file ``name`` as an answer with that ``Cache-Control``."""
    kind = name.rpartition(".")[2]
    return Answer(content(name), MEDIA_TYPES[kind], cache=kept, headers=FOR_ANYBODY)


@cache
def _names() -> frozenset[str]:
    folder = (files("watchbook.web") / "static").iterdir()
    return frozenset(file.name for file in folder if file.name.rpartition(".")[2] in MEDIA_TYPES)


@cache
def _digest(name: str) -> str:
    return hashlib.blake2b(content(name), digest_size=8).hexdigest()


async def _static(request: Request) -> Response:
    found = named(request.path_params["name"])
    return found.response(request) if found else PlainTextResponse("Not found.", 404)


async def _icon(request: Request) -> Response:
    """What browsers ask for on their own; any of them takes a drawn one."""
    return told(ICON, _A_DAY).response(request)


ROUTES = (Route("/static/{name}", _static), Route("/favicon.ico", _icon))
"""Answer for all of them."""
