"""Statistics, as the API tells them."""

from __future__ import annotations

import sqlalchemy as sa

from watchbook import statistics
from watchbook.web.api import shapes
from watchbook.web.api.call import Call


def overall(conn: sa.Connection, call: Call) -> shapes.Overall:
    """What all plays together say."""
    return shapes.Overall(
        statistics=statistics.statistics_of(conn, call.seen_as, call.values["top"])
    )


def year(conn: sa.Connection, call: Call) -> shapes.InReview:
    """A year in review."""
    values = call.values
    found = statistics.year_of(conn, call.seen_as, values["year"], values["top"])
    return shapes.InReview(year=found)


def heatmap(conn: sa.Connection, call: Call) -> shapes.Days:
    """The plays of each day of a year."""
    values = call.values
    found = statistics.heatmap_of(conn, call.seen_as, values["year"], values["type"])
    return shapes.Days(heatmap=found)
