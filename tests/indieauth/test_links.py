from __future__ import annotations

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.http import Answer
from watchbook.indieauth.links import Link, first_link, header_links, page_links

URL = "https://a.example/blog/"


def page(html: str = "", *links: str, kind: str = "text/html; charset=utf-8") -> Answer:
    """A page with these ``Link`` headers."""
    headers = [("Content-Type", kind), *(("Link", link) for link in links)]
    return Answer(200, httpx2.Headers(headers), html.encode(), URL)


def links(*found: tuple[str, str]) -> list[Link]:
    """Links by target and rels."""
    return [Link(target, frozenset(rels.split())) for target, rels in found]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("<https://b.example/m>; rel=micropub", [("https://b.example/m", "micropub")]),
        ('</m>;rel="micropub"', [("/m", "micropub")]),
        ('</m> ; REL = "Micropub  me"', [("/m", "micropub me")]),
        ('</a>; rel="x", </b>; rel="y"', [("/a", "x"), ("/b", "y")]),
        ('</a>; title="one, <two>; rel=z"; rel="x", </b>; rel=y', [("/a", "x"), ("/b", "y")]),
        (r'</a>; title="say \"rel=z\", ok"; rel=x', [("/a", "x")]),
        ("<>; rel=micropub", [("", "micropub")]),
        ("</a,b;c>; rel=x", [("/a,b;c", "x")]),
        ("</a>; rel=x; rel=y", [("/a", "x")]),
        ("</a>", [("/a", "")]),
        ("</a>;", [("/a", "")]),
        ("</a>; rel", [("/a", "")]),
        ("</a>; rel=", [("/a", "")]),
        ("</a>; crossorigin; rel=x", [("/a", "x")]),
        ("</a>; rel=x; anchor='/other'", []),
        ('</a>; rel=x; anchor="https://b.example/"', []),
        ("</a> rubbish, </b>; rel=y", [("/a", ""), ("/b", "y")]),
        ("rubbish, </b>; rel=y", [("/b", "y")]),
        (",, ,</b>; rel=y,", [("/b", "y")]),
        ("</a; rel=x", []),
        ('</a>; rel="x', [("/a", "x")]),
        ('</a>; title="never closed, </b>; rel=y', [("/a", "")]),
        ("", []),
    ],
)
def test_link_headers(header: str, found: list[tuple[str, str]]) -> None:
    """Links are read as RFC 8288 writes them: commas in quotes, any case, the first rel."""
    assert list(header_links(header)) == links(*found)


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<link rel="micropub" href="/m">', [("/m", "micropub")]),
        ("<LINK HREF='/m' REL='Micropub ME' />", [("/m", "micropub me")]),
        ("<link rel=micropub href=>", [("", "micropub")]),
        ("<link rel=micropub href>", [("", "micropub")]),
        ("<link rel=micropub>", []),
        ('<link rel="a" href="/1"><body><link rel="a" href="/2">', [("/1", "a"), ("/2", "a")]),
        ('<a rel="micropub" href="/evil">', []),
        ('<area rel="micropub" href="/evil">', []),
        ('<!-- <link rel="micropub" href="/evil"> --><link rel=a href=/x>', [("/x", "a")]),
        ("<!--><link rel=a href=/x>-->", None),
        ("<template><link rel=a href=/evil></template><link rel=a href=/x>", [("/x", "a")]),
        ("<template><template></template><link rel=a href=/evil></template>", []),
        ("<template/><link rel=a href=/evil>", []),
        ("</template><link rel=a href=/x>", [("/x", "a")]),
        ("<script>'<link rel=a href=/evil>'</script>", []),
        ("<style><link rel=a href=/evil></style>", []),
        ("<textarea><link rel=a href=/evil></textarea><link rel=a href=/x>", [("/x", "a")]),
        ("<textarea/><link rel=a href=/evil></textarea>", []),
        ("<title><link rel=a href=/evil></title>", []),
        ("<iframe><link rel=a href=/evil></iframe>", []),
        ("<xmp><link rel=a href=/evil></xmp>", []),
        ("<noframes><link rel=a href=/evil></noframes>", []),
        ("<div title='<link rel=a href=/evil>'>", []),
        ("<link rel=a href=/x href=/evil>", [("/x", "a")]),
        ("<link rel=a rel=b href=/x>", [("/x", "a")]),
        ("<link rel=a href='/x?a=1&amp;b=2'>", [("/x?a=1&b=2", "a")]),
        ("<link rel=a href=' /x '>", [("/x", "a")]),
        ("<link rel='a\n\tb' href=/x>", [("/x", "a b")]),
        ("<p><link rel=a href=/x", []),
        ("&lt;link rel=a href=/evil&gt;", []),
    ],
)
def test_link_elements(html: str, found: list[tuple[str, str]] | None) -> None:
    """Only ``<link>`` elements of the document count, in its order."""
    if found is None:  # browsers and Python disagree on where this comment ends
        assert len(page_links(html)) <= 1
    else:
        assert page_links(html) == links(*found)


def test_a_header_comes_before_the_page_for_each_rel() -> None:
    """A rel in a header beats the same in the page; a rel that only the page has still counts."""
    answer = page(
        '<link rel=micropub href="/page"><link rel=indieauth-metadata href="/meta">',
        '</header>; rel="micropub"',
    )
    assert first_link(answer, "micropub") == "https://a.example/header"
    assert first_link(answer, "indieauth-metadata") == "https://a.example/meta"
    assert first_link(answer, "token_endpoint") is None


def test_of_several_headers_the_first_counts() -> None:
    """Several Link headers are read in their order."""
    answer = page("", "</other>; rel=x", "</1>; rel=micropub", "</2>; rel=micropub")
    assert first_link(answer, "micropub") == "https://a.example/1"


def test_addresses_are_seen_from_the_page() -> None:
    """Relative links resolve against the page's own address; an empty one is the page."""
    assert first_link(page('<link rel=a href="auth">'), "a") == URL + "auth"
    assert first_link(page('<link rel=a href="">'), "a") == URL
    assert first_link(page("", "<>; rel=a"), "a") == URL
    html = '<base href="https://evil.example/"><link rel=a href="x">'
    assert first_link(page(html), "a") == URL + "x"


def test_what_is_no_address_is_passed_over() -> None:
    """A link to something that cannot be opened does not hide the next one."""
    html = '<link rel=a href="javascript:x"><link rel=a href="mailto:b@c"><link rel=a href="/x">'
    assert first_link(page(html), "a") == "https://a.example/x"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("text/html", "https://a.example/x"),
        ("application/xhtml+xml", "https://a.example/x"),
        ("text/plain", None),
        ("application/json", None),
        ("image/svg+xml", None),
        ("", None),
    ],
)
def test_only_web_pages_are_read_as_such(kind: str, found: str | None) -> None:
    """The body of anything that does not call itself HTML is not looked at; headers are."""
    assert first_link(page("<link rel=a href=/x>", kind=kind), "a") == found
    assert first_link(page("", "</h>; rel=a", kind=kind), "a") == "https://a.example/h"


def test_text_areas_of_comments_take_over_nothing() -> None:
    """What visitors wrote, shown again as text, is no link of the page."""
    html = (
        '<title>"</title><textarea></title><link rel=micropub href=//evil.example></textarea>'
        "<p>&lt;link rel=micropub href=//evil.example&gt;</p>"
        "<a rel=micropub href=//evil.example>me too</a>"
        "<link rel=micropub href=/mine>"
    )
    assert first_link(page(html), "micropub") == "https://a.example/mine"


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("<>;,=\"'\\ relamicopub/:x\t\n")))
def test_any_header(text: str) -> None:
    """Whatever a header holds, reading it ends and gives links without angle brackets."""
    assert all(">" not in link.target for link in header_links(text))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["</a>", "; rel=x", ', </b>; rel="y z"', "rubbish", ",", '"'])))
def test_links_survive_what_stands_beside_them(pieces: list[str]) -> None:
    """A link that follows a comma outside of quotes is found whatever stood before it."""
    text = "".join(pieces)
    if text.count('"') % 2 == 0:
        assert Link("/last", frozenset({"me"})) in list(header_links(text + ", </last>; rel=me"))


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("<>!-=/\"' linkrelhftmpa&;")))
def test_any_page(text: str) -> None:
    """Whatever a page holds, reading it ends."""
    assert all(isinstance(link, Link) for link in page_links(text))


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<!--", "<template>", "<textarea></text", "&#x", "</"]
)
def test_a_megabyte_of_anything(unit: str) -> None:
    """The longest page that is read holds no surprise."""
    assert page_links(unit.replace("␣", " ") * (1024 * 1024 // len(unit))) == []


@pytest.mark.parametrize("unit", ["<", "</a>;", '</a>;x="', "</a>,", ';"', "\\", '"'])
def test_a_long_header_of_anything(unit: str) -> None:
    """A header as long as it can be is read to its end, or cut."""
    assert len(list(header_links(unit * 30_000))) <= 64 * 1024
