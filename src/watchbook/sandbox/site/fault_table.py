"""The faults a site can show: every name, where it strikes, and what it means.

The grammar of rules is told in `watchbook.sandbox.rules`. A rule is compared with path and query,
so `http-500/micropub?q=config` is one. Without a path, rules of the scopes ``answer`` and
``after`` strike what is posted to the Micropub endpoint and nothing else; `http-500/micropub`
strikes queries, too, and `reset-after-accept/token` the token endpoint.
"""

from __future__ import annotations

from watchbook.sandbox.rules import Fault

FAULTS: dict[str, Fault] = {
    # Refusals; nothing is done
    "http-400": Fault("answer", "400 invalid_request"),
    "http-401": Fault("answer", "401 unauthorized, though the token is good"),
    "http-403": Fault("answer", "403 forbidden"),
    "http-404": Fault("answer", "404, as if the endpoint had moved"),
    "http-405": Fault("answer", "405, method not allowed"),
    "http-409": Fault("answer", "409, conflict"),
    "http-410": Fault("answer", "410, gone"),
    "http-413": Fault("answer", "413, too large"),
    "http-415": Fault("answer", "415, this type of body is not taken"),
    "http-422": Fault("answer", "422, this post is not taken"),
    "http-429": Fault("answer", "429 with Retry-After of VALUE seconds", "10"),
    "http-429-bare": Fault("answer", "429 without Retry-After"),
    "http-500": Fault("answer", "500"),
    "http-501": Fault("answer", "501 not_implemented"),
    "http-502": Fault("answer", "502, bad gateway"),
    "http-503": Fault("answer", "503 with Retry-After of VALUE seconds", "30"),
    "http-504": Fault("answer", "504, gateway timeout"),
    "insufficient-scope": Fault("answer", "VALUE (403 or 401) with insufficient_scope", "403"),
    "token-revoked": Fault("answer", "the person takes all tokens back just before the request"),
    "token-expired": Fault("answer", "all access tokens end just before the request"),
    "redirect-post": Fault("answer", "a redirect: VALUE is 301, 302, 307 or 308", "301"),
    "reset-before-accept": Fault("answer", "the connection ends, and nothing was done"),
    "html-errors": Fault("errors", "every error comes as an HTML page"),
    # The connection, after all is done
    "stall-after-accept": Fault("after", "it is done, and no answer ever comes"),
    "reset-after-accept": Fault("after", "it is done, and the connection ends unanswered"),
    "late": Fault("late", "the answer comes VALUE seconds late", "1"),
    # Making a post
    "accepted-202-later": Fault("create", "202, and the post appears after VALUE seconds", "60"),
    "accepted-202-never": Fault("create", "202, and no post ever appears"),
    "location-empty": Fault("create", "201, an empty Location, an error in the body, no post"),
    "location-missing": Fault("create", "201 without Location; the post is made"),
    "location-undefined": Fault("create", "201 with Location: undefined; the post is made"),
    "slug-ignored": Fault("create", "the site makes slugs of its own"),
    "slug-suffix": Fault("create", "a slug that is taken gets a number: name-2"),
    "slug-by-time": Fault("create", "equal times, equal address: the second post is lost"),
    # Queries
    "no-config": Fault("config", "q=config: 400"),
    "no-config-text": Fault("config", "q=config: 200 with me=... as text"),
    "no-config-html": Fault("config", "q=config: 200 with an HTML page"),
    "no-config-login": Fault("config", "q=config: a redirect to a log-in page"),
    "no-source": Fault("source", "q=source: 400"),
    "no-source-hidden": Fault("source", "q=source: 200 with an error in the body"),
    "no-source-list": Fault("source", "q=source without an address: 501"),
    "source-without-url": Fault("source", "the listed posts do not tell their address"),
    "source-deleted": Fault("source", "deleted posts are shown, with a property that says so"),
    # Changing posts
    "update-moves": Fault("update", "new address: VALUE is 201 (told) or 200 (not told)", "201"),
    "delete-twice-500": Fault("delete", "deleting what is deleted: 500"),
    # Pictures
    "media-403": Fault("media", "the media endpoint refuses the token"),
    "media-415": Fault("media", "the media endpoint takes no such type"),
    "media-same-name": Fault("media", "names are kept, and a second file of a name is lost"),
    # Cookies
    "cookies": Fault("cookies", "the token is set as a cookie, which counts before the header"),
    # Pages
    "no-metadata": Fault("page", "pages name the two endpoints alone, and no `iss` is sent"),
    "no-micropub": Fault("page", "pages name no Micropub endpoint"),
    # Signing in
    "consent-refused": Fault("consent", "the person says no: error=access_denied"),
    "iss-missing": Fault("consent", "the callback has no `iss`"),
    "iss-wrong": Fault("consent", "the callback has another server's `iss`"),
    "state-wrong": Fault("consent", "the callback has another `state`"),
    "redirect-strict": Fault("consent", "apps on this machine are answered at their own port only"),
    # The answers of the token endpoint
    "token-form-encoded": Fault("token", "the answer is form-encoded"),
    "token-201": Fault("token", "the answer has status 201"),
    "token-no-type": Fault("token", "the answer has no token_type"),
    "token-no-scope": Fault("token", "the answer does not say for what the token is good"),
    "token-untold": Fault("token", "the token ends, but the answer does not say when"),
    "token-forever": Fault("token", "the token does not end and cannot be renewed"),
    "me-other": Fault("token", "`me` is somebody else"),
    "me-missing": Fault("token", "the answer has no `me`"),
    "refresh-theft": Fault("refresh", "a refresh token that comes twice ends the whole sign-in"),
    "refresh-reusable": Fault("refresh", "a refresh token may come as often as it likes"),
}
"""Every fault by its name."""
