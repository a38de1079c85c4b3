"""The faults that TMDB's stand-in can show: every name, where it strikes, and what it means.

The grammar of rules is told in `watchbook.sandbox.rules`. `http-500/t/p` strikes pictures only,
`http-500/3/movie` the data of films only.
"""

from __future__ import annotations

from watchbook.sandbox.rules import Fault

FAULTS: dict[str, Fault] = {
    # Refusals
    "http-401": Fault("answer", "401, the key is not good (TMDB's code 7)"),
    "http-403": Fault("answer", "403, as an account that was suspended"),
    "http-404": Fault("answer", "404, there is no such thing (TMDB's code 34)"),
    "http-429": Fault("answer", "429 with Retry-After of VALUE seconds", "10"),
    "http-429-bare": Fault("answer", "429 without Retry-After"),
    "http-500": Fault("answer", "500"),
    "http-502": Fault("answer", "502, bad gateway"),
    "http-503": Fault("answer", "503, being looked after"),
    # Wrong answers
    "html-200": Fault("answer", "200 with a page, as a captive portal gives it"),
    "empty-200": Fault("answer", "200 with nothing"),
    "list-200": Fault("answer", "200 with JSON of another shape"),
    # Data
    "no-picture": Fault("data", "the title has no picture: every path is null"),
    "odd-path": Fault("data", "the path of the picture climbs out of its folder"),
    "text-only": Fault("data", "no `images`, only the one path that the title itself has"),
    # Pictures
    "picture-gone": Fault("picture", "404, the picture was taken away"),
    "picture-broken": Fault("picture", "half a picture, of the right length by its header"),
    "picture-fake": Fault("picture", "text that is called a picture"),
    "picture-type": Fault("picture", "a picture that is called a page"),
    "picture-huge": Fault("picture", "a small file that unpacks to 900 million pixels"),
    "picture-dot": Fault("picture", "a picture of one pixel"),
    "picture-heavy": Fault("picture", "VALUE MiB that never become a picture", "24"),
    # The connection
    "late": Fault("wire", "the answer comes VALUE seconds late", "1"),
    "stall": Fault("wire", "no answer ever comes"),
    "reset": Fault("wire", "the connection ends unanswered"),
    "stop-in-headers": Fault("wire", "the answer stops in its headers"),
    "stop-in-body": Fault("wire", "the answer stops in its body"),
    "cut-body": Fault("wire", "the connection ends in the middle of the body"),
    "drip": Fault("wire", "the body comes byte by byte, each VALUE seconds late", "0.2"),
}
"""Every fault by its name."""
