"""Templates of pages; every value is escaped, and a name that nobody set is an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from watchbook.render.attribution import BY_SOURCE
from watchbook.urls import appended
from watchbook.web import static_files


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("watchbook.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals["static"] = static_files.address
    found.globals["appended"] = appended
    found.globals["sources"] = tuple(BY_SOURCE.values())
    return found


def rendered(template: str, **told: Any) -> bytes:
    """The page of ``template``, filled in."""
    return _environment().get_template(template).render(told).encode()
