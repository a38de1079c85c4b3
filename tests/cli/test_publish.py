"""`watchbook publish`: sending, the dry run, older plays, and settling what is open."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.test_site import blog, published, site
from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, ago, give_token, token_of
from tests.publish.conftest import Book as Published
from tests.websites import Asked, Said, as_json
from watchbook.store import leases, sites

__all__ = ["blog", "published", "site"]

ENDS = {
    0: Said(201, b"", [("Location", "https://blog.example/made")]),
    65: as_json({"error": "invalid_request"}, 400),
    75: Said(503),
    77: as_json({"error": "unauthorized"}, 401),
}


@pytest.mark.parametrize(("code", "answer"), ENDS.items())
def test_the_exit_code_says_what_is_needed(
    run: Run, published: Published, blog: Blog, code: int, answer: Said
) -> None:
    """All well, refused posts, a site that is down, a sign-in."""
    published.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: answer)
    assert run("publish").code == code


def test_publishing_tells_what_it_did(run: Run, published: Published, blog: Blog) -> None:
    """In words and as data; a second time there is nothing to do."""
    published.watch(film_play(11, 1, ago(hours=1)))
    assert run("publish").out.split() == ["blog", "1", "published"]
    assert "nothing was due" in run("publish").out
    (told,) = json.loads(run("publish", "--json").out)
    assert told == {"site": "blog", "state": "working", "counts": {}, "stopped": None, "hint": None}
    assert blog.made == ["trakt-11"]


def test_the_dry_run_shows_the_exact_posts(run: Run, published: Published, blog: Blog) -> None:
    """What is shown is what is sent, and why others are held; nothing is sent."""
    published.rules(minimum_rating="7")
    published.watch(film_play(11, 1, ago(hours=1)))
    held = run("publish", "--dry-run").out
    assert "Waits for a rating of 7 or more.\n" in held
    published.rules()
    printed = run("publish", "--dry-run").out
    shown = json.loads(run("publish", "--dry-run", "--json").out)["blog"][0]
    assert json.loads(printed[printed.index("{") :]) == shown["post"]
    assert blog.site.of("POST", "/micropub") == []
    run("publish")
    (asked,) = blog.site.of("POST", "/micropub")
    assert asked.json == shown["post"]
    assert (shown["state"], shown["words"]) == ("waiting", None)


def test_a_dry_run_of_many_shows_the_first_ones(run: Run, published: Published) -> None:
    """Nobody reads thousands; a program gets them all."""
    published.watch(*(film_play(n, n, ago(hours=1)) for n in range(1, 26)))
    printed = run("publish", "--dry-run").out
    assert (printed.count("\nPost "), "The first 20 of 25" in printed) == (20, True)
    assert len(json.loads(run("publish", "--dry-run", "--json").out)["blog"]) == 25


def test_held_posts_tell_what_lets_them_go(run: Run, published: Published, blog: Blog) -> None:
    """A dry run names the command for those that would wait for ever, and it is true."""
    published.watch(film_play(11, 1, ago(days=300)), film_play(12, 2, "1970-01-01T00:00:00.000Z"))
    told = run("publish", "--dry-run").out
    assert "held, due" not in told
    assert "`watchbook publish --since DATE` sends it." in told
    (undated,) = [post for post in published.posts() if post.reason == "undated"]
    assert f"`watchbook publish --settle {undated.id} again` sends it." in told
    run("publish", "--settle", str(undated.id), "again")
    assert run("publish", "--since", ago(days=400)[:10]).code == 0
    assert sorted(blog.made) == ["trakt-11", "trakt-12"]


def test_older_plays_later(run: Run, published: Published, blog: Blog) -> None:
    """Since a date, or everything; a date that is none is refused."""
    published.filled.plays(film_play(1, 1, ago(days=900)), film_play(2, 2, ago(days=300)))
    assert run("publish", "--since", "tomorrow").code == 2
    ended = run("publish", "--since", ago(days=400)[:10])
    assert "1 older play will be published" in ended.out
    assert blog.made == ["trakt-2"]
    run("publish", "--since", "everything", "--site", "blog")
    assert blog.made == ["trakt-2", "trakt-1"]


def test_what_was_refused_is_tried_again_on_demand(
    run: Run, published: Published, blog: Blog
) -> None:
    """Only then."""
    published.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: as_json({}, 400))
    run("publish")
    run("publish")
    assert published.states() == ["rejected"]
    assert run("publish", "--retry").code == 0
    assert published.states() == ["published"]


def test_settling(run: Run, published: Published, blog: Blog) -> None:
    """The owner says where a post is whose answer was lost."""
    published.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: Said(504))
    run("publish")
    number = str(published.post().id)
    where = "https://blog.example/here"
    told = run("publish", "--settle", number, "posted", "--url", where, "--json")
    assert json.loads(told.out) == {"id": int(number), "state": "published", "url": where}
    assert run("publish", "--settle", number, "again").code == 2
    assert run("publish", "--settle", "999", "drop").code == 2
    assert run("publish", "--settle", number, "drop", "--url", where).code == 2
    assert run("publish", "--settle", number, "drop", "--dry-run").code == 2


def another_site(published: Published, blog: Blog) -> Published:
    """The same book with a second site, which the same blog stands for."""
    with published.store.database.write() as conn:
        told = {"me": None, "rules": '{"delay": "0s"}', "connected_at": 1}
        endpoint = blog.site.url("/micropub")
        account = published.filled.account
        made = sites.add(conn, account, "second", sites.Kind.MICROPUB, endpoint, **told)
    second = Published(published.filled, made)
    give_token(second, token_of())
    return second


def test_a_busy_site_does_not_hinder_the_others(run: Run, published: Published, blog: Blog) -> None:
    """They are published to, and who works on it is told; only if all are busy is that all."""
    second = another_site(published, blog)
    published.watch(film_play(11, 1, ago(hours=1)))
    busy = f"site:{published.site.id}"
    with leases.holding(published.store.database, busy, "a test of mine"):
        ended = run("publish")
        assert (ended.code, "busy with a test of mine" in ended.out) == (75, True)
        assert (published.states(), second.states()) == (["waiting"], ["published"])
        alone = run("publish", "--site", "blog", "--json")
        assert (alone.code, json.loads(alone.out)["ok"]) == (75, False)
    assert run("publish").code == 0
    assert published.states() == ["published"]


def test_a_site_that_is_removed_meanwhile(run: Run, published: Published, blog: Blog) -> None:
    """While the first one is published to: it says so, and nothing is sent there."""
    second = another_site(published, blog)
    published.watch(film_play(11, 1, ago(hours=1)))

    def remove(blog: Blog, asked: Asked) -> Said:
        with second.store.database.write() as conn:
            sites.remove(conn, second.site.id)
        return blog.obey(asked)

    blog.tricks.append(remove)
    ended = run("publish")
    assert (ended.code, "The site was removed meanwhile." in ended.out) == (0, True)
    assert blog.made == ["trakt-11"]


def test_without_a_site(run: Run, book: object) -> None:
    """It says how to connect one."""
    ended = run("publish")
    assert (ended.code, "site add" in ended.err) == (2, True)
