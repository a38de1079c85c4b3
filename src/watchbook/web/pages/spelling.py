"""Other ways to write the address of a public page: capitals, and a slash at its end.

They lead to the one address that the page has. Octets that are percent-encoded without need are
no other address (RFC 3986, 6.2.2.2), and a proxy may write them so each time: they lead nowhere.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from watchbook.sharing import Part
from watchbook.web.front import Front
from watchbook.web.pages.public import AWAY, FRESH, MISSING
from watchbook.web.shelf import Offline

PATH = "/@{written:path}"
_PAGE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*)((?:/[0-9]+(?:-[0-9]{2})?)?)/?")
"""An account's name, and the year, month or number of a page of it."""
_IN_QUERIES = "!$%&'()*+,;=:@/?[]"
"""What is left as it is in a query besides letters, digits and ``-._~``."""


def proper(written: str) -> str:
    """``sandra/2025-03`` for ``Sandra/2025-03/``; what is no page's address as it is."""
    found = _PAGE.fullmatch(written)
    return found[1].lower() + found[2] if found else written


class _Otherwise(Route):
    """Matches addresses that are not written as they should be, and no others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        written = child["path_params"]["written"] if child else ""
        return (match, child) if proper(written) != written else (Match.NONE, {})


def route(front: Front) -> Route:
    """The redirects, for accounts whose page everybody may see; others are as if they were not."""

    async def moved(request: Request) -> Response:
        address = proper(request.path_params["written"])
        try:
            person = await front.person(address.partition("/")[0])
        except Offline:
            return AWAY.response(request)
        if person is None or not person.shows(Part.HISTORY):
            return MISSING.response(request)
        query = quote(request.scope["query_string"], safe=_IN_QUERIES)
        target = f"{front.base_url}/@{address}" + (f"?{query}" if query else "")
        return Response(status_code=308, headers={"Location": target, "Cache-Control": FRESH})

    return _Otherwise(PATH, moved)
