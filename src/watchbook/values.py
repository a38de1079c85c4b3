"""Values as people write them in settings: each reader gives the value or raises ValueError.

The message of a ValueError goes on from the text that was read: ``'x' is not COUNT/PERIOD``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from watchbook.clock import parse_duration

SHORTEST_PERIOD = timedelta(minutes=1)
"""A schedule looks once a minute at what is due."""
LONGEST_PERIOD = timedelta(days=36_500)
"""As good as never, and still within the calendar when it is counted back from today."""


@dataclass(frozen=True)
class Rate:
    """``count`` requests in any ``seconds`` seconds."""

    count: int
    seconds: int

    def __str__(self) -> str:
        """Write the rate as it is set: ``450/300s``."""
        return f"{self.count}/{self.seconds}s"


@dataclass(frozen=True)
class KeepRule:
    """How many archives stay: the newest of each of that many days, weeks, months and years.

    None keeps one of every such period there is, 0 asks for none.
    """

    daily: int | None = 0
    weekly: int | None = 0
    monthly: int | None = 0
    yearly: int | None = 0

    def __str__(self) -> str:
        """Write the rule as it is set: ``7 daily, all yearly``."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        told = (f"{'all' if n is None else n} {name}" for name, n in counts.items() if n != 0)
        return ", ".join(told)


@dataclass(frozen=True)
class Listen:
    """Where the server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write the place as it is set: ``127.0.0.1:8420``, ``[::1]:8420``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3-compatible service, and below which prefix ours lies in it."""

    name: str
    prefix: str = ""

    def __str__(self) -> str:
        """Write the place as it is set: ``s3://BUCKET/PREFIX``."""
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


def text(text: str) -> str:
    """Read a text without spaces around it."""
    return text.strip()


def language(text: str) -> str:
    """Read the tag of a language, with or without a country: ``de``, ``pt-BR``."""
    if not re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z]{2})?", text.strip()):
        raise ValueError("is not a language of two letters, with or without a country")
    name, dash, country = text.strip().partition("-")
    return name.lower() + dash + country.upper()


def url(text: str) -> str:
    """Read an http or https address, without a slash at its end."""
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("is not an http or https address")
    if parts.port == 0:  # reading it refuses what is no port
        raise ValueError("has a port that nothing answers at")
    return text.strip().rstrip("/")


def database_url(text: str) -> str:
    """Read the address of a database: ``sqlite:///FILE``, ``postgresql://HOST/NAME``."""
    url = text.strip()
    for platform_scheme in ("postgres://", "postgresql+psycopg://"):
        if url.startswith(platform_scheme):
            return "postgresql://" + url.removeprefix(platform_scheme)
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("is neither sqlite:///FILE nor postgresql://HOST/NAME")
    return url


def folder(text: str) -> Path:
    """Read a folder; ``~`` is the person's home."""
    try:
        return Path(text.strip()).expanduser().absolute()
    except RuntimeError:
        raise ValueError("begins with the home folder of somebody unknown") from None


def words(text: str) -> tuple[str, ...]:
    """Read words separated by commas or spaces."""
    return tuple(word for word in text.replace(",", " ").split() if word)


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks, separated by commas or spaces: ``10.0.0.0/8,::1``."""
    found = []
    for word in words(text):
        try:
            found.append(ip_network(word, strict=False))
        except ValueError:
            raise ValueError(f"holds {word}, which is no address and no network") from None
    return tuple(found)


def rate(text: str) -> Rate:
    """Read how many in which time: ``450/300s``."""
    count, separator, period = text.strip().partition("/")
    if not separator or not re.fullmatch("[0-9]{1,9}", count) or int(count) < 1:
        raise ValueError("is not COUNT/PERIOD")
    seconds = int(duration(period).total_seconds())
    if seconds < 1:
        raise ValueError("has an empty period")
    return Rate(int(count), seconds)


def keys(text: str) -> tuple[str, ...]:
    """Read secret keys, separated by commas."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys or any(len(key) < 32 for key in keys):
        raise ValueError("is shorter than 32 characters")
    return keys


def choice(*allowed: str) -> Callable[[str], str]:
    """A reader of one of the ``allowed`` words."""

    def read(text: str) -> str:
        if text.strip() not in allowed:
            raise ValueError(f"is none of {', '.join(allowed)}")
        return text.strip()

    return read


def duration(text: str) -> timedelta:
    """Read a span of time: ``90s``, ``5m``, ``12h``, ``7d``."""
    try:
        return parse_duration(text)
    except ValueError:
        raise ValueError("is not a duration such as 90s, 5m, 12h or 7d") from None


def period(text: str) -> timedelta:
    """Read how often something is done: ``5m``, ``12h``, ``7d``."""
    span = duration(text)
    if span < SHORTEST_PERIOD:
        raise ValueError("is shorter than a minute")
    if span > LONGEST_PERIOD:
        raise ValueError("is longer than a hundred years")
    return span


def keep_rule(text: str) -> KeepRule:
    """Read which archives stay: ``7 daily, 5 weekly, 12 monthly, all yearly``."""
    counts: dict[str, int | None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,5}|all)\s+(daily|weekly|monthly|yearly)\s*", part)
        if match is None or match[2] in counts:
            raise ValueError("is not a rule such as 7 daily, 5 weekly, 12 monthly, all yearly")
        counts[match[2]] = None if match[1] == "all" else int(match[1])
    rule = KeepRule(**counts)
    if rule == KeepRule():
        raise ValueError("keeps nothing at all")
    return rule


def listen(text: str) -> Listen:
    """Read where to listen: ``127.0.0.1:8420``, ``[::1]:8420``, ``0.0.0.0:80``."""
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname or parts.port is None or parts.path or parts.username is not None:
        raise ValueError("is not ADDRESS:PORT")
    return Listen(parts.hostname, parts.port)


def recipients(text: str) -> tuple[str, ...]:
    """Read age recipients, separated by commas or spaces; each counts once."""
    from pyrage import RecipientError, x25519  # noqa: PLC0415 - most runs read none

    found = tuple(dict.fromkeys(words(text)))
    for one in found:
        if one.upper().startswith("AGE-SECRET-KEY-"):
            raise ValueError("holds the key that opens archives, and belongs here is its recipient")
        try:
            x25519.Recipient.from_str(one)
        except RecipientError:
            raise ValueError(f"holds {one}, which is no age recipient (age1…)") from None
    return found


def places(text: str) -> tuple[Path | Bucket, ...]:
    """Read folders and buckets, separated by commas; a folder's name may hold spaces."""
    named = [item.strip() for item in text.split(",") if item.strip()]
    return tuple(dict.fromkeys(_bucket(one) if "://" in one else _whole(one) for one in named))


def _bucket(text: str) -> Bucket:
    match = re.fullmatch(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,62})(?:/(.*))?", text)
    prefix = (match[2] or "").rstrip("/") if match else ""
    if match is None or {"", ".", ".."} & set(prefix.split("/") if prefix else ["-"]):
        raise ValueError(
            f"holds {text}, which is not s3://BUCKET/PREFIX (a bucket's name is 2 to 63 letters, "
            "digits, dots, - and _, beginning with a letter or digit; no part of the prefix is "
            "empty, . or ..)"
        )
    return Bucket(match[1], prefix)


def _whole(text: str) -> Path:
    found = folder(text)
    if not text.startswith(("/", "~")):
        raise ValueError(f"holds {text}, which is neither a whole path nor s3://BUCKET/PREFIX")
    return found
