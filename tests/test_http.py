from __future__ import annotations

import datetime as dt
import email.utils
import gzip
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from watchbook.addresses import AddressRule
from watchbook.errors import (
    AddressRefused,
    InputError,
    OutcomeUnknown,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import Answer, Exchange, HttpClient, Timeouts, user_agent
from watchbook.transport import GuardedBackend, guarded_transport

SHORT = Timeouts(connect=0.15, read=0.15, total=0.15)
IMPATIENT = Timeouts(connect=5, read=5, total=0.15)


class Server:
    """A server on loopback that plays a script to each request and remembers what it was sent.

    A script gets the server and the connection; it returns False to hang up afterwards.
    """

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.received: list[bytes] = []
        self.stopped = threading.Event()
        self.hung_up = threading.Semaphore(0)
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), ExitStack() as stack:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                stack.enter_context(connection)
            while self._read_request(connection) and self.script(self, connection) is not False:
                pass
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.hung_up.release()

    def _read_request(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(httpx2.Headers(fields(head)).get("content-length", "0"))
        while len(body) < length:
            body += connection.recv(65536)
        self.received.append(head + b"\r\n\r\n" + body)
        return True

    def headers(self, number: int = -1) -> httpx2.Headers:
        return httpx2.Headers(fields(self.received[number].partition(b"\r\n\r\n")[0]))


Script = Callable[[Server, socket.socket], bool | None]
Serve = Callable[..., Server]


def fields(head: bytes) -> list[tuple[str, str]]:
    """The header fields of a request."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def response(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """A whole answer as bytes; underscores in names of headers stand for hyphens."""
    named = {"content-length": str(len(body))} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


def says(*pieces: bytes, then_hang_up: bool = False) -> Script:
    """Answer in pieces."""

    def script(_server: Server, connection: socket.socket) -> bool:
        for piece in pieces:
            connection.sendall(piece)
        return not then_hang_up

    return script


def says_and_stalls(head: bytes) -> Script:
    """Begin to answer and never go on."""

    def script(server: Server, connection: socket.socket) -> bool:
        connection.sendall(head)
        server.stopped.wait(20)
        return False

    return script


def drips(head: bytes, drop: bytes = b"x") -> Script:
    """Begin to answer and go on with a drop now and then."""

    def script(server: Server, connection: socket.socket) -> bool:
        connection.sendall(head)
        while not server.stopped.wait(0.01):
            connection.sendall(drop)
        return False

    return script


def floods(head: bytes, piece: bytes, times: int) -> Script:
    """Answer with one piece again and again."""

    def script(_server: Server, connection: socket.socket) -> bool:
        connection.sendall(head)
        for _ in range(times):
            connection.sendall(piece)
        return False

    return script


def by_path(answers: dict[str, bytes]) -> Script:
    """Answer each path in its own way."""

    def script(server: Server, connection: socket.socket) -> None:
        path = server.received[-1].split(b" ", 2)[1].decode()
        connection.sendall(answers[path])

    return script


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that are gone after the test."""
    servers: list[Server] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(script, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """A client that may reach loopback, as a setting would allow."""
    with HttpClient(AddressRule(["127.0.0.0/8"]), service="Trakt") as client:
        yield client


def answering(*responses: httpx2.Response) -> httpx2.MockTransport:
    """A transport that gives these answers, one after the other."""
    left = list(responses)
    return httpx2.MockTransport(lambda request: left.pop(0))


def mocked(*responses: httpx2.Response) -> HttpClient:
    """A client without a network."""
    return HttpClient(AddressRule(), service="Trakt", transport=answering(*responses))


# What is asked, and what comes back


def test_gives_the_whole_answer(serve: Serve, client: HttpClient) -> None:
    """Status, headers in any case, body and URL come back; a status is no error."""
    server = serve(says(response(b'{"a":1}', 404, Content_Type="application/json; charset=utf-8")))
    answer = client.request("GET", server.url + "/x?a=1", params={"b": [2, 3]})
    assert (answer.status, answer.json(), answer.is_json) == (404, {"a": 1}, True)
    assert answer.headers["CONTENT-TYPE"] == answer.headers["content-type"]
    assert answer.url == server.url + "/x?a=1&b=2&b=3"
    assert server.received[0].startswith(b"GET /x?a=1&b=2&b=3 HTTP/1.1\r\n")


def test_says_who_asks(serve: Serve, client: HttpClient) -> None:
    """The User-Agent names Watchbook with its version, and a URL where one is given."""
    server = serve(says(response()))
    client.request("GET", server.url)
    assert server.headers()["user-agent"] == user_agent()
    assert user_agent().startswith("Watchbook/")
    assert user_agent("https://w.example").endswith(" (+https://w.example)")


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"json": {"é": [1]}}, '{"é":[1]}'.encode(), "application/json"),
        ({"form": {"a": "b c"}}, b"a=b+c", "application/x-www-form-urlencoded"),
        ({"content": b"raw"}, b"raw", None),
    ],
)
def test_sends_bodies(
    serve: Serve, client: HttpClient, body: dict[str, object], sent: bytes, kind: str | None
) -> None:
    """JSON, forms and plain bytes arrive with their type."""
    server = serve(says(response(status=201)))
    assert client.request("POST", server.url, **body).status == 201  # type: ignore[arg-type]
    assert server.received[0].endswith(b"\r\n\r\n" + sent)
    assert server.headers().get("content-type") == kind


def test_unpacks_gzip(serve: Serve, client: HttpClient) -> None:
    """A packed body is asked for and comes out as it was before packing."""
    text = b"history " * 100_000
    packed = gzip.compress(text)
    server = serve(says(response(packed, Content_Encoding="gzip")))
    assert client.request("GET", server.url).body == text
    assert server.headers()["accept-encoding"] == "gzip"


def test_a_head_request_has_no_body(serve: Serve, client: HttpClient) -> None:
    """Headers that speak of a large packed body do not disturb an answer without one."""
    head = response(b"", content_length="123456789", content_encoding="gzip")
    server = serve(says(head))
    assert client.request("HEAD", server.url).body == b""


def test_keeps_no_cookies(serve: Serve, client: HttpClient) -> None:
    """A cookie set by one answer goes with no later request."""
    server = serve(says(response(set_cookie="session=bob; Path=/")))
    client.request("GET", server.url)
    client.request("GET", server.url)
    assert "cookie" not in server.headers()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_asks_no_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A proxy in the environment does not see the request."""
    proxy, server = serve(says(response())), serve(says(response()))
    monkeypatch.setenv(variable, proxy.url)
    with HttpClient(AddressRule(["127.0.0.1"])) as client:
        client.request("GET", server.url)
    assert (len(proxy.received), len(server.received)) == (0, 1)


def test_connects_again_when_the_server_hung_up(serve: Serve, client: HttpClient) -> None:
    """A connection that was closed while idle is not used for the next request."""
    server = serve(says(response(b"ok"), then_hang_up=True))
    for _ in range(3):
        assert client.request("GET", server.url).body == b"ok"
        server.hung_up.acquire()


def test_tries_the_next_address(serve: Serve) -> None:
    """When the first address of a name does not answer, the second is connected to."""
    server = serve(says(response(b"ok")))
    rule = AddressRule(["127.0.0.0/8"], resolver=lambda *_: ["127.0.0.9", "127.0.0.1"])
    with HttpClient(rule) as client:
        assert client.request("GET", f"http://two.example:{server.port}/").body == b"ok"
    assert server.headers()["host"] == f"two.example:{server.port}"


def test_serves_many_threads(serve: Serve, client: HttpClient) -> None:
    """Threads that share a client get their own answers, and every request is counted."""

    def script(server: Server, connection: socket.socket) -> None:
        connection.sendall(response(connection.getpeername()[1].to_bytes(4) * 1000))

    server = serve(script)
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: client.request("GET", server.url).body, range(80)))
    assert all(len(body) == 4000 and body == body[:4] * 1000 for body in bodies)
    assert client.requests == len(server.received) == 80


def test_counts_apart(serve: Serve, client: HttpClient) -> None:
    """Those who share connections each count their own requests."""
    server = serve(lambda _server, connection: connection.sendall(response(b"")))
    client.request("GET", server.url)
    apart = client.counting_apart()
    apart.request("GET", server.url)
    apart.request("GET", server.url)
    assert (client.requests, apart.requests, len(server.received)) == (1, 2, 3)


def test_tells_the_hook(serve: Serve) -> None:
    """The hook hears of every request, answered or not, without queries and secrets."""
    heard: list[Exchange] = []
    server = serve(says(response(status=503)))
    with HttpClient(AddressRule(["127.0.0.1"]), on_request=heard.append) as client:
        client.request("GET", server.url + "/a?token=abcdef")
        with pytest.raises(RemoteUnavailable):
            client.request("GET", "http://127.0.0.1:1/b")
    assert [(e.method, e.address, e.status) for e in heard] == [
        ("GET", server.url + "/a", 503),
        ("GET", "http://127.0.0.1:1/b", None),
    ]


# Failures


@pytest.fixture
def full_listener() -> Iterator[int]:
    """The port of a listener whose queue is full, so that connecting to it takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_was_sent_when_connecting_fails(
    client: HttpClient, full_listener: int, method: str
) -> None:
    """Refused connections, silent hosts and unknown names are worth another try for any method."""
    unknown = AddressRule(resolver=lambda *_: [])
    with HttpClient(unknown, service="Trakt") as lost:
        attempts: list[tuple[HttpClient, str]] = [
            (client, "http://127.0.0.1:1/p?secret=x"),
            (client, f"http://127.0.0.1:{full_listener}/p?secret=x"),
            (lost, "http://nowhere.example/p?secret=x"),
        ]
        for asking, url in attempts:
            with pytest.raises(RemoteUnavailable) as caught:
                asking.request(method, url, timeout=SHORT)
            assert not isinstance(caught.value, OutcomeUnknown)
            assert caught.value.address == url.partition("?")[0]
            assert caught.value.message.startswith("Trakt could not be reached")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
PACKED = gzip.compress(b"history " * 1000)
BREAKS: dict[str, tuple[Script, Timeouts, int | None]] = {
    "silence": (says_and_stalls(b""), SHORT, None),
    "stall in headers": (says_and_stalls(HEAD[:30]), SHORT, None),
    "stall in body": (says_and_stalls(HEAD + b"x"), SHORT, 200),
    "drip of headers": (drips(HEAD[:-2] + b"A: "), IMPATIENT, None),
    "drip of provisional answers": (drips(b"", b"HTTP/1.1 103 Hints\r\n\r\n"), IMPATIENT, None),
    "drip of body": (drips(HEAD), IMPATIENT, 200),
    "hang-up at once": (says(then_hang_up=True), Timeouts(), None),
    "cut status line": (says(b"HTTP/1.1 20", then_hang_up=True), Timeouts(), None),
    "cut headers": (says(HEAD[:30], then_hang_up=True), Timeouts(), None),
    "cut body": (says(HEAD, b"x" * 99, then_hang_up=True), Timeouts(), 200),
    "cut chunks": (
        says(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
            then_hang_up=True,
        ),
        Timeouts(),
        200,
    ),
    "cut gzip": (
        says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", PACKED[:-9], then_hang_up=True),
        Timeouts(),
        200,
    ),
    "gzip with a tail": (says(response(PACKED + b"x", Content_Encoding="gzip")), Timeouts(), 200),
    "damaged gzip": (
        says(response(PACKED[:30] + b"xxxx" + PACKED[34:], Content_Encoding="gzip")),
        Timeouts(),
        200,
    ),
    "no gzip at all": (says(response(b"history", Content_Encoding="gzip")), Timeouts(), 200),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n", then_hang_up=True), Timeouts(), None),
    "endless headers": (floods(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1000, 1000), Timeouts(), None),
    "two lengths": (says(HEAD[:-2] + b"Content-Length: 5\r\n\r\nabcde"), Timeouts(), None),
}


@pytest.mark.parametrize("fault", BREAKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_lost_answers(serve: Serve, client: HttpClient, fault: str, method: str) -> None:
    """However an answer is lost, a GET may be repeated and the outcome of a POST is unknown."""
    script, timeout, status = BREAKS[fault]
    server = serve(script)
    kind = RemoteUnavailable if method == "GET" else OutcomeUnknown
    with pytest.raises(RemoteError) as caught:
        client.request(method, server.url + "/p?code=hushhush", timeout=timeout)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.service == "Trakt"
    assert caught.value.address == server.url + "/p"
    assert "hushhush" not in caught.value.message


def test_a_slow_reader_meets_the_deadline(serve: Serve, client: HttpClient) -> None:
    """A server that does not read a large request cannot hold it for ever."""

    def script(server: Server, connection: socket.socket) -> bool:
        server.stopped.wait(20)
        return False

    server = serve(script)
    server._read_request = lambda connection: True  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        client.request("POST", server.url, content=bytes(32 * 1024 * 1024), timeout=IMPATIENT)


def block(level: int, size: int) -> bytes:
    """The beginning of a gzip body of zeros, which may be gone on with."""
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)


BOMB_START, BOMB_MORE = block(9, 0), block(9, 1024 * 1024)[10:]
OVERSIZED: dict[str, Script] = {
    "announced": floods(response(content_length=str(100 << 20)), bytes(1 << 20), 100),
    "unannounced": floods(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 20), 100),
    "gzip bomb": floods(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB_START, BOMB_MORE, 2000
    ),
    "gzip of nothing": floods(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB_START,
        b"\x00\x00\x00\xff\xff" * 20_000,
        1000,
    ),
}


@pytest.mark.parametrize("fault", OVERSIZED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refuses_oversized_bodies(
    serve: Serve, client: HttpClient, fault: str, method: str
) -> None:
    """A body beyond 16 MiB is refused, and takes no memory beyond that either."""
    server = serve(OVERSIZED[fault])
    kind = RemoteChanged if method == "GET" else OutcomeUnknown
    tracemalloc.start()
    try:
        with pytest.raises(kind, match="16,777,216 bytes"):
            client.request(method, server.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20


def test_max_bytes_is_the_callers(serve: Serve, client: HttpClient) -> None:
    """A body of exactly the allowed size passes, one byte more does not."""
    server = serve(says(response(b"x" * 1000)))
    assert len(client.request("GET", server.url, max_bytes=1000).body) == 1000
    with pytest.raises(RemoteChanged, match="999 bytes"):
        client.request("GET", server.url, max_bytes=999)


def test_refuses_a_coding_that_nobody_asked_for(serve: Serve, client: HttpClient) -> None:
    """A body packed in another way is refused instead of being taken for what it is not."""
    server = serve(says(response(b"abc", Content_Encoding="gzip, gzip")))
    with pytest.raises(RemoteChanged, match="gzip, gzip"):
        client.request("GET", server.url)


def test_a_fault_is_not_passed_on(serve: Serve, client: HttpClient) -> None:
    """After a broken answer the next request gets a connection of its own."""
    faulty, sound = response(b"x" * 2000), response(b"ok")
    server = serve(by_path({"/faulty": faulty, "/sound": sound}))
    with pytest.raises(RemoteChanged):
        client.request("GET", server.url + "/faulty", max_bytes=10)
    assert client.request("GET", server.url + "/sound").body == b"ok"


@pytest.mark.parametrize("value", ["Bearer hushhush\n", "Bearer hushhush\0", "Bearer hushhush é☃"])
def test_a_header_that_cannot_be_sent_stays_secret(
    serve: Serve, client: HttpClient, value: str
) -> None:
    """A token with a stray character is a bad input, and its error does not quote it."""
    server = serve(says(response()))
    with pytest.raises(InputError) as caught:
        client.request("POST", server.url, headers={"Authorization": value})
    assert "hushhush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert server.received == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://site.example/",
        "gopher://127.0.0.1:70/",
        "javascript:alert(1)",
        "unix:/run/docker.sock",
        "//site.example/",
        "/path",
        "",
        "http://",
        "http:///path",
        "http://bob:hushhush@site.example/",
        "http://[::1/",
        "http://site.example:99999/",
        "http://site.example\n/",
        "http://site.example/" + "x" * 2048,
    ],
)
def test_opens_http_addresses_only(url: str) -> None:
    """Other schemes, addresses without host and ones with credentials are not opened."""
    with mocked() as client, pytest.raises(AddressRefused) as caught:
        client.request("GET", url)
    assert "hushhush" not in caught.value.message


@given(st.text())
def test_any_text_for_a_url(text: str) -> None:
    """Whatever is given as a URL, only errors of our own tree leave."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200))
    for url in (text, "http://" + text, "https://site.example/" + text):
        with HttpClient(AddressRule(), transport=transport) as client, suppress(WatchbookError):
            client.request("GET", url)


# Redirects


def test_follows_redirects_when_asked(serve: Serve, client: HttpClient) -> None:
    """Up to five redirects are followed when asked for, and told in the answer."""
    steps = {f"/{n}": response(status=302, location=f"/{n + 1}") for n in range(5)}
    server = serve(by_path({**steps, "/5": response(b"here")}))
    plain = client.request("GET", server.url + "/0")
    assert (plain.status, plain.history) == (302, ())
    answer = client.request("GET", server.url + "/0", follow_redirects=True)
    assert (answer.body, answer.url) == (b"here", server.url + "/5")
    assert answer.history == tuple(f"{server.url}/{n}" for n in range(5))


@pytest.mark.parametrize(
    ("statuses", "settled"),
    [
        ((), "/0"),
        ((301,), "/1"),
        ((308, 301), "/2"),
        ((302,), "/0"),
        ((301, 302), "/1"),
        ((301, 307, 301), "/1"),
        ((303, 301), "/0"),
    ],
)
def test_tells_permanent_redirects_apart(
    serve: Serve, client: HttpClient, statuses: tuple[int, ...], settled: str
) -> None:
    """What counts from now on is the address before the first redirect that may change again."""
    steps = {
        f"/{n}": response(status=status, location=f"/{n + 1}") for n, status in enumerate(statuses)
    }
    server = serve(by_path({**steps, f"/{len(statuses)}": response()}))
    answer = client.request("GET", server.url + "/0", follow_redirects=True)
    assert answer.settled == server.url + settled
    assert answer.url == f"{server.url}/{len(statuses)}"


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("", None), ("soon", None), ("-1", None), ("²", None)]
)
def test_reads_when_to_come_back(text: str, seconds: float | None) -> None:
    """A number of seconds counts; what is neither that nor a date is none."""
    assert Answer(429, {"retry-after": text}, b"", "https://a.example/").retry_after == seconds


def test_a_date_to_come_back_is_a_wait_from_now() -> None:
    """A date in the past asks for no wait at all, one in the future for what is left."""
    tomorrow = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    for text, least, most in (
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0, 0),
        (tomorrow, 80_000, 86_401),
    ):
        answer = Answer(429, {"retry-after": text}, b"", "https://a.example/")
        assert answer.retry_after is not None
        assert least <= answer.retry_after <= most


def test_gives_up_on_endless_redirects(serve: Serve, client: HttpClient) -> None:
    """A sixth redirect is not followed."""
    server = serve(says(response(status=302, location="/again")))
    with pytest.raises(RemoteRejected, match="redirects without end"):
        client.request("GET", server.url, follow_redirects=True)
    assert len(server.received) == client.requests == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_never_follows_a_redirected_post(serve: Serve, client: HttpClient, status: int) -> None:
    """The redirect of a POST is handed to the caller, whatever its status."""
    server = serve(says(response(status=status, location="/elsewhere")))
    answer = client.request("POST", server.url, json={}, follow_redirects=True)
    assert (answer.status, len(server.received)) == (status, 1)


def test_credentials_stay_at_home(serve: Serve, client: HttpClient) -> None:
    """Within one scheme, host and port headers go along; elsewhere only the plainest do."""
    secrets = {
        "Authorization": "Bearer hushhush",
        "trakt-api-key": "hushhush",
        "Cookie": "a=hushhush",
        "X-Anything": "hushhush",
    }
    abroad = serve(says(response(b"abroad")))
    home = serve(
        by_path(
            {
                "/start": response(status=302, location="/next"),
                "/next": response(status=302, location=f"http://127.0.0.1:{abroad.port}/"),
            }
        )
    )
    headers = {**secrets, "Accept": "text/html"}
    client.request("GET", home.url + "/start", headers=headers, follow_redirects=True)
    assert home.headers(1)["authorization"] == "Bearer hushhush"
    assert home.headers(1)["trakt-api-key"] == "hushhush"
    assert b"hushhush" not in abroad.received[0]
    assert abroad.headers()["accept"] == "text/html"
    assert abroad.headers()["host"] == f"127.0.0.1:{abroad.port}"


@pytest.mark.parametrize(
    ("start", "location", "same"),
    [
        ("https://a.example/", "https://A.example:443/x", True),
        ("https://a.example/", "http://a.example/x", False),
        ("http://a.example/", "https://a.example/x", False),
        ("https://a.example/", "https://a.example:444/x", False),
        ("https://a.example/", "https://b.a.example/x", False),
        ("https://a.example/", "//b.example/x", False),
        ("https://a.example/", "https://a.example.b.example/x", False),
    ],
)
def test_what_counts_as_the_same_place(start: str, location: str, *, same: bool) -> None:
    """Scheme, host and port decide together whether a token may go along."""
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        first = len(seen) == 1
        return (
            httpx2.Response(302, headers={"Location": location}) if first else httpx2.Response(200)
        )

    with HttpClient(AddressRule(), transport=httpx2.MockTransport(handle)) as client:
        client.request("GET", start, headers={"Authorization": "Bearer x"}, follow_redirects=True)
    assert ("authorization" in seen[1].headers) is same


def test_a_redirect_to_a_private_address_is_refused(serve: Serve) -> None:
    """Each stop of a redirect is checked as new, and the private one is never connected to."""
    inside = serve(says(response(b"secret")))
    outside = serve(says(response(status=302, location=inside.url)))
    rule = AddressRule([f"127.0.0.1:{outside.port}"])
    with HttpClient(rule) as client, pytest.raises(AddressRefused):
        client.request("GET", outside.url, follow_redirects=True)
    assert (len(outside.received), len(inside.received)) == (1, 0)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://a.example/", "http://u:p@a.example/", "http://[::1/"]
)
def test_a_redirect_out_of_http_is_refused(location: str) -> None:
    """A redirect leads to plain http and https addresses or nowhere."""
    redirect = httpx2.Response(302, headers={"Location": location})
    with mocked(redirect) as client, pytest.raises(AddressRefused):
        client.request("GET", "https://a.example/", follow_redirects=True)


@given(st.text(st.characters(max_codepoint=255)))
def test_any_text_for_a_location(location: str) -> None:
    """Whatever a Location says, only errors of our own tree leave."""
    headers = [(b"Location", location.encode("latin-1"))]
    transport = httpx2.MockTransport(lambda request: httpx2.Response(302, headers=headers))
    with HttpClient(AddressRule(), transport=transport) as client, suppress(WatchbookError):
        client.request("GET", "https://a.example/", follow_redirects=True)


# TLS and the seam


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for site.example, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.example")])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    names = [x509.DNSName("site.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    path = tmp_path / "site.pem"
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption())
    )
    return path


def test_tls_names_the_host_and_not_its_address(
    serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though an address is connected to, TLS asks for the name and checks the certificate."""
    asked_for: list[str | None] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    tls.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    server = serve(says(response(b"ok")), tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    rule = AddressRule(["127.0.0.1"], resolver=lambda *_: ["127.0.0.1"])
    with HttpClient(rule) as client:
        assert client.request("GET", f"https://site.example:{server.port}/").body == b"ok"
        with pytest.raises(RemoteUnavailable, match="certificate"):
            client.request("GET", f"https://other.example:{server.port}/")
    assert asked_for == ["site.example", "other.example"]


def test_a_certificate_of_nobody_is_refused(serve: Serve, certificate: Path) -> None:
    """A server whose certificate nobody vouches for gets no request."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(says(response(b"ok")), tls)
    rule = AddressRule(["127.0.0.1"], resolver=lambda *_: ["127.0.0.1"])
    with HttpClient(rule) as client, pytest.raises(RemoteUnavailable, match="certificate"):
        client.request("POST", f"https://site.example:{server.port}/", json={})
    assert server.received == []


def test_the_guard_sits_where_httpx2_opens_sockets() -> None:
    """The private attribute that carries the guard is still the one that the pool uses."""
    transport = guarded_transport(AddressRule())
    assert isinstance(transport._pool._network_backend, GuardedBackend)
    with pytest.raises(AddressRefused), transport:
        transport.handle_request(httpx2.Request("GET", "http://127.0.0.1:1/"))


def test_without_its_place_the_guard_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the attribute gone, no unguarded client would come to be."""

    class Renamed(httpx2.HTTPTransport):
        def __init__(self, **options: object) -> None:
            super().__init__()
            del self._pool._network_backend

    monkeypatch.setattr("watchbook.transport.httpx2.HTTPTransport", Renamed)
    with pytest.raises(TypeError, match="somewhere else"):
        guarded_transport(AddressRule())


def test_importing_the_module_does_not_import_httpx2() -> None:
    """Commands that need no network do not pay for it."""
    code = "import sys, watchbook.http; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Answers


def answer(body: bytes = b"", kind: str = "application/json") -> Answer:
    """An answer of a made-up Trakt."""
    headers = httpx2.Headers({"Content-Type": kind})
    return Answer(200, headers, body, "https://api.trakt.tv/x", service="Trakt")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"id":9223372036854775807}', {"id": 9223372036854775807}),
        (b"\xef\xbb\xbf[1]", [1]),
        (b"null", None),
        (b"[" * 100 + b"]" * 100, None),
    ],
)
def test_reads_json(body: bytes, value: object) -> None:
    """JSON is read to the last digit, with or without a byte order mark, however it is labelled."""
    read = answer(body, "text/plain").json()
    assert read == value or body.startswith(b"[[")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"NaN",
        b"[Infinity]",
        b"{}{}",
        b'{"a":1',
        b'"\xff"',
        b'"\\ud800"',
        b"'a'",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe[\x001\x00]\x00",
        b"9" * 5000,
    ],
)
def test_refuses_what_is_no_json(body: bytes) -> None:
    """Anything else is an answer of another shape, and its error does not repeat the body."""
    with pytest.raises(RemoteChanged) as caught:
        answer(body).json()
    assert caught.value.message.startswith("Trakt answered with something that is not JSON")
    assert len(caught.value.message) < 150


@given(st.binary())
def test_any_bytes_as_json_and_text(body: bytes) -> None:
    """Whatever a body holds, it can be looked at without surprises."""
    assert isinstance(answer(body).text, str)
    with suppress(RemoteChanged):
        answer(body).json()


@pytest.mark.parametrize(
    ("kind", "is_json", "is_html"),
    [
        ("application/json", True, False),
        ("Application/JSON; charset=utf-8", True, False),
        ("application/feed+json", True, False),
        ("text/html;charset=utf-8", False, True),
        ("application/xhtml+xml", False, True),
        ("text/plain", False, False),
        ("", False, False),
    ],
)
def test_reads_the_content_type(kind: str, *, is_json: bool, is_html: bool) -> None:
    """What a server says its body is, parameters and case apart."""
    assert (answer(kind=kind).is_json, answer(kind=kind).is_html) == (is_json, is_html)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"\xe9", "text/html; charset=ISO-8859-1", "é"),
        ("é".encode(), "text/html", "é"),
        (b"\xe9", "text/html", "\ufffd"),
        (b"abc", "text/html; charset=no-such-thing", "abc"),
        (b"abc", "text/html; charset=zip", "abc"),
        (b"abc", 'text/html; charset="utf-8', "abc"),
    ],
)
def test_reads_text_in_its_character_set(body: bytes, kind: str, text: str) -> None:
    """A named character set counts, and an impossible one does no harm."""
    assert answer(body, kind).text == text


def test_the_host_names_a_service_without_name() -> None:
    """Errors of a client for strangers' sites speak of the site's host."""
    with HttpClient(AddressRule(), transport=answering(httpx2.Response(200))) as client:
        given_back = client.request("GET", "https://site.example/?a=hushhush")
    assert (given_back.service, given_back.address) == ("site.example", "https://site.example/")
