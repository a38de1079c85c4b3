from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

HISTORY = "/users/me/history"
PATIENCE = 0.15
"""Seconds of silence after which a test believes that nothing will come."""


def raw(api: Api) -> tuple[bytes, bool]:
    """The bytes of one answer, and whether the server ended the connection after them."""
    place = urlsplit(api.sandbox.url)
    lines = [f"GET {HISTORY} HTTP/1.1", f"host: {place.netloc}"]
    lines += [f"{k}: {v}" for k, v in api.client.headers.items() if k not in ("host", "connection")]
    got = b""
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=5) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        line.settimeout(PATIENCE)
        try:
            while part := line.recv(2**16):
                got += part
        except TimeoutError:
            return got, False
        except ConnectionResetError:
            return got, True
    return got, True


def length(got: bytes) -> tuple[int, int]:
    """The length of the body that was promised, and of what came."""
    head, _, body = got.partition(b"\r\n\r\n")
    promised = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return int(promised), len(body)


def test_silence(read: Api) -> None:
    """The request is read and nothing comes."""
    read.sandbox.set_faults("stall@1")
    assert raw(read) == (b"", False)
    assert read.get(HISTORY).status_code == 200


def test_silence_in_the_headers(read: Api) -> None:
    """The headers never end."""
    read.sandbox.set_faults("stop-in-headers@1")
    got, ended = raw(read)
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in got
    assert not ended


def test_silence_in_the_body(read: Api) -> None:
    """Half of the promised body, then nothing."""
    read.sandbox.set_faults("stop-in-body@1")
    got, ended = raw(read)
    promised, came = length(got)
    assert came == promised // 2
    assert not ended


def test_a_cut_body(read: Api) -> None:
    """Half of the promised body, then the end of the connection."""
    read.sandbox.set_faults("cut-body@1")
    got, ended = raw(read)
    promised, came = length(got)
    assert came <= promised // 2
    assert ended
    read.sandbox.set_faults("cut-body@1")
    with pytest.raises(httpx2.TransportError):
        read.get(HISTORY)


def test_a_reset(read: Api) -> None:
    """The connection ends without a byte."""
    read.sandbox.set_faults("reset@1")
    assert raw(read) == (b"", True)
    read.sandbox.set_faults("reset@1")
    with pytest.raises(httpx2.TransportError):
        read.get(HISTORY)
    assert read.get(HISTORY).status_code == 200


def test_dripping(read: Api) -> None:
    """The body comes byte by byte; with no pause between them it is whole in the end."""
    read.sandbox.set_faults("drip:0.0001/watching@1", "drip:0.0001/stats@1")
    assert read.get("/users/me/stats").json() == read.get("/users/me/stats").json()
    read.sandbox.set_faults("drip:5/stats@1")
    with read.client.stream("GET", "/users/me/stats") as response:
        assert next(response.iter_raw(1)) == b"{"


def test_a_late_answer(read: Api) -> None:
    """It comes, but not before its time."""
    read.sandbox.set_faults("late:60@1")
    assert raw(read) == (b"", False)
    read.sandbox.set_faults("late:0.01@1")
    assert read.get(HISTORY).status_code == 200


def test_a_byte_order_mark(read: Api) -> None:
    """The right body behind three bytes too many."""
    clean = read.get(HISTORY).content
    read.sandbox.set_faults("body-bom@1")
    assert read.get(HISTORY).content == b"\xef\xbb\xbf" + clean


def test_a_refresh_whose_answer_is_lost(api: Api) -> None:
    """The server has rotated the token when the connection ends."""
    api.sandbox.set_faults("refresh-lost-close@1")
    with pytest.raises(httpx2.TransportError):
        api.refresh(api.sandbox.refresh_token)
    assert api.refresh(api.sandbox.refresh_token).json()["error"] == "invalid_grant"


def test_a_refresh_that_never_ends(api: Api) -> None:
    """Silence after the rotation."""
    api.sandbox.set_faults("refresh-lost-stall@1")
    with pytest.raises(httpx2.ReadTimeout):
        api.auth.post(
            "/oauth/token",
            json={
                "client_id": api.sandbox.client_id,
                "client_secret": api.sandbox.client_secret,
                "grant_type": "refresh_token",
                "refresh_token": api.sandbox.refresh_token,
                "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
            },
            timeout=PATIENCE,
        )
    assert api.refresh(api.sandbox.refresh_token).status_code == 400


def test_latency(read: Api) -> None:
    """Every answer of the API waits, the control routes do not."""
    read.sandbox.set_latency(60)
    assert raw(read) == (b"", False)
    read.sandbox.set_latency(0)
    assert read.get(HISTORY).status_code == 200
