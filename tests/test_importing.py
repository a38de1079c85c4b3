"""Taking in Trakt's export: alone, again, beside the API, and what goes wrong."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from tests.sync.conftest import Book, MakeBook, book, make_book, synced
from watchbook.archive.backup import back_up
from watchbook.archive.verify import verify_archive
from watchbook.errors import (
    ArchiveDamaged,
    ArchiveUnsafe,
    InputError,
    StoreBusy,
    WatchbookError,
)
from watchbook.importing import ImportReport, import_export, in_order
from watchbook.store import accounts, leases, runs
from watchbook.store.opening import Store
from watchbook.store.schema import plays as plays_table

__all__ = ["book", "make_book", "synced"]


class Silent:
    """Nobody who listens."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """Nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing."""


@dataclass
class Reader(Book):
    """A book that is kept from exports only, and the sandbox that makes them."""

    folder: Path = Path()
    made: int = 0

    def export(self, **how: Any) -> Path:
        """A new export of what is at Trakt now."""
        self.made += 1
        return self.sandbox.export_zip(self.folder / f"export-{self.made}.zip", **how)

    def take(self, path: Path | None = None, **how: Any) -> ImportReport:
        """Import an export, a new one unless told otherwise."""
        database = self.store.database
        report = import_export(database, path or self.export(), None, Silent(), **how)
        with database.read() as conn:
            found = accounts.find(conn, report.account)
            assert found is not None
        self.account_id = found.id
        return report


def of_exports(book: Book, folder: Path) -> Reader:
    """The same book, with a way to import."""
    return Reader(book.sandbox, book.installation, book.account_id, book.travel, folder=folder)


@pytest.fixture
def reader(make_book: MakeBook, store: Store, tmp_path: Path) -> Reader:
    """A store (once on each database) whose account was forgotten: only exports fill it."""
    made = of_exports(make_book(store), tmp_path)
    with store.database.write() as conn:
        accounts.remove(conn, made.account_id)
    return made


@pytest.fixture
def both(synced: Book, tmp_path: Path) -> Reader:
    """A book after its first sync, which exports may be imported into as well."""
    return of_exports(synced, tmp_path)


def changed(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of an export with other files in it."""
    with zipfile.ZipFile(source) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    change(files)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return target


@contextmanager
def untouched(reader: Reader) -> Iterator[None]:
    """Whatever happens inside leaves every row as it was."""
    before = reader.data()
    yield
    assert reader.data() == before


@pytest.mark.parametrize("numbered", [False, True])
def test_an_export_fills_an_empty_store(reader: Reader, *, numbered: bool) -> None:
    """The first export makes the account and brings every play, in files of either form."""
    report = reader.take(reader.export(numbered=numbered))
    reader.check_plays()
    assert report.complete, report.words
    assert (report.account, report.file) == (reader.sandbox.truth()["account"], "export-1.zip")
    assert reader.account.owner
    assert reader.account.trakt_uuid
    assert reader.account.timezone


def test_the_same_export_twice_changes_nothing(reader: Reader) -> None:
    """The second time not one row of any table with data is touched (I7)."""
    path = reader.export()
    reader.take(path)
    with untouched(reader):
        again = reader.take(path)
    assert again.nothing_new
    assert again.complete


def test_an_archive_of_an_export_is_complete(reader: Reader) -> None:
    """An account that lives on exports has a complete backup; what exports lack is told."""
    reader.take()
    written = back_up(reader.store, reader.account)
    assert written.complete, written.archive.words
    manifest = verify_archive(written.path).manifest
    assert manifest.verdict == "complete"
    lacking = {entry.name for entry in manifest.data_sets if entry.verdict == "unavailable"}
    assert {"hidden_dropped", "blocked", "smart_lists"} <= lacking
    assert "history" not in lacking


def test_the_api_then_an_export_doubles_nothing(both: Reader) -> None:
    """After a sync an export of the same time changes no row at all."""
    with untouched(both):
        report = both.take()
    assert (report.order, report.total("added")) == ("same", 0)
    assert both.requests(both.sync) == 1


def test_a_newer_export_goes_on_after_a_sync(both: Reader) -> None:
    """It adds what is new, keeps what the API told in more detail, and the next sync agrees."""
    both.sandbox.add_plays(3)
    both.sandbox.rate(9, movie=film_of(both))
    detailed = progress(both)
    report = both.take()
    both.check_plays()
    assert report.order == "newer"
    assert next(o.added for o in report.data_sets if o.name == "history") == 3
    kept = progress(both)
    assert detailed
    assert detailed == {key: kept[key] for key in detailed}
    assert both.sync().complete
    both.check_plays()


def test_after_the_api_exports_keep_the_watched_titles_up_to_date(both: Reader) -> None:
    """Counts and times are the export's, the details the API's, and unwatched films are gone."""
    once, other, often = films_by_plays(both)
    both.sandbox.delete_plays(ids=plays_of(both, once))
    both.sandbox.delete_plays(ids=plays_of(both, often)[:1])
    both.sandbox.add_plays(2, movie=other)
    for _ in range(2):
        both.take()
        both.sandbox.add_plays(1)
    both.take()
    query = "select key, raw from items where data_set = 'watched_movies' and removed_at is null"
    kept = {key: json.loads(raw) for key, raw in both.rows(query)}
    counted = {key: row["plays"] for key, row in kept.items()}
    assert counted == {str(row["movie"]["ids"]["trakt"]): row["plays"] for row in told(both)}
    assert once not in kept
    assert "overview" in kept[other]["movie"]
    assert both.sync().complete
    both.check_plays()


def progress(reader: Reader) -> dict[str, Any]:
    """Progress by episode of every watched show that has it, by the show's key."""
    shows = reader.rows("select key, raw from items where data_set = 'watched_shows'")
    rows = {key: json.loads(raw) for key, raw in shows}
    return {key: row["seasons"] for key, row in rows.items() if "seasons" in row}


def films_by_plays(reader: Reader) -> tuple[str, str, str]:
    """Trakt ids of two films seen once, and of one seen more often."""
    found = sorted((row["plays"], row["movie"]["ids"]["trakt"]) for row in told(reader))
    assert found[1][0] == 1 < found[-1][0]
    return str(found[0][1]), str(found[1][1]), str(found[-1][1])


def told(reader: Reader) -> list[dict[str, Any]]:
    """The watched films of a new export."""
    with zipfile.ZipFile(reader.export()) as packed:
        rows: list[dict[str, Any]] = json.loads(packed.read("watched-movies.json"))
    return rows


def plays_of(reader: Reader, film: str) -> list[int]:
    """History ids of the plays of a film."""
    query = "select history_id from plays where title_key = :key order by history_id"
    return [row[0] for row in reader.rows(query, key=f"movie:{film}")]


def film_of(reader: Reader) -> str:
    """The Trakt id of a film that was watched."""
    query = "select title_key from plays where type = 'movie' and title_key is not null limit 1"
    return str(reader.rows(query)[0][0]).partition(":")[2]


def test_an_export_then_the_api_doubles_nothing(make_book: MakeBook, tmp_path: Path) -> None:
    """The first sync after an export reads everything anew into the same rows."""
    reader = of_exports(make_book(), tmp_path)
    reader.take()
    reader.check_plays()
    rows = reader.rows("select data_set, key from items order by data_set, key")
    assert reader.sync().complete
    reader.check_plays()
    after = reader.rows("select data_set, key from items order by data_set, key")
    assert set(rows) <= set(after)
    assert reader.rows("select count(*) from items where removed_at is not null") == [(0,)]
    assert "seasons" in reader.rows("select raw from items where data_set = 'watched_shows'")[0][0]
    states = reader.states()
    assert states["hidden_dropped"].state == states["data_syncs"].state == "complete"


def test_an_older_export_changes_nothing_of_now(reader: Reader) -> None:
    """Plays that only it has are kept as gone at Trakt (I3); newer rows stay as they are."""
    old = reader.export()
    gone = {play["id"] for play in reader.sandbox.delete_plays(2)}
    reader.sandbox.add_plays(2)
    reader.sandbox.rate(None, movie=rated(reader))
    reader.take()
    ratings = reader.rows("select key, raw from items where data_set = 'ratings_movies'")
    report = reader.take(old)
    assert report.order == "older"
    assert (report.total("added"), report.total("gone"), report.complete) == (0, 2, True)
    assert "2 plays that are gone at Trakt were taken in as such" in report.notes
    assert not report.nothing_new
    assert set(reader.kept(removed=True)) == gone
    reader.check_plays()
    assert reader.rows("select key, raw from items where data_set = 'ratings_movies'") == ratings
    with untouched(reader):
        reader.take(old)
    reader.sandbox.add_plays(1)
    reader.take()
    reader.check_plays()


def test_plays_deleted_before_the_first_sync_come_as_gone(both: Reader) -> None:
    """An export from before that sync counts nothing up, whatever asks next."""
    kept = set(both.kept())
    old = both.export()
    gone = {play["id"] for play in both.sandbox.delete_plays(share=0.4)}
    assert both.sync(accept_removals=True).complete
    with both.store.database.write() as conn:
        conn.execute(sa.delete(plays_table).where(plays_table.c.history_id.in_(gone)))
    report = both.take(old)
    assert (report.total("gone"), report.plays) == (len(gone), len(kept) - len(gone))
    assert set(both.kept(removed=True)) == gone
    both.check_plays()
    assert both.sync(full=True).complete
    assert back_up(both.store, both.account).complete


def test_after_an_incomplete_reading_an_older_export_is_believed(reader: Reader) -> None:
    """What a reading with holes did not show may still be at Trakt."""
    old = reader.export()
    gone = {play["id"] for play in reader.sandbox.delete_plays(2)}
    reader.sandbox.add_plays(1)
    reader.take(reader.export(numbered=True, errors=["watched-history@2"]))
    assert reader.take(old).total("gone") == 0
    assert gone <= set(reader.kept())


def rated(reader: Reader) -> str:
    """The Trakt id of a film that has a rating."""
    with zipfile.ZipFile(reader.export()) as packed:
        return str(json.loads(packed.read("ratings-movies.json"))[0]["movie"]["ids"]["trakt"])


def test_what_vanished_is_removed_by_a_second_later_export(reader: Reader) -> None:
    """The first export that lacks a row marks it missing, the next one removed; it stays kept."""
    reader.take()
    film = rated(reader)
    gone = {play["id"] for play in reader.sandbox.delete_plays(2)}
    reader.sandbox.rate(None, movie=film)
    first = reader.take()
    assert first.total("removed") == 0
    told = "2 rows of history are not in this export; what the next one lacks too counts as gone"
    assert told in first.notes
    assert gone <= set(reader.kept())
    missing = "select history_id from plays where missing_at is not null"
    assert {row[0] for row in reader.rows(missing)} == gone
    reader.sandbox.add_plays(1)
    second = reader.take()
    assert second.total("removed") >= 3
    assert set(reader.kept(removed=True)) == gone
    reader.check_plays()
    key = "select count(*) from items where key = :key and removed_at is not null"
    assert reader.rows(key, key=f"movie:{film}")[0][0] >= 1


def test_the_same_export_is_no_second_look(reader: Reader) -> None:
    """Importing a file again confirms nothing about what it lacks."""
    reader.take()
    reader.sandbox.delete_plays(2)
    reader.sandbox.add_plays(1)
    path = reader.export()
    reader.take(path)
    assert reader.take(path).total("removed") == 0


def test_a_list_that_is_gone_takes_its_items_along(reader: Reader) -> None:
    """Two exports without the list mark it and what was on it removed."""
    reader.take()
    name = next(
        n for n in reader.states() if n.startswith("list_items/") and reader.states()[n].kept
    )
    reader.sandbox.delete_list(int(name.partition("/")[2]))
    assert reader.take().complete
    reader.sandbox.add_plays(1)
    assert reader.take().complete
    living = "select count(*) from items where data_set = :name and removed_at is null"
    assert reader.rows(living, name=name) == [(0,)]
    assert reader.states()[name].words == "removed at Trakt"


def test_many_at_once_wait_for_a_word(reader: Reader) -> None:
    """When many plays vanish, they are kept until the person accepts it with the same file."""
    reader.take()
    reader.sandbox.delete_plays(share=0.3)
    path = reader.export()
    held = reader.take(path)
    assert not held.complete
    assert "--accept-removals" in held.words
    assert not reader.kept(removed=True)
    with untouched(reader):
        assert reader.take(path).total("held") > 0
    accepted = reader.take(path, accept_removals=True)
    assert accepted.complete, accepted.words
    reader.check_plays()


def test_a_newer_export_that_lacks_many_too_waits_as_well(reader: Reader) -> None:
    """Time alone confirms no great loss; a word given with a newer file is enough at once."""
    reader.take()
    reader.sandbox.delete_plays(share=0.3)
    assert not reader.take().complete
    reader.sandbox.add_plays(1)
    assert not reader.take().complete
    assert not reader.kept(removed=True)
    reader.sandbox.add_plays(1)
    assert reader.take(accept_removals=True).complete
    reader.check_plays()


def test_a_bucket_that_failed_removes_nothing(reader: Reader) -> None:
    """Its rows stay as they were, and the report says what the exporter said."""
    reader.take()
    before = reader.rows("select key, raw, missing_at from items where data_set = 'watchlist'")
    reader.sandbox.add_plays(1)
    report = reader.take(reader.export(errors=["lists-watchlist"]))
    after = reader.rows("select key, raw, missing_at from items where data_set = 'watchlist'")
    assert after == before
    assert not report.complete
    assert report.failures == [
        f"Trakt's exporter could not read users/{report.account}/watchlist (HTTP 503)"
    ]
    assert reader.states()["watchlist"].state == "incomplete"
    reader.sandbox.add_plays(1)
    assert reader.take().complete


def test_a_history_that_was_cut_removes_nothing(reader: Reader) -> None:
    """The pages that came are taken in; that others lack is said with numbers."""
    reader.take()
    reader.sandbox.add_plays(1)
    report = reader.take(reader.export(numbered=True, errors=["watched-history@2"]))
    reader.check_plays()
    assert not report.complete
    assert "2 of 3 pages came" in report.words
    missing = "select count(*) from plays where missing_at is not null"
    assert reader.rows(missing) == [(0,)]


def test_a_missing_file_or_page_removes_nothing(reader: Reader, tmp_path: Path) -> None:
    """Also when the exporter itself kept silent about it."""
    reader.take()
    reader.sandbox.add_plays(1)

    def thin(files: dict[str, bytes]) -> None:
        del files["ratings-shows.json"]
        del files["watched-history-2.json"]

    path = changed(reader.export(numbered=True), tmp_path / "thin.zip", thin)
    report = reader.take(path)
    assert reader.rows("select count(*) from plays where missing_at is not null") == [(0,)]
    assert "thin.zip lacks ratings-shows.json" in report.words
    assert "thin.zip lacks 1 page of watched-history.json" in report.words


def test_fewer_rows_than_the_statistics_count_remove_nothing(
    reader: Reader, tmp_path: Path
) -> None:
    """An export that holds far less than it says itself is taken for cut."""
    reader.take()
    reader.sandbox.add_plays(1)

    def thin(files: dict[str, bytes]) -> None:
        rows = json.loads(files["watched-history.json"])
        files["watched-history.json"] = json.dumps(rows[:400]).encode()

    report = reader.take(changed(reader.export(), tmp_path / "thin.zip", thin))
    assert "statistics count 601, the export holds 400" in report.words
    assert reader.rows("select count(*) from plays where missing_at is not null") == [(0,)]


def test_rows_without_an_id_match_by_title_and_minute(reader: Reader, tmp_path: Path) -> None:
    """A play known by title and minute is not doubled; one that nobody knows is kept raw."""
    reader.take()
    reader.sandbox.add_plays(1)

    def anonymous(files: dict[str, bytes]) -> None:
        rows = json.loads(files["watched-history.json"])
        odd = dict(rows[9], watched_at="2001-02-03T04:05:00.000Z")
        rows += [{k: v for k, v in row.items() if k != "id"} for row in (rows[7], odd)]
        files["watched-history.json"] = json.dumps(rows).encode()

    report = reader.take(changed(reader.export(), tmp_path / "odd.zip", anonymous))
    reader.check_plays()
    history = next(o for o in report.data_sets if o.name == "history")
    assert (history.added, history.rejected) == (1, 1)


def test_a_stranger_is_refused_naming_both(reader: Reader, tmp_path: Path) -> None:
    """The export of another person changes nothing, whichever account is asked for."""
    mine = reader.take().account

    def other(files: dict[str, bytes]) -> None:
        for name in ("user-settings.json", "user-profile.json"):
            text = files[name].replace(mine.encode(), b"somebody-else")
            files[name] = text.replace(b'"uuid":"', b'"uuid":"f')

    path = changed(reader.export(), tmp_path / "theirs.zip", other)
    database = reader.store.database
    with untouched(reader):
        for wanted in (None, mine):
            with pytest.raises(InputError) as refused:
                import_export(database, path, wanted, Silent())
            assert "somebody-else" in refused.value.message
            assert mine in refused.value.message
        with pytest.raises(InputError, match=mine):
            import_export(database, reader.export(), "second", Silent())
    assert import_export(database, path, "second", Silent()).complete
    with database.read() as conn:
        assert [a.name for a in accounts.all_accounts(conn)] == [mine, "second"]


def test_a_new_slug_of_the_same_person_is_taken_over(reader: Reader, tmp_path: Path) -> None:
    """Who renames themselves at Trakt keeps their book."""
    mine = reader.take().account
    reader.sandbox.add_plays(1)

    def renamed(files: dict[str, bytes]) -> None:
        for name in ("user-settings.json", "user-profile.json"):
            files[name] = files[name].replace(f'"slug":"{mine}"'.encode(), b'"slug":"new-name"')

    report = reader.take(changed(reader.export(), tmp_path / "renamed.zip", renamed))
    assert report.account == mine
    assert reader.account.trakt_slug == "new-name"


def cut(files: dict[str, bytes]) -> None:
    """JSON that ends in the middle."""
    files["watched-history.json"] = files["watched-history.json"][:-900]


def twisted(files: dict[str, bytes]) -> None:
    """An object where rows are due."""
    files["lists-favorites.json"] = b'{"rows": []}'


def nameless(files: dict[str, bytes]) -> None:
    """An export that does not say whose it is."""
    del files["user-settings.json"]
    del files["user-profile.json"]


def escaping(files: dict[str, bytes]) -> None:
    """An entry that would land elsewhere."""
    files["../ratings-movies.json"] = b"[]"


@pytest.mark.parametrize(
    ("change", "kind", "place"),
    [
        (cut, ArchiveDamaged, "watched-history.json is cut off"),
        (twisted, ArchiveDamaged, "lists-favorites.json is not a list"),
        (nameless, InputError, "does not say whose it is"),
        (escaping, ArchiveUnsafe, "ratings-movies.json"),
    ],
)
def test_a_bad_export_leaves_the_store_as_it_was(
    reader: Reader,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    kind: type[WatchbookError],
    place: str,
) -> None:
    """Nothing of it is taken in, the error names the place, and the run says how it ended."""
    path = changed(reader.export(), tmp_path / "bad.zip", change)
    with untouched(reader), pytest.raises(kind, match=place):
        reader.take(path)
    reader.take()
    reader.sandbox.add_plays(1)
    path = changed(reader.export(), tmp_path / "bad.zip", change)
    with untouched(reader), pytest.raises(kind, match=place):
        reader.take(path)


def test_a_failed_import_is_written_down(reader: Reader, tmp_path: Path) -> None:
    """The run of an import that broke says what and in which file."""
    reader.take()
    with pytest.raises(ArchiveDamaged):
        reader.take(changed(reader.export(), tmp_path / "bad.zip", cut))
    with reader.store.database.read() as conn:
        run, before = runs.latest(conn, reader.account_id, "import", limit=2)
    assert (run.outcome, before.outcome) == ("failed", "complete")
    assert "bad.zip: watched-history.json is cut off" in str(run.words)


def test_an_import_waits_for_nobody(reader: Reader) -> None:
    """While somebody else works on the account, the import says so."""
    reader.take()
    name = f"account:{reader.account_id}"
    with (
        leases.holding(reader.store.database, name, "a sync"),
        pytest.raises(StoreBusy, match="a sync"),
    ):
        reader.take()


def test_exports_are_taken_in_the_order_of_their_own_time(reader: Reader) -> None:
    """Not the names of the files count, nor the order in which they are given."""
    first = reader.export()
    reader.sandbox.add_plays(1)
    second = reader.export()
    assert in_order([second, first]) == [first, second]


def test_a_folder_is_as_good_as_a_zip(reader: Reader, tmp_path: Path) -> None:
    """Who unpacked the export imports the folder."""
    with zipfile.ZipFile(reader.export()) as packed:
        packed.extractall(tmp_path / "unpacked")
    assert reader.take(tmp_path / "unpacked").complete
    reader.check_plays()


def test_secrets_are_taken_out(reader: Reader) -> None:
    """The personal token of the settings and the links of shared lists are not kept (I8)."""
    reader.take()
    settings = msgspec.json.decode(
        reader.rows("select raw from items where data_set = 'user_settings'")[0][0]
    )
    assert settings["account"]["token"] == "[redacted]"
    lists = reader.rows("select raw from items where data_set = 'lists'")
    assert all("/share/" not in raw for (raw,) in lists)


@pytest.mark.daily(3)
@pytest.mark.parametrize("api", [True, False], ids=["with the API", "exports only"])
@pytest.mark.parametrize("seed", range(4))
def test_any_mix_of_syncs_and_exports_ends_right(
    make_book: MakeBook, tmp_path: Path, seed: int, *, api: bool
) -> None:
    """Edits, syncs, older and newer exports in any order: no play twice, none lost (I1, I3)."""
    chance = random.Random(seed)
    reader = of_exports(make_book(), tmp_path)
    exports: list[Path] = []

    def edit() -> None:
        reader.sandbox.add_plays(chance.randint(1, 3))
        reader.sandbox.backdate(chance.randint(0, 2))
        reader.sandbox.delete_plays(chance.randint(0, 2), seed=chance.randint(0, 999))

    def export() -> None:
        exports.append(reader.export(numbered=chance.random() < 0.5))

    def take() -> None:
        reader.take(chance.choice(exports) if exports else None)

    acts: list[Callable[[], object]] = [edit, edit, export, take, take]
    if api:
        acts.append(reader.sync)
    kept: set[int] = set()
    for _ in range(12):
        chance.choice(acts)()
        kept |= set(reader.kept())
    for _ in range(2):
        reader.sandbox.add_plays(1)
        assert (reader.sync(full=True) if api else reader.take()).complete
    reader.check_plays()
    assert kept <= set(reader.kept()) | set(reader.kept(removed=True))


def test_odd_rows_are_kept_raw_and_told(reader: Reader, tmp_path: Path) -> None:
    """A row that cannot be read takes nothing along, and a second import changes nothing."""

    def odd(files: dict[str, bytes]) -> None:
        for name in ("watched-history.json", "ratings-movies.json"):
            files[name] = files[name][:-1] + b', 7, {"id": "x", "n": NaN}, {"id": 1e400}]'
        lists = json.loads(files["lists-lists.json"])
        lists.append({"ids": {"trakt": "a\0b"}, "item_count": -(2**70)})
        files["lists-lists.json"] = json.dumps(lists).encode()
        failed = [{"endpoint": "users/x\0y", "error": "\u001b[31mred"}]
        files["_errors.json"] = json.dumps(failed).encode()

    path = changed(reader.export(), tmp_path / "odd.zip", odd)
    report = reader.take(path)
    reader.check_plays()
    rejected = {o.name: o.rejected for o in report.data_sets if o.rejected}
    assert rejected == {"history": 3, "ratings_movies": 3}
    with untouched(reader):
        reader.take(path)
