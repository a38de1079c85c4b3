"""Reading Trakt's export: its two forms, what is missing, and files that mean harm."""

from __future__ import annotations

import io
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchbook.errors import ArchiveDamaged, ArchiveUnsafe, InputError, WatchbookError
from watchbook.exports.container import Limits
from watchbook.exports.stream import object_of, rows_of
from watchbook.exports.trakt_zip import BUCKETS, ENDPOINTS, TraktExport, open_export
from watchbook.trakt.datasets import BY_NAME

SETTINGS = {
    "user": {"ids": {"slug": "sandra", "uuid": "u-1"}},
    "account": {"timezone": "Europe/Berlin"},
}
WHOLE: Mapping[str, Any] = {
    "user-settings.json": SETTINGS,
    "user-profile.json": {"ids": {"slug": "sandra"}},
    "user-last-activities.json": {"all": "2026-11-20T12:00:00.000Z"},
    "user-stats.json": {"movies": {"plays": 3}},
    "ratings-movies.json": [{"rating": 7}, {"rating": 8}],
    "watched-history-1.json": [{"id": 1}, {"id": 2}],
    "watched-history-2.json": [{"id": 3}],
    "lists-list-77-best-of-2.json": [{"id": 9}],
    "lists-list-78-1984-1.json": [{"id": 10}],
    "lists-list-78-1984-2.json": [{"id": 11}],
}


def packed(path: Path, files: Mapping[str, Any]) -> Path:
    """A ZIP of these files; what is not bytes is written as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            target.writestr(name, body)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small export."""
    return packed(tmp_path / "trakt-export-sandra.zip", WHOLE)


def rows(export: TraktExport, data_set: str) -> list[Any]:
    """All rows of a data set, decoded."""
    return [json.loads(row) for page in export.pages(data_set) for row in export.rows(page)]


def read_all(path: Path, limits: Limits | None = None) -> None:
    """Read everything that an export holds."""
    with open_export(path, limits) as export:
        assert export.owner.slug is not None
        assert len(export.failures) >= 0, export.moment
        for data_set in BUCKETS:
            if BY_NAME[data_set].shape.value == "object":
                export.object(data_set)
            else:
                rows(export, data_set)


def test_an_export_says_whose_it_is_and_when(path: Path) -> None:
    """Owner, time zone and time come from its own files."""
    with open_export(path) as export:
        owner = export.owner
        assert (owner.slug, owner.uuid, owner.timezone) == ("sandra", "u-1", "Europe/Berlin")
        assert export.moment is not None
        assert export.moment.isoformat() == "2026-11-20T12:00:00+00:00"
        assert export.stats == {"movies": {"plays": 3}}
        assert export.strange == []


def test_both_forms_of_names_are_read(path: Path) -> None:
    """One file, or numbered pages in the order of their numbers."""
    with open_export(path) as export:
        assert rows(export, "ratings_movies") == [{"rating": 7}, {"rating": 8}]
        assert [row["id"] for row in rows(export, "history")] == [1, 2, 3]
        assert rows(export, "list_items/77") == [{"id": 9}]
        assert [row["id"] for row in rows(export, "list_items/78")] == [10, 11]
        assert export.gaps("history") == export.gaps("list_items/77") == []


def test_ten_pages_come_in_the_order_of_numbers(tmp_path: Path) -> None:
    """Page 10 follows page 9, not page 1."""
    pages = {f"watched-history-{n}.json": [{"id": n}] for n in range(1, 13)}
    with open_export(packed(tmp_path / "a.zip", {**WHOLE, **pages})) as export:
        assert [row["id"] for row in rows(export, "history")] == list(range(1, 13))


@pytest.mark.parametrize(
    ("stats", "sum_of_both"),
    [
        ({"movies": {"plays": 3}, "episodes": {"plays": 4}}, 7),
        ({"movies": {"plays": 3}}, None),
        ({"movies": {"plays": 3}, "episodes": None}, None),
        ({"movies": {"plays": 3}, "episodes": {"plays": True}}, None),
        ({"movies": {"plays": 3}, "episodes": {"plays": 2**70}}, None),
        ({"movies": {"plays": 3}, "episodes": {"plays": -1}}, None),
    ],
)
def test_statistics_count_when_they_are_numbers(
    tmp_path: Path, stats: object, sum_of_both: int | None
) -> None:
    """A count that is missing, or that no count can be, makes no claim."""
    with open_export(packed(tmp_path / "a.zip", {**WHOLE, "user-stats.json": stats})) as export:
        assert export.statistic(["movies.plays", "episodes.plays"]) == sum_of_both


@pytest.mark.parametrize("slug", ["a\0b", "", "x" * 101, "../x", None])
def test_an_odd_slug_is_none(tmp_path: Path, slug: object) -> None:
    """Whose export it is must be a name that Trakt could have given."""
    files = {**WHOLE, "user-settings.json": {"user": {"ids": {"slug": slug}}}}
    files["user-profile.json"] = {"ids": {"slug": slug}}
    with (
        open_export(packed(tmp_path / "a.zip", files)) as export,
        pytest.raises(InputError, match="does not say whose it is"),
    ):
        export.owner.slug.encode()


def test_a_folder_is_read_alike(path: Path, tmp_path: Path) -> None:
    """Who unpacks the ZIP has the same export, also with what the system adds to it."""
    with zipfile.ZipFile(path) as source:
        source.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / ".DS_Store").write_bytes(b"\0")
    with open_export(tmp_path / "unpacked") as export:
        assert len(rows(export, "history")) == 3
        assert export.strange == []


def test_a_packed_folder_is_read_alike(tmp_path: Path) -> None:
    """So has who packs that folder again, with what the system adds to it."""
    files = {f"trakt-export-sandra/{name}": body for name, body in WHOLE.items()}
    files |= {"__MACOSX/trakt-export-sandra/._x": b"\0", "trakt-export-sandra/.DS_Store": b"\0"}
    with open_export(packed(tmp_path / "again.zip", files)) as export:
        assert len(rows(export, "history")) == 3
        assert export.strange == []


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """A file, or a page in the middle, that is not there."""
    files = {**WHOLE, "watched-history-4.json": []}
    with open_export(packed(tmp_path / "a.zip", files)) as export:
        assert export.gaps("history") == ["a.zip lacks 1 page of watched-history.json"]
        assert export.gaps("watchlist") == ["a.zip lacks lists-watchlist.json"]
        assert export.gaps("list_items/5") == ["a.zip lacks lists-list-5"]
        assert not export.holds("watchlist")


@pytest.mark.parametrize(
    ("endpoint", "data_set"),
    [
        ("users/sandra/history?extended=gdpr", "history"),
        ("/users/me/history", "history"),
        ("watched-history", "history"),
        ("users/settings?extended=sharing,browsing,gdpr", "user_settings"),
        ("users/sandra?extended=full,vip", "user_profile"),
        ("users/hidden/progress_watched", "hidden_progress_watched"),
        ("users/requests", "requests"),
        ("users/sandra/comments/all/lists?include_replies=true", "comments_all"),
        ("users/sandra/lists/best-of-2/items", "list_items/77"),
        ("lists-list-77-best-of-2", "list_items/77"),
    ],
)
def test_the_exporters_own_errors_are_told(tmp_path: Path, endpoint: str, data_set: str) -> None:
    """`_errors.json` names endpoints; each is found again in its data set, in words."""
    failed = {"endpoint": endpoint, "error": "HTTP 503", "fetchedPages": 2, "totalPages": 9}
    with open_export(packed(tmp_path / "a.zip", {**WHOLE, "_errors.json": [failed]})) as export:
        words = f"Trakt's exporter could not read {endpoint} (HTTP 503): 2 of 9 pages came"
        assert [failure.words for failure in export.failures] == [words]
        assert export.gaps(data_set, "best-of-2") == [words]
        assert export.gaps("ratings_movies") == []


def test_an_odd_error_is_told_as_it_stands(tmp_path: Path) -> None:
    """An entry of another shape does not take the export along."""
    with open_export(packed(tmp_path / "a.zip", {**WHOLE, "_errors.json": ["oops"]})) as export:
        assert "oops" in export.failures[0].words


def test_every_bucket_belongs_to_a_data_set_of_the_catalogue() -> None:
    """No bucket is passed over, and no data set is named that there is not."""
    assert set(BUCKETS) <= set(BY_NAME)
    assert sorted(bucket for buckets in BUCKETS.values() for bucket in buckets) == sorted(ENDPOINTS)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"photo.jpg": b"x"}, "none of the files"),
        ({}, "none of the files"),
        ({"ratings-movies.csv": b"a,b"}, "none of the files"),
        ({"ratings-movies.json": []}, "does not say whose it is"),
        ({**WHOLE, "user-settings.json": [], "user-profile.json": []}, "is not an object"),
        ({**WHOLE, "user-settings.json": {"user": 1}, "user-profile.json": {}}, "whose it is"),
    ],
)
def test_what_is_no_export_is_said(tmp_path: Path, files: Mapping[str, Any], words: str) -> None:
    """Another ZIP, or one that does not say whose it is."""
    with pytest.raises(WatchbookError, match=words):
        read_all(packed(tmp_path / "a.zip", files))


def test_the_csv_form_is_recognised(tmp_path: Path) -> None:
    """Trakt offers another form, which tells less; the hint says what to choose."""
    with pytest.raises(InputError) as refused:
        read_all(packed(tmp_path / "a.zip", {"ratings-movies.csv": b"a,b"}))
    assert "Choose JSON" in str(refused.value.hint)


@pytest.mark.parametrize(
    "name",
    ["../ratings-shows.json", "/ratings-shows.json", "a/b/ratings-shows.json", "..", "c:\\x.json"],
)
def test_tricks_with_paths_are_refused(tmp_path: Path, name: str) -> None:
    """No honest export has such a name."""
    with pytest.raises(ArchiveUnsafe):
        read_all(packed(tmp_path / "a.zip", {**WHOLE, name: []}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    """Two files of one name would hide one of them."""
    path = packed(tmp_path / "a.zip", WHOLE)
    with zipfile.ZipFile(path, "a") as target:
        target.writestr("ratings-movies.json", b"[]")
    with pytest.raises(ArchiveUnsafe, match="twice"):
        read_all(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Entries that are no plain files, in a ZIP or a folder."""
    path = packed(tmp_path / "a.zip", WHOLE)
    link = zipfile.ZipInfo("ratings-shows.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveUnsafe, match="no plain file"):
        read_all(path)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "user-stats.json").symlink_to("/etc/passwd")
    with pytest.raises(ArchiveUnsafe, match="no plain file"):
        read_all(folder)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(entries=5),
        Limits(member_bytes=20),
        Limits(total_bytes=100),
        Limits(directory_bytes=50),
    ],
)
def test_what_is_too_much_is_refused(path: Path, limits: Limits) -> None:
    """Too many entries, too large ones, too much in all."""
    with pytest.raises(ArchiveUnsafe):
        read_all(path, limits)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A megabyte of nothing in a few hundred bytes."""
    path = packed(tmp_path / "a.zip", {**WHOLE, "ratings-shows.json": b" " * (1 << 22)})
    with pytest.raises(ArchiveUnsafe, match="unpacks to"):
        read_all(path, Limits(ratio_from=1 << 20))


def marked(path: Path, offset_in_local: int, offset_in_central: int, value: bytes) -> None:
    """Overwrite a field of the last entry's two headers."""
    data = bytearray(path.read_bytes())
    local, central = data.rfind(b"PK\x03\x04"), data.rfind(b"PK\x01\x02")
    data[local + offset_in_local : local + offset_in_local + len(value)] = value
    data[central + offset_in_central : central + offset_in_central + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("local", "central", "value", "kind"),
    [
        (6, 8, struct.pack("<H", 1), ArchiveUnsafe),  # encrypted
        (8, 10, struct.pack("<H", 97), ArchiveUnsafe),  # a method that nobody uses
        (14, 16, struct.pack("<L", 1), ArchiveDamaged),  # another digest
        (22, 24, struct.pack("<L", 4), ArchiveDamaged),  # a smaller size than is packed
    ],
)
def test_odd_headers_are_refused(
    path: Path, local: int, central: int, value: bytes, kind: type[WatchbookError]
) -> None:
    """Encrypted, packed in an unknown way, or other than the headers say."""
    marked(path, local, central, value)
    with pytest.raises(kind), open_export(path) as export:
        rows(export, "list_items/78")


def test_a_cut_zip_is_damaged(path: Path, tmp_path: Path) -> None:
    """A download that ended early is told as such."""
    cut = tmp_path / "cut.zip"
    cut.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ArchiveDamaged, match=r"cut\.zip is cut off"):
        read_all(cut)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_is_changed_or_cut_ends_in_our_words(path: Path, seed: int) -> None:
    """Any bytes flipped, cut out or put in: all is read, or an error of ours says what is wrong."""
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    twisted = path.with_name("twisted.zip")
    twisted.write_bytes(data)
    with suppress(WatchbookError):
        read_all(twisted, Limits(total_bytes=1 << 24))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is not a list|is cut off"),
        (b"{}", "is not a list"),
        (b"nul", "is cut off or no JSON"),
        (b"[1, 2", "is cut off"),
        (b'[{"a": 1}, {"b"', "is cut off or no JSON"),
        (b"[1 2]", "has something else between two rows"),
        (b"[1] 2", "goes on behind its end"),
        (b"[1,]", "is cut off or no JSON"),
        (b"<html>", "is not a list"),
        (b"[" * 100_000, "is cut off or no JSON"),
    ],
)
def test_wrong_json_names_its_place(text: bytes, words: str) -> None:
    """What is no list of rows is refused with the file's name and where it went wrong."""
    with pytest.raises(ArchiveDamaged, match=f"x.json ({words}) .near character"):
        list(rows_of(io.BytesIO(text), "x.json"))


@pytest.mark.parametrize("text", [b"", b"[]", b"{} {}", b"{", b"12"])
def test_an_object_is_one_object(text: bytes) -> None:
    """Neither a list nor half an object nor two will do."""
    with pytest.raises(ArchiveDamaged, match=r"x\.json"):
        object_of(io.BytesIO(text), "x.json")
    assert object_of(io.BytesIO(b" null "), "x.json") is None
    assert object_of(io.BytesIO(b'\xef\xbb\xbf {"a": 1}\n'), "x.json") == b'{"a": 1}'


class Drops:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._stream, self._size = io.BytesIO(data), size

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes as it was made for."""
        del size
        return self._stream.read(self._size)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(rows=st.lists(JSON), size=st.integers(1, 7), ascii_only=st.booleans())
def test_rows_are_found_however_the_bytes_arrive(
    rows: list[Any], size: int, *, ascii_only: bool
) -> None:
    """Rows cut anywhere, also inside of a letter, come out as they went in."""
    text = json.dumps(rows, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    found = list(rows_of(Drops(text, size), "x.json"))
    assert [json.loads(row.decode("utf-8", "surrogateescape")) for row in found] == json.loads(
        text.decode("utf-8", "surrogateescape")
    )


def test_a_long_file_takes_little_memory() -> None:
    """Of 60 MB of rows only a piece is in memory at a time."""
    row = json.dumps({"id": 1, "title": "x" * 560}).encode()

    class Endless:
        def __init__(self) -> None:
            self.left = 100

        def read(self, size: int = -1, /) -> bytes:
            del size
            self.left -= 1
            first = b"[" if self.left == 99 else b""
            return first + (row + b",") * 1000 if self.left > 0 else b"1]" * (self.left == 0)

    tracemalloc.start()
    count = sum(1 for _ in rows_of(Endless(), "x.json"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 99_001
    assert peak < 16 << 20
