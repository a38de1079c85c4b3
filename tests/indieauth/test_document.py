from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from watchbook.errors import SettingsError
from watchbook.indieauth.document import CONTENT_TYPE, client_at, client_document


def test_the_document_says_who_asks() -> None:
    """Its id is its own address, its site a beginning of that, its redirect on the same server."""
    client = client_at("https://w.example.org/watch")
    found = json.loads(client_document(client, scope="create media"))
    assert found["client_id"] == client.client_id == "https://w.example.org/watch/client.json"
    assert client.client_id.startswith(found["client_uri"])
    assert found["redirect_uris"] == ["https://w.example.org/watch/login/callback"]
    assert found["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in found
    assert found["scope"] == "create media"
    assert "scope" not in json.loads(client_document(client))


def test_its_type_has_no_charset() -> None:
    """Some servers compare the whole header."""
    assert CONTENT_TYPE == "application/json"


def test_a_reader_of_html_finds_the_title() -> None:
    """An old plugin of WordPress reads the document as HTML and never ends without a title."""

    class Titles(HTMLParser):
        found: list[str]

        def handle_data(self, data: str) -> None:
            if self.lasttag == "title":
                self.found.append(data)

    reader = Titles()
    reader.found = []
    reader.feed(client_document(client_at("https://w.example.org")).decode())
    assert reader.found[0] == "Watchbook"


@pytest.mark.parametrize(
    "base",
    [
        "https://w.example",
        "http://localhost:8420",
        "http://127.0.0.1:8420",
        "http://[::1]:8420",
        "https://w.example:8443",
        "http://w.example:8420/sub",
    ],
)
def test_addresses_that_sites_accept(base: str) -> None:
    """Names, with or without a port, and this machine."""
    assert client_at(base).client_id == f"{base}/client.json"


@pytest.mark.parametrize(
    "base", ["http://192.168.1.5:8420", "https://[2001:db8::1]", "http://10.1"]
)
def test_addresses_that_no_site_accepts(base: str) -> None:
    """A number other than this machine's cannot be a client's address."""
    with pytest.raises(SettingsError, match="WATCHBOOK_BASE_URL") as caught:
        client_at(base)
    assert caught.value.hint is not None
