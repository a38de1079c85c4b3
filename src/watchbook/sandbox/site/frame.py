"""What all pages of a site have in common."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from watchbook.sandbox.answer import HTML_TYPE, Answer, Headers

STYLE = Path(__file__).with_name("style.css").read_bytes()
STYLE_PATH = "/style.css"

_POLICY = (
    b"default-src 'none'; style-src 'self'; img-src 'self' http: https: data:; base-uri 'none'; "
    b"frame-ancestors 'none'"
)
_HEADERS: Headers = [
    HTML_TYPE,
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
{head}</head>
<body>
<main{feed}>
{body}
</main>
<footer><p>A stand-in for a website on this machine, run by <code>watchbook sandbox site</code>.
Nobody lives here, and nothing leaves it.</p></footer>
</body>
</html>
"""


def page(
    title: str,
    body: str,
    *,
    status: int = 200,
    links: Iterable[tuple[str, str]] = (),
    feed: bool = False,
) -> Answer:
    """A page; `links` (rel and address) stand in its head and in a header each."""
    told = list(links)
    head = "".join(f'<link rel="{escape(rel)}" href="{escape(url)}">\n' for rel, url in told)
    marked = ' class="h-feed"' if feed else ""
    text = _FRAME.format(title=escape(title), head=head, feed=marked, body=body, style=STYLE_PATH)
    sent = [(b"link", f'<{url}>; rel="{rel}"'.encode()) for rel, url in told]
    return Answer(status, text.encode(), [*_HEADERS, *sent])


def message(title: str, text: str, status: int) -> Answer:
    """A page that says one thing."""
    return page(title, f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>", status=status)


def style() -> Answer:
    """The style sheet."""
    return Answer(200, STYLE, [(b"content-type", b"text/css; charset=utf-8")])
