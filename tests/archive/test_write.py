"""An archive holds what the store holds, says what is missing, and is written only when needed."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from dataclasses import replace
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa
import time_machine

from watchbook.archive import ledger
from watchbook.archive.backup import back_up, check_all, list_archives
from watchbook.archive.ledger import file_stem
from watchbook.archive.manifest import COMPLETE, INCOMPLETE, decode
from watchbook.archive.verify import verify_archive
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.errors import StoreBusy, StoreError
from watchbook.store import accounts, datasets, leases, runs
from watchbook.store.schema import archives, items, plays

from .conftest import LAYOUTS, READ_AT, SECRETS, Book, film, item, latest_good


def contents(written: WrittenArchive) -> dict[str, str]:
    """Every file of an archive, as tar unpacks it."""
    with tarfile.open(written.path) as tar:
        found = {}
        for entry in tar:
            content = tar.extractfile(entry)
            if content is not None:
                found[entry.name.partition("/")[2]] = content.read().decode()
        return found


def test_each_data_set_has_its_file(book: Book) -> None:
    """The files are named after Trakt's paths; what Trakt does not offer has none."""
    assert sorted(contents(book.write())) == [
        "README.txt",
        "calendar_shows.json",
        "history_episodes.json",
        "history_movies.json",
        "lists/123-late-night.json",
        "manifest.json",
        "ratings_movies.json",
        "removed/history_movies.json",
        "removed/ratings_movies.json",
        "user_settings.json",
        "user_watching.json",
        "verify.py",
        "watchbook/account.json",
        "watchbook/rejected.json",
        "watchbook/rows.json",
        "watchbook/titles.json",
        "watchlist_episodes.json",
        "watchlist_movies.json",
        "watchlist_others.json",
        "watchlist_seasons.json",
        "watchlist_shows.json",
    ]


def test_rows_are_raw_and_one_per_line(book: Book) -> None:
    """Raw JSON is written as it came, in the stored order."""
    files = contents(book.write())
    assert files["ratings_movies.json"] == (
        '[\n{"rating":9,"movie":{"ids":{"trakt":1}}},\n{"rating": 1.50, "note":"\\u2603 ]}"}\n]\n'
    )
    assert files["watchlist_movies.json"] == '[\n{"id":11},\n{"id":13}\n]\n'
    assert files["watchlist_others.json"] == '[\n{"id":14}\n]\n'
    assert files["watchlist_seasons.json"] == "[]\n"
    assert files["user_settings.json"] == '{"user":{"username":"sandra"}}\n'
    assert files["user_watching.json"] == "null\n"


def test_history_is_newest_first(book: Book) -> None:
    """The newest play comes first, as Trakt itself serves history."""
    rows = json.loads(contents(book.write())["history_movies.json"])
    assert [row["id"] for row in rows] == [9, 5, 3]


def test_removed_rows_are_kept_apart(book: Book) -> None:
    """What is gone at Trakt lies under removed/, with the moment it was found gone."""
    files = contents(book.write())
    (gone,) = json.loads(files["removed/ratings_movies.json"])
    assert gone == {"removed_at": "2026-11-20T08:30:00.250Z", "item": {"rating": 3}}
    assert json.loads(files["removed/history_movies.json"])[0]["item"]["id"] == 7


def test_rejected_rows_are_kept_raw(book: Book) -> None:
    """What could not be read is inside as it came, with the reason."""
    assert json.loads(contents(book.write())["watchbook/rejected.json"]) == [
        {"data_set": "ratings_movies", "reason": "movie is null", "raw": '{"movie":null}'}
    ]


def test_manifest_tells_all(book: Book) -> None:
    """The manifest names account, counts, redacted fields, claims and what is not available."""
    manifest = decode(contents(book.write())["manifest.json"].encode())
    by_name = {entry.name: entry for entry in manifest.data_sets}
    assert manifest.account is not None
    assert (manifest.account.name, manifest.account.trakt_slug) == ("sandra", "sandra")
    assert (manifest.verdict, manifest.format_version) == (COMPLETE, 1)
    assert manifest.counts == {"data": 13, "removed": 2, "rejected": 1}
    assert by_name["user_settings"].redacted == ["account.token"]
    ratings = by_name["ratings_movies"]
    assert (ratings.rows, ratings.removed, ratings.rejected, ratings.claimed) == (2, 1, 1, 2)
    assert by_name["notes_movies"].files == []
    assert manifest.words == ["notes_movies: unavailable, because notes need VIP"]


def test_account_file_holds_states_and_no_secret(book: Book) -> None:
    """watchbook/account.json says who it is and how far each data set was read."""
    account = json.loads(contents(book.write())["watchbook/account.json"])
    assert account["timezone"] == "Europe/Berlin"
    assert {state["name"] for state in account["data_sets"]} == {x.name for x in LAYOUTS}
    assert "client_id" not in account


def test_no_secret_in_an_archive(book: Book) -> None:
    """Neither a secret nor its sealed form is in any file of an archive."""
    with book.store.database.read() as conn:
        sealed = [
            *conn.execute(sa.text("SELECT access_sealed, refresh_sealed FROM grants")).one(),
            conn.scalar(sa.text("SELECT client_secret_sealed FROM accounts")),
        ]
    everything = "".join(contents(book.write()).values())
    for secret in (*SECRETS, *sealed, "fingerprint-a"):
        assert secret not in everything


def test_private_whatever_the_umask(book: Book) -> None:
    """Archive, digest and folder are private with a umask that hides nothing, inside too."""
    before = os.umask(0)
    try:
        written = book.write()
    finally:
        os.umask(before)
    assert stat.S_IMODE(book.folder.stat().st_mode) == 0o700
    for path in book.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(written.path) as tar:
        assert {entry.mode for entry in tar} == {0o600, 0o700}


def test_unchanged_is_verified_instead_of_written(book: Book) -> None:
    """With nothing new the last archive is read again, and the check is written down."""
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        first = book.write()
    with time_machine.travel("2026-11-28T10:00:00Z", tick=False):
        second = book.write()
    assert second.unchanged
    assert second.path == first.path
    assert second.archive.checked_at == (first.archive.checked_at or 0) + 7 * 86400 * 1000
    assert len(list(book.folder.iterdir())) == 2


def test_volatile_data_alone_writes_nothing(book: Book) -> None:
    """What changes by itself, such as the calendar, is no reason for a new archive."""
    book.write()
    book.add(items, item("calendar_shows", "78", 1, '{"new":true}'))
    assert book.write().unchanged


def test_forced_is_written(book: Book) -> None:
    """Forced, an archive is written though nothing changed, even in the same second."""
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        names = {book.write(force=True).path.name for _ in range(3)}
    assert names == {f"backup-sandra-20261121T10000{i}Z.tar.gz" for i in range(3)}


@pytest.mark.parametrize(
    "change",
    [
        lambda book: book.add(plays, film(12)),
        lambda book: book.run(sa.update(items).values(raw='{"rating":10}')),
        lambda book: book.run(sa.update(plays).values(removed_at=READ_AT)),
        lambda book: book.state("history", datasets.INCOMPLETE, "2 plays are missing"),
    ],
    ids=["new play", "changed row", "removed rows", "verdict"],
)
def test_any_change_is_written(book: Book, change: Any) -> None:
    """A new, changed or removed row, or another verdict, makes a new archive."""
    first = book.write()
    change(book)
    second = book.write()
    assert not second.unchanged
    assert second.path != first.path


def test_damaged_twin_is_replaced_loudly(book: Book) -> None:
    """When the last archive proves damaged, that is said and a new one is written."""
    first = book.write()
    first.path.write_bytes(first.path.read_bytes()[:-9])
    second = book.write()
    assert second.lost is not None
    assert "cut off" in (second.lost.words or "")
    assert not second.unchanged
    assert latest_good(book.store, book.account) == second.archive
    with book.store.database.read() as conn:
        outcome = conn.scalar(
            sa.select(archives.c.check_outcome).where(archives.c.name == first.path.name)
        )
    assert outcome == "damaged"


def test_lost_twin_is_replaced_loudly(book: Book) -> None:
    """When the last archive is gone, that is said and a new one is written."""
    book.write().path.unlink()
    second = book.write()
    assert second.lost is not None
    assert "is gone" in (second.lost.words or "")


def test_incomplete_is_never_latest_good(book: Book) -> None:
    """An incomplete archive says so in words and does not take the place of a good one."""
    good = book.write()
    book.state("history", datasets.INCOMPLETE, "2 of 5 plays are missing")
    worse = book.write()
    assert worse.archive.verdict == INCOMPLETE
    assert worse.archive.words == (
        "history: 2 of 5 plays are missing; notes_movies: unavailable, because notes need VIP"
    )
    assert latest_good(book.store, book.account) == good.archive
    assert book.write().unchanged, "as incomplete as before"
    book.state("history", datasets.COMPLETE, kept=2, claimed=2)
    assert book.write().path == good.path, "the good one holds the same"


def test_never_read_is_incomplete_and_never_empty(book: Book) -> None:
    """A data set that was never read to its end has no empty file that would look like none."""
    book.run(sa.delete(items).where(items.c.data_set == "ratings_movies"))
    book.run(sa.text("DELETE FROM data_sets WHERE name = 'ratings_movies'"))
    written = book.write()
    assert "ratings_movies.json" not in contents(written)
    assert "ratings_movies: not read yet" in written.manifest.words


def test_unavailable_keeps_what_was_read_before(book: Book) -> None:
    """Rows of a data set that Trakt stopped offering stay in the archive."""
    book.add(items, item("notes_movies", "1", 0, '{"notes":"mine"}'))
    assert json.loads(contents(book.write())["notes_movies.json"]) == [{"notes": "mine"}]


def test_empty_account(book: Book) -> None:
    """An account without a row has an archive too, and it verifies."""
    with book.store.database.write() as conn:
        other = accounts.add(conn, "a b/../ü")
    written = Book(book.store, other, book.folder).write()
    assert written.path.name.startswith(f"backup-a-b-{other.id}-")
    assert verify_archive(written.path).rows == 0


def test_names_beyond_ascii_still_have_a_file(book: Book) -> None:
    """A name without one plain letter is replaced by the account's number."""
    with book.store.database.write() as conn:
        other = accounts.add(conn, "山田")
    assert f"backup-account-{other.id}-" in Book(book.store, other, book.folder).write().path.name


def test_copied_archive_is_adopted(book: Book) -> None:
    """An archive that lies there unrecorded is verified and taken up, with a digest beside it."""
    written = book.write()
    book.run(sa.delete(archives))
    (written.path.parent / f"{written.path.name}.sha256").unlink()
    known, strange = list_archives(book.store, book.account)
    assert [(one.name, one.good) for one in known] == [(written.path.name, True)]
    assert strange == []
    assert verify_archive(written.path).beside


def test_archives_of_a_renamed_account_stay_its_own(book: Book) -> None:
    """Whoever gets the name that an account had before does not get its archives."""
    written = book.write()
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, name="alexandra")
        other = accounts.add(conn, book.account.name)
    assert list_archives(book.store, other) == ([], [])
    known, strange = list_archives(book.store, book.account)
    assert [(one.name, one.good) for one in known] == [(written.path.name, True)]
    assert strange == []


def test_whoever_is_unknown_at_trakt_gets_nobodys_archive(book: Book) -> None:
    """An archive that carries somebody's id is not adopted by an account that has only the name."""
    written = book.write()
    book.run(sa.delete(archives))
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, trakt_slug=None, trakt_uuid=None)
        nobody = accounts.get(conn, book.account.id)
    known, strange = list_archives(book.store, nobody)
    assert known == []
    reason = f"{written.path.name} is the archive of another account."
    assert strange == [(written.path.name, reason)]


def test_a_name_that_is_taken_early_is_refused(book: Book) -> None:
    """What somebody else put there stays, and nobody is told that it was written."""

    def taken(_: str) -> None:
        for half in book.folder.glob(".backup-*.part"):
            half.with_name(half.name.split(".")[1] + ".tar.gz").write_bytes(b"theirs")

    with pytest.raises(StoreError, match="somebody else"):
        write_archive(book.store, book.account, book.folder, progress=taken)
    assert [path.read_bytes() for path in book.folder.iterdir()] == [b"theirs"]


def test_a_name_that_is_taken_at_the_last_moment_is_refused(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between the last look and the renaming."""
    monkeypatch.setattr(ledger, "announce", lambda _conn, _who, path, *_: path.write_bytes(b"x"))
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with pytest.raises(StoreError, match="somebody else") as caught:
        write_archive(book.store, book.account, book.folder, recipients=[recipient])
    assert caught.value.hint
    assert [path.read_bytes() for path in book.folder.iterdir()] == [b"x"]


def test_no_two_accounts_share_file_names(book: Book) -> None:
    """An account with an odd name never takes the file names of one that is called like that."""
    odd = replace(book.account, id=7, name="sam-")
    plain = replace(book.account, id=8, name="sam-7")
    assert file_stem(odd) != file_stem(plain)


def test_strange_file_is_named_and_left(book: Book) -> None:
    """A file that only looks like an archive is named with the reason and left alone."""
    book.write()
    fake = book.folder / "backup-sandra-20200101T000000Z.tar.gz"
    fake.write_bytes(b"not an archive")
    known, strange = list_archives(book.store, book.account)
    assert len(known) == 1
    assert strange[0][0] == fake.name
    assert fake.exists()


def test_half_files_of_others_are_left(book: Book) -> None:
    """Only half-written files of the same account are cleaned up."""
    book.folder.mkdir(mode=0o700, parents=True)
    ours = book.folder / ".backup-sandra-20200101T000000Z.tar.gz.abc.part"
    theirs = book.folder / ".backup-sandra-b-20200101T000000Z.tar.gz.abc.part"
    for path in (ours, theirs):
        path.touch()
    book.write()
    assert not ours.exists()
    assert theirs.exists()


def test_list_leaves_a_running_backup_alone(book: Book) -> None:
    """While somebody works on the account, listing does not touch its half-written file."""
    book.write()
    half = book.folder / ".backup-sandra-20200101T000000Z.tar.gz.abc.part"
    half.touch()
    with leases.holding(book.store.database, f"account:{book.account.id}", "a backup"):
        known, _ = list_archives(book.store, book.account)
    assert len(known) == 1
    assert half.exists()


def test_runs_tell_how_it_ended(book: Book) -> None:
    """A backup, an incomplete one, a failed one and a check each leave a run in words."""
    store, account = book.store, book.account

    def layouts(_conn: sa.Connection, _account: int) -> Any:
        return LAYOUTS

    def last(kind: str) -> runs.Run:
        with store.database.read() as conn:
            return runs.latest(conn, account.id, kind)[0]

    written = back_up(store, account, layouts=layouts)
    assert last("backup").outcome == runs.COMPLETE
    book.state("history", datasets.INCOMPLETE, "2 are missing")
    back_up(store, account, layouts=layouts)
    assert last("backup").outcome == runs.INCOMPLETE
    assert "2 are missing" in (last("backup").words or "")
    written.path.write_bytes(b"x")
    check_all(store, account)
    assert last("verify").outcome == runs.FAILED
    assert written.path.name in (last("verify").words or "")
    with (
        leases.holding(store.database, f"account:{account.id}", "a sync"),
        pytest.raises(StoreBusy, match="a sync"),
    ):
        back_up(store, account, layouts=layouts)


def test_failure_is_a_written_state(book: Book) -> None:
    """A backup that cannot write says why in its run."""
    book.folder.parent.mkdir(parents=True, exist_ok=True)
    book.folder.write_text("a file where the folder should be")
    with pytest.raises(Exception, match="cannot be used"):
        back_up(book.store, book.account)
    with book.store.database.read() as conn:
        (run,) = runs.latest(conn, book.account.id, "backup")
    assert run.outcome == runs.FAILED
    assert "cannot be used" in (run.words or "")
    assert run.hint
