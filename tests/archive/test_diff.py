"""The difference of two archives: every row that came, went or changed, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
import sqlalchemy as sa
import time_machine

from tests.sync.conftest import MakeBook, make_book
from watchbook.archive.backup import back_up
from watchbook.archive.diff import ArchiveDiff, Change, DataSetDiff, compare
from watchbook.archive.instance import save_instance
from watchbook.archive.telling import in_a_line, notes, sentences, totals
from watchbook.archive.write import write_archive
from watchbook.errors import ArchiveDamaged, InputError
from watchbook.sandbox.trakt import RunningSandbox
from watchbook.store import accounts, datasets, outbox, sites
from watchbook.store.opening import Store
from watchbook.store.schema import items, plays

from .conftest import READ_AT, Book, film, item

__all__ = ["make_book"]

GONE = READ_AT + 7


@pytest.fixture
def travel() -> Any:
    """A clock that tests move."""
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def made(book: Book, travel: time_machine.Traveller) -> Callable[[str], Path]:
    """Writes archives on given days of November 2026."""

    def made(day: str) -> Path:
        travel.move_to(datetime.fromisoformat(f"2026-11-{day}T12:00:00Z"))
        return book.write(force=True).path

    return made


def of(found: ArchiveDiff, name: str) -> DataSetDiff:
    """What differs in one data set."""
    return next(one for one in found.data_sets if one.name == name)


def keys(one: DataSetDiff) -> dict[Change, set[Any]]:
    """The keys of the rows that differ, by what became of them."""
    return {change: {d.key for d in one.of(change)} for change in Change if one.of(change)}


def words(found: ArchiveDiff) -> list[str]:
    """What is said of the difference."""
    return [sentence.words for sentence in sentences(found)]


# --- Archives of a synced account ------------------------------------------------------------


def edit(sandbox: RunningSandbox) -> dict[str, set[int]]:
    """Add, delete and edit plays at Trakt; tells which."""
    before = [play["id"] for play in sandbox.truth()["plays"]]
    added = sandbox.add_plays(2) + sandbox.backdate(1)
    removed = sandbox.delete_plays(ids=before[5:8])
    sandbox.edit_play(before[20], "2019-02-03T20:15:00.000Z")
    return {
        "added": {play["id"] for play in added},
        "removed": {play["id"] for play in removed},
        "changed": {before[20]},
    }


def test_edits_between_two_backups_are_told(make_book: MakeBook, store: Store) -> None:
    """Plays that were added, deleted and edited at Trakt between two backups, and nothing else."""
    book = make_book(store, plays=300)
    assert book.sync().complete
    before = back_up(store, book.account).path
    told = edit(book.sandbox)
    assert book.sync().complete
    book.sleep(86_400)
    found = compare(before, back_up(store, book.account).path)
    history = of(found, "history")
    assert keys(history) == {
        Change.ADDED: told["added"],
        Change.REMOVED: told["removed"],
        Change.CHANGED: told["changed"],
    }
    assert totals(history) == "3 added, 3 removed, 1 changed"
    said = next(line for line in words(found) if "vanished" in line)
    assert said.startswith("3 plays of ")
    assert "vanished between " in said
    assert "; watched " in said
    assert not found.same
    assert not any(sentence.alarming for sentence in sentences(found))


def test_nothing_new_at_trakt_is_no_difference(make_book: MakeBook) -> None:
    """A sync that finds nothing new leaves two archives with the same content."""
    book = make_book(plays=100)
    book.sync()
    before = back_up(book.store, book.account).path
    book.sleep(86_400)
    book.sync()
    found = compare(before, back_up(book.store, book.account, force=True).path)
    assert found.same
    assert words(found) == []


# --- What becomes of a row -------------------------------------------------------------------

HERE: dict[str, Any] = {}
REMOVED = {"removed_at": GONE, "missing_at": GONE - 1}


@pytest.mark.daily(18)
@pytest.mark.parametrize(
    ("was", "then", "change"),
    [
        (None, HERE, Change.ADDED),
        (None, REMOVED, Change.PASSED),
        (None, None, None),
        (HERE, HERE, None),
        (HERE, REMOVED, Change.REMOVED),
        (HERE, None, Change.LOST),
        (REMOVED, HERE, Change.ADDED),
        (REMOVED, REMOVED, None),
        (REMOVED, None, Change.LOST),
    ],
)
@pytest.mark.parametrize("table", [plays, items], ids=["play", "item"])
def test_every_way_of_a_row(
    book: Book,
    made: Callable[[str], Path],
    table: sa.Table,
    was: dict[str, Any] | None,
    then: dict[str, Any] | None,
    change: Change | None,
) -> None:
    """Each pair of absent, at Trakt and gone at Trakt is called by its name."""
    raw = '{"rating":5,"movie":{"title":"Heat","year":1995}}'
    row = film(77) if table is plays else item("ratings_movies", "movie:77", 9, raw)
    name, key = ("history", 77) if table is plays else ("ratings_movies", "movie:77")
    column = plays.c.history_id if table is plays else items.c.key
    if was is not None:
        book.add(table, row | was)
    before = made("01")
    book.run(sa.delete(table).where(column == key))
    if then is not None:
        book.add(table, row | then)
    found = compare(before, made("02"))
    if change is None:
        assert found.same
        return
    assert keys(of(found, name)) == {change: {key}}
    assert [one.name for one in found.data_sets] == [name]
    (difference,) = of(found, name).differences
    assert difference.again == (was == REMOVED and then == HERE)
    assert [sentence.alarming for sentence in sentences(found)] == [change is Change.LOST]


def test_a_lost_row_is_said_loudly(book: Book, made: Callable[[str], Path]) -> None:
    """A row that is in neither place any more: what to keep is named."""
    before = made("01")
    book.run(sa.delete(plays).where(plays.c.history_id == 5))
    (said,) = words(compare(before, made("02")))
    assert said.startswith("1 play of watched history is LOST")
    assert said.endswith(f"keep {before.name}")


def test_where_the_later_one_is_incomplete_an_absence_is_no_loss(
    book: Book, made: Callable[[str], Path]
) -> None:
    """Nobody is alarmed by what an incomplete reading did not show."""
    before = made("01")
    book.run(sa.delete(plays).where(plays.c.history_id == 5))
    book.state("history", datasets.INCOMPLETE, "not read to its end")
    after = made("02")
    found = compare(before, after)
    assert not any(sentence.alarming for sentence in sentences(found))
    assert f"not in {after.name}, which is incomplete there" in words(found)[0]
    assert notes(found)[0].startswith(f"{after.name} is incomplete in watched history (not read")


def test_backwards_nothing_is_lost(book: Book, made: Callable[[str], Path]) -> None:
    """With the newer archive first, what the older one lacks had not happened yet."""
    before = made("01")
    book.add(plays, film(77), film(78, **REMOVED))
    after = made("02")
    found = compare(after, before)
    assert keys(of(found, "history")) == {Change.REMOVED: {77}, Change.PASSED: {78}}
    assert words(found)[0] == "1 play of 1 film was not there yet; watched on 2026-01-22"
    assert "is the newer of the two" in notes(found)[0]


# --- What a change is ------------------------------------------------------------------------


def test_posts_are_told_by_their_number(book: Book, made: Callable[[str], Path]) -> None:
    """What is known of them is no data set; that it differs is said."""
    before = made("01")
    with book.store.database.write() as conn:
        site = sites.add(conn, book.account, "blog", sites.Kind.FOLDER, "/srv/site")
        row = {"account_id": book.account.id, "site_id": site.id, "slug": "trakt-5"}
        outbox.offer(conn, row | {"watched_at": 5, "state": "waiting", "due_at": 5}, 5)
    after = made("02")
    assert notes(compare(before, after)) == [
        "Posts are not compared; records of them: 0 before, 1 after."
    ]
    assert notes(compare(after, after)) == []


def change_raw(book: Book, key: str, raw: str, data_set: str = "ratings_movies") -> None:
    """Give an item another raw text."""
    ours = (items.c.data_set == data_set) & (items.c.key == key)
    book.run(sa.update(items).where(ours).values(raw=raw))


def test_order_and_spaces_are_no_difference(book: Book, made: Callable[[str], Path]) -> None:
    """The same values in another order, with other spaces, are the same row."""
    before = made("01")
    change_raw(book, "movie:1", '{ "movie": {"ids": {"trakt": 1}},\n "rating": 9 }')
    assert compare(before, made("02")).same


def test_true_and_one_are_not_the_same(book: Book, made: Callable[[str], Path]) -> None:
    """Values of different types differ, though Python calls them equal."""
    change_raw(book, "movie:1", '{"rating":1}')
    before = made("01")
    change_raw(book, "movie:1", '{"rating":true}')
    assert keys(of(compare(before, made("02")), "ratings_movies")) == {Change.CHANGED: {"movie:1"}}


def test_a_changed_rating_reads_as_two_numbers(book: Book, made: Callable[[str], Path]) -> None:
    """`The Wire (2002) 8 -> 9`, whatever else of the row moved with it."""
    row: dict[str, Any] = {"rating": 8, "show": {"title": "The Wire", "year": 2002}}
    change_raw(book, "movie:1", msgspec.json.encode(row).decode())
    before = made("01")
    row |= {"rating": 9, "rated_at": "2026-11-02T00:00:00.000Z"}
    change_raw(book, "movie:1", msgspec.json.encode(row).decode())
    found = compare(before, made("02"))
    assert words(found) == ["1 rating of movies changed"]
    (difference,) = of(found, "ratings_movies").differences
    assert in_a_line(difference) == "~ The Wire (2002) 8 -> 9"


def test_a_row_over_several_lines_is_matched_by_its_columns(
    book: Book, made: Callable[[str], Path]
) -> None:
    """A play whose raw row does not say its id is known by what was noted of it."""
    before = made("01")
    raw = '{"odd":\n [1,\n  3]}'
    book.run(sa.update(plays).where(plays.c.history_id == 4).values(raw=raw))
    (difference,) = of(compare(before, made("02")), "history").differences
    assert (difference.change, difference.key) == (Change.CHANGED, 4)
    assert (difference.old, difference.new) == ({"odd": [1, 2]}, {"odd": [1, 3]})


def test_an_object_tells_its_fields(book: Book, made: Callable[[str], Path]) -> None:
    """Of the settings it is said which fields changed, from what to what."""
    before = made("01")
    raw = '{"user":{"username":"sandra","vip":true}}'
    change_raw(book, "user_settings", raw, "user_settings")
    found = compare(before, made("02"))
    assert words(found) == ["1 field of user settings changed"]
    (difference,) = of(found, "user_settings").differences
    (changed,) = difference.fields
    assert (changed.field, changed.before, changed.after) == ("user.vip", None, True)
    assert "user.vip none -> yes" in in_a_line(difference)


def test_secrets_of_old_archives_are_not_told(book: Book, made: Callable[[str], Path]) -> None:
    """A field that is known as a secret now is taken out of archives that still have it."""
    change_raw(book, "user_settings", '{"account":{"token":"s3cret-1"}}', "user_settings")
    before = made("01")
    change_raw(book, "user_settings", '{"account":{"token":"s3cret-2"}}', "user_settings")
    found = compare(before, made("02"))
    assert found.same
    assert found.data_sets == []


def test_only_one_field_of_many_rows_is_named(book: Book, made: Callable[[str], Path]) -> None:
    """When all that moved is the rank, the sentence says so."""
    before = made("01")
    change_raw(book, "11", '{"id":11,"rank":2}', "watchlist")
    change_raw(book, "13", '{"id":13,"rank":3}', "watchlist")
    assert words(compare(before, made("02"))) == ["2 rows of watchlist changed, only in rank"]


def test_what_changes_by_itself_is_told_apart(book: Book, made: Callable[[str], Path]) -> None:
    """A new calendar is no difference, but a note."""
    before = made("01")
    change_raw(book, "77", '{"first_aired":"2026-12-24T00:00:00.000Z"}', "calendar_shows")
    found = compare(before, made("02"))
    assert found.same
    assert words(found) == []
    assert notes(found) == ["Changes by itself and does not count: calendar shows (1 changed)."]


def test_a_renamed_list_is_the_same_list(book: Book, made: Callable[[str], Path]) -> None:
    """A list's file may have another name; its items are those they were."""
    before = made("01")
    book.layouts = [
        replace(one, stem="lists/123-early-morning") if one.name == "list_items/123" else one
        for one in book.layouts
    ]
    assert compare(before, made("02")).same


def test_an_item_that_changes_files_is_one_change(book: Book, made: Callable[[str], Path]) -> None:
    """A row whose type, and so whose file, is another one has not gone and come."""
    before = made("01")
    ours = (items.c.data_set == "watchlist") & (items.c.key == "12")
    book.run(sa.update(items).where(ours).values(type="season", raw='{"id":12,"type":"season"}'))
    found = compare(before, made("02"))
    assert keys(of(found, "watchlist")) == {Change.CHANGED: {"12"}}


def test_plays_of_an_unknown_date_do_not_stretch_the_range(
    book: Book, made: Callable[[str], Path]
) -> None:
    """1970 stands for an unknown date, and is said so."""
    before = made("01")
    raw = str(film(78)["raw"]).replace("2026-01-23T20:15", "1970-01-01T00:00")
    book.add(plays, film(77), film(78, watched_at=0, raw=raw))
    assert words(compare(before, made("02"))) == [
        "2 plays of 2 films were added; watched on 2026-01-22, 1 at an unknown date"
    ]


# --- What cannot be compared -----------------------------------------------------------------


def test_archives_of_two_people_are_refused(book: Book, made: Callable[[str], Path]) -> None:
    """Another identity at Trakt is another person, whatever the account is called."""
    before = made("01")
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, trakt_uuid="another", trakt_slug="tom")
        book.account = accounts.get(conn, book.account.id)
    with pytest.raises(InputError, match=r"of sandra, .* of sandra \(tom at Trakt\)"):
        compare(before, made("02"))


def test_a_renamed_person_is_the_same(book: Book, made: Callable[[str], Path]) -> None:
    """Name and slug may change; the identity is what counts."""
    before = made("01")
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, name="tom", trakt_slug="tom")
        book.account = accounts.get(conn, book.account.id)
    assert compare(before, made("02")).same


def test_a_copy_of_an_installation_is_refused(book: Book, made: Callable[[str], Path]) -> None:
    """Copies of installations are databases, and not compared."""
    archive = made("01")
    copy, _ = save_instance(book.store, book.folder)
    with pytest.raises(InputError, match=f"{copy.name} is a copy of an installation"):
        compare(archive, copy)


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_archive_is_not_compared(
    book: Book, made: Callable[[str], Path], which: int
) -> None:
    """Both are verified to their last byte first."""
    both = [made("01"), made("02")]
    content = bytearray(both[which].read_bytes())
    content[len(content) // 2] ^= 1
    both[which].write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=both[which].name):
        compare(*both)


def test_encrypted_archives_are_compared_with_the_identity(
    book: Book, made: Callable[[str], Path], tmp_path: Path, travel: time_machine.Traveller
) -> None:
    """An encrypted archive is compared like any other by whoever can open it."""
    before = made("01")
    book.add(plays, film(77))
    key = pyrage.x25519.Identity.generate()
    travel.shift(60)
    after = write_archive(
        book.store,
        book.account,
        book.folder,
        recipients=[str(key.to_public())],
        layouts=lambda _conn, _account: book.layouts,
    ).path
    identity = tmp_path / "identity.txt"
    identity.touch(0o600)
    identity.write_text(f"{key}\n", "ascii")
    with pytest.raises(InputError, match="is encrypted"):
        compare(before, after)
    found = compare(before, after, identity)
    assert keys(of(found, "history")) == {Change.ADDED: {77}}
