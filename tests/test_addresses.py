from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbook.addresses import AddressRule, refusal, system_resolver, unwrapped
from watchbook.errors import AddressRefused, OutcomeUnknown, RemoteError, SettingsError
from watchbook.http import HttpClient, Timeouts

REFUSED = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.9 192.0.0.170 192.0.2.1
    192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1 192.175.48.1 198.18.0.1 198.19.255.255
    198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1
    ::ffff:169.254.169.254 ::ffff:100.64.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254
    64:ff9b::10.0.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:0:7f00:1::
    2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 2620:4f:8000::1
    3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
    2606:4700::5efe:7f00:1 2606:4700::200:5efe:10.0.0.1 2606:4700::1111%lo
""".split()
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    172.15.255.255 172.32.0.0 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1
    2001:200::1 2003::1
""".split()
SPELLINGS = """
    127.1 127.0.1 2130706433 0177.0.0.1 017700000001 0x7f.1 0x7f000001 0x7F.0x0.0x0.0x1 0 0x0
    127.0.0.1 localhost LOCALHOST localhost. [::1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [0:0:0:0:0:0:0:1] [::127.0.0.1] [::] [64:ff9b::127.0.0.1] ①②⑦.0.0.1 127。0。0。1
""".split()


class Names:
    """A resolver that answers what it was told, one answer after the other, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A listening socket on loopback that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def port_of(listener: socket.socket) -> int:
    """The port that ``listener`` listens on."""
    port: int = listener.getsockname()[1]
    return port


def assert_untouched(listener: socket.socket) -> None:
    """Nobody has connected to ``listener``."""
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_every_class_that_is_not_public(text: str) -> None:
    """No address of a special-purpose registry, and no disguise of one, passes for public."""
    assert refusal(ip_address(text)) is not None
    with pytest.raises(AddressRefused):
        AddressRule(resolver=Names([text])).addresses("example.org", 443)


@pytest.mark.parametrize("text", PUBLIC)
def test_lets_public_addresses_pass(text: str) -> None:
    """Public addresses pass, also at the edges of refused networks and as NAT64 writes them."""
    assert refusal(ip_address(text)) is None
    assert AddressRule(resolver=Names([text])).addresses("example.org", 443) == [text]


@given(st.ip_addresses(v=4))
def test_disguises_are_judged_by_what_is_inside(inner: IPv4Address) -> None:
    """Mapped and NAT64 forms of any IPv4 address are judged exactly as that address."""
    for disguise in (f"::ffff:{inner}", f"64:ff9b::{inner}"):
        assert unwrapped(ip_address(disguise)) == inner
        assert refusal(ip_address(disguise)) == refusal(inner)


@given(st.ip_addresses())
def test_is_never_laxer_than_python(address: IPv4Address | IPv6Address) -> None:
    """What Python knows to be private, reserved or multicast never passes, disguises apart."""
    odd = address.is_private or address.is_reserved or address.is_multicast
    if unwrapped(address) == address and (odd or not address.is_global):
        assert refusal(address) is not None


def test_refuses_a_name_that_leads_to_public_and_private() -> None:
    """One private address among public ones is enough to refuse the name."""
    rule = AddressRule(resolver=Names(["8.8.8.8", "2606:4700::1111", "192.168.1.5"]))
    with pytest.raises(AddressRefused) as caught:
        rule.addresses("example.org", 443)
    assert "192.168.1.5" in caught.value.message
    assert caught.value.hint is not None
    assert "WATCHBOOK_ALLOW_HOSTS=example.org" in caught.value.hint


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_refuses_this_machine_in_every_spelling(spelling: str, trap: socket.socket) -> None:
    """However this machine is spelt in a URL, no connection is made to it."""
    with HttpClient(AddressRule()) as client, pytest.raises((AddressRefused, RemoteError)):
        client.request("GET", f"http://{spelling}:{port_of(trap)}/", timeout=Timeouts(total=0.2))
    assert_untouched(trap)


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0177.0.0.1", "0x7f.1"])
def test_numbers_reach_the_rule_as_addresses(spelling: str) -> None:
    """Decimal, octal, hexadecimal and short forms are refused as the address they stand for."""
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
        AddressRule().addresses(spelling, 80)


def test_a_refused_request_is_not_an_unknown_outcome(trap: socket.socket) -> None:
    """A refused POST says so plainly, since nothing can have been sent."""
    with HttpClient(AddressRule()) as client, pytest.raises(AddressRefused) as caught:
        client.request("POST", f"http://localhost:{port_of(trap)}/", json={})
    assert not isinstance(caught.value, OutcomeUnknown)
    assert_untouched(trap)


def test_a_name_that_rebinds_is_refused(trap: socket.socket) -> None:
    """A name is judged by the answer that the connection uses, not by an earlier one."""
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    rule = AddressRule(resolver=names)
    assert rule.addresses("rebind.example", port_of(trap)) == ["8.8.8.8"]
    with HttpClient(rule) as client, pytest.raises(AddressRefused):
        client.request("GET", f"http://rebind.example:{port_of(trap)}/")
    assert_untouched(trap)


def test_a_name_is_resolved_once_per_connection(trap: socket.socket) -> None:
    """Between the check and the connection there is no second look-up to lie to."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    rule = AddressRule([f"127.0.0.1:{port_of(trap)}"], resolver=names)
    with HttpClient(rule) as client, pytest.raises(RemoteError):
        client.request("GET", f"http://one.example:{port_of(trap)}/", timeout=Timeouts(read=0.01))
    assert names.asked == 1
    accepted, _ = trap.accept()
    accepted.close()


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "passes"),
    [
        ("blog.home.arpa", "blog.home.arpa", "192.168.1.5", 80, True),
        ("blog.home.arpa", "BLOG.home.arpa.", "192.168.1.5", 8080, True),
        ("Blog.Home.Arpa", "blog.home.arpa", "10.0.0.1", 80, True),
        ("blog.home.arpa", "evil.blog.home.arpa", "192.168.1.5", 80, False),
        ("blog.home.arpa", "other.example", "192.168.1.5", 80, False),
        ("blog.home.arpa:8080", "blog.home.arpa", "192.168.1.5", 8080, True),
        ("blog.home.arpa:8080", "blog.home.arpa", "192.168.1.5", 5432, False),
        ("bücher.example", "xn--bcher-kva.example", "192.168.1.5", 80, True),
        ("192.168.1.5", "anything.example", "192.168.1.5", 80, True),
        ("192.168.1.5", "anything.example", "192.168.1.6", 80, False),
        ("192.168.1.5", "anything.example", "::ffff:192.168.1.5", 80, True),
        ("192.168.1.5:80", "anything.example", "192.168.1.5", 80, True),
        ("192.168.1.5:80", "anything.example", "192.168.1.5", 81, False),
        ("192.168.1.0/24", "anything.example", "192.168.1.77", 80, True),
        ("192.168.1.77/24", "anything.example", "192.168.1.78", 80, True),
        ("192.168.1.0/24", "anything.example", "192.168.2.1", 80, False),
        ("::1", "::1", "::1", 80, True),
        ("[::1]:8420", "::1", "::1", 8420, True),
        ("[::1]:8420", "::1", "::1", 80, False),
        ("fe80::/10", "printer.local", "fe80::1%eth0", 80, True),
        ("fd00::/8", "nas.home.arpa", "fd12::1", 80, True),
    ],
)
def test_exempts_what_the_setting_names(
    entry: str, host: str, address: str, port: int, passes: bool
) -> None:
    """Hosts, host:port pairs, addresses and networks are exempt, and nothing besides them."""
    rule = AddressRule([entry], resolver=Names([address]))
    if passes:
        assert rule.addresses(host, port) == [address]
    else:
        with pytest.raises(AddressRefused):
            rule.addresses(host, port)


@pytest.mark.parametrize(
    "entry", ["", "http://blog", "blog:", "blog:http", "*", "a b", "10.0.0.0/33", "u@h", "[::1"]
)
def test_an_entry_that_means_nothing_is_an_error(entry: str) -> None:
    """A mistyped exemption stops the start, with a right example."""
    with pytest.raises(SettingsError) as caught:
        AddressRule([entry])
    assert caught.value.hint is not None


def test_the_hint_for_a_literal_address_names_it() -> None:
    """An address that is refused as typed is not said to lead to itself."""
    with pytest.raises(AddressRefused, match=r"^127\.0\.0\.1 is an address of this machine"):
        AddressRule().addresses("127.0.0.1", 80)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_what_is_no_host_name_is_refused(host: str) -> None:
    """Names that the system's resolver cannot even take are refused like bad addresses."""
    with pytest.raises(AddressRefused, match="not the name of a host"):
        AddressRule().addresses(host, 80)


def test_a_name_without_address_is_a_network_error() -> None:
    """That a name is unknown today may change, so it is no refusal."""
    with pytest.raises(OSError, match="no address"):
        AddressRule(resolver=Names([])).addresses("example.org", 80)


def test_the_system_resolver_gives_each_address_once() -> None:
    """Loopback's own name resolves without asking anybody, to addresses that can be read."""
    found = system_resolver("localhost", 80)
    assert found
    assert len(found) == len(set(found))
    assert all(ip_address(text).is_loopback for text in found)
