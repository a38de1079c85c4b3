"""`/api/trakt/last` over real HTTP, on both databases: its shape, its headers, who may see it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.every import every
from tests.hostile import STORABLE, label
from tests.web.open_book import hang_poster
from tests.web.showroom import Owner, Visitor, served, until
from watchbook.clock import from_iso, now, to_iso, to_millis
from watchbook.render.widget import EXTRAS, KEYS, NOTHING
from watchbook.sharing import Part
from watchbook.store import changes, watching
from watchbook.store.opening import Store
from watchbook.store.schema import titles
from watchbook.store.watching import Watching

LAST = "/api/trakt/last"
EVENING = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)


@pytest.fixture
def sandra(store: Store) -> Owner:
    """An owner with a film, and an episode watched later, who shows the last watch."""
    owner = Owner(store)
    owner.watch(1, EVENING)
    owner.watch(2, EVENING + timedelta(hours=2), episode=True)
    owner.share(Part.LAST)
    owner.grant()
    owner.ran()
    return owner


@pytest.fixture
def visitor(sandra: Owner) -> Iterator[Visitor]:
    """A stranger in front of her server."""
    with served(sandra.store) as found:
        yield found


def test_episode_has_the_promised_shape(visitor: Visitor) -> None:
    """Every promised key, in order, with what design and docs say; extras stand behind."""
    told = visitor.ask(LAST)
    assert told.status == 200
    assert list(told.json) == [*KEYS, *EXTRAS]
    found = {key: told.json[key] for key in KEYS if key != "as_of"}
    assert found == {
        "ok": True,
        "type": "episode",
        "title": "Severance",
        "subtitle": "S2 E7 · Chikhai Bardo",
        "year": 2022,
        "season": 2,
        "episode": 7,
        "watched_at": "2026-11-20T22:15:00Z",
        "url": "https://app.trakt.tv/shows/severance/seasons/2/episodes/7",
        "poster": "https://watch.example/images/title/show-21.svg",
        "stale": False,
    }
    assert now() - from_iso(told.json["as_of"]) < timedelta(minutes=5)
    assert (told.json["reason"], told.json["rating"], told.json["now"]) == (None, None, None)
    assert told.json["account"] == "sandra"


def test_film_by_type(visitor: Visitor) -> None:
    """`?type=` chooses films or episodes; a film has no season."""
    told = visitor.ask(f"{LAST}?type=movie").json
    assert (told["title"], told["subtitle"], told["season"]) == ("Aftersun", "2022", None)
    assert visitor.ask(f"{LAST}?type=episode").json["title"] == "Severance"


def test_odd_type_is_refused_in_json(visitor: Visitor) -> None:
    """A type that there is not is a mistake of the page, told with what to write instead."""
    told = visitor.ask(f"{LAST}?type=podcast")
    assert told.status == 400
    assert told.json["ok"] is False
    assert "movie or episode" in told.json["hint"]
    assert told.headers["access-control-allow-origin"] == "*"


def test_headers_let_everybody_read_and_keep_it(visitor: Visitor) -> None:
    """Any origin may read it; caches may keep it a minute, and show it while we are away."""
    headers = visitor.ask(LAST, Origin="https://blog.example").headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"] == "application/json"
    kept = headers["cache-control"]
    assert kept == "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"


def test_who_has_it_already_gets_no_body(visitor: Visitor) -> None:
    """304 for the same ETag, weak or among others; a new body for another."""
    etag = visitor.ask(LAST).headers["etag"]
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        told = visitor.ask(LAST, If_None_Match=asked)
        assert (told.status, told.body) == (304, b"")
        assert told.headers["etag"] == etag
        assert told.headers["access-control-allow-origin"] == "*"
    assert visitor.ask(LAST, If_None_Match='"other"').status == 200


def test_head_and_preflight(visitor: Visitor) -> None:
    """HEAD tells what GET would without a body; a preflight is allowed without asking who."""
    whole, head = visitor.ask(LAST), visitor.ask(LAST, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == str(len(whole.body))
    asked = {"Origin": "https://blog.example", "Access_Control_Request_Headers": "x-anything"}
    told = visitor.ask(
        f"{LAST}?account=nobody", "OPTIONS", Access_Control_Request_Method="GET", **asked
    )
    assert (told.status, told.body) == (204, b"")
    assert told.headers["access-control-allow-origin"] == "*"
    assert "GET" in told.headers["access-control-allow-methods"]
    assert told.headers["access-control-allow-headers"] == "*"
    assert visitor.ask(LAST, "POST").status == 405


def test_private_and_unknown_accounts_look_alike(sandra: Owner, visitor: Visitor) -> None:
    """A part that is off, and an account that there is not, get the same 404, for any asker."""
    Owner(sandra.store, "tom").watch(9, EVENING)
    visitor.look()

    def told(path: str) -> tuple[int, bytes, dict[str, str]]:
        found = visitor.ask(path)
        return found.status, found.body, {**found.headers, "date": ""}

    private, unknown = told(f"{LAST}?account=tom"), told(f"{LAST}?account=nobody")
    assert private == unknown == told(f"{LAST}?account=nobody&type=podcast")
    assert private[0] == 404
    assert json.loads(private[1]) == {"ok": False, "reason": "not public"}
    assert private[2]["access-control-allow-origin"] == "*"
    assert private[2]["cache-control"] == "no-store"
    assert visitor.ask(f"{LAST}?account=sandra").status == 200


def test_switched_off_is_gone_when_the_change_is_seen(sandra: Owner, visitor: Visitor) -> None:
    """After the watcher's look nobody gets the old answer, not even once, nor with its ETag."""
    etag = visitor.ask(LAST).headers["etag"]
    sandra.share(Part.LAST, on=False)
    visitor.look()
    assert visitor.ask(LAST).status == 404
    assert visitor.ask(LAST, If_None_Match=etag).status == 404


def test_rating_only_while_ratings_are_shared(sandra: Owner, visitor: Visitor) -> None:
    """A rating is beside the play as long as that part is on, and gone at once after that."""
    with sandra.store.database.write() as conn:
        rating = '{"rating": 9, "type": "episode"}'
        conn.exec_driver_sql(
            "INSERT INTO items (account_id, data_set, key, place, raw, discovered_at, changed_at,"
            f" generation) VALUES (1, 'ratings_episodes', 'episode:31', 0, '{rating}', 0, 0, 1)"
        )
    assert visitor.ask(LAST).json["rating"] is None
    sandra.share(Part.RATINGS)
    visitor.look()
    assert visitor.ask(LAST).json["rating"] == 9
    sandra.share(Part.RATINGS, on=False)
    visitor.look()
    assert visitor.ask(LAST).json["rating"] is None


def test_nothing_watched_yet(store: Store) -> None:
    """An empty book says so with 200, and so does one whose only play waits for its delay."""
    owner = Owner(store)
    owner.share(Part.LAST, after="2h")
    owner.grant()
    owner.ran()
    with served(store) as visitor:
        empty = visitor.ask(LAST)
        owner.watch(1, now() - timedelta(hours=1))
        visitor.look()
        until(lambda: visitor.ask(LAST).headers["etag"] == empty.headers["etag"])
        waiting = visitor.ask(LAST)
    assert (empty.status, waiting.status) == (200, 200)
    assert waiting.body == empty.body
    assert empty.json["ok"] is False
    assert empty.json["reason"] == NOTHING
    assert empty.json["stale"] is False


def test_play_shows_when_its_delay_is_over(store: Store) -> None:
    """Of two plays the one that is old enough is the last that strangers see."""
    owner = Owner(store)
    owner.watch(1, now() - timedelta(hours=3))
    owner.watch(2, now() - timedelta(hours=1), episode=True)
    owner.share(Part.LAST, after="2h")
    with served(store) as visitor:
        assert visitor.ask(LAST).json["title"] == "Aftersun"
        owner.share(after="30m")
        visitor.look()
        assert visitor.ask(LAST).json["title"] == "Severance"


def test_removed_future_and_undated_plays(store: Store) -> None:
    """What is gone at Trakt or lies ahead is not the last watch; without a date it may be."""
    owner = Owner(store)
    owner.watch(1, datetime(1970, 1, 1, tzinfo=UTC))
    owner.watch(2, now() - timedelta(hours=1), episode=True, removed=True)
    owner.watch(3, now() + timedelta(days=1), episode=True)
    owner.share(Part.LAST)
    with served(store) as visitor:
        told = visitor.ask(LAST).json
    assert (told["title"], told["watched_at"]) == ("Aftersun", None)


WATCH_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from watchbook.seal import Sealer
from watchbook.store.database import Database
from watchbook.store.opening import Store
from tests.conftest import TEST_KEY
from tests.web.showroom import Owner
from watchbook.clock import now
owner = Owner.__new__(Owner)
owner.store = Store(Database(sys.argv[1]), Sealer([TEST_KEY]), Path(sys.argv[2]))
with owner.store.database.read() as conn:
    from watchbook.store import accounts
    owner.account = accounts.choose(conn, None)
owner.watch(77, now())
owner.store.close()
"""


def test_change_by_another_process_is_seen(
    sandra: Owner, visitor: Visitor, database_url: str
) -> None:
    """What a command writes shows in the server's answer without anybody telling it."""
    before = visitor.ask(LAST).json
    home = str(sandra.store.home)
    subprocess.run([sys.executable, "-c", WATCH_IN_ANOTHER_PROCESS, database_url, home], check=True)
    until(lambda: visitor.ask(LAST).json["title"] == "Aftersun")
    assert before["title"] == "Severance"


def start_watching(owner: Owner, minutes: float, length: float = 60) -> None:
    """The episode runs since some minutes."""
    begun = now() - timedelta(minutes=minutes)
    ends = begun + timedelta(minutes=length)
    found = Watching("episode:31", to_millis(begun), to_millis(ends), "{}")
    with owner.store.database.write() as conn:
        watching.save(conn, owner.account.id, found)


def test_what_is_being_watched(sandra: Owner, visitor: Visitor) -> None:
    """Beside the last watch, with start, end and progress, and only while that part is on."""
    start_watching(sandra, 15)
    visitor.look()
    assert visitor.ask(LAST).json["now"] is None
    sandra.share(Part.NOW)
    visitor.look()
    told = visitor.ask(LAST).json["now"]
    assert told["title"] == "Severance"
    assert told["subtitle"] == "S2 E7 · Chikhai Bardo"
    assert from_iso(told["expires_at"]) - from_iso(told["started_at"]) == timedelta(hours=1)
    assert 0.25 <= told["progress"] < 0.4
    start_watching(sandra, 15)
    sandra.share(Part.NOW, on=False)
    visitor.look()
    assert visitor.ask(LAST).json["now"] is None
    with sandra.store.database.read() as conn:
        assert watching.last_look(conn, sandra.account.id) is None


def test_what_ended_is_not_being_watched(sandra: Owner, visitor: Visitor) -> None:
    """One that ran out is not shown, though nothing has changed; nor one not heard of lately."""
    sandra.share(Part.NOW)
    start_watching(sandra, 61)
    visitor.look()
    assert visitor.ask(LAST).json["now"] is None
    start_watching(sandra, 0, length=1 / 30)
    visitor.look()
    until(lambda: visitor.ask(LAST).json["now"] is None)
    start_watching(sandra, 5)
    with sandra.store.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE watching SET asked_at = {to_millis(now()) - 400_000}")
    sandra.share(after=None)
    visitor.look()
    until(lambda: visitor.ask(LAST).json["now"] is None)


def test_a_delay_holds_for_now_too(sandra: Owner, visitor: Visitor) -> None:
    """Who shows plays two hours later does not show them while they run."""
    sandra.share(Part.NOW, after="2h")
    start_watching(sandra, 30)
    visitor.look()
    assert visitor.ask(LAST).json["now"] is None


def test_moments_are_utc(visitor: Visitor) -> None:
    """`as_of` is written as the other moments are."""
    told = visitor.ask(LAST).json
    assert told["as_of"] == to_iso(from_iso(told["as_of"]))


@pytest.mark.daily(1)
def test_hostile_titles_come_through_as_they_are(sandra: Owner, visitor: Visitor) -> None:
    """Every one of them is a string of valid JSON, and nothing beside it changes."""
    film = f"{LAST}?type=movie"
    before = visitor.ask(film)

    def check(title: str) -> None:
        with sandra.store.database.write() as conn:
            conn.execute(titles.update().where(titles.c.key == "movie:11").values(title=title))
            changes.tell(conn, changes.of_account(sandra.account.id))
        visitor.look()
        until(lambda: visitor.ask(film).json["title"] == (title or "Unknown title"))
        told = visitor.ask(film)
        assert told.headers["content-type"] == before.headers["content-type"]
        changed = {name for name, value in before.json.items() if told.json[name] != value}
        assert changed <= ({"title", "alt"} if title else {"title", "alt", "url"})

    every(STORABLE, check, label)


def test_pictures_are_told_with_whose_they_are(sandra: Owner, visitor: Visitor) -> None:
    """A still of the episode in sight of everybody, and whose its show's poster is."""
    drawn = visitor.ask(LAST).json
    assert (drawn["still"], drawn["poster_source"]) == (None, None)
    hang_poster(sandra.store, "show:21", source="trakt")
    key = hang_poster(sandra.store, "episode:31", "still")
    visitor.look()
    until(lambda: visitor.ask(LAST).json["poster_source"] == "trakt")
    assert visitor.ask(LAST).json["still"] == f"https://watch.example/images/{key}"
    assert visitor.ask(f"/images/{key}").status == 200
    assert visitor.ask(f"{LAST}?type=movie").json["still"] is None


def test_how_to_names_every_key() -> None:
    """The page about the data has each key, in order, with the words of the code."""
    page = (Path(__file__).parents[2] / "docs/how-to/show-the-last-watch.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", page.partition("## The data")[2], re.MULTILINE)
    assert rows == [(key, " ".join(words.split())) for key, words in {**KEYS, **EXTRAS}.items()]
