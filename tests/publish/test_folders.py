"""Plays as files in a folder: read back, killed, troubled, and never over somebody else's file."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml  # type: ignore[import-untyped]

from tests.conftest import TEST_KEY
from tests.exporting.conftest import episode_play, filled, film_play, rated
from tests.publish.conftest import Book, ago, connected
from watchbook.clock import now, to_millis
from watchbook.errors import InputError
from watchbook.micropub.lookup import Sight
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.post import Look, Post
from watchbook.micropub.titles import Episode, Film, Ids, Show, Watched
from watchbook.publish import folders
from watchbook.publish.folders import Folder
from watchbook.publish.generators import GENERATORS, recognised
from watchbook.publish.sending import Sent
from watchbook.store import accounts, outbox, sites
from watchbook.store.opening import Store

KILLED = -9
BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
EVERY_WAY = [(name, language) for name, one in GENERATORS.items() for language in one.languages]
PLACES = {
    "hugo": "content/watched/2026/trakt-11.md",
    "jekyll": "_posts/2026-04-01-trakt-11.md",
    "eleventy": "watched/2026/trakt-11.md",
    "astro": "src/content/watched/2026/trakt-11.md",
}
HOSTILE = (
    'He said "no": {a} [b]',
    "---\n+++\nwatchbook: trakt-99",
    "back\\slash \\u0041 \\",
    "emoji 🎬 and \u202e \u2028 \u0085 \x00 \x1b[2J \x7f",
    "{{ site.secrets }} {% include x %} {{< readfile >}}",
    "yes",
    "# <script>alert(1)</script> `x` *y*",
)


@dataclass
class Home:
    """A book with a folder for a site."""

    book: Book
    top: Path

    def outlet(self) -> Folder:
        return Folder(self.book.store, self.book.stands())

    def rules(self, **texts: str) -> None:
        self.book.rules(**{"generator": "hugo", **texts})

    def run(self) -> Sent:
        return self.book.run(self.outlet())  # type: ignore[arg-type]  # an outlet like any other

    def files(self) -> list[str]:
        found = (path for path in self.top.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.top).as_posix() for path in found)


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    """Sandra's book with a folder; she is the owner."""
    top = tmp_path / "site"
    top.mkdir()
    book = connected(filled(store, tmp_path / "out"), endpoint=str(top))
    with book.store.database.write() as conn:
        sites.change(conn, book.site.id, kind=sites.Kind.FOLDER)
        accounts.change(conn, book.filled.account.id, owner=True)
    found = Home(book, top)
    found.rules()
    return found


def film_post(text: str = "Watched Heat (1995)", **values: Any) -> Post:
    """A post about a film."""
    ids = Ids(1, "heat-1995", "tt0113277", 949)
    watched = [Watched(11, Film("Heat", ids, 1995), rating=9)]
    told = {"watched": watched, "published": AT, "categories": ("watched", "film")}
    look = Look(zone=BERLIN)
    return Post(**{"text": text, "slug": "trakt-11", "look": look, **told, **values})


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Front matter and body, as a generator's own parser reads them."""
    text = path.read_text("utf-8")
    fence = text[:3]
    _, head, body = text.split(f"{fence}\n", 2)
    loaded = yaml.safe_load(head) if fence == "---" else tomllib.loads(head)
    return loaded, body


@pytest.mark.parametrize(("generator", "language"), EVERY_WAY)
def test_a_file_says_what_was_watched(home: Home, generator: str, language: str) -> None:
    """Every generator finds the post in its place, and its parser reads the fields."""
    home.rules(generator=generator, front_matter=language)
    outcome = home.outlet().create(film_post())
    assert (outcome.kind, outcome.url) == (Kind.PUBLISHED, PLACES[generator])
    path = home.top / PLACES[generator]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    head, body = read(path)
    assert head == {
        "watchbook": "trakt-11",
        "title": "Watched Heat (1995)",
        "date": AT,
        "tags": ["watched", "film"],
        "watched": [
            {
                "type": "film",
                "title": "Heat",
                "year": 1995,
                "rating": 9,
                "url": "https://app.trakt.tv/movies/heat-1995",
                "ids": {"trakt": 1, "slug": "heat-1995", "imdb": "tt0113277", "tmdb": 949},
                "play": 11,
            }
        ],
    }
    assert "2026-04-01T00:30:00+02:00" in path.read_text()
    assert body == "\nWatched Heat &#40;1995&#41;\n"


@pytest.mark.parametrize("language", ["yaml", "toml"])
@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_leaves_its_place(home: Home, language: str, title: str) -> None:
    """Whatever a title holds is read back as it is, and does nothing in the body."""
    home.rules(front_matter=language)
    show = Show(title, Ids(70, "show-70"), 1999)
    watched = [Watched(11, Episode(show, 2, 7, Ids(5), title))]
    home.outlet().create(film_post(f"Watched {title}", watched=watched))
    head, body = read(home.top / PLACES["hugo"])
    (cited,) = head["watched"]
    assert (cited["title"], cited["show"], cited["season"]) == (title, title, 2)
    assert head["watchbook"] == "trakt-11"
    assert head["title"] == " ".join(f"Watched {title}".split())
    assert not set("{}<>`*[]\x00\x1b") & set(body)


def test_html_stays_html_without_templates(home: Home) -> None:
    """The text as HTML keeps its link; braces in a title are no template."""
    home.outlet().create(film_post(html='Watched <a href="https://x.example/">{{ a }}</a>\n\n*b*'))
    _, body = read(home.top / PLACES["hugo"])
    link = '<a href="https://x.example/">&#123;&#123; a &#125;&#125;</a>'
    assert body == f"\n<div>Watched {link}<br>\n<br>\n*b*</div>\n"


DRAFTS = {
    "hugo": {"draft": True},
    "jekyll": {"published": False},
    "eleventy": {"draft": True, "permalink": False, "eleventyExcludeFromCollections": True},
    "astro": {"draft": True},
}


@pytest.mark.parametrize("generator", DRAFTS)
def test_a_draft_is_not_published(home: Home, generator: str) -> None:
    """Drafts have the fields by which the generator leaves them out."""
    home.rules(generator=generator)
    home.outlet().create(film_post(look=Look(status="draft", zone=BERLIN)))
    head, _ = read(home.top / PLACES[generator])
    assert DRAFTS[generator].items() <= head.items()


def test_a_post_without_a_date(home: Home) -> None:
    """It has no date in its file; Jekyll, which cannot do without, refuses it."""
    outcome = home.outlet().create(film_post(published=None))
    assert outcome.url == "content/watched/trakt-11.md"
    assert "date" not in read(home.top / outcome.url)[0]
    home.rules(generator="jekyll")
    refused = home.outlet().create(film_post(published=None))
    assert (refused.good, refused.words) == (
        False,
        "A post without a date has no place there.",
    )


UNFIT = [
    ({"generator": "jekyll", "front_matter": "toml"}, {}, "front-matter=yaml"),
    ({"generator": "none"}, {}, "generator=hugo"),
    ({}, {"look": Look(visibility="private")}, "status=draft"),
]


@pytest.mark.parametrize(("rules", "values", "words"), UNFIT)
def test_what_cannot_be_written_is_refused(
    home: Home, rules: dict[str, str], values: dict[str, Any], words: str
) -> None:
    """Nothing is written that the generator could not read, or would publish to everybody."""
    home.rules(**rules)
    outcome = home.outlet().create(film_post(**values))
    assert outcome.kind is Kind.REFUSED
    assert words in outcome.words
    assert home.files() == []


def test_writing_again_changes_no_byte(home: Home) -> None:
    """The same post gives the same file, and what a dead process left behind is cleared away."""
    home.outlet().create(film_post())
    path = home.top / PLACES["hugo"]
    before = path.read_bytes()
    (path.parent / f".{path.name}.abc.part").write_text("half")
    home.outlet().create(film_post())
    assert path.read_bytes() == before
    assert home.files() == [PLACES["hugo"]]


FOREIGN = [
    "mine",
    "---\ntitle: mine\n---\nwatchbook: trakt-11\n",
    "---\nwatchbook: trakt-12\n---\n",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_a_file_of_somebody_else_stays(home: Home, text: str) -> None:
    """Neither writing nor updating nor deleting touches what is not the post's file."""
    path = home.top / PLACES["hugo"]
    path.parent.mkdir(parents=True)
    path.write_text(text)
    outlet = home.outlet()
    assert not outlet.create(film_post()).good
    assert not outlet.update(PLACES["hugo"], {}, film_post("Other")).good
    assert outlet.look(film_post()).sight is Sight.ABSENT
    if "trakt-12" not in text:
        assert not outlet.delete(PLACES["hugo"]).good
    assert path.read_text() == text


@pytest.mark.parametrize("url", ["../outside.md", "/etc/hostname", "https://blog.example/11"])
def test_no_address_leads_out_of_the_folder(home: Home, url: str) -> None:
    """An address that the owner has given by hand is no way to other files."""
    outside = home.top.parent / "outside.md"
    outside.write_text("---\nwatchbook: trakt-11\n---\n")
    assert not home.outlet().delete(url).good
    assert not home.outlet().update(url, {}, film_post()).good
    assert outside.exists()


def test_an_update_moves_a_file_with_its_date(home: Home) -> None:
    """The file is written anew, under its new name; the old one goes."""
    home.rules(generator="jekyll")
    outlet = home.outlet()
    outlet.create(film_post())
    later = film_post("Seen", published=AT + timedelta(days=2))
    outcome = outlet.update(PLACES["jekyll"], {}, later)
    assert outcome == Outcome(Kind.DONE, "_posts/2026-04-03-trakt-11.md")
    assert home.files() == [outcome.url]
    assert outlet.look(film_post()).url == outcome.url
    assert outlet.delete(str(outcome.url)).good
    assert outlet.delete(str(outcome.url)).good
    assert home.files() == []


def test_a_rating_that_comes_later_is_written(home: Home) -> None:
    """A living post's file is written anew; the date that was mended meanwhile stays."""
    home.rules(living="on")
    home.book.watch(film_play(11, 1, ago(hours=2)))
    assert home.run().counts == {"published": 1}
    (name,) = home.files()
    date = read(home.top / name)[0]["date"]
    home.book.filled.items("ratings_movies", rated(1, 8))
    home.book.watch(film_play(11, 1, ago(hours=30)))
    assert home.run().counts == {"updated": 1}
    head, _ = read(home.top / name)
    assert (head["watched"][0]["rating"], head["date"]) == (8, date)
    assert home.run().counts == {}


def test_a_missing_folder_is_trouble_and_is_not_made(home: Home) -> None:
    """A disk that is not there leaves everything waiting."""
    home.top.rmdir()
    home.book.watch(film_play(11, 1, ago(hours=1)))
    home.run()
    assert (home.book.states(), home.book.stands().state) == (["waiting"], "troubled")
    assert not home.top.exists()
    home.top.mkdir()
    home.book.pass_time(minutes=2)
    assert home.run().counts == {"published": 1}


# --- The command ---------------------------------------------------------------------------------


def test_the_command_runs_once_after_a_pass_that_changed_something(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder, once for all files, without our secrets; not when nothing has changed."""
    monkeypatch.setenv("WATCHBOOK_SECRET_KEY", "a-secret")
    home.rules(command='echo "$WATCHBOOK_SITE $WATCHBOOK_SECRET_KEY" >> ran')
    home.book.watch(film_play(11, 1, ago(hours=2)), film_play(12, 2, ago(hours=1)))
    home.run()
    home.run()
    assert (home.top / "ran").read_text() == "blog \n"


def test_a_command_that_fails_is_run_again(home: Home) -> None:
    """The posts stay published; the site tells what failed, until it goes well."""
    home.rules(command="echo rejected >&2; test -e ready && touch ran")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    sent = home.run()
    assert (home.book.states(), home.book.stands().state) == (["published"], "troubled")
    assert sent.stopped == home.book.stands().words == "The command ended with 1: rejected"
    (home.top / "ready").touch()
    assert not home.run().counts
    assert not (home.top / "ran").exists()
    home.book.pass_time(minutes=2)
    home.run()
    assert (home.top / "ran").exists()
    assert (home.book.stands().state, home.book.stands().failures) == ("working", 0)


# --- Connecting ----------------------------------------------------------------------------------


def test_a_folder_is_for_the_owner_only(home: Home) -> None:
    """Nobody else connects one, and one that is there writes nothing for an owner no more."""
    account = home.book.filled.account
    with pytest.raises(InputError, match="cannot publish to a folder"):
        folders.join(home.book.store, replace(account, owner=False), str(home.top))
    with home.book.store.database.write() as conn:
        accounts.change(conn, account.id, owner=False)
    with pytest.raises(InputError, match="cannot publish to a folder"):
        home.outlet()


def test_a_folder_is_connected_once(home: Home, tmp_path: Path) -> None:
    """It has to exist; its generator is recognised by its files."""
    owner = replace(home.book.filled.account, owner=True)
    with pytest.raises(InputError, match="There is no folder"):
        folders.join(home.book.store, owner, str(tmp_path / "nowhere"))
    top = tmp_path / "jekyll"
    top.mkdir()
    (top / "_config.yml").touch()
    made, known = folders.join(home.book.store, owner, str(top))
    assert (made.name, made.endpoint, known) == ("jekyll", str(top), False)
    assert made.rules == {"generator": "jekyll"}
    assert folders.join(home.book.store, owner, str(top)) == (made, True)
    (top / "hugo.toml").touch()
    assert recognised(top) is None


# --- Kills ---------------------------------------------------------------------------------------


@pytest.mark.daily(1)
@pytest.mark.parametrize("die_at", ["publish.begun", "publish.answered", "file.written"])
def test_a_kill_makes_no_second_file(
    home: Home, database_url: str, tmp_path: Path, die_at: str
) -> None:
    """Killed around the writing, there is one file in the end, and the command has seen it."""
    plain = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    environment = plain | {
        "WATCHBOOK_HOME": str(tmp_path / "home"),
        "WATCHBOOK_DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
        "WATCHBOOK_SECRET_KEY": TEST_KEY,
    }
    home.rules(command="find content -name '*.md' > told")
    home.book.watch(episode_play(11, 5, ago(hours=1)))
    done = subprocess.run(
        [sys.executable, "-m", "watchbook", "publish"],
        env=environment | {"_WATCHBOOK_DIE_AT": die_at},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == KILLED, done.stderr
    for minutes in (0, 1, 4, 5):
        home.book.pass_time(minutes=minutes)
        home.run()
    moment = datetime.fromtimestamp(home.book.post().watched_at / 1000, BERLIN)
    name = f"content/watched/{moment.year}/trakt-11.md"
    assert home.files() == [name, "told"]
    assert home.book.states() == ["published"]
    assert (home.top / "told").read_text() == f"{name}\n"


def test_an_empty_mount_point_is_not_written_to(home: Home) -> None:
    """Posts were there and nothing is there now: the disk is away, so nothing is made anew."""
    home.book.watch(film_play(11, 1, ago(hours=2)))
    home.run()
    disk = home.top.rename(home.top.with_name("disk"))
    home.top.mkdir()
    home.book.watch(film_play(12, 2, ago(hours=1)))
    home.run()
    assert (home.files(), home.book.stands().state) == ([], "troubled")
    assert "is its disk mounted?" in (home.book.stands().words or "")
    assert home.outlet().look(film_post()).sight is Sight.CANNOT_TELL
    home.top.rmdir()
    disk.rename(home.top)
    home.book.pass_time(minutes=2)
    home.run()
    assert (len(home.files()), home.book.states()) == (2, ["published", "published"])


def test_a_command_that_failed_is_due_when_the_site_has_rested(home: Home) -> None:
    """Though no post waits, the schedule knows that something is left to do; and then no more."""
    home.rules(command="test -e ../mended && touch ran")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    assert _is_pressing(home)
    home.run()
    assert (home.book.states(), home.book.stands().state) == (["published"], "troubled")
    assert not _is_pressing(home)
    home.book.pass_time(minutes=2)
    assert _is_pressing(home)
    (home.top.parent / "mended").touch()
    home.run()
    assert (home.top / "ran").exists()
    assert not _is_pressing(home)


def test_a_command_that_was_taken_away_is_owed_no_more(home: Home) -> None:
    """Nobody waits for what nobody wants."""
    home.rules(command="false")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    home.run()
    home.rules()
    home.book.pass_time(minutes=2)
    home.run()
    assert home.book.stands().config is None


def _is_pressing(home: Home) -> bool:
    """Whether publishing has something to do now."""
    moment = to_millis(now())
    with home.book.store.database.read() as conn:
        whose = outbox.pressing(conn, moment)
        assert bool(whose) <= outbox.has_due(conn, home.book.site.id, moment)
    return home.book.filled.account.id in whose
