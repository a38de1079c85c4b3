"""HTML that came in a post, as far as a page may show it."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_KEPT = frozenset("a b blockquote br cite code em i li ol p q small strong ul".split())
_VOID = frozenset({"br"})
_SILENT = frozenset("script style template title iframe object noscript".split())
_SCHEMES = ("http://", "https://")


def address(url: str) -> str:
    """An address that a page may link to; empty for every other."""
    return url if url.lower().startswith(_SCHEMES) else ""


def cleaned(html: str) -> str:
    """The markup of plain prose; other elements leave their text, scripts and styles nothing."""
    reader = _Cleaner()
    reader.feed(html)
    reader.close()
    return "".join([*reader.out, *(f"</{tag}>" for tag in reversed(reader.open))])


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.out: list[str] = []
        self.open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag not in _KEPT or self._silent:
            return
        target = address(dict(attrs).get("href") or "") if tag == "a" else ""
        self.out.append(f'<{tag} href="{escape(target)}">' if target else f"<{tag}>")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        while tag in self.open:
            last = self.open.pop()
            self.out.append(f"</{last}>")
            if last == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data))
