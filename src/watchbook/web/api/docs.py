"""The page ``/api/docs``: the table of operations, for people."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache

from markupsafe import Markup, escape

from watchbook.web.answers import HTML, Answer, kept_for
from watchbook.web.api.document import ABOUT, NAME, described
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.api.words import curl, form_of, forms
from watchbook.web.pages.templates import rendered
from watchbook.web.security import CSP, policy

_POLICY = policy(style_src="'self'", img_src="'self'")
_KEPT = kept_for(timedelta(minutes=10))


@cache
def docs_page(base_url: str) -> Answer:
    """The page of the installation at ``base_url``."""
    body = rendered(
        "api/docs.html",
        about=[coded(part) for part in ABOUT.split("\n\n")],
        name=NAME,
        operations=OPERATIONS,
        forms=list(forms()),
        described=described,
        coded=coded,
        form_of=form_of,
        curl=lambda one: curl(one, base_url),
    )
    return Answer(body, HTML, cache=_KEPT, headers={CSP: _POLICY})


def coded(text: str) -> Markup:
    """``text`` as HTML, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
