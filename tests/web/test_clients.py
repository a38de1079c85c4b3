"""Who asks: an address is believed only where it comes from a proxy that is trusted."""

from __future__ import annotations

import tracemalloc
from ipaddress import ip_network

import pytest

from watchbook.web.clients import Client, Clients

PROXY = "10.0.0.1"
TRUSTED = (ip_network("10.0.0.0/24"), ip_network("fd00::/64"))
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


def client(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = ()) -> Client:
    """Who asks, when ``peer`` says that it asks for ``forwarded``."""
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    networks = tuple(map(ip_network, trusted)) or TRUSTED
    return Clients(networks).of({"client": (peer, 1) if peer else None, "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        (PROXY, ["203.0.113.9"], "203.0.113.9"),
        (PROXY, ["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
        (PROXY, ["1.2.3.4, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (PROXY, ["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        (PROXY, ["203.0.113.9:4711"], "203.0.113.9"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (PROXY, ["2001:db8::1"], "2001:db8::1"),
        (PROXY, ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("fd00::1", ["203.0.113.9"], "203.0.113.9"),
        (PROXY, [], PROXY),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, ["203.0.113.9, nonsense, 10.0.0.3"], "10.0.0.3"),
        (PROXY, ["unknown"], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["10.0.0.7"], "10.0.0.7"),
    ],
)
def test_the_last_hop_that_is_none_of_ours(peer: str, forwarded: list[str], address: str) -> None:
    """Whatever stands before it may be invented by the client."""
    assert str(client(peer, *forwarded).address) == address


def test_a_long_list_of_hops_is_read_from_its_end() -> None:
    """However much somebody invents, it costs little."""
    invented = ", ".join(["10.0.0.9"] * 5000)
    assert str(client(PROXY, f"1.2.3.4, {invented}").address) == "10.0.0.9"


def test_what_is_remembered_of_a_hop_is_short() -> None:
    """Nobody fills the memory with headers: of each client little is kept, whatever it says."""
    clients = Clients(TRUSTED)
    tracemalloc.start()
    try:
        for number in range(500):
            hop = b"%d" % number + b"x" * 50_000
            headers = [(b"x-forwarded-for", hop + b", 203.0.113.9")]
            assert clients.of({"client": (PROXY, 1), "headers": headers}).counted_as
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("203.0.113.9", "203.0.113.10", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
    ],
)
def test_who_is_counted_as_one(one: str, other: str, *, same: bool) -> None:
    """An IPv6 customer has a whole /64, and is one client in all of it."""
    counted = client(one).counted_as
    assert counted is not None
    assert (counted == client(other).counted_as) is same


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", None])
def test_this_machine_is_not_counted(peer: str | None) -> None:
    """Nor is who comes through a proxy of this machine that is not named; a log line says so."""
    assert client(peer).counted_as is None
    assert client(peer, "203.0.113.9").counted_as is None


def test_a_trusted_proxy_of_this_machine_has_visitors_that_are_counted() -> None:
    """Each as itself."""
    found = client("127.0.0.1", "203.0.113.9", trusted=("127.0.0.1",))
    assert found.counted_as == "203.0.113.9"


def test_who_asks_for_others_does_not_ask_by_itself() -> None:
    """A proxy of this machine opens to strangers nothing that is for this machine only."""
    assert client("127.0.0.1").is_of(LOOPBACK)
    assert not client("127.0.0.1", "203.0.113.9").is_of(LOOPBACK)
    assert not client("127.0.0.1", "127.0.0.1").is_of(LOOPBACK)
    assert not client(None).is_of(LOOPBACK)
    assert not client("127.0.0.1", "203.0.113.9", trusted=("127.0.0.1",)).is_of(LOOPBACK)


def test_a_proxy_that_is_not_trusted_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the setting that would help."""
    clients = Clients()
    for last in (8, 9):
        headers = [(b"x-forwarded-for", b"203.0.113.%d" % last)]
        clients.of({"client": ("192.168.1.2", 1), "headers": headers})
    told = capsys.readouterr().err
    assert told.count("not trusted") == 1
    assert "WATCHBOOK_TRUSTED_PROXIES=192.168.1.2" in told
