"""The validators refuse what is broken: a right document of each format, one fault at a time."""

from __future__ import annotations

import pytest

from tests.web.valid import problems

ATOM = """<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>urn:uuid:c431b2d2-94d7-5729-ae7b-558283d47931</id>
<title>Watched by sandra</title><updated>2026-10-03T19:30:00Z</updated>
<author><name>sandra</name><uri>https://watch.example/@sandra</uri></author>
<link rel="self" href="https://watch.example/feed" type="application/atom+xml"/>
<entry><id>urn:uuid:1</id><title>Heat (1995)</title>
<updated>2026-10-03T19:30:00.000+02:00</updated><category term="crime"/>
<link rel="alternate" href="https://watch.example/@sandra/77"/>
<content type="html">&lt;p&gt;Heat&lt;/p&gt;</content></entry>
</feed>"""
RSS = """<?xml version='1.0' encoding='utf-8'?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Watched by sandra</title><link>https://watch.example/@sandra</link>
<description>Films</description><lastBuildDate>Sat, 03 Oct 2026 19:30:00 GMT</lastBuildDate>
<ttl>15</ttl><atom:link rel="self" href="https://watch.example/feed" type="application/rss+xml"/>
<item><title>Heat (1995)</title><link>https://watch.example/@sandra/77</link>
<guid isPermaLink="false">urn:uuid:1</guid><pubDate>Sat, 03 Oct 2026 19:30:00 GMT</pubDate>
<category>crime</category><description>Watched Heat.</description>
<content:encoded>&lt;p&gt;Heat&lt;/p&gt;</content:encoded></item>
</channel></rss>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "Watched by sandra",
"home_page_url": "https://watch.example/@sandra", "language": "en",
"authors": [{"name": "sandra"}], "items": [{"id": "urn:uuid:1", "title": "Heat (1995)",
"url": "https://watch.example/@sandra/77", "content_html": "<p>Heat</p>",
"date_published": "2026-10-03T19:30:00Z", "tags": ["crime"]}]}"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Watchbook//Watchbook//EN
BEGIN:VEVENT
UID:c431b2d2-94d7-5729-ae7b-558283d47931
DTSTAMP:20261003T193000Z
DTSTART:20261003T164000Z
DTEND:20261003T193000Z
SUMMARY:Heat (1995)
END:VEVENT
END:VCALENDAR
"""
WHOLE = {"atom": ATOM, "rss": RSS, "json": JSON, "ics": ICS}
FAULTS = {
    "atom": (
        ("<id>urn:uuid:1</id>", ""),
        ("<id>urn:uuid:1</id>", "<id>1</id>"),
        ("<title>Heat (1995)</title>", ""),
        ("<title>Heat (1995)</title>", "<title>Heat</title><title>Heat</title>"),
        ("<title>Heat (1995)</title>", "<title><b>Heat</b></title>"),
        ("<updated>2026-10-03T19:30:00Z</updated>", ""),
        ("19:30:00Z", "19:30:00"),
        ("2026-10-03T19:30:00Z", "2026-13-03T19:30:00Z"),
        ("2026-10-03T19:30:00Z", "Sat, 03 Oct 2026 19:30:00 GMT"),
        ("<name>sandra</name>", ""),
        ("<author>", "<author><email>nobody</email>"),
        ('<category term="crime"/>', "<category>crime</category>"),
        ('href="https://watch.example/@sandra/77"', ""),
        ('href="https://watch.example/@sandra/77"', 'href="javascript:1"'),
        ('type="html"', 'type="markdown"'),
        ("<content", "<foreign/><content"),
        ("<content", '<x xmlns="urn:x"/><content'),
        ('xml:lang="en"', 'xml:lang="in English"'),
        ('"http://www.w3.org/2005/Atom"', '"http://purl.org/atom/ns#"'),
    ),
    "rss": (
        ('version="2.0"', 'version="0.91"'),
        ("<title>Watched by sandra</title>", ""),
        ("<title>Watched by sandra</title>", "<title> </title>"),
        ("<link>https://watch.example/@sandra</link>", "<link>/@sandra</link>"),
        ("<description>Films</description>", ""),
        ("<description>Watched Heat.</description>", ""),
        ("Sat, 03 Oct 2026 19:30:00 GMT", "2026-10-03T19:30:00Z"),
        ("Sat, 03 Oct", "Samstag, 03 Oct"),
        ("<ttl>15</ttl>", "<ttl>soon</ttl>"),
        (' isPermaLink="false"', ""),
        ('isPermaLink="false"', 'isPermaLink="no"'),
        ('rel="self"', 'rel="me"'),
        ('rel="self" href="https://watch.example/feed"', 'rel="self"'),
        ("<category>crime</category>", "<genre>crime</genre>"),
        ("<item>", "<item><content:encoded>twice</content:encoded>"),
        ("http://purl.org/rss/1.0/modules/content/", "urn:x"),
    ),
    "json": (
        ("version/1.1", "version/1"),
        ('"title": "Watched by sandra",', ""),
        ('"items"', '"entries"'),
        ('"id": "urn:uuid:1",', ""),
        ('"urn:uuid:1"', "1"),
        ('"content_html": "<p>Heat</p>",', ""),
        ("2026-10-03T19:30:00Z", "2026-10-03 19:30"),
        ("2026-10-03T19:30:00Z", "2026-10-32T19:30:00Z"),
        ("https://watch.example/@sandra/77", "/@sandra/77"),
        ("https://watch.example/@sandra/77", "https://watch example/"),
        ('["crime"]', '"crime"'),
        ('[{"name": "sandra"}]', '{"name": "sandra"}'),
        ('{"name": "sandra"}', "{}"),
        ('"tags"', '"genres"'),
        ('"en"', '"in English"'),
    ),
    "ics": (
        ("VERSION:2.0\r\n", ""),
        ("VERSION:2.0", "VERSION:1.0"),
        ("PRODID:-//Watchbook//Watchbook//EN\r\n", ""),
        ("UID:c431b2d2-94d7-5729-ae7b-558283d47931\r\n", ""),
        ("DTSTAMP:20261003T193000Z\r\n", ""),
        ("DTSTAMP:20261003T193000Z", "DTSTAMP:20261003T193000"),
        ("DTSTART:20261003T164000Z\r\n", ""),
        ("DTSTART:20261003T164000Z", "DTSTART:yesterday"),
        ("DTEND:20261003T193000Z", "DTEND:20261003T164000Z"),
        ("DTEND:20261003T193000Z", "DTEND:20261003T193000Z\r\nDURATION:PT1H"),
        ("SUMMARY:Heat (1995)", "SUMMARY:Heat\r\nSUMMARY:Heat"),
        ("SUMMARY:Heat (1995)", f"SUMMARY:{'Heat' * 30}"),
        ("SUMMARY:Heat (1995)", "SUMMARY:Heat\nX-FAULT:1"),
        ("SUMMARY:Heat (1995)", "SUMMARY:Heat\x07"),
        ("END:VEVENT\r\n", ""),
        ("END:VCALENDAR\r\n", "END:VCALENDAR"),
        (ICS.replace("\n", "\r\n"), ICS),
    ),
}


def whole(kind: str) -> str:
    """A document without a fault."""
    return WHOLE[kind].replace("\n", "\r\n") if kind == "ics" else WHOLE[kind]


@pytest.mark.parametrize("kind", WHOLE)
def test_a_right_document_has_no_problem(kind: str) -> None:
    """Else all of them would be refused for one reason."""
    assert problems(kind, whole(kind).encode()) == []


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [(kind, *fault) for kind, faults in FAULTS.items() for fault in faults],
)
def test_a_fault_is_a_problem(kind: str, right: str, wrong: str) -> None:
    """One thing changed makes it another document that is refused."""
    assert right in whole(kind)
    assert problems(kind, whole(kind).replace(right, wrong, 1).encode()) != []


def test_two_events_of_one_name_are_a_problem() -> None:
    """A calendar program would show one of them."""
    start, event, end = whole("ics").partition("BEGIN:VEVENT")
    inside, last, rest = end.partition("END:VEVENT\r\n")
    twice = start + 2 * (event + inside + last) + rest
    assert problems("ics", twice.encode()) == [
        "UID c431b2d2-94d7-5729-ae7b-558283d47931 stands 2 times"
    ]
