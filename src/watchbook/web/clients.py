"""Who asks: the address of the client, behind the proxies that are trusted and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from watchbook.logs import logger

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_FORWARDED = b"x-forwarded-for"
_MOST_HOPS = 20
_LONGEST_HOP = 64
"""Bytes of a hop that are looked at: no address is longer, with its brackets and its port."""
_log = logger("web")


@dataclass(frozen=True)
class Client:
    """Who asks. ``address`` is None for one that cannot be told, as on a socket in a file."""

    address: Address | None
    counted_as: str | None
    """Under which name its questions are counted; None for this machine, which has no limit."""
    forwarded: bool
    """Whether somebody whom we do not trust says to ask for others."""

    def is_of(self, networks: Iterable[Network]) -> bool:
        """Whether it asks by itself from one of ``networks``."""
        address = self.address
        return address is not None and not self.forwarded and _among(address, networks)


class Clients:
    """Tells who asks; only ``trusted`` networks may say that they ask for somebody else."""

    def __init__(self, trusted: tuple[Network, ...] = ()) -> None:
        self._trusted = trusted
        self._warned = False
        self._known = lru_cache(maxsize=4096)(self._client)

    def of(self, scope: Scope) -> Client:
        """Who asks the question of ``scope``."""
        peer = scope.get("client")
        lines = [value for name, value in scope["headers"] if name == _FORWARDED]
        return self._known(peer[0] if peer else "", _hops(b",".join(lines)))

    def _client(self, peer: str, forwarded: tuple[str, ...]) -> Client:
        address = _address(peer)
        if forwarded and address is not None and _among(address, self._trusted):
            return _counted(self._first_stranger(address, forwarded), forwarded=False)
        if forwarded:
            self._warn(address)
        return _counted(address, forwarded=bool(forwarded))

    def _first_stranger(self, peer: Address, hops: tuple[str, ...]) -> Address:
        """The last hop that is none of ours: all before it may be invented."""
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                return peer
            peer = address
            if not _among(address, self._trusted):
                return address
        return peer

    def _warn(self, address: Address | None) -> None:
        if self._warned or address is None or not address.is_private:
            return
        self._warned = True
        _log.warning(
            f"X-Forwarded-For came from {address}, not trusted: its visitors count as one.",
            hint=f"If that is your proxy: WATCHBOOK_TRUSTED_PROXIES={address}",
        )


def _hops(forwarded: bytes) -> tuple[str, ...]:
    """The last hops of a header, short enough to be remembered; none of an empty one."""
    hops = forwarded.decode("latin-1").rsplit(",", _MOST_HOPS)[-_MOST_HOPS:] if forwarded else ()
    return tuple(hop.strip()[:_LONGEST_HOP] for hop in hops)


def _counted(address: Address | None, *, forwarded: bool) -> Client:
    if address is None or address.is_loopback:
        return Client(address, None, forwarded)
    if address.version == 4:
        return Client(address, str(address), forwarded)
    network = ip_network((address, 64), strict=False)  # what one customer is given
    return Client(address, str(network), forwarded)


def _address(text: str) -> Address | None:
    """The address that a hop names, with or without a port."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _among(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
