"""Publishing on schedule: a place for whoever has a site, and work that is done once."""

from __future__ import annotations

from datetime import timedelta

from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, Home, ago
from watchbook.clock import now, to_millis
from watchbook.jobs.plan import keep_rows
from watchbook.jobs.port import Job, Kind
from watchbook.jobs.work import Worker
from watchbook.store import leases, sites


def slot(minutes: float) -> int:
    """A slot of the schedule, so many minutes ago."""
    return to_millis(now() - timedelta(minutes=minutes))


def test_who_has_a_site_has_a_place_in_the_schedule(home: Home) -> None:
    """And loses it with the site, or while it is paused."""
    assert "publish" in {row.kind for row in keep_rows(home.installation)}
    with home.book.store.database.write() as conn:
        sites.set_state(conn, home.book.site.id, sites.SiteState.PAUSED)
    assert "publish" not in {row.kind for row in keep_rows(home.installation)}


def test_a_job_publishes_what_is_due(home: Home, blog: Blog) -> None:
    """However often it is done, each play is posted once."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    for minutes in (1, 1, 0, 20):
        Worker(home.installation)(Job(Kind.PUBLISH, home.book.filled.account.id, slot(minutes)))
    assert (blog.made, home.book.states()) == (["trakt-11"], ["published"])


def test_changes_are_looked_for_every_ten_minutes(home: Home, blog: Blog) -> None:
    """A deleted play's post is deleted by a slot that waited so long, though nothing is due."""
    home.book.rules(on_removal="delete")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    Worker(home.installation)(Job(Kind.PUBLISH, 1, slot(1)))
    home.book.filled.remove_play(11)
    Worker(home.installation)(Job(Kind.PUBLISH, 1, slot(2)))
    assert len(blog.posts) == 1
    Worker(home.installation)(Job(Kind.PUBLISH, 1, slot(20)))
    assert blog.posts == {}


def test_a_site_that_is_worked_on_comes_later(home: Home, blog: Blog) -> None:
    """A command publishes: the job leaves it to that."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    with leases.holding(home.book.store.database, f"site:{home.book.site.id}", "a command"):
        Worker(home.installation)(Job(Kind.PUBLISH, 1, slot(1)))
    assert blog.made == []
