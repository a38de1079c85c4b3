"""Which addresses may be connected to.

Half of the URLs that Watchbook opens were written by strangers, so a name is resolved once,
every address it leads to is judged, and the connection goes to one of exactly these. Asking
:attr:`ipaddress.IPv4Address.is_global` is not enough: it lets through multicast, 6to4, NAT64
and IPv4-compatible forms of 127.0.0.1, ``fec0::/10`` and others. The tables follow IANA's
special-purpose registries (RFC 6890); of IPv6, only the part that is given out as global
unicast counts as public.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from watchbook.errors import AddressRefused, SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], list[str]]

_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an address of this machine"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a private address behind a provider's NAT"),
        ("127.0.0.0/8", "an address of this machine"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address reserved for protocols"),
        ("192.0.2.0/24", "an address for examples"),
        ("192.31.196.0/24", "an address reserved for protocols"),
        ("192.52.193.0/24", "an address reserved for protocols"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("192.175.48.0/24", "an address reserved for protocols"),
        ("198.18.0.0/15", "an address for benchmarks"),
        ("198.51.100.0/24", "an address for examples"),
        ("203.0.113.0/24", "an address for examples"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an address of this machine"),
        ("::1/128", "an address of this machine"),
        ("::/96", "an IPv4 address in a form given up long ago"),
        ("64:ff9b:1::/48", "a private translation of an IPv4 address"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "an address reserved for protocols"),
        ("2001:db8::/32", "an address for examples"),
        ("2002::/16", "a 6to4 tunnel"),
        ("2620:4f:8000::/48", "an address reserved for protocols"),
        ("3fff::/20", "an address for examples"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
# RFC 5214: an interface identifier 0000:5efe or 0200:5efe, then an IPv4 address.
_ISATAP_MASK, _ISATAP = 0xFDFF_FFFF << 32, 0x0000_5EFE << 32


def system_resolver(host: str, port: int) -> list[str]:
    """Every address the system knows for ``host``, in its order of preference.

    Raises OSError when there is none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_numeric(sockaddr) for *_, sockaddr in found))


def _numeric(sockaddr: tuple[object, ...]) -> str:
    address, scope = str(sockaddr[0]), sockaddr[3] if len(sockaddr) > 3 else 0
    return f"{address}%{scope}" if scope and "%" not in address else address


def unwrapped(address: Address) -> Address:
    """The address that packets reach in the end.

    IPv4-mapped addresses and those of the well-known NAT64 prefix (RFC 6052) stand for an IPv4
    address, and honest names lead to them; every other translation or tunnel is refused whole.
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def refusal(address: Address) -> str | None:
    """Say what kind of address this is when it is not a public one, else None."""
    inner = unwrapped(address)
    for network, kind in _REFUSED:
        if inner in network:
            return kind
    if isinstance(inner, IPv4Address):
        return None
    if inner.scope_id is not None or inner not in _GLOBAL_UNICAST:
        return "a reserved address"
    return "an ISATAP tunnel" if int(inner) & _ISATAP_MASK == _ISATAP else None


@dataclass(frozen=True)
class _Exemption:
    """One allowed host or network; without ``port`` it counts for all of them."""

    host: str | None
    network: Network | None
    port: int | None

    def covers(self, host: str, address: Address, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return self.host == host
        return address in self.network or unwrapped(address) in self.network


class AddressRule:
    """Only public addresses are connected to, apart from those that a setting names.

    ``allowed`` holds host names, addresses and networks, the first two with or without a port
    (``blog.home.arpa``, ``localhost:8420``, ``[::1]:8420``, ``192.168.1.0/24``); ``resolver``
    turns a name into addresses. Raises SettingsError for an entry that is none of these.
    """

    def __init__(self, allowed: Iterable[str] = (), *, resolver: Resolver | None = None) -> None:
        self._exemptions = tuple(_read_exemption(entry) for entry in allowed)
        self._resolve = resolver or system_resolver

    def addresses(self, host: str, port: int) -> list[str]:
        """Resolve ``host`` once and give the addresses that may be connected to.

        Raises AddressRefused when even one of them is not allowed, since a name that leads
        both to the public and to a private place means no good; OSError when there is none.
        """
        try:
            found = self._resolve(host, port)
        except ValueError:  # from the IDNA codec, or a NUL character
            raise AddressRefused(f"{host!r} is not the name of a host.") from None
        if not found:
            raise OSError(f"no address is known for {host}")
        for text in found:
            self._check(host, ip_address(text), port)
        return found

    def _check(self, host: str, address: Address, port: int) -> None:
        kind = refusal(address)
        name = _host_name(host)
        if kind is None or any(e.covers(name, address, port) for e in self._exemptions):
            return
        # A literal is one thing, not a name that leads to another.
        leads = "is" if name == str(address) else f"leads to {address},"
        raise AddressRefused(
            f"{host} {leads} {kind}, and only public addresses are connected to.",
            hint=f"If it is meant to be reached, set WATCHBOOK_ALLOW_HOSTS={name}.",
        )


def _host_name(host: str) -> str:
    name = _unbracketed(host).rstrip(".").lower()
    return name if name.isascii() else name.encode("idna").decode()


def _read_exemption(entry: str) -> _Exemption:
    network = _network(entry)
    if network is not None:
        return _Exemption(None, network, None)
    parts = _HOST_AND_PORT.fullmatch(entry)
    if parts is None:
        raise SettingsError(
            f"WATCHBOOK_ALLOW_HOSTS: {entry!r} is neither a host, an address nor a network.",
            hint="A right example: WATCHBOOK_ALLOW_HOSTS=blog.home.arpa,192.168.1.0/24",
        )
    port = int(parts["port"]) if parts["port"] else None
    return _Exemption(_host_name(parts["host"]), _network(parts["host"]), port)


def _unbracketed(text: str) -> str:
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _network(text: str) -> Network | None:
    try:
        return ip_network(_unbracketed(text), strict=False)
    except ValueError:
        return None
