"""Profile URLs: the addresses that people are known by (IndieAuth, section 3.2).

The canonical form adds a scheme and a path where there is none and lower-cases the host;
nothing else, since ``/u`` and ``/u/`` may be two people. Accounts are keyed by it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import httpx2

from watchbook.errors import InputError
from watchbook.urls import LONGEST

EXAMPLE = "A right example: https://you.example/"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NEVER_INSIDE = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"^`{|}\ud800-\udfff]")
_DOTS = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)
_ENDS_IN_A_NUMBER = re.compile(r"(^|\.)(\d+|0[xX][0-9a-fA-F]*)\.?$")
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
_LONGEST_HOST = 253


def profile_url(text: str, *, loopback: bool = False) -> str:
    """The canonical form of a profile URL that a person typed or a server named.

    With ``loopback`` this machine may be named too, by name or address, with a port. Raises
    InputError saying what is wrong.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or _NEVER_INSIDE.search(text):
        raise _wrong(text, "is not the address of a website")
    parts = _split(text if _SCHEME.match(text) else f"https://{text}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _wrong(text, "is not the address of a website")
    if "@" in parts.netloc:
        raise _wrong(text, "holds an @: an e-mail address or a user name is no website")
    if "#" in text:
        raise _wrong(text, "points into a page: leave off what begins with #")
    if _DOTS.search(parts.path):
        raise _wrong(text, "has . or .. between slashes")
    host = _host(text, parts.hostname)
    netloc = _netloc(text, parts, host, loopback=loopback)
    return urlunsplit((parts.scheme, netloc, _plain(parts.path) or "/", _plain(parts.query), ""))


def is_loopback(host: str) -> bool:
    """Whether ``host`` can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(text: str, what: str) -> InputError:
    return InputError(f"{text[:100]!r} {what}.", hint=EXAMPLE)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise _wrong(text, "is not the address of a website") from None
    return parts


def _host(text: str, name: str) -> str:
    """The name as it stands in the DNS: lower case, and punycode for other letters."""
    try:
        bracketed = f"[{name}]" if ":" in name else name
        host = httpx2.URL(f"https://{bracketed}/").raw_host.decode("ascii")
    except (httpx2.InvalidURL, ValueError):
        raise _wrong(text, "does not hold the name of a host") from None
    if len(host) > _LONGEST_HOST or ".." in host or host.startswith("."):
        raise _wrong(text, "does not hold the name of a host")
    return host.lower()


def _netloc(text: str, parts: SplitResult, host: str, *, loopback: bool) -> str:
    name = f"[{host}]" if ":" in host else host
    if loopback and is_loopback(host):
        return name if parts.port is None else f"{name}:{parts.port}"
    if ":" in host or _ENDS_IN_A_NUMBER.search(host):
        raise _wrong(text, "is a number: people are known by names")
    if ":" in parts.netloc:
        raise _wrong(text, "holds a port, which no profile has")
    if is_loopback(host):
        raise _wrong(text, "means the machine that Watchbook runs on")
    return name


def _plain(text: str) -> str:
    """``text`` in ASCII, with other letters percent-encoded and everything else left alone."""
    return quote(text, safe=_AS_IT_IS)
