"""import(backup(x)) = x: what an archive holds comes back into an empty store, row for row."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TEST_KEY
from tests.sync.conftest import Book as Synced
from tests.sync.conftest import MakeBook, make_book
from watchbook import connecting, sharing
from watchbook.archive import account_file, filling
from watchbook.archive.backup import back_up, backups_folder, list_archives
from watchbook.archive.instance import save_instance
from watchbook.archive.manifest import count_rows, encode
from watchbook.archive.packing import in_memory, pack
from watchbook.archive.read import SafeArchive
from watchbook.archive.reading_back import import_archive, newest_first
from watchbook.archive.standalone.verify import read_rows
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.clock import from_iso, from_millis, now, to_millis
from watchbook.errors import ArchiveDamaged, InputError, StoreBusy
from watchbook.importing import ImportReport, import_export
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store import accounts, datasets, leases, media, outbox, runs, sites
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.outbox import PostKind, PostState, Reason
from watchbook.store.schema import (
    accounts as accounts_table,
)
from watchbook.store.schema import data_sets, items, metadata, plays, rejects, titles
from watchbook.store.schema import outbox as outbox_table
from watchbook.store.schema import sites as sites_table
from watchbook.store.sites import Kind, SiteState
from watchbook.store.titles import TitleWriter
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape
from watchbook.trakt.parse import MAX_ID, ParsedItem, ParsedPlay, parse_item, parse_play

from .conftest import READ_AT, Book, film, item

__all__ = ["make_book"]

TOKEN = "access-token-of-the-blog"
NOT_CARRIED = {
    "accounts": {"id", "owner", "client_id", "client_secret_sealed", "locked"},
    "data_sets": {"position"},
}
"""Columns that belong to the installation or to a moment, not to what is kept."""
KEPT = (accounts_table, data_sets, titles, plays, items, rejects)


class Silent:
    """Nobody who listens."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """Nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing."""


@contextmanager
def fresh_store(folder: Path, url: str | None = None) -> Iterator[Store]:
    """An empty store in a home of its own, on SQLite unless told otherwise."""
    database = Database(url or f"sqlite:///{folder / 'watchbook.db'}")
    migrate(database)
    try:
        yield Store(database, Sealer([TEST_KEY]), folder)
    finally:
        database.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another, empty home."""
    with fresh_store(tmp_path / "other") as store:
        yield store


def take(store: Store, path: Path, wanted: str | None = None) -> ImportReport:
    """Import an archive."""
    return import_archive(store, path, wanted, Silent())


def kept(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that an archive tells of."""
    found = {}
    with store.database.read() as conn:
        for table in KEPT:
            left_out = NOT_CARRIED.get(table.name, set()) | {"account_id"}
            columns = [column for column in table.columns if column.name not in left_out]
            rows = map(tuple, conn.execute(sa.select(*columns)))
            found[table.name] = sorted(rows, key=repr)
    return found


def everything(store: Store) -> dict[str, list[str]]:
    """All rows of all tables but the records of what was tried."""
    with store.database.read() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table))))
            for table in metadata.sorted_tables
            if table.name not in {"changes", "leases", "runs"}
        }


def members(path: Path) -> dict[str, bytes]:
    """The files of an archive."""
    with path.open("rb") as file:
        return {name: stream.read() for name, stream in SafeArchive(file).members()}


def of_rows(path: Path) -> dict[str, bytes]:
    """The files of an archive that must come back byte for byte."""
    files = members(path)
    for name in ("README.txt", "verify.py", "manifest.json"):
        del files[name]
    return files


def the_account(store: Store) -> Account:
    """The only account."""
    with store.database.read() as conn:
        return accounts.choose(conn, None)


def archived(store: Store) -> WrittenArchive:
    """An archive of the only account, as a backup makes it."""
    return write_archive(store, the_account(store), store.home / "backups", force=True)


def assert_alike(first: WrittenArchive, second: WrittenArchive) -> None:
    """Two archives hold the same, byte for byte."""
    ours, theirs = of_rows(first.path), of_rows(second.path)
    assert ours.keys() == theirs.keys()
    for name, content in ours.items():
        assert theirs[name] == content, name
    assert second.manifest.content == first.manifest.content
    assert second.manifest.counts == first.manifest.counts
    assert second.manifest.data_sets == first.manifest.data_sets
    assert second.manifest.verdict == first.manifest.verdict


def assert_comes_back(source: Store, target: Store) -> None:
    """Archive, import, archive again: the same files, and the same rows in the tables."""
    first = archived(source)
    take(target, first.path)
    assert kept(target) == kept(source)
    assert_alike(first, archived(target))


# Generated stores --------------------------------------------------------------------------

moments = st.integers(1, 4_102_444_800_000)
maybe = st.one_of(st.none(), moments)
ids = st.integers(1, 50) | st.integers(MAX_ID - 5, MAX_ID)
LONG = "#"
"""Stands for 64 KiB, so that a failing example can be read."""
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["a\0b", "\u202e\x85\u2028]}", LONG, '", "item": ', "\\u0000", ""]
)
numbers = st.none() | st.integers(-3, 2**31) | st.floats(allow_nan=False, allow_infinity=False)
extras = st.dictionaries(words, st.recursive(words | numbers, st.lists, max_leaves=4), max_size=3)


@st.composite
def title(draw: st.DrawFn) -> dict[str, Any]:
    """A title as rows name it; its form may differ from row to row."""
    found: dict[str, Any] = {"title": draw(words), "ids": {"trakt": draw(ids)}}
    if draw(st.booleans()):
        found |= {"year": draw(numbers), "ids": {**found["ids"], "imdb": draw(words)}}
    if draw(st.booleans()):
        found |= {"genres": ["drama"], "runtime": draw(numbers)}
    return found


@st.composite
def subjects(draw: st.DrawFn) -> dict[str, Any]:
    """What a row is about: a film, a show with a season or an episode, a person, or nothing."""
    kind = draw(st.sampled_from(["movie", "show", "season", "episode", "person", "odd", None]))
    row: dict[str, Any] = {} if kind is None else {"type": kind}
    if kind in {"movie", "show", "season", "episode"}:
        row[kind] = draw(title())
    if kind in {"season", "episode"} and draw(st.booleans()):
        row["show"] = draw(title())
    if kind in {"episode", "season"}:
        row[kind] |= {"season": draw(numbers), "number": draw(numbers)}
    return row | draw(extras)


def written(value: object, draw: st.DrawFn) -> str:
    """JSON as somebody else may write it."""
    indent = draw(st.sampled_from([None, None, 1]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=indent)
    return text.replace(LONG, "ä" * 32_768)


@st.composite
def play(draw: st.DrawFn) -> dict[str, Any]:
    """A row of history as the store keeps it, and now and then one that does not say it all."""
    watched = draw(st.just(0) | moments)
    said = {
        "id": draw(ids),
        "watched_at": from_millis(watched).isoformat(timespec="milliseconds"),
        "action": draw(st.sampled_from(["watch", "checkin", "scrobble", "rewatch"])),
        "type": draw(st.sampled_from(["movie", "episode"])),
    }
    columns = {
        "history_id": said["id"],
        "type": said["type"],
        "watched_at": watched,
        "action": said["action"],
    }
    for name in draw(st.sets(st.sampled_from(["id", "watched_at", "action"]), max_size=2)):
        del said[name]
    subject = draw(subjects())
    subject.pop("type", None)
    return columns | {"raw": written(subject | said, draw)} | draw(stamps())


@st.composite
def stamps(draw: st.DrawFn) -> dict[str, Any]:
    """When a row came and whether it is still there."""
    missing = draw(maybe)
    return {
        "discovered_at": draw(moments),
        "generation": draw(st.integers(0, 4)),
        "missing_at": missing,
        "removed_at": draw(maybe) if missing else None,
    }


@st.composite
def item_of(draw: st.DrawFn, data_set: str, line: DataSet) -> dict[str, Any]:
    """A row of any other data set, as a sync would keep it."""
    raw = written(draw(subjects()) | {"id": draw(ids)}, draw)
    parsed = parse_item(raw.encode(), line, draw(st.integers(0, 9)))
    assert isinstance(parsed, ParsedItem)
    row = {"data_set": data_set, "key": parsed.key, "type": parsed.type, "raw": raw}
    place = {"place": draw(st.integers(0, 9)), "changed_at": draw(moments)}
    return row | place | draw(stamps())


@st.composite
def list_row(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A personal list, of whatever name."""
    raw = written({"name": draw(words), "ids": {"trakt": number}}, draw)
    key = {"data_set": "lists", "key": str(number), "type": None, "raw": raw}
    return key | {"place": 0, "changed_at": draw(moments)} | draw(stamps())


@st.composite
def reject(draw: st.DrawFn) -> dict[str, Any]:
    """A row that could not be read."""
    return {
        "data_set": draw(st.sampled_from(["history", "watchlist", "list_items/7"])),
        "digest": draw(st.text("0123456789abcdef", min_size=4, max_size=4)),
        "reason": draw(words).replace("\0", ""),
        "raw": draw(words).replace("\0", ""),
        "seen_at": draw(moments),
        "generation": draw(st.integers(0, 4)),
    }


@st.composite
def state(draw: st.DrawFn, name: str) -> datasets.DataSetState:
    """How far a data set was read."""
    return datasets.DataSetState(
        name,
        draw(st.sampled_from(["never", "complete", "incomplete", "unavailable"])),
        draw(st.none() | words.map(lambda text: text.replace("\0", ""))),
        draw(st.none() | st.just('["2026-11-21T20:15:00.000Z"]')),
        kept=draw(st.none() | st.integers(0, 99)),
        claimed=draw(st.none() | st.integers(0, 99)),
        held=draw(st.integers(0, 30)),
        generation=draw(st.integers(0, 9)),
        position=draw(st.none() | st.just('{"guard":null,"done":[1],"extra":null}')),
        read_at=draw(maybe),
        tried_at=draw(maybe),
    )


@st.composite
def site(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A site: one that asked for a sign-in, or a folder of files."""
    kind = Kind.FOLDER if name == "files" else Kind.MICROPUB
    rules = {"delay": "10m", "film-text": draw(words).replace("\0", "")}
    return {
        "name": name,
        "kind": kind,
        "me": None if kind is Kind.FOLDER else "https://sandra.example/",
        "endpoint": "/srv/site" if kind is Kind.FOLDER else "https://sandra.example/micropub",
        "state": draw(st.sampled_from(SiteState)),
        "words": draw(st.none() | st.just("The site does not answer.")),
        "state_at": draw(moments),
        "retry_at": draw(maybe),
        "connected_at": draw(moments),
        "rules": msgspec.json.encode(rules).decode(),
    }


@st.composite
def post(draw: st.DrawFn, places: list[str]) -> dict[str, Any]:
    """A row of the outbox of one of ``places``; ``about`` is one of the rows before it."""
    kind = draw(st.sampled_from(PostKind))
    sent = st.dictionaries(st.just("content"), st.lists(words.filter(lambda t: "\0" not in t)))
    return {
        "site": draw(st.sampled_from(places)),
        "kind": kind,
        "about": None if kind is PostKind.CREATE else draw(st.none() | st.integers(0, 5)),
        "plays": sorted(draw(st.sets(ids, max_size=3))) if kind is PostKind.CREATE else [],
        "state": draw(st.sampled_from(PostState)),
        "reason": draw(st.none() | st.sampled_from(Reason)),
        "words": draw(st.none() | st.just("Its owner says so.")),
        "show_key": draw(st.none() | st.just("show:7")),
        "watched_at": draw(st.just(0) | moments),
        "due_at": draw(moments),
        "made_at": draw(moments),
        "settled_at": draw(maybe),
        "url": draw(st.none() | st.just("https://sandra.example/2026/a-post")),
        "sent": draw(st.none() | sent.map(lambda found: msgspec.json.encode(found).decode())),
        "tries": draw(st.integers(0, 3)),
        "looks": draw(st.integers(0, 3)),
    }


SHAPES = ("ratings_movies", "watchlist", "comments_all", "data_syncs_paused/3", "list_items/7")
"""One of each: named by subject, split by type, not a title, without a key, of a list."""


@st.composite
def stores(draw: st.DrawFn) -> dict[str, Any]:
    """Everything that is kept of one account."""
    rows = [list_row(7)] + [
        item_of(name, BY_NAME[name.partition("/")[0]]) for name in SHAPES for _ in range(2)
    ]
    found = [draw(row) for row in rows]
    found += draw(st.lists(item_of("calendar_shows", BY_NAME["calendar_shows"]), max_size=3))
    if draw(st.booleans()):
        found.append(single("user_watching", written(draw(subjects()), draw)))
    names = draw(st.sets(st.sampled_from([*SHAPES, "history", "notes_movies"])))
    places = draw(st.lists(st.sampled_from(["blog", "files"]), unique=True))
    return {
        "plays": unique(draw(st.lists(play(), max_size=8)), "history_id"),
        "items": unique(found, "data_set", "key"),
        "rejects": unique(draw(st.lists(reject(), max_size=3)), "data_set", "digest"),
        "states": [draw(state(name)) for name in sorted(names)],
        "sites": [draw(site(name)) for name in places],
        "posts": draw(st.lists(post(places), max_size=6)) if places else [],
        "account": {
            "full_read_at": draw(maybe),
            "timezone": draw(st.sampled_from([None, "Europe/Berlin"])),
            "sync_every": draw(st.sampled_from([None, "1h"])),
            "backup_every": draw(st.sampled_from([None, "1d"])),
            "keep": draw(st.sampled_from([None, "30 daily, all yearly"])),
        },
    }


def single(data_set: str, raw: str) -> dict[str, Any]:
    """A data set that is one object."""
    return item(data_set, "", 0, raw)


def unique(rows: list[dict[str, Any]], *key: str) -> list[dict[str, Any]]:
    """One row of each key."""
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def fill(store: Store, rows: dict[str, Any]) -> None:
    """Put the rows into a store, with the titles that they name, as a sync does: oldest first."""
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra", trakt_slug="sandra", trakt_uuid="b6589fc6")
        accounts.change(conn, account.id, created_at=READ_AT, **rows["account"])
        known = [(row["discovered_at"], plays, row) for row in rows["plays"]]
        known += [(row["changed_at"], items, row) for row in rows["items"]]
        writer = TitleWriter()
        for _, table, row in sorted(known, key=lambda one: one[0]):
            parsed = parsed_row(table, row)
            key = None
            if isinstance(parsed, ParsedPlay | ParsedItem):
                writer.save(conn, parsed.titles)
                key = parsed.title_key
            conn.execute(
                sa.insert(table).values({"account_id": account.id, **row, "title_key": key})
            )
        for row in rows["rejects"]:
            conn.execute(sa.insert(rejects).values({"account_id": account.id, **row}))
        for one in rows["states"]:
            datasets.save(conn, account.id, one)
        fill_outbox(conn, store.sealer, account, rows.get("sites", []), rows.get("posts", []))


def fill_outbox(
    conn: sa.Connection,
    sealer: Sealer,
    account: Account,
    places: list[dict[str, Any]],
    rows: list[dict[str, Any]],
) -> None:
    """Connect sites, each with a token, and put ``rows`` into the outbox."""
    site_ids: dict[str, int] = {}
    for values in places:
        made = sites.add(conn, account, **values)
        sites.seal_token(conn, sealer, made.id, TOKEN)
        site_ids[made.name] = made.id
    made_ids: list[int] = []
    for row in rows:
        values = {name: row[name] for name in row if name not in {"site", "about", "plays"}}
        values |= {"account_id": account.id, "site_id": site_ids[row["site"]]}
        values["slug"] = f"trakt-{len(made_ids)}" if row["kind"] == PostKind.CREATE else None
        if row["about"] is not None and row["about"] < len(made_ids):
            values["post_id"] = made_ids[row["about"]]
        insert = sa.insert(outbox_table).values(values).returning(outbox_table.c.id)
        made_ids.append(conn.execute(insert).scalar_one())
        known = outbox.known_plays(conn, values["site_id"])
        for history_id in set(row["plays"]) - known:
            outbox.link(conn, values["site_id"], history_id, made_ids[-1])


def parsed_row(table: sa.Table, row: dict[str, Any]) -> object:
    """What a sync reads in a row; nothing in a data set that is one object."""
    raw = row["raw"].encode()
    if table is plays:
        return parse_play(raw)
    line = BY_NAME[row["data_set"].partition("/")[0]]
    return None if line.shape is Shape.OBJECT else parse_item(raw, line, row["place"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """Two stores that every example begins with anew."""
    folder = tmp_path_factory.mktemp("pair")
    with fresh_store(folder / "one") as source, fresh_store(folder / "two") as target:
        yield source, target


def emptied(store: Store) -> None:
    """Forget every account and title."""
    with store.database.write() as conn:
        conn.execute(sa.delete(accounts_table))
        conn.execute(sa.update(titles).values(show_key=None))
        conn.execute(sa.delete(titles))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rows=stores())
def test_what_was_archived_comes_back(pair: tuple[Store, Store], rows: dict[str, Any]) -> None:
    """Whatever a store holds, archive, import and archive give the same files and rows (I7)."""
    source, target = pair
    for store in pair:
        emptied(store)
    fill(source, rows)
    first = archived(source)
    take(target, first.path)
    ours, theirs = kept(source), kept(target)
    named = [[row[0] for row in found.pop("titles")] for found in (ours, theirs)]
    assert named[0] == named[1]
    assert theirs == ours
    assert_alike(first, archived(target))


# A whole account ---------------------------------------------------------------------------


@pytest.fixture
def synced(make_book: MakeBook, store: Store) -> Synced:
    """A full account after its first sync and some changes, once on each database."""
    book = make_book(store, plays=600)
    assert book.sync().complete
    kept_ids = sorted(book.kept())
    book.sandbox.delete_plays(ids=kept_ids[:2])
    book.sandbox.add_plays(3)
    assert book.sync().complete
    return book


def test_a_whole_account_goes_there_and_back(synced: Synced, other: Store) -> None:
    """From either database into SQLite, and from there back: the same files, rows and titles."""
    source = synced.store
    assert_comes_back(source, other)
    before = kept(source)
    emptied(source)
    assert_comes_back(other, source)
    assert kept(source) == before
    assert before["plays"]
    assert before["titles"]


def signed_in_at(synced: Synced, store: Store) -> Synced:
    """The same person at the same Trakt, in another store."""
    installation = replace(synced.installation, store=store)
    issued = synced.sandbox.issue_tokens()
    app = App(synced.sandbox.client_id, synced.sandbox.client_secret)
    pair = TokenPair(
        issued["access_token"], issued["refresh_token"], 604_800, int(now().timestamp())
    )
    issue = connecting.issue_of(pair, app, PIN_REDIRECT, "test")
    account = connecting.connect(installation, None, app, issue)
    return replace(synced, installation=installation, account_id=account.id)


def test_a_sync_goes_on_where_the_archive_stood(synced: Synced, other: Store) -> None:
    """After signing in again nothing is new, in one request; then what is new comes alone."""
    take(other, archived(synced.store).path)
    again = signed_in_at(synced, other)
    before = again.data()
    assert again.requests(again.sync) == 1
    assert again.data() == before
    again.sandbox.add_plays(2)
    assert again.sync().complete
    again.check_plays()


def test_an_export_on_top_doubles_nothing(synced: Synced, other: Store, tmp_path: Path) -> None:
    """Trakt's export of the same moment adds no play to what came from an archive."""
    take(other, archived(synced.store).path)
    before = kept(other)["plays"]
    export = synced.sandbox.export_zip(tmp_path / "export.zip")
    report = import_export(other.database, export, None, Silent())
    assert report.account == "sam-example"
    assert report.total("added") == 0
    assert kept(other)["plays"] == before


# What an archive tells ---------------------------------------------------------------------


def test_everything_only_watchbook_knows_has_a_reader(book: Book) -> None:
    """A file that an archive holds beside Trakt's data is read back, each by its own reader."""
    publish_some(book.store, book.account)
    ours = {e.path for e in book.write().manifest.files if e.kind == "watchbook"}
    assert ours == set(filling.READERS)


def test_a_file_of_a_newer_watchbook_is_told(book: Book, other: Store) -> None:
    """What nobody here can read is named, and the rest comes back."""
    path = rebuilt(book, lambda files: files.update({"watchbook/opinions.json": b"[]\n"}))
    report = take(other, path)
    assert report.notes[-1] == "only a newer Watchbook can read watchbook/opinions.json"
    assert report.plays == 4


def rebuilt(book: Book, change: Callable[[dict[str, bytes]], object], **more: Any) -> Path:
    """An archive of the book with other files in it, whole by its own word."""
    written = book.write(force=True)
    files = of_rows(written.path)
    change(files)
    known = {entry.path: entry for entry in written.manifest.files}
    inside = []
    for name, content in files.items():
        entry = known.get(name)
        made = in_memory(name, entry.kind if entry else "watchbook", content)
        told = {"rows": rows_in(content), "data_set": entry.data_set if entry else None}
        inside.append(replace(made, entry=msgspec.structs.replace(made.entry, **told)))
    name = "backup-sandra-20270101T000000Z"
    manifest = msgspec.structs.replace(
        written.manifest,
        name=name,
        files=[member.entry for member in inside],
        counts=count_rows([member.entry for member in inside]),
        **more,
    )
    inside.append(in_memory("manifest.json", "document", encode(manifest)))
    path = book.folder / f"{name}.tar.gz"
    pack(path, inside, now())
    return path


def rows_in(content: bytes) -> int:
    """How many rows a file has, counted as the verifier counts."""
    return sum(1 for _ in read_rows("", io.BytesIO(content)))


def test_the_first_archives_come_in_too(book: Book, other: Store) -> None:
    """Without account.json the manifest says how data sets stand; the next sync reads all again."""
    book.state("calendar_shows", datasets.INCOMPLETE, "page 2 could not be read")
    with book.store.database.write() as conn:
        datasets.forget(conn, book.account.id, "list_items/123")
    take(other, rebuilt(book, lambda files: files.pop(account_file.ACCOUNT)))
    with other.database.read() as conn:
        account = accounts.choose(conn, None)
        states = datasets.all_states(conn, account.id)
    assert (account.name, account.trakt_slug, account.owner) == ("sandra", "sandra", True)
    assert "list_items/123" not in states
    assert states["history"] == datasets.DataSetState(
        "history", "complete", kept=4, claimed=2, generation=1, read_at=READ_AT, tried_at=READ_AT
    )
    assert states["ratings_movies"].kept == 3
    assert states["notes_movies"].state == "unavailable"
    assert states["calendar_shows"].words == "page 2 could not be read"


def test_settings_that_no_setting_takes_are_left_out(book: Book, other: Store) -> None:
    """An archive cannot put a rule into the book that nobody could have set."""

    def spoil(files: dict[str, bytes]) -> None:
        told = json.loads(files[account_file.ACCOUNT])
        told |= {"keep": "nothing", "sync_every": "1s", "backup_every": "3d"}
        files[account_file.ACCOUNT] = json.dumps(told).encode() + b"\n"

    take(other, rebuilt(book, spoil))
    account = the_account(other)
    assert (account.keep, account.sync_every, account.backup_every) == (None, None, "3d")


def test_nothing_becomes_public_by_an_archive(book: Book, other: Store) -> None:
    """The delay comes back; what was public is told, and stays off until its owner says."""
    with book.store.database.write() as conn:
        sharing.switch_on(conn, book.account.id, [Part.HISTORY, Part.LAST])
        accounts.change(conn, book.account.id, show_after="2h")
    notes = take(other, rebuilt(book, lambda _: None)).notes
    account = the_account(other)
    assert account.show_after == "2h"
    with other.database.read() as conn:
        assert sharing.of_account(conn, account).parts == frozenset()
    assert "share on last history" in " ".join(notes)


def test_a_title_has_its_latest_name(other: Store, tmp_path: Path) -> None:
    """Whatever the order of the rows, the row that came last says what a title is called."""
    film = '{"title":"%s","ids":{"trakt":1}%s}'
    line = '{"id":%d,"watched_at":"2026-01-0%dT00:00:00.000Z","action":"watch","type":"movie"'
    raws = [
        (1, 9, film % ("The Name", "")),
        (2, 5, film % ("Working Title", "")),
        (3, 7, film % ("Second Title", "")),
    ]
    rows: dict[str, Any] = {"account": {}, "rejects": [], "states": []}
    rows["plays"] = [
        {
            "history_id": number,
            "type": "movie",
            "watched_at": to_millis(from_iso(f"2026-01-0{number}T00:00:00Z")),
            "action": "watch",
            "raw": f'{line % (number, number)},"movie":{name}}}',
            "discovered_at": at,
        }
        for number, at, name in raws
    ]
    watched = '{"movie":%s}' % (film % ("Working Title", ',"runtime":90,"genres":["drama"]'))
    rows["items"] = [item("watched_movies", "movie:1", 0, watched, changed_at=4, discovered_at=4)]
    rows["items"][0]["type"] = "movie"
    with fresh_store(tmp_path / "one") as source:
        fill(source, rows)
        expected = kept(source)["titles"]
        path = archived(source).path
    take(other, path)
    assert (expected[0][6], expected[0][12]) == ("The Name", 90)
    assert kept(other)["titles"] == expected


# What was published ------------------------------------------------------------------------

BLOG = {
    "name": "blog",
    "kind": Kind.MICROPUB,
    "me": "https://sandra.example/",
    "endpoint": "https://sandra.example/micropub",
    "sign_in": '{"client_id":"https://watchbook.example/"}',
    "rules": '{"delay":"0s"}',
}
FOLDER = {
    "name": "files",
    "kind": Kind.FOLDER,
    "endpoint": "/srv/site",
    "state": SiteState.PAUSED,
    "rules": '{"command":"make secret-of-the-folder","generator":"hugo"}',
}


def one_post(state: str, *plays: int, **more: Any) -> dict[str, Any]:
    """A post of the blog."""
    row = {"site": "blog", "kind": PostKind.CREATE, "about": None, "plays": list(plays)}
    times = {"watched_at": READ_AT, "due_at": READ_AT, "made_at": READ_AT, "settled_at": READ_AT}
    return row | times | {"state": state} | more


def publish_some(store: Store, account: Account) -> None:
    """Two sites, with posts in every state, an update and a withdrawal."""
    change = {"about": 0, "plays": []}
    rows = [
        one_post("published", 5, 3, url="https://sandra.example/1", sent='{"content":["Seen."]}'),
        one_post("waiting", 7),
        one_post("sending", 9),
        one_post("held", 4, reason=Reason.OLDER, words="Entered long afterwards."),
        one_post("published", kind=PostKind.UPDATE, **change),
        one_post("waiting", kind=PostKind.WITHDRAW, reason=Reason.REDATED, **change),
        one_post("rejected", 11, words="The site refuses it."),
    ]
    with store.database.write() as conn:
        fill_outbox(conn, store.sealer, account, [BLOG, FOLDER], rows)
        blog = sites.choose(conn, account, "blog")
        media.begin(conn, blog.id, "movie:1", "a picture")
        media.taken(conn, blog.id, "movie:1", "https://sandra.example/media/1.jpg")


def posts_of(store: Store) -> list[outbox.Post]:
    """The outbox of the blog, in order of making."""
    with store.database.read() as conn:
        blog = sites.choose(conn, accounts.choose(conn, None), "blog")
        found = outbox.find(conn, blog.id, list(PostState))
    return sorted(found, key=lambda one: one.id)


def test_no_post_is_forgotten(book: Book, other: Store, tmp_path: Path) -> None:
    """From either database: states, addresses, plays, and what each change is about."""
    publish_some(book.store, book.account)
    with fresh_store(tmp_path / "third") as third:  # ids there begin elsewhere
        with third.database.write() as conn:
            stranger = accounts.add(conn, "tom", trakt_slug="tom")
            fill_outbox(conn, third.sealer, stranger, [BLOG], [one_post("published", 5)])
            conn.execute(sa.delete(accounts_table).where(accounts_table.c.id == stranger.id))
        take(third, archived(book.store).path)
        assert_comes_back(third, other)
    posts = posts_of(other)
    assert [one.state for one in posts] == [
        *("published", "unknown", "unknown", "held", "published", "unknown", "rejected")
    ]
    assert (posts[0].url, posts[0].sent) == ("https://sandra.example/1", '{"content":["Seen."]}')
    assert [one.post_id for one in posts] == [None] * 4 + [posts[0].id] * 2 + [None]
    assert (posts[3].reason, posts[5].reason) == ("older", "redated")
    with other.database.read() as conn:
        assert outbox.plays_of(conn, posts[0].id) == [3, 5]
        assert outbox.known_plays(conn, posts[0].site_id) == {3, 4, 5, 7, 9, 11}


def test_sites_come_back_without_their_sign_ins(book: Book, other: Store) -> None:
    """A website asks for one again and keeps its rules; no command comes from an archive."""
    publish_some(book.store, book.account)
    path = archived(book.store).path
    content = b"".join(members(path).values())
    assert TOKEN.encode() not in content
    assert b"secret-of-the-folder" not in content
    before = now()
    take(other, path)
    with other.database.read() as conn:
        blog, folder = sites.all_sites(conn)
    assert (blog.state, blog.token(other.sealer), blog.sign_in) == ("sign in again", None, None)
    assert "watchbook site add https://sandra.example/" in str(blog.hint)
    assert blog.rules == {"delay": "0s"}
    assert blog.connected_at >= to_millis(before)
    assert (folder.state, folder.rules) == ("paused", {"generator": "hugo"})


def test_a_site_that_was_signed_in_with_again_first_gets_its_posts(
    book: Book, other: Store
) -> None:
    """It keeps its token and its name, whatever else is called so."""
    publish_some(book.store, book.account)
    with other.database.write() as conn:
        account = accounts.add(conn, "sandra", trakt_slug="sandra")
        fill_outbox(conn, other.sealer, account, [BLOG | {"name": "files"}], [])
    take(other, archived(book.store).path)
    with other.database.read() as conn:
        mine, folder = sites.all_sites(conn)
        counts = outbox.counts(conn, mine.id)
    assert (mine.name, mine.token(other.sealer), mine.state) == ("files", TOKEN, "working")
    assert (folder.name, folder.kind) == ("files-2", "folder")
    assert (counts["published"], counts["rejected"]) == (1, 1)


def test_a_backup_after_a_post_is_a_new_one(book: Book) -> None:
    """Not so one after which a site was only tried again."""
    publish_some(book.store, book.account)
    book.write()
    later = READ_AT + 99_000
    waiting = outbox_table.c.state == PostState.WAITING
    book.run(sa.update(outbox_table).where(waiting).values(due_at=later, tries=1, words="Trouble."))
    book.run(sa.update(sites_table).values(state="troubled", retry_at=later, failures=2))
    book.run(sa.update(sites_table).where(sites_table.c.name == "files").values(state="paused"))
    assert book.write().unchanged
    book.run(sa.update(outbox_table).where(waiting).values(state=PostState.PUBLISHED))
    assert not book.write().unchanged
    assert book.write().unchanged
    book.run(sa.update(sites_table).values(rules='{"delay":"1h"}'))
    assert not book.write().unchanged


@pytest.mark.parametrize("spoil", [b'"about":9', b'"state":"elsewhere"', b'"site":"none"'])
def test_posts_that_do_not_fit_together_are_refused(book: Book, other: Store, spoil: bytes) -> None:
    """A change of no post, a state and a site that are not there: nothing is taken."""
    publish_some(book.store, book.account)
    name = spoil.partition(b":")[0]

    def change(files: dict[str, bytes]) -> None:
        old = files["watchbook/posts.json"]
        files["watchbook/posts.json"] = re.sub(name + rb':("\w+"|\d)', spoil, old)

    path = rebuilt(book, change)
    before = everything(other)
    with pytest.raises(ArchiveDamaged, match="does not fit together"):
        take(other, path)
    assert everything(other) == before


# Whose archive it is -----------------------------------------------------------------------


def test_the_same_archive_again_changes_nothing(book: Book, other: Store) -> None:
    """The second import says so and leaves every row as it is."""
    path = archived(book.store).path
    assert not take(other, path).nothing_new
    before = everything(other)
    report = take(other, path)
    assert report.nothing_new
    assert report.complete
    assert "holds what is in" in report.words
    assert everything(other) == before


def test_two_imports_at_once_end_well(
    book: Book, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower one, which began when there was no account yet, finds what it would bring."""
    path = archived(book.store).path
    holding = leases.holding

    def slowly(*arguments: Any) -> Any:
        monkeypatch.setattr(leases, "holding", holding)
        assert not take(other, path).nothing_new
        return holding(*arguments)

    monkeypatch.setattr(leases, "holding", slowly)
    report = take(other, path)
    assert report.nothing_new
    assert "holds what is in" in report.words


def test_an_account_with_other_rows_is_refused(book: Book, other: Store) -> None:
    """What is kept is never mixed with an archive; the error says where else it could go."""
    path = archived(book.store).path
    take(other, path)
    with other.database.write() as conn:
        conn.execute(sa.delete(plays).where(plays.c.history_id == 5))
    before = everything(other)
    with pytest.raises(InputError, match="sandra holds something else") as refused:
        take(other, path)
    assert "fresh WATCHBOOK_HOME" in str(refused.value.hint)
    assert "watchbook account remove" in str(refused.value.hint)
    assert everything(other) == before


def test_an_empty_account_of_the_same_person_is_filled(book: Book, other: Store) -> None:
    """Whoever signed in first keeps the account and its own settings, under its own name."""
    with other.database.write() as conn:
        made = accounts.add(conn, "s", trakt_slug="sandra", client_id="app", keep="3 daily")
        datasets.save(conn, made.id, datasets.DataSetState("likes_lists", "complete"))
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, keep="9 daily", sync_every="2h")
    report = take(other, archived(book.store).path)
    account = the_account(other)
    assert report.account == account.name == "s"
    assert (account.id, account.client_id) == (made.id, "app")
    assert (account.keep, account.sync_every) == ("3 daily", "2h")
    assert account.timezone == "Europe/Berlin"
    with other.database.read() as conn:
        assert "likes_lists" not in datasets.all_states(conn, made.id)


def test_another_account_is_left_alone(book: Book, other: Store) -> None:
    """In a home with somebody else's book the archive's account is made beside it."""
    with other.database.write() as conn:
        accounts.add(conn, "tom", trakt_slug="tom", trakt_uuid="t0")
    assert take(other, archived(book.store).path).account == "sandra"
    with other.database.read() as conn:
        assert [(one.name, one.owner) for one in accounts.all_accounts(conn)] == [
            ("tom", True),
            ("sandra", False),
        ]


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("wanted", ["tom", None])
def test_somebody_elses_book_is_never_filled(
    book: Book, other: Store, wanted: str | None, *, rows: bool
) -> None:
    """Neither by name nor because the names are the same; both are named."""
    name = wanted or "sandra"
    with other.database.write() as conn:
        made = accounts.add(conn, name, trakt_slug="tom", trakt_uuid="t0")
        if rows:
            row = item("lists", "1", 0, "{}")
            conn.execute(sa.insert(items).values({"account_id": made.id, **row}))
    before = everything(other)
    with pytest.raises(InputError, match=rf"of the Trakt user sandra.* {name} \(Trakt user tom\)"):
        take(other, archived(book.store).path, wanted)
    assert everything(other) == before


def test_a_person_has_one_book(book: Book, other: Store) -> None:
    """Asked for another name, the account that the person has is named."""
    with other.database.write() as conn:
        accounts.add(conn, "sandra", trakt_slug="sandra")
    with pytest.raises(InputError, match="who has the account sandra here, but the account is new"):
        take(other, archived(book.store).path, "new")


def test_another_name_may_be_given(book: Book, other: Store) -> None:
    """An account that is to be made is called as asked for."""
    assert take(other, archived(book.store).path, "sandy").account == "sandy"
    assert the_account(other).trakt_slug == "sandra"


def test_the_name_in_an_archive_is_made_good(book: Book, other: Store) -> None:
    """Whatever an archive says its account is called, the book's name is safe in a file's."""
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, name="../Sändra & Co.")
    path = archived(book.store).path
    assert take(other, path).account == "s-ndra-co"
    assert take(other, path).nothing_new
    with pytest.raises(InputError, match="cannot be the name"), fresh_store(book.folder) as third:
        take(third, path, "../x")


def test_an_account_that_trakt_never_named_goes_by_its_name(book: Book, other: Store) -> None:
    """Without an identity at Trakt the same name is the same account."""
    with book.store.database.write() as conn:
        accounts.change(conn, book.account.id, trakt_slug=None, trakt_uuid=None)
    path = archived(book.store).path
    assert take(other, path).account == "sandra"
    assert take(other, path).nothing_new


def test_of_several_archives_the_newest_comes_first(book: Book, tmp_path: Path) -> None:
    """By when they were written, whatever their files are called."""
    old = archived(book.store).path
    new = archived(book.store).path
    moved = [old.rename(tmp_path / "z.tar.gz"), new.rename(tmp_path / "a.tar.gz")]
    assert newest_first(moved) == moved[::-1]


# What goes wrong ---------------------------------------------------------------------------


def test_a_damaged_archive_changes_nothing(book: Book, other: Store) -> None:
    """A byte in the middle is enough, and not even the account is made."""
    path = archived(book.store).path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    before = everything(other)
    with pytest.raises(ArchiveDamaged):
        take(other, path)
    assert everything(other) == before
    assert not [entry for entry in other.home.iterdir() if "watchbook.db" not in entry.name]


def broken_facts(files: dict[str, bytes]) -> None:
    """A fact less than there are rows."""
    lines = files["watchbook/rows.json"].split(b",\n")
    files["watchbook/rows.json"] = b",\n".join(lines[:-2]) + b"\n]\n"


def foreign_facts(files: dict[str, bytes]) -> None:
    """Facts of a file that is not there."""
    files["watchbook/rows.json"] = b'[\n{"file":"elsewhere.json"},\n{"generation":1}\n]\n'


def more_facts(files: dict[str, bytes]) -> None:
    """More facts than rows."""
    facts = files["watchbook/rows.json"].removesuffix(b"\n]\n")
    files["watchbook/rows.json"] = facts + b",\n{}\n]\n"


def no_facts(files: dict[str, bytes]) -> None:
    """Rows of which nothing is known."""
    files["watchbook/rows.json"] = b"[]\n"


def without_facts(files: dict[str, bytes]) -> None:
    """The file is not there at all."""
    del files["watchbook/rows.json"]


def odd_account(files: dict[str, bytes]) -> None:
    """An account of another shape."""
    files["watchbook/account.json"] = b'{"name": 3}\n'


@pytest.mark.daily(6)
@pytest.mark.parametrize(
    "spoil", [broken_facts, foreign_facts, more_facts, no_facts, without_facts, odd_account]
)
def test_what_does_not_fit_together_is_refused(
    book: Book, other: Store, spoil: Callable[[dict[str, bytes]], None]
) -> None:
    """Whole by its own digests, but nothing that Watchbook would write: nothing is taken."""
    path = rebuilt(book, spoil)
    before = everything(other)
    with pytest.raises(ArchiveDamaged, match="does not fit together"):
        take(other, path)
    assert everything(other) == before


def test_a_copy_of_an_installation_is_none(book: Book, other: Store) -> None:
    """It is told what it is; loading it is another thing."""
    path, _ = save_instance(book.store, book.folder)
    with pytest.raises(InputError, match="not the archive of an account"):
        take(other, path)


def test_who_works_on_the_account_is_waited_for(book: Book, other: Store) -> None:
    """Nothing is read back while a sync of the account goes on."""
    path = archived(book.store).path
    with other.database.write() as conn:
        account = accounts.add(conn, "sandra", trakt_slug="sandra")
    with (
        leases.holding(other.database, f"account:{account.id}", "a sync of sandra"),
        pytest.raises(StoreBusy),
    ):
        take(other, path)


@pytest.mark.daily(2)
@pytest.mark.parametrize("step", ["import.rows@3", "import.taken", "import.committed"])
def test_a_killed_import_left_nothing_or_everything(
    book: Book, other: Store, tmp_path: Path, step: str
) -> None:
    """After kill -9 before the commit there is not even an account; afterwards all is there."""
    path = archived(book.store).path
    command = [sys.executable, "-m", "watchbook", "import", str(path)]
    inherited = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    ours = {"WATCHBOOK_HOME": str(other.home), "WATCHBOOK_SECRET_KEY": TEST_KEY}
    before = everything(other)
    env = inherited | ours | {"_WATCHBOOK_DIE_AT": step}
    ended = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr
    if step == "import.committed":
        assert kept(other)["plays"]
    else:
        assert {**everything(other), "meta": []} == {**before, "meta": []}
    assert not [entry for entry in other.home.iterdir() if "watchbook.db" not in entry.name]
    assert take(other, path).nothing_new == (step == "import.committed")


# What stays of it --------------------------------------------------------------------------


def test_a_run_says_what_was_read_back(book: Book, other: Store) -> None:
    """It is written down as an import, in words, whatever the archive lacked among them."""
    for line in CATALOGUE:
        if line.parent is None:
            book.state(line.name, datasets.COMPLETE)
    take(other, archived(book.store).path)
    account = the_account(other)
    with other.database.read() as conn:
        (run,) = runs.latest(conn, account.id, "import")
    assert (run.outcome, run.words) == ("complete", "complete: 4 plays, 54 data sets")
    assert run.report is not None
    assert json.loads(run.report)["notes"] == ["2 rows gone at Trakt came along"]


def test_an_archive_in_the_folder_of_backups_is_taken_up(book: Book, other: Store) -> None:
    """The next backup finds that it holds the same already, and writes no other."""
    path = archived(book.store).path
    folder = backups_folder(other.home)
    folder.mkdir(parents=True)
    moved = path.rename(folder / path.name)
    take(other, moved)
    account = the_account(other)
    known, strange = list_archives(other, account)
    assert [one.name for one in known] == [path.name]
    assert not strange
    assert back_up(other, account).unchanged


def test_memory_of_many_rows_is_not_needed(book: Book, other: Store) -> None:
    """Files are read back in pieces of a thousand rows; more come back all the same."""
    book.add(plays, *(film(1000 + n, discovered_at=READ_AT + n // 3) for n in range(2500)))
    path = archived(book.store).path
    assert take(other, path).plays == 2504
