from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.http import Answer
from watchbook.micropub.page import entries

URL = "https://a.example/blog/"


def read(html: str, kind: str = "text/html") -> list[dict[str, list[Any]]]:
    """The entries of a page."""
    return entries(Answer(200, {"content-type": kind}, html.encode(), URL))


def test_reads_an_entry_with_a_citation() -> None:
    """Addresses, dates and texts of an entry and of what is cited in it."""
    [entry] = read(
        """
        <div class="h-feed"><article class="h-entry note">
          <a class="u-url" href="/watches/trakt-5/"><time class="dt-published"
             datetime="2020-02-14T15:40:46Z">in February</time></a>
          <p class="p-summary">Watched <b>Heat</b>
             (1995)</p>
          <div class="u-watch-of h-cite"><a class="p-name u-url"
             href="https://trakt.tv/movies/heat-1995">Heat</a>
             <data class="p-trakt-watch-id" value="5"></data></div>
          <img class="u-photo" src="a.jpg" alt="x">
        </article></div>
        """
    )
    assert entry == {
        "url": ["https://a.example/watches/trakt-5/"],
        "published": ["2020-02-14T15:40:46Z"],
        "summary": ["Watched Heat (1995)"],
        "watch-of": [
            {
                "type": ["h-cite"],
                "properties": {
                    "url": ["https://trakt.tv/movies/heat-1995"],
                    "name": ["Heat"],
                    "trakt-watch-id": ["5"],
                },
            }
        ],
        "photo": ["https://a.example/blog/a.jpg"],
    }


@pytest.mark.parametrize(
    "cite",
    [
        '<a class="u-watch-of h-cite" href="https://trakt.tv/movies/heat-1995">Heat</a>',
        '<p class="h-cite u-watch-of">saw <a href="https://trakt.tv/movies/heat-1995">Heat</a></p>',
    ],
)
def test_a_citation_may_be_its_link(cite: str) -> None:
    """A citation without an address of its own has that of the first link in it."""
    [entry] = read(f'<div class="h-entry">{cite}</div>')
    [found] = entry["watch-of"]
    assert found["properties"]["url"] == ["https://trakt.tv/movies/heat-1995"]


def test_a_bare_address_is_a_value() -> None:
    """What was watched may be an address alone."""
    [entry] = read('<div class="h-entry"><a class="u-watch-of" href="/x">x</a></div>')
    assert entry["watch-of"] == ["https://a.example/x"]


def test_an_entry_has_only_its_own_address() -> None:
    """The first link of a post is not its address."""
    [entry] = read('<div class="h-entry"><a href="/about">about</a></div>')
    assert "url" not in entry


def test_entries_in_elements_that_nobody_closed() -> None:
    """Pages made small leave out the ends of items and paragraphs."""
    found = read(
        "<ul><li class=h-entry><a class=u-url href=/1></a><p>one<p class=p-summary>first"
        "<li class=h-entry><a class=u-url href=/2></a><p class=p-summary>second</ul>"
        "<div class=h-entry><a class=u-url href=/3>three"
    )
    assert [entry["url"] for entry in found] == [[f"https://a.example/{n}"] for n in (1, 2, 3)]
    assert [entry.get("summary") for entry in found] == [["first"], ["second"], None]


def test_a_list_inside_an_item_does_not_end_it() -> None:
    """An item of an inner list belongs to the entry around it."""
    [entry] = read("<ul><li class=h-entry><ol><li>a<li>b</ol><a class=u-url href=/1></a></ul>")
    assert entry["url"] == ["https://a.example/1"]


def test_an_element_may_say_one_thing_twice() -> None:
    """Of several properties on one element each gets the value; a line break has no text."""
    [entry] = read('<div class=h-entry><p class="p-name p-summary">a<br class=p-x>b</p></div>')
    assert entry == {"x": [""], "name": ["ab"], "summary": ["ab"]}


def test_items_outside_of_entries_are_passed_over() -> None:
    """Cards of people, and properties of nothing, are no posts."""
    assert read('<a class="h-card" href="/">me</a><p class="p-name">x</p>') == []


def test_ends_without_beginnings_do_no_harm() -> None:
    """A stray end tag closes nothing of ours."""
    [entry] = read("</div><div class=h-entry></span></p><a class=u-url href=/1></a></div></div>")
    assert entry["url"] == ["https://a.example/1"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_reads_web_pages_only(kind: str) -> None:
    """What does not call itself HTML is not read as such."""
    assert read('<div class="h-entry"></div>', kind) == []


def test_scripts_hold_no_entries() -> None:
    """Text of a script is not part of the page."""
    assert read("<script>'<div class=h-entry></div>'</script>") == []


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<div class=h-entry>",
                "<p class='p-name u-x'>",
                "</div>",
                "<a class='u-url h-cite' href=/x>",
                "</p>",
                "text",
                "<li>",
                "</li>",
                "<br>",
                "<",
                "</",
            ]
        )
    )
)
def test_any_page(pieces: list[str]) -> None:
    """However elements are nested and broken, reading ends and gives each entry once."""
    html = "".join(pieces)
    assert len(read(html)) <= html.count("h-entry")


@pytest.mark.parametrize(
    "unit",
    [
        "<div class=h-entry>",
        "<div class='p-x h-cite'>",
        "<div class=p-x>t",
        "<div></p>",
        "<li><b>",
        "<p class=h-entry><a class=u-url href=/x>",
        "</div>",
    ],
)
def test_a_megabyte_of_anything(unit: str) -> None:
    """Deep nesting is read like everything else, in time that grows with the page alone."""
    count = (1 << 20) // len(unit)
    assert len(read(unit * count)) <= count
