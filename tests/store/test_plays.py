from __future__ import annotations

import pytest
import sqlalchemy as sa

from watchbook.store import accounts, plays
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.plays import CHUNK, PlayRow
from watchbook.store.schema import plays as table
from watchbook.store.titles import TitleWriter

ROW = PlayRow(1, "movie", "movie:1", 1000, "watch", '{"id":1}')
BIG = 2**63 - 1


@pytest.fixture
def account(database: Database) -> Account:
    """An account whose titles are one film, and a show of two episodes."""
    with database.write() as conn:
        names = {"trakt_id": 1, "season": None, "number": None, "title": "x", "year": None}
        names |= dict.fromkeys(("slug", "imdb", "tmdb", "tvdb"), None)
        TitleWriter().save(
            conn,
            [
                {"key": key, "type": key.partition(":")[0], "show_key": show, "detailed": False}
                | names
                for key, show in (
                    ("movie:1", None),
                    ("show:7", None),
                    ("episode:71", "show:7"),
                    ("episode:72", "show:7"),
                )
            ],
        )
        return accounts.add(conn, "sandra")


def save(
    database: Database, account: Account, *rows: PlayRow, generation: int = 1, moment: int = 5
) -> tuple[list[int], int]:
    """Save rows as one page."""
    with database.write() as conn:
        return plays.save(conn, account.id, rows, generation, moment)


def stored(database: Database, history_id: int = 1) -> dict[str, object]:
    """What is kept of a play."""
    with database.read() as conn:
        query = sa.select(table).where(table.c.history_id == history_id)
        return dict(conn.execute(query).one()._mapping)


def mark(database: Database, account: Account, ids: set[int], column: str, moment: int) -> None:
    """Mark plays."""
    with database.write() as conn:
        plays.mark(conn, account.id, ids, column=column, moment=moment)


def test_new_plays_are_told(database: Database, account: Account) -> None:
    """New history ids come back, each once, and the row is kept as it was."""
    assert save(database, account, ROW, ROW._replace(history_id=BIG), ROW) == ([1, BIG], 0)
    row = stored(database)
    assert (row["raw"], row["watched_at"], row["discovered_at"]) == ('{"id":1}', 1000, 5)
    assert stored(database, BIG)["history_id"] == BIG


def test_same_play_again_changes_nothing(database: Database, account: Account) -> None:
    """A second reading of the same rows finds nothing new and writes nothing."""
    save(database, account, ROW)
    before = stored(database)
    assert save(database, account, ROW, moment=99) == ([], 0)
    assert stored(database) == before


@pytest.mark.parametrize(
    "changed",
    [
        ROW._replace(raw='{"id":1,"x":2}'),
        ROW._replace(watched_at=2000, raw='{"id":1,"w":2}'),
        ROW._replace(title_key=None, raw="{}"),
    ],
)
def test_changed_play(database: Database, account: Account, changed: PlayRow) -> None:
    """A known id with another row is updated and counted; when it was found stays."""
    save(database, account, ROW)
    assert save(database, account, changed, generation=2, moment=99) == ([], 1)
    row = stored(database)
    assert (row["raw"], row["watched_at"], row["title_key"]) == (
        changed.raw,
        changed.watched_at,
        changed.title_key,
    )
    assert (row["discovered_at"], row["generation"]) == (5, 2)


def test_removed_play_comes_back(database: Database, account: Account) -> None:
    """A removed play that Trakt shows again counts as new, and is whole again."""
    save(database, account, ROW)
    mark(database, account, {1}, "missing_at", 10)
    mark(database, account, {1}, "removed_at", 11)
    with database.read() as conn:
        assert plays.count(conn, account.id) == 0
    assert save(database, account, ROW) == ([1], 0)
    row = stored(database)
    assert (row["missing_at"], row["removed_at"]) == (None, None)


def test_first_mark_counts(database: Database, account: Account) -> None:
    """The moment at which a play was first missed, or removed, is not written over."""
    save(database, account, ROW)
    for column in ("missing_at", "removed_at"):
        mark(database, account, {1}, column, 10)
        mark(database, account, {1}, column, 20)
        assert stored(database)[column] == 10


def test_many_at_once(database: Database, account: Account) -> None:
    """Pages larger than one query's list are saved, found and marked whole."""
    many = [ROW._replace(history_id=number) for number in range(1, CHUNK * 2 + 2)]
    new, _ = save(database, account, *many)
    assert len(new) == len(many)
    assert save(database, account, *many) == ([], 0)
    mark(database, account, set(new), "missing_at", 10)
    with database.read() as conn:
        assert len(plays.by_ids(conn, account.id, new)) == len(many)
        assert len(plays.ids_of_titles(conn, account.id, ["movie:1"])) == len(many)
        missing = sa.select(sa.func.count()).where(table.c.missing_at == 10)
        assert conn.scalar(missing) == len(many)


def test_accounts_are_apart(database: Database, account: Account) -> None:
    """The same history id in two accounts is two plays; one person's marks are not the other's."""
    with database.write() as conn:
        other = accounts.add(conn, "tom")
    save(database, account, ROW)
    assert save(database, other, ROW) == ([1], 0)
    mark(database, other, {1}, "removed_at", 10)
    with database.read() as conn:
        assert (plays.count(conn, account.id), plays.count(conn, other.id)) == (1, 0)


def test_questions(database: Database, account: Account) -> None:
    """Counts, windows, moments and titles of what Trakt shows; removed plays never count."""
    rows = [
        ROW,
        ROW._replace(history_id=2, watched_at=2000),
        PlayRow(3, "episode", "episode:71", 3000, "watch", "{}"),
        PlayRow(4, "episode", None, 0, "watch", "{}"),
        ROW._replace(history_id=5, watched_at=9000),
    ]
    save(database, account, *rows)
    mark(database, account, {5}, "removed_at", 10)
    with database.read() as conn:
        me = account.id
        assert plays.count(conn, me) == 4
        assert plays.count_between(conn, me, 1000, 2000) == 2
        assert plays.ids_between(conn, me, 0, 1999) == {1, 4}
        assert plays.latest_moment(conn, me) == 3000
        assert sorted(plays.moments_by_title(conn, me, "movie")) == [
            ("movie:1", 1000),
            ("movie:1", 2000),
        ]
        assert plays.ids_of_titles(conn, me, ["movie:1", "show:7"]) == {
            1: "movie:1",
            2: "movie:1",
        }
        assert plays.titles_of(conn, me, [3, 4, 99]) == {3: "episode:71", 4: None}
        assert plays.by_ids(conn, me, [1]) == [ROW]
        assert plays.count_uncounted(conn, me, ["movie", "episode"]) == 1
        assert plays.count_uncounted(conn, me, ["movie"]) == 2
        assert plays.has_plays(conn, me, "show:7")
        assert not plays.has_plays(conn, me, "episode:72")
        assert plays.show_keys(conn, ["episode:72", "movie:1"]) == {"episode:72": "show:7"}


def test_nothing_there(database: Database, account: Account) -> None:
    """Questions about an empty history, or about no ids, have empty answers."""
    with database.write() as conn:
        assert plays.latest_moment(conn, account.id) is None
        assert plays.save(conn, account.id, [], 1, 1) == ([], 0)
        plays.mark(conn, account.id, [], column="missing_at", moment=1)
        assert plays.by_ids(conn, account.id, []) == []
        assert plays.ids_of_titles(conn, account.id, []) == {}
        assert plays.show_keys(conn, []) == {}


def test_what_a_reading_did_not_show(database: Database, account: Account) -> None:
    """Plays of an older generation are those that the newest reading missed."""
    save(database, account, ROW, ROW._replace(history_id=2), ROW._replace(history_id=3))
    mark(database, account, {3}, "removed_at", 10)
    save(database, account, ROW, generation=2)
    with database.read() as conn:
        assert plays.unseen_ids(conn, account.id, 2) == {2}


def test_account_takes_its_plays_along(database: Database, account: Account) -> None:
    """Forgetting an account forgets its plays; titles stay, for they are shared."""
    save(database, account, ROW)
    with database.write() as conn:
        accounts.remove(conn, account.id)
        assert conn.scalar(sa.select(sa.func.count()).select_from(table)) == 0
