from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.site.conftest import FILM
from watchbook.sandbox.site.cleaning import cleaned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.site.conftest import Visitor

EPISODE = {
    "type": ["h-cite"],
    "properties": {
        "name": ["Pilot"],
        "url": ["https://trakt.tv/shows/a/seasons/3/episodes/14"],
        "season": ["3"],
        "episode": ["14"],
        "photo": [{"value": "https://images.example/a.jpg", "alt": "A poster"}],
        "episode-of": [
            {
                "type": ["h-cite"],
                "properties": {"name": ["The Show"], "url": ["https://trakt.tv/shows/a"]},
            }
        ],
    },
}
REFERENCE = {
    "type": ["h-cite"],
    "properties": {
        "name": ["Pilot"],
        "season": [3],
        "episode": [14],
        "trakt-watch-id": [42],
        "trakt-ids": {"trakt": 5, "slug": "a"},
        "episode-of": [{"type": ["h-cite"], "properties": {"name": ["The Show"]}}],
    },
}


def classes(text: str) -> set[str]:
    """All names of classes on a page."""
    return {name for found in re.findall(r'class="([^"]*)"', text) for name in found.split()}


def test_an_empty_site(visitor: Visitor) -> None:
    """A feed, its owner's card, and links to the endpoints in headers and head alike."""
    page = visitor.get("/")
    assert {"h-feed", "h-card", "p-name", "u-url", "u-uid"} <= classes(page.text)
    assert "h-entry" not in page.text
    for rel in ("indieauth-metadata", "authorization_endpoint", "token_endpoint", "micropub"):
        assert f'<link rel="{rel}" href="{visitor.site.url}/' in page.text
        assert any(f'rel="{rel}"' in told for told in page.headers.get_list("link"))


def test_a_film(visitor: Visitor) -> None:
    """On the front page and on a page of its own, with everything that readers look for."""
    url = visitor.created()
    for page in (visitor.get("/"), visitor.http.get(url)):
        wanted = {"h-entry", "u-watch-of", "h-cite", "dt-published", "p-category", "e-content"}
        assert wanted <= classes(page.text)
        assert 'datetime="2026-11-19T21:30:00+01:00"' in page.text
        assert "19 November 2026, 21:30" in page.text
        assert '<data class="p-trakt-watch-id" value="7"></data>' in page.text
        assert f'href="{url}"' in page.text
        assert page.text.count("Watched Heat (1995)</") == 1 + (url in str(page.url))


def test_an_episode(visitor: Visitor) -> None:
    """With numbers, show and poster."""
    text = visitor.http.get(visitor.created(watch_of=[EPISODE])).text
    assert 'Season <span class="p-season">3</span>' in text
    assert '<a class="p-name u-url" href="https://trakt.tv/shows/a">The Show</a>' in text
    assert '<img class="u-photo" src="https://images.example/a.jpg" alt="A poster">' in text


@pytest.mark.parametrize(
    "watch_of",
    [
        [REFERENCE],
        ["https://trakt.tv/movies/a"],
        ["no address"],
        [REFERENCE, EPISODE],
        [{"type": ["h-cite"]}],
        [
            {
                "type": ["h-cite"],
                "properties": {"name": "Bare", "episode-of": ["https://a.example/"]},
            }
        ],
        [7],
    ],
)
def test_whatever_was_watched(visitor: Visitor, watch_of: list[Any]) -> None:
    """Other forms of citation, and things that are none, still make a page."""
    page = visitor.http.get(visitor.created(watch_of=watch_of))
    assert page.status_code == 200
    assert "h-entry" in page.text


def test_a_citation_without_an_address(visitor: Visitor) -> None:
    """It is known by its name."""
    assert "p-watch-of" in classes(visitor.http.get(visitor.created(watch_of=[REFERENCE])).text)


NASTY = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_everything_is_escaped(visitor: Visitor) -> None:
    """No property becomes markup, and no address becomes a script."""
    cite = {
        "type": ["h-cite"],
        "properties": {
            name: [NASTY]
            for name in ("name", "season", "episode", "publication", "trakt-watch-id", "published")
        }
        | {"url": ["javascript:alert(1)"], "photo": ["javascript:alert(1)"]},
    }
    texts = {name: [NASTY] for name in ("name", "summary", "content", "category")}
    url = visitor.created(
        **texts, watch_of=[cite, NASTY], photo=[{"value": f"https://a/{NASTY}", "alt": NASTY}]
    )
    for page in (visitor.get("/"), visitor.http.get(url)):
        assert "<script" not in page.text
        assert "javascript:" not in page.text
        assert "<img src=x" not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>One <em>two</em></p>", "<p>One <em>two</em></p>"),
        ('<a href="https://a.example/?b=1&amp;c" onclick="x()">a</a>',
         '<a href="https://a.example/?b=1&amp;c">a</a>'),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ("a<script>x()</script>b<style>c</style>", "ab"),
        ("<p>open <b>ends", "<p>open <b>ends</b></p>"),
        ("</p>stray", "stray"),
        ("<div onclick=x()>text</div>", "text"),
        ("1 &lt; 2 & 3", "1 &lt; 2 &amp; 3"),
        ("<br>", "<br>"),
    ],
)  # fmt: skip
def test_markup_of_prose_stays(html: str, shown: str) -> None:
    """Other elements leave their text, scripts nothing."""
    assert cleaned(html) == shown


def test_content_as_markup(visitor: Visitor) -> None:
    """It is shown as far as it is prose."""
    content = [{"html": "<p>Seen <em>twice</em><script>x()</script></p>"}]
    text = visitor.http.get(visitor.created(content=content)).text
    assert "<p>Seen <em>twice</em></p>" in text


def test_what_is_not_public(visitor: Visitor) -> None:
    """Drafts and private posts have no page; unlisted ones have, and are not in the feed."""
    draft = visitor.created(mp_slug=["a"], post_status=["draft"])
    private = visitor.created(mp_slug=["b"], visibility=["private"])
    unlisted = visitor.created(mp_slug=["c"], visibility=["unlisted"])
    found = [visitor.http.get(url).status_code for url in (draft, private, unlisted)]
    assert found == [404, 404, 200]
    assert "h-entry" not in visitor.get("/").text


def test_a_long_feed(visitor: Visitor) -> None:
    """Fifty posts to a page, and links between the pages."""
    for number in range(51):
        visitor.created(mp_slug=[f"trakt-{number}"])
    first, second = visitor.get("/"), visitor.get("/", page="2")
    assert first.text.count('class="h-entry"') == 50
    assert second.text.count('class="h-entry"') == 1
    assert 'rel="next" href="?page=2"' in first.text
    assert 'rel="prev" href="?page=1"' in second.text


def test_a_site_of_several_people(start: Callable[..., Visitor]) -> None:
    """The front page names them; each has a feed of their own."""
    visitor = start(people=2)
    alice, bob = visitor.site.people
    visitor.create(bob.token)
    front = visitor.get("/")
    assert "Alice Example" in front.text
    assert 'href="/bob"' in front.text
    assert "h-entry" not in visitor.http.get(alice.me).text
    assert "h-entry" in visitor.http.get(bob.me).text
    assert visitor.get("/nobody").status_code == 404


def test_pages_are_only_looked_at(visitor: Visitor) -> None:
    """Nothing can be posted to them; the style sheet is one more page."""
    assert visitor.http.post("/", data={"a": "b"}).status_code == 405
    assert visitor.http.head("/").status_code == 200
    assert visitor.get("/style.css").headers["content-type"].startswith("text/css")
    assert FILM["content"][0] not in visitor.get("/").text
