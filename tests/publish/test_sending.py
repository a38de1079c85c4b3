"""A pass over a site: every outcome, lost answers, rules, changes, and the site's own troubles."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import episode_play, film_play, rated
from tests.publish.conftest import Blog, Book, Home, Scripted, ago
from tests.websites import Asked, Said, as_json
from watchbook.clock import from_iso, now, to_millis
from watchbook.errors import StoreBusy
from watchbook.micropub.lookup import ABSENT, Lookup, Sight
from watchbook.micropub.outcome import Kind
from watchbook.publish import desk
from watchbook.store import attempts, outbox, sites
from watchbook.store.outbox import PostState
from watchbook.store.schema import plays as plays_table
from watchbook.store.sites import SiteState

ENDS = {
    Kind.PUBLISHED: ("published", "working"),
    Kind.REFUSED: ("rejected", "working"),
    Kind.TOO_LARGE: ("rejected", "working"),
    Kind.TYPE_REFUSED: ("rejected", "working"),
    Kind.TROUBLE: ("waiting", "working"),
    Kind.SIGN_IN: ("waiting", "sign in again"),
    Kind.MORE_SCOPE: ("waiting", "sign in again"),
    Kind.MOVED: ("waiting", "paused"),
    Kind.SLOW_DOWN: ("waiting", "troubled"),
    Kind.DOWN: ("waiting", "troubled"),
    Kind.UNKNOWN: ("unknown", "working"),
}


@pytest.mark.parametrize("kind", ENDS, ids=lambda kind: kind.name)
def test_every_outcome_ends_in_a_written_state(book: Book, outlet: Scripted, kind: Kind) -> None:
    """The post and the site stand as the outcome says, and the answer's words are kept."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(kind)
    book.run(outlet)
    assert (book.post().state, book.stands().state) == ENDS[kind]
    with book.store.database.read() as conn:
        (attempt,) = attempts.of_post(conn, book.post().id)
    assert (attempt.outcome, attempt.words) == (kind.value, f"said {kind.value}")
    assert (book.stands().words is None) == (ENDS[kind][1] == "working")


def test_every_outcome_is_in_the_table() -> None:
    """No kind of outcome is left without a meaning for a post that is made."""
    assert set(ENDS) == set(Kind) - {Kind.DONE}


def test_a_bad_post_holds_nobody_up(book: Book, outlet: Scripted) -> None:
    """After a refusal the others go out, oldest first."""
    book.watch(film_play(11, 1, ago(hours=3)), film_play(12, 2, ago(hours=2)))
    outlet.script.append(Kind.REFUSED)
    assert book.run(outlet).counts == {"rejected": 1, "published": 1}
    assert book.states() == ["rejected", "published"]
    assert "said refused" in (book.posts()[0].words or "")


def test_three_refusals_in_a_row_pause_the_site(book: Book, outlet: Scripted) -> None:
    """Then it is not the posts; `--retry` lets them and the site go on."""
    book.watch(*(film_play(n, n, ago(hours=9 - n)) for n in range(1, 6)))
    outlet.script.extend([Kind.REFUSED] * 3)
    book.run(outlet)
    assert book.stands().state == "paused"
    assert book.states() == ["rejected"] * 3 + ["waiting"] * 2
    assert book.run(outlet).stopped
    assert len(outlet.created) == 3
    with book.store.database.write() as conn:
        assert desk.retry(conn, book.stands()) == 3
    book.run(outlet)
    assert book.states() == ["published"] * 5


@pytest.mark.parametrize("kind", [Kind.SIGN_IN, Kind.MORE_SCOPE])
def test_refusals_that_mean_the_token(book: Book, outlet: Scripted, kind: Kind) -> None:
    """A site that says so when it is asked keeps its posts: it was not they."""
    book.watch(*(film_play(n, n, ago(hours=9 - n)) for n in range(1, 6)))
    outlet.script.extend([Kind.REFUSED] * 3)
    outlet.open = kind
    book.run(outlet)
    assert (book.stands().state, book.states()) == ("sign in again", ["waiting"] * 5)


def test_three_lost_answers_in_a_row_let_the_site_rest(book: Book, outlet: Scripted) -> None:
    """A site that answers nothing is not sent the whole queue."""
    book.watch(*(film_play(n, n, ago(hours=9 - n)) for n in range(1, 6)))
    outlet.script.extend([Kind.UNKNOWN] * 3)
    book.run(outlet)
    assert (book.stands().state, len(outlet.created)) == ("troubled", 3)


def test_trouble_is_tried_again_and_then_set_aside(book: Book, outlet: Scripted) -> None:
    """Three more tries with growing pauses; each begins with a look whether it is there."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.extend([Kind.TROUBLE] * 4)
    for _ in range(4):
        book.run(outlet)
        book.pass_time(hours=2)
    assert (book.post().state, len(outlet.created), outlet.looks) == ("rejected", 4, 3)


def test_trouble_after_the_post_was_made_is_no_second_post(book: Book, outlet: Scripted) -> None:
    """A site that made the post and then answered 500 is not asked to make it again."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.TROUBLE)
    book.run(outlet)
    book.pass_time(hours=1)
    outlet.sights.append(Lookup(Sight.FOUND, "https://blog.example/made"))
    book.run(outlet)
    assert (book.post().state, book.post().url) == ("published", "https://blog.example/made")
    assert len(outlet.created) == 1


def test_a_site_that_is_down_rests_longer_each_time(book: Book, outlet: Scripted) -> None:
    """It is left alone until its rest is over; one success makes it work again."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.extend([Kind.DOWN, Kind.DOWN])
    book.run(outlet)
    first = book.stands().retry_at or 0
    assert book.run(outlet).counts == {}
    book.pass_time(minutes=2)
    book.run(outlet)
    assert (book.stands().retry_at or 0) - first > 180_000 - 120_000
    book.pass_time(minutes=6)
    book.run(outlet)
    assert (book.states(), book.stands().state, book.stands().failures) == (
        ["published"],
        "working",
        0,
    )


# --- Lost answers ------------------------------------------------------------------------------


def test_an_unknown_post_goes_out_again_after_three_looks(book: Book, outlet: Scripted) -> None:
    """Absent three times over ten minutes, and not before, it is sent a second time."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.UNKNOWN)
    outlet.sights.extend([ABSENT] * 3)
    book.run(outlet)
    assert book.run(outlet).counts == {}
    for minutes, looks in ((1, 1), (4, 2)):
        book.pass_time(minutes=minutes)
        book.run(outlet)
        book.run(outlet)
        assert (outlet.looks, book.post().state, len(outlet.created)) == (looks, "unknown", 1)
    book.pass_time(minutes=5)
    book.run(outlet)
    assert (outlet.looks, book.post().state, len(outlet.created)) == (3, "published", 2)


@pytest.mark.parametrize("url", ["https://blog.example/11", None])
def test_an_unknown_post_that_is_found_is_published(
    book: Book, outlet: Scripted, url: str | None
) -> None:
    """It is never sent again, even where its address is not told."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.UNKNOWN)
    outlet.sights.append(Lookup(Sight.FOUND, url))
    book.run(outlet)
    book.pass_time(minutes=1)
    book.run(outlet)
    book.run(outlet)
    assert (book.post().state, book.post().url, len(outlet.created)) == ("published", url, 1)


def test_where_nothing_can_be_seen_the_owner_decides(book: Book, outlet: Scripted) -> None:
    """It stays unknown, is looked for ever more rarely, and says what its owner can do."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.UNKNOWN)
    book.run(outlet)
    for _ in range(6):
        book.pass_time(days=1)
        book.run(outlet)
    post = book.post()
    assert (post.state, outlet.looks, len(outlet.created)) == ("unknown", 6, 1)
    assert "--settle" in (post.words or "")
    assert post.due_at - to_millis(now()) > timedelta(hours=23) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("answer", "state"), [("posted", "published"), ("again", "waiting"), ("drop", "withdrawn")]
)
def test_the_owner_settles(book: Book, outlet: Scripted, answer: str, state: str) -> None:
    """Whichever way the owner says."""
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.UNKNOWN)
    book.run(outlet)
    with book.store.database.write() as conn:
        desk.settle(conn, book.post(), answer)
    assert book.post().state == state


def test_what_a_dead_process_left_is_looked_for(book: Book, outlet: Scripted) -> None:
    """A row that says it is being sent, while nobody sends, is unknown."""
    book.watch(film_play(11, 1, ago(hours=1)))
    with book.store.database.write() as conn:
        outbox.change(conn, book.post().id, state=PostState.SENDING)
        attempts.begin(conn, book.post().id, "send")
    book.run(outlet)
    assert (book.post().state, outlet.created) == ("unknown", [])


@pytest.mark.parametrize(
    ("sights", "states", "deleted"),
    [
        ([Lookup(Sight.FOUND, "https://blog.example/11")], ["withdrawn", "published"], 1),
        ([ABSENT] * 3, ["withdrawn"], 0),
    ],
)
def test_a_play_deleted_while_its_post_is_unknown(
    book: Book, outlet: Scripted, sights: list[Lookup], states: list[str], deleted: int
) -> None:
    """It is looked for all the same; what is there is deleted by the rule, else nothing is sent."""
    book.rules(on_removal="delete")
    book.watch(film_play(11, 1, ago(hours=1)))
    outlet.script.append(Kind.UNKNOWN)
    outlet.sights.extend(sights)
    book.run(outlet)
    book.filled.remove_play(11)
    for minutes in (1, 4, 5, 1):
        book.pass_time(minutes=minutes)
        book.run(outlet)
    assert (book.states(), len(outlet.deleted), len(outlet.created)) == (states, deleted, 1)


# --- Rules -------------------------------------------------------------------------------------


def test_the_pace_is_kept(book: Book, outlet: Scripted) -> None:
    """So many posts in so much time; the rest waits."""
    book.rules(pace="2/1m")
    book.watch(*(film_play(n, n, ago(hours=n)) for n in range(1, 6)))
    for published in (2, 2, 4):
        book.run(outlet)
        assert len(outlet.created) == published
        book.pass_time(seconds=31)


def test_the_newest_may_go_first(book: Book, outlet: Scripted) -> None:
    """The order is a rule."""
    book.watch(*(film_play(n, n, ago(hours=n)) for n in (1, 2)))
    book.rules(order="newest-first")
    book.run(outlet)
    assert [post.slug for post in outlet.created] == ["trakt-1", "trakt-2"]


def test_quiet_hours(book: Book, outlet: Scripted) -> None:
    """Nothing is sent, but what is unknown is looked for."""
    local = now().astimezone(book.filled.account.zone)
    begin, end = local - timedelta(hours=1), local + timedelta(hours=1)
    book.watch(film_play(11, 1, ago(hours=1)))
    book.rules(quiet_hours=f"{begin:%H:%M}-{end:%H:%M}")
    assert book.run(outlet).stopped == "These are quiet hours."
    assert (outlet.created, book.states()) == ([], ["waiting"])


def test_a_minimum_rating_that_comes_later(book: Book, outlet: Scripted) -> None:
    """The post is held until the rating is there, and goes out then."""
    book.rules(minimum_rating="7")
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    assert (book.post().state, book.post().reason) == ("held", "rating")
    book.filled.items("ratings_movies", rated(1, 8))
    book.run(outlet)
    assert book.states() == ["published"]


def test_first_watches_only(book: Book, outlet: Scripted) -> None:
    """The second watch of a film is not posted."""
    book.filled.plays(film_play(1, 1, ago(days=300)))
    book.rules(watches="first")
    book.watch(film_play(11, 1, ago(hours=2)), film_play(12, 2, ago(hours=1)))
    book.run(outlet)
    assert book.states() == ["withdrawn", "published"]


def test_a_text_that_cannot_be_filled_in_holds_its_post(book: Book, outlet: Scripted) -> None:
    """The post says why; when the text is mended it goes out by itself."""
    book.rules(film_text="{{ note }}")
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    assert (book.post().state, book.post().words) == ("held", "The text is empty.")
    book.rules()
    book.run(outlet)
    assert book.states() == ["published"]


def test_a_binge_says_all_its_episodes(book: Book, outlet: Scripted) -> None:
    """One post cites every episode of the binge, dated by the last, which is no new date."""
    book.rules(binge="on", binge_pause="1h", on_new_date="recreate")
    book.watch(episode_play(1, 701, ago(hours=3)), episode_play(2, 702, ago(hours=2.5), place=2))
    for _ in range(2):
        book.run(outlet)
    (post,) = outlet.created
    assert post.text == "Watched 2 episodes of Show 70: S01E01 to S01E02"
    assert [one.history_id for one in post.watched] == [1, 2]


# --- Changes -----------------------------------------------------------------------------------


def test_a_play_deleted_before_it_was_posted(book: Book, outlet: Scripted) -> None:
    """Nothing is posted."""
    book.watch(film_play(11, 1, ago(hours=1)))
    book.filled.remove_play(11)
    book.run(outlet)
    assert (book.states(), outlet.created) == (["withdrawn"], [])


@pytest.mark.parametrize(("rule", "deleted"), [("leave", 0), ("delete", 1)])
def test_a_play_deleted_afterwards(book: Book, outlet: Scripted, rule: str, deleted: int) -> None:
    """Its post stays and tells, or is deleted, once."""
    book.rules(on_removal=rule)
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    book.filled.remove_play(11)
    for _ in range(3):
        book.run(outlet)
    assert len(outlet.deleted) == deleted
    assert book.posts()[0].state == ("withdrawn" if deleted else "published")
    assert "delete" in (book.posts()[0].words or "").lower()


@pytest.mark.parametrize("rule", ["leave", "update", "recreate"])
def test_a_new_date(book: Book, outlet: Scripted, rule: str) -> None:
    """The post is left, updated, or deleted and made anew under the new date; once."""
    book.rules(on_new_date=rule)
    book.watch(film_play(11, 1, ago(hours=9)))
    book.run(outlet)
    book.watch(film_play(11, 1, ago(hours=3)))
    for _ in range(4):
        book.run(outlet)
    assert (len(outlet.updated), len(outlet.deleted), len(outlet.created)) == {
        "leave": (0, 0, 1),
        "update": (1, 0, 1),
        "recreate": (0, 1, 2),
    }[rule]
    if rule == "recreate":
        assert outlet.created[0].slug != outlet.created[1].slug


@pytest.mark.parametrize("rule", ["leave", "update", "recreate"])
def test_an_episode_deleted_from_a_binge_is_no_new_date(
    book: Book, outlet: Scripted, rule: str
) -> None:
    """Though it was the last one: the post keeps its date and its place, and tells of the rest."""
    book.rules(binge="on", binge_pause="1h", on_new_date=rule, living="on")
    book.watch(episode_play(1, 701, ago(hours=3)), episode_play(2, 702, ago(hours=2.5), place=2))
    book.run(outlet)
    book.filled.remove_play(2)
    for _ in range(3):
        book.run(outlet)
    ((_, changed),) = outlet.updated
    assert "published" not in changed
    assert changed["content"] == ["Watched Show 70 S01E01: Pilot"]
    assert (len(outlet.created), outlet.deleted) == (1, [])
    assert "mended" not in (book.posts()[0].words or "")


def test_a_later_rating_updates_a_living_post(book: Book, outlet: Scripted) -> None:
    """Only what differs is sent, and only once; one that is refused is not asked for again."""
    text = "Watched {{ name }}{% if rating %}: {{ rating }}{% endif %}"
    book.rules(living="on", film_text=text)
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    book.filled.items("ratings_movies", rated(1, 8))
    outlet.script.append(Kind.REFUSED)
    for _ in range(3):
        book.run(outlet)
    said = {"summary": ["Watched Film 1 (2001): 8"], "content": ["Watched Film 1 (2001): 8"]}
    assert outlet.updated == [("https://blog.example/trakt-11", said)]
    with book.store.database.write() as conn:
        desk.retry(conn, book.stands())
    book.run(outlet)
    book.run(outlet)
    assert len(outlet.updated) == 2


def test_a_lost_answer_to_an_update_is_asked_again(book: Book, outlet: Scripted) -> None:
    """To replace the same twice does no harm."""
    book.rules(living="on", film_text="{{ rating|default('none', true) }}")
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    book.filled.items("ratings_movies", rated(1, 8))
    outlet.script.append(Kind.UNKNOWN)
    book.run(outlet)
    book.pass_time(minutes=1)
    book.run(outlet)
    assert (len(outlet.updated), book.states()) == (2, ["published", "published"])


def test_a_change_whose_answers_are_lost_is_asked_for_ever_more_rarely(
    book: Book, outlet: Scripted
) -> None:
    """A site that never answers a deletion is not asked for it every other minute for ever."""
    book.rules(on_removal="delete")
    book.watch(film_play(11, 1, ago(hours=1)))
    book.run(outlet)
    book.filled.remove_play(11)
    outlet.script.extend([Kind.UNKNOWN] * 99)
    pauses = []
    for _ in range(7):
        book.run(outlet)
        row = book.posts()[1]
        pauses.append(round((row.due_at - to_millis(now())) / 60_000))
        book.pass_time(minutes=pauses[-1])
    assert pauses == [1, 5, 15, 60, 360, 360, 360]
    assert (len(outlet.deleted), book.states()) == (7, ["published", "unknown"])
    outlet.script.clear()
    book.run(outlet)
    assert book.states() == ["withdrawn", "published"]


# --- Over HTTP ---------------------------------------------------------------------------------


def drop(blog: Blog, asked: Asked) -> Said:
    """Make the post, and break off in the answer."""
    blog.obey(asked)
    return Said(504, b"a gateway gave up")


def test_an_answer_lost_behind_a_gateway_is_found(home: Home, blog: Blog) -> None:
    """The post was made: the blog's list shows it by its slug, and it is not made twice."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(drop)
    desk.publish(home.installation, home.book.filled.account, home.book.stands())
    assert home.book.states() == ["unknown"]
    home.book.pass_time(minutes=1)
    desk.publish(home.installation, home.book.filled.account, home.book.stands())
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])
    assert home.book.post().url == blog.site.url("/trakt-11")


def test_two_processes_at_once_post_once(home: Home, blog: Blog) -> None:
    """Who comes second is told who works on it, and nothing is doubled."""
    home.book.watch(*(film_play(n, n, ago(hours=n)) for n in range(1, 9)))
    busy: deque[StoreBusy] = deque()

    def publish() -> None:
        try:
            desk.publish(home.installation, home.book.filled.account, home.book.stands())
        except StoreBusy as reason:
            busy.append(reason)

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publish()
    assert sorted(blog.made) == [f"trakt-{n}" for n in range(1, 9)]
    assert home.book.states() == ["published"] * 8


def test_a_paused_site_keeps_its_queue(home: Home, blog: Blog) -> None:
    """Nothing is asked of it."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    with home.book.store.database.write() as conn:
        sites.set_state(conn, home.book.site.id, SiteState.PAUSED, "Paused by its owner.")
    sent = desk.publish(home.installation, home.book.filled.account, home.book.stands())
    assert (sent.stopped, blog.site.asked) == ("Paused by its owner.", [])
    assert home.book.states() == ["waiting"]


def test_the_dry_run_is_what_is_sent(home: Home, blog: Blog) -> None:
    """A preview is, property by property, what the blog gets."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    with home.book.store.database.read() as conn:
        account = home.book.filled.account
        (preview,) = desk.previews(conn, account, home.book.stands())
    desk.publish(home.installation, account, home.book.stands())
    (asked,) = blog.site.of("POST", "/micropub")
    assert asked.json == {"type": ["h-entry"], "properties": preview.properties}


def test_a_401_pauses_the_site_and_not_each_post(home: Home, blog: Blog) -> None:
    """One request is made, however much waits."""
    home.book.watch(*(film_play(n, n, ago(hours=n)) for n in range(1, 4)))
    blog.tricks.append(lambda _, __: as_json({"error": "unauthorized"}, 401))
    desk.publish(home.installation, home.book.filled.account, home.book.stands())
    assert home.book.stands().state == "sign in again"
    assert len(blog.site.of("POST", "/micropub")) == 1
    assert home.book.states() == ["waiting"] * 3


def test_moments_come_from_the_play(home: Home, blog: Blog) -> None:
    """The post is dated when the play was, with the account's own offset."""
    moment = ago(hours=5)
    home.book.watch(film_play(11, 1, moment))
    desk.publish(home.installation, home.book.filled.account, home.book.stands())
    (found,) = blog.posts.values()
    said = found["published"][0]
    assert from_iso(said) == from_iso(moment)
    assert said[-6:] == now().astimezone(home.book.filled.account.zone).isoformat()[-6:]


def test_a_removed_site_forgets_its_posts(home: Home) -> None:
    """Rows, attempts and plays' marks go with the site."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    with home.book.store.database.write() as conn:
        sites.remove(conn, home.book.site.id)
        assert conn.scalar(sa.select(sa.func.count()).select_from(plays_table)) == 1
        assert outbox.known_plays(conn, home.book.site.id) == set()
