"""`watchbook site`: connecting a website, its rules, a test post, and parting."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.conftest import Book, Run
from tests.exporting.conftest import Filled, film_play
from tests.indieauth.conftest import Authority
from tests.publish.conftest import TOKEN, Blog, ago, connected, give_token, token_of
from tests.publish.conftest import Book as Published
from tests.websites import Said, Website, as_json, serving
from watchbook.publish.joining import check_name
from watchbook.publish.rules import TABLE
from watchbook.store import outbox, sites
from watchbook.store.outbox import PostState


@pytest.fixture
def site(book: Book, monkeypatch: pytest.MonkeyPatch) -> Iterator[Website]:
    """A website on loopback, which commands may reach."""
    monkeypatch.setenv("WATCHBOOK_ALLOW_HOSTS", "127.0.0.0/8,::1")
    with serving(Website()) as website:
        monkeypatch.setenv("WATCHBOOK_BASE_URL", "http://localhost:1")
        yield website


@pytest.fixture
def blog(site: Website) -> Blog:
    """A blog on the website."""
    return Blog(site)


@pytest.fixture
def authority(blog: Blog) -> Authority:
    """The sign-in server of the blog."""
    found = Authority(blog.site)
    found.page("/")
    return found


@pytest.fixture
def published(book: Book, blog: Blog, tmp_path: Path) -> Published:
    """Sandra's book, connected with the blog."""
    filled = Filled(book.store, book.account, tmp_path)
    made = connected(filled, me=blog.site.url("/"), endpoint=blog.site.url("/micropub"))
    give_token(made, token_of())
    return made


@contextmanager
def signing_in(blog: Blog, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real `watchbook site add` that waits, and the address that it asks to open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "watchbook", "site", "add", blog.site.url("/"), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next((line.strip() for line in lines if "response_type=code" in line), "")
        assert address, process.wait()
        yield process, address
    finally:
        process.kill()
        process.wait()


def redirect_of(address: str) -> str:
    """Where the browser is sent to."""
    return parse_qs(urlsplit(address).query)["redirect_uri"][0]


def known(book: Book) -> list[sites.Site]:
    """The sites of Sandra's account."""
    with book.store.database.read() as conn:
        return sites.all_sites(conn, book.account.id)


def test_nothing_is_connected_yet(run: Run, book: Book) -> None:
    """The list says how to begin."""
    assert "site add ADDRESS" in run("site").out
    assert json.loads(run("site", "list", "--json").out) == []


def test_a_site_is_connected_in_a_browser(
    run: Run, book: Book, blog: Blog, authority: Authority
) -> None:
    """The browser ends on this machine with the answer, and the site is kept from now on."""
    with signing_in(blog) as (process, address):
        query = authority.consent(address)
        parts = urlsplit(redirect_of(address))
        for target, said in (("/favicon.ico", b"Nothing"), (f"{parts.path}?{query}", b"Go back")):
            with closing(HTTPConnection("127.0.0.1", parts.port or 0)) as browser:
                browser.request("GET", target)
                assert said in browser.getresponse().read()
        out, err = process.communicate()
        assert process.returncode == 0, err
    (made,) = known(book)
    assert "not proven" not in run("site").out
    assert (made.name, made.me, made.state) == ("localhost", blog.site.url("/"), "working")
    assert TOKEN in (made.token(book.store.sealer) or "")
    assert "Connected" in out
    for secret in (TOKEN, "code_verifier"):
        assert secret not in out + err


def test_the_address_can_be_pasted(book: Book, blog: Blog, authority: Authority) -> None:
    """Where the browser runs elsewhere, its last address does."""
    with signing_in(blog, "--name", "blog") as (process, address):
        query = authority.consent(address)
        _, err = process.communicate(f"{redirect_of(address)}?{query}\n")
        assert process.returncode == 0, err
    assert [site.name for site in known(book)] == ["blog"]


def test_an_answer_of_another_sign_in_is_refused(
    book: Book, blog: Blog, authority: Authority
) -> None:
    """Nothing is kept."""
    with signing_in(blog) as (process, address):
        query = authority.consent(address, state="another")
        _, err = process.communicate(f"{redirect_of(address)}?{query}\n")
        assert process.returncode == 77
        assert "another sign-in" in err
    assert known(book) == []


def test_signing_in_again_renews_the_token(
    published: Published, book: Book, blog: Blog, authority: Authority
) -> None:
    """The site keeps its name, its queue and its rules, and works again."""
    published.watch(film_play(11, 1, ago(hours=1)))
    with book.store.database.write() as conn:
        sites.set_state(conn, published.site.id, sites.SiteState.SIGN_IN, "The token is dead.")
    authority.says["access_token"] = "a-newer-token"
    with signing_in(blog, "--json") as (process, address):
        out, err = process.communicate(f"{redirect_of(address)}?{authority.consent(address)}\n")
        assert process.returncode == 0, err
    assert json.loads(out)["renewed"] is True
    (made,) = known(book)
    assert (made.name, made.state, made.words) == ("blog", "working", None)
    assert "a-newer-token" in (made.token(book.store.sealer) or "")
    assert published.states() == ["waiting"]


def test_a_token_by_hand(run: Run, book: Book, blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked with the site before it is kept, and never shown."""
    for token, code in (("a-wrong-token", 77), (TOKEN, 0)):
        monkeypatch.setattr("sys.stdin", _typed(token))
        ended = run("site", "add", blog.site.url("/"), "--token", "--name", "blog")
        assert (ended.code, len(known(book))) == (code, 1 - bool(code)), ended.err
        assert token not in ended.out + ended.err


def _typed(line: str) -> io.StringIO:
    return io.StringIO(f"{line}\n")


def test_a_page_without_micropub_says_what_is_missing(run: Run, site: Website) -> None:
    """The hint names what to install."""
    site.pages["/"] = Said(200, b"<p>hello", [("Content-Type", "text/html")])
    ended = run("site", "add", site.url("/"), "--token")
    assert ended.code != 0
    assert run("site", "add", "you@example.org").code == 2


def test_rules_are_checked_and_previewed(run: Run, published: Published) -> None:
    """A new text is shown on the last plays; a bad one is refused and nothing is changed."""
    published.watch(film_play(11, 1, ago(hours=1)), film_play(12, 2, ago(hours=2)))
    ended = run("site", "set", "blog", "film-text=Saw {{ name }}", "delay=30m")
    assert ended.code == 0
    assert "Saw Film 1 (2001)" in ended.out
    bad = run("site", "set", "blog", "film-text={{ nothing }}")
    assert (bad.code, "there is no nothing" in bad.err) == (2, True)
    assert published.stands().rules["film-text"] == "Saw {{ name }}"
    run("site", "set", "blog", "film-text=")
    assert "film-text" not in published.stands().rules
    wrong = run("site", "set", "blog", "colour=blue")
    assert (wrong.code, "`watchbook site set NAME` lists" in wrong.err) == (2, True)
    listed = run("site", "set", "blog")
    assert {line.split()[0] for line in listed.out.splitlines()[1:]} == set(TABLE)
    assert "30m" in listed.out
    told = json.loads(run("site", "set", "blog", "--json").out)
    assert (told["rules"]["delay"], set(told["rules"])) == ("30m", set(TABLE))
    (syndicated,) = [line for line in listed.out.splitlines() if "syndicate-to" in line]
    assert syndicated.split()[1] == "none"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("delay=abc", "delay=10m"),
        ("film-text={{ nme }}", 'film-text="Saw {{ name }}"'),
        ("minimum-rating=11", "minimum-rating=7"),
        ("timezone=Mars", "timezone=Europe/Berlin"),
    ],
)
def test_a_wrong_rule_is_told_once_with_a_right_one(
    run: Run, published: Published, wrong: str, right: str
) -> None:
    """The first line names the value, the second one that would do."""
    first, second = run("site", "set", "blog", wrong).err.splitlines()[-2:]
    assert first.count(repr(wrong.partition("=")[2])) == 1
    assert second == f"  A right example: {right}"
    assert published.stands().rules == {"delay": "0s"}


def test_examples_of_rules_are_right() -> None:
    """What an error proposes is taken."""
    for rule in TABLE.values():
        rule.read(rule.example or rule.default)


def test_the_only_site_need_not_be_named(run: Run, published: Published) -> None:
    """The rules of the only site are set, and listed, without its name."""
    assert run("site", "set", "delay=30m", "pace=1/1m").code == 0
    assert published.stands().rules == {"delay": "30m", "pace": "1/1m"}
    assert "30m" in run("site", "set").out


def test_posters_need_a_place_for_pictures(run: Run, published: Published, blog: Blog) -> None:
    """A site that names none refuses the rule, which changes nothing; one that does takes it."""
    ended = run("site", "set", "blog", "poster=cite", "delay=1h")
    assert (ended.code, "takes no pictures" in ended.err) == (2, True)
    assert "1h" not in published.stands().rules.values()
    blog.config = {"media-endpoint": blog.site.url("/media")}
    assert "poster" in run("site", "set", "blog", "poster=cite").out


def test_a_site_shows_how_it_stands(run: Run, published: Published, blog: Blog) -> None:
    """State, counts, rules and what it answered, for people and as data."""
    published.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: as_json({"error_description": "No such category"}, 400))
    assert run("publish").code == 65
    shown = run("site", "show", "blog").out
    for words in ("working", "1 rejected", "delay", "No such category", "status 400"):
        assert words in shown
    told = json.loads(run("site", "show", "--json").out)
    assert (told["posts"]["rejected"], told["answers"][0]["status"]) == (1, 400)
    for moment in (told["answers"][0]["at"], told["asking"][0]["watched_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", moment)
        assert moment[:16].replace("T", " ") + " UTC" in shown
    assert "1 rejected" in run("status").out


def test_posts_that_need_their_owner_are_named(run: Run, published: Published, blog: Blog) -> None:
    """With their numbers, however much has gone out since; those that are settled are not."""
    published.watch(film_play(11, 1, ago(hours=9)), film_play(12, 2, ago(hours=8)))
    blog.tricks.extend([lambda _, __: as_json({}, 400), lambda _, __: Said(504)])
    run("publish")
    published.watch(*(film_play(n, n, ago(hours=1)) for n in range(21, 28)))
    run("publish")
    refused, unknown = published.posts()[:2]
    shown = run("site", "show", "blog").out
    for post, words in ((refused, "refuses it"), (unknown, "not known whether")):
        (line,) = [one for one in shown.splitlines() if one.split()[:1] == [str(post.id)]]
        assert post.state in line
        assert words in line
    told = json.loads(run("site", "show", "--json").out)
    assert [one["post"] for one in told["asking"]] == [unknown.id, refused.id]
    for post in (refused, unknown):
        run("publish", "--settle", str(post.id), "drop")
    assert "need a word from you" not in run("site", "show").out


def test_pause_and_resume(run: Run, published: Published, blog: Blog) -> None:
    """Nothing goes out in between, and nothing is lost."""
    published.watch(film_play(11, 1, ago(hours=1)))
    assert run("site", "pause").code == 0
    assert "Paused" in run("publish").out
    assert blog.made == []
    run("site", "resume", "blog")
    run("publish")
    assert published.states() == ["published"]


def test_a_test_post_is_read_back_and_deleted(run: Run, published: Published, blog: Blog) -> None:
    """It is a draft, says that it is a test, and is gone afterwards."""
    kept = run("site", "test", "blog", "--keep", "--json")
    told = json.loads(kept.out)
    assert (told["outcome"], told["draft"], told["deleted"]) == ("published", True, False)
    (post,) = blog.posts.values()
    assert "test by Watchbook" in post["content"][0]
    deleted = run("site", "test", "blog", "--delete")
    assert "It is deleted." in deleted.out
    assert len(blog.posts) == 1
    assert published.posts() == []


def test_a_test_post_that_nobody_judges_stays(
    run: Run, published: Published, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the input ends before the answer, it is told where the post is, and what to give."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ended = run("site", "test", "blog")
    (url,) = blog.posts
    assert published.stands().state == "working"
    assert (ended.code, url in ended.err, "--delete or --keep" in ended.err) == (2, True, True)


def test_a_test_post_that_is_refused(run: Run, published: Published, blog: Blog) -> None:
    """The site's words are shown."""
    assert published.stands().state == "working"
    blog.tricks.append(lambda _, __: as_json({"error_description": "Not today"}, 400))
    ended = run("site", "test")
    assert (ended.code, "Not today" in ended.out) == (69, True)


def test_reset_looks_first(run: Run, published: Published, blog: Blog) -> None:
    """Posts that are on the site stay known; the one that is not may be posted anew."""
    published.watch(*(film_play(n, n, ago(hours=n)) for n in (1, 2, 3)))
    run("publish")
    gone = blog.site.url("/trakt-1")
    del blog.posts[gone]
    ended = run("site", "reset", "blog", "--look-up", "--yes", "--json")
    assert json.loads(ended.out) == {"site": "blog", "forgotten": 1, "kept": 2}
    with published.store.database.read() as conn:
        assert outbox.known_plays(conn, published.site.id) == {2, 3}


def test_reset_warns_first(run: Run, published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a yes nothing is forgotten; with it everything is."""
    published.watch(film_play(11, 1, ago(hours=1)))
    run("publish")
    monkeypatch.setattr("sys.stdin", _typed("n"))
    ended = run("site", "reset", "blog", "--no-look-up")
    assert (ended.code, "WARNING" in ended.err) == (130, True)
    assert published.states() == [PostState.PUBLISHED]
    assert run("site", "reset", "blog", "--no-look-up", "--yes").code == 0
    assert published.posts() == []


def test_remove_gives_the_token_back(
    book: Book, run: Run, blog: Blog, authority: Authority
) -> None:
    """The site is told, and forgotten."""
    blog.site.pages["/revoke"] = Said(200)
    with signing_in(blog, "--name", "blog") as (process, address):
        process.communicate(f"{redirect_of(address)}?{authority.consent(address)}\n")
    ended = run("site", "remove", "blog", "--yes", "--json")
    assert json.loads(ended.out) == {"removed": "blog", "problem": None}
    (asked,) = blog.site.of("POST", "/revoke")
    assert asked.form["token"] == [TOKEN]
    assert known(book) == []


def test_removing_the_account_gives_the_tokens_of_its_sites_back(
    book: Book, run: Run, blog: Blog, authority: Authority
) -> None:
    """Every site is told; of a token by hand its owner is told instead."""
    blog.site.pages["/revoke"] = Said(200)
    with signing_in(blog, "--name", "blog") as (process, address):
        process.communicate(f"{redirect_of(address)}?{authority.consent(address)}\n")
    ended = run("account", "remove", "sandra", "--yes", "--json")
    assert json.loads(ended.out) == {"removed": "sandra", "problem": None}
    (asked,) = blog.site.of("POST", "/revoke")
    assert asked.form["token"] == [TOKEN]
    assert known(book) == []


def test_what_a_removed_account_leaves_at_a_site(run: Run, published: Published) -> None:
    """A token by hand cannot be given back from here."""
    ended = run("account", "remove", "sandra", "--yes")
    assert (ended.code, "take Watchbook's token back there yourself" in ended.err) == (0, True)


def test_a_name_that_is_taken_is_told_before_the_sign_in(
    run: Run, book: Book, published: Published, blog: Blog
) -> None:
    """The site is not asked anything; the same site keeps its name."""
    ended = run("site", "add", "https://other.example/", "--name", "blog")
    assert (ended.code, "called blog already" in ended.err) == (2, True)
    assert blog.site.asked == []
    with book.store.database.read() as conn:
        check_name(conn, book.account, blog.site.url("/"), "blog")


def test_a_token_by_hand_proves_nobody(run: Run, published: Published) -> None:
    """The list and the site's own page say so."""
    assert "whose it is was not proven" in run("site").out
    assert "not proven: the token was given by hand" in run("site", "show").out
    assert json.loads(run("site", "show", "--json").out)["proven"] is False
