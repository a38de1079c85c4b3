"""Addresses of a public page: relative to the host for people, whole for programs."""

from __future__ import annotations

from urllib.parse import urlsplit

from watchbook.render.entries import home_of
from watchbook.web.front import Asked


def prefix_of(asked: Asked) -> str:
    """What stands before addresses on the page: it may be reached by several names."""
    return urlsplit(asked.base_url).path


def here(asked: Asked) -> str:
    """The page of the account, as pages lead to it."""
    return home_of(asked.public.account, prefix_of(asked)).page


def whole(asked: Asked, address: str) -> str:
    """An address of ours, as it is called from outside."""
    return asked.base_url + address.removeprefix(prefix_of(asked))
