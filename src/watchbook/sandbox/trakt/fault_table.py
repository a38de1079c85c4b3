"""The faults a sandbox can show: every name, where it strikes, and what it means.

The grammar of rules is told in `watchbook.sandbox.rules`.
"""

from __future__ import annotations

from watchbook.sandbox.rules import Fault

AUTH_PATHS = ("/oauth/", "/activate")
"""Where the paths of the auth host begin: faults of data strike there when they name the path."""

FAULTS: dict[str, Fault] = {
    # Paging
    "page-count-low": Fault("page", "page and item counts are too low by VALUE pages", "1"),
    "page-count-high": Fault("page", "page and item counts are too high by VALUE pages", "1"),
    "page-headers-missing": Fault("page", "no X-Pagination headers at all"),
    "page-short": Fault("page", "the last VALUE rows of the page are missing", "3"),
    "page-empty": Fault("page", "the page holds no rows"),
    "page-twice": Fault("page", "the rows of the page before are served again"),
    "page-drift-insert": Fault("page", "VALUE plays are added just before the page is read", "1"),
    "page-drift-delete": Fault("page", "the VALUE newest plays are deleted before the read", "1"),
    "limit-clamped": Fault("page", "no page is longer than VALUE rows", "100"),
    # Refusals by the edge in front of Trakt
    "cloudflare-403": Fault("answer", "an HTML page: access denied, error 1010"),
    "cloudflare-429": Fault("answer", "an HTML page: rate limited, with Retry-After", "300"),
    "cloudflare-429-bare": Fault("answer", "an HTML page: rate limited, without Retry-After"),
    # Refusals by Trakt itself
    "rate-429": Fault("answer", "429 with X-Ratelimit and Retry-After of VALUE seconds", "10"),
    "rate-429-bare": Fault("answer", "429 without any header that says when to come back"),
    "http-400": Fault("answer", "400, cannot parse"),
    "http-401": Fault("answer", "401, the token counts as expired"),
    "http-403": Fault("answer", "403 as JSON, the app is not approved"),
    "http-404": Fault("answer", "404, nothing there"),
    "http-405": Fault("answer", "405, method not allowed"),
    "http-408": Fault("answer", "408, the request took too long"),
    "http-409": Fault("answer", "409, conflict"),
    "http-412": Fault("answer", "412, a required header is missing"),
    "http-420": Fault("answer", "420, an account limit is reached, with its headers"),
    "http-420-bare": Fault("answer", "420 without body and headers"),
    "http-422": Fault("answer", "422 with a list of errors"),
    "http-423": Fault("answer", "423, the account is locked"),
    "http-426": Fault("answer", "426, VIP only"),
    "http-500": Fault("answer", "500 with X-Error-Message"),
    "http-502": Fault("answer", "502, bad gateway"),
    "http-503": Fault("answer", "503 with Retry-After of VALUE seconds", "30"),
    "http-504": Fault("answer", "504, gateway timeout"),
    "http-520": Fault("answer", "520 as HTML, the edge got nonsense from Trakt"),
    "http-521": Fault("answer", "521 as HTML, Trakt's server is down"),
    "http-522": Fault("answer", "522 as HTML, Trakt's server does not answer"),
    # Bodies that are not what they should be
    "body-html": Fault("answer", "200 with an HTML page"),
    "body-empty": Fault("answer", "200 with nothing in it"),
    "body-null": Fault("answer", "200 with null"),
    "body-object": Fault("answer", "200 with {}"),
    "body-nan": Fault("answer", "200 with NaN in the JSON"),
    "body-deep": Fault("answer", "200 with VALUE arrays inside each other", "10000"),
    "body-bom": Fault("wire", "the right body, after a byte order mark"),
    "body-huge": Fault("answer", "200 with VALUE MiB of JSON, streamed", "100"),
    "body-gzip-bomb": Fault("answer", "200, a small gzip body that unpacks to VALUE MiB", "1024"),
    # The connection
    "stall": Fault("wire", "the request is read and never answered"),
    "stop-in-headers": Fault("wire", "half of the headers, then silence"),
    "stop-in-body": Fault("wire", "all headers and half of the body, then silence"),
    "cut-body": Fault("wire", "half of the body, then the connection ends"),
    "reset": Fault("wire", "the connection ends without an answer"),
    "drip": Fault("wire", "the body comes byte by byte, VALUE seconds apart", "1"),
    "late": Fault("wire", "the answer comes VALUE seconds late", "1"),
    # Single rows; the first row of each page is struck
    "item-null-title": Fault("item", "the film or episode of the row is null"),
    "item-id-max": Fault("item", "the id is 2^63-1"),
    "item-missing-ids": Fault("item", "the title has no ids"),
    "item-unknown-type": Fault("item", "the type is a word nobody knows"),
    "item-unknown-action": Fault("item", "the action is a word nobody knows"),
    "item-long-title": Fault("item", "the title is VALUE characters long", "65536"),
    "item-emoji": Fault("item", "the title is made of emoji"),
    "item-nul": Fault("item", "the title has a NUL character in it"),
    "item-epoch": Fault("item", "the times are the first minute of 1970"),
    "item-not-an-object": Fault("item", "the row is a number"),
    "seasons-missing": Fault("item", "the row has no seasons"),
    "seasons-odd": Fault("item", "the seasons of the row are null"),
    # Refreshing a token
    "refresh-lost-close": Fault("refresh", "rotated, then the connection ends unanswered"),
    "refresh-lost-500": Fault("refresh", "rotated, then 500"),
    "refresh-lost-html": Fault("refresh", "rotated, then an HTML page with 200"),
    "refresh-lost-stall": Fault("refresh", "rotated, then silence"),
    "refresh-429": Fault("refresh", "429 with Retry-After of VALUE seconds, not rotated", "143"),
    "refresh-503": Fault("refresh", "503 with Retry-After of VALUE seconds, not rotated", "30"),
    "refresh-invalid-grant": Fault("refresh", "400 invalid_grant, not rotated"),
    "refresh-invalid-client": Fault("refresh", "401 invalid_client, not rotated"),
    "refresh-no-successor": Fault("refresh", "a new access token only; the refresh token stays"),
    # Signing in
    "consent-refused": Fault("consent", "the person says no: error=access_denied"),
    "consent-other": Fault("consent", "somebody else is signed in: account number VALUE", "1"),
    "device-pending": Fault("device", "400, still pending"),
    "device-refused": Fault("device", "418, the person said no"),
    "device-expired": Fault("device", "410, the code has expired"),
    "device-unknown": Fault("device", "404, no such code"),
    "device-used": Fault("device", "409, the code was used before"),
    "device-slow": Fault("device", "429, slow_down"),
    "device-other": Fault("device", "somebody else approves: account number VALUE", "1"),
    "device-start-429": Fault("device-start", "429 as plain text with Retry-After", "143"),
}
"""Every fault by its name."""
