from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.errors import RemoteChanged
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape
from watchbook.trakt.parse import (
    MAX_ID,
    ParsedItem,
    ParsedPlay,
    Reject,
    decode_any,
    lookup,
    object_row,
    parse_item,
    parse_play,
    redact,
    split_rows,
)

NUL = "\0"
MOVIE: dict[str, Any] = {
    "title": "TRON: Legacy",
    "year": 2010,
    "ids": {"trakt": 1, "slug": "tron-legacy-2010", "imdb": "tt1104001", "tmdb": 20526},
}
SHOW: dict[str, Any] = {"title": "Breaking Bad", "year": 2008, "ids": {"trakt": 11, "tvdb": 81189}}
EPISODE: dict[str, Any] = {"season": 2, "number": 3, "title": "Bit", "ids": {"trakt": 111}}
SEASON: dict[str, Any] = {"number": 4, "ids": {"trakt": 61}}
USER: dict[str, Any] = {"username": "sean", "ids": {"trakt": 71, "slug": "sean"}}
FILM_PLAY: dict[str, Any] = {
    "id": 123,
    "watched_at": "2026-02-03T04:05:00.000Z",
    "action": "scrobble",
    "type": "movie",
    "movie": MOVIE,
}
EPISODE_PLAY: dict[str, Any] = {
    "id": 124,
    "watched_at": "2026-02-03T05:05:00.000Z",
    "action": "checkin",
    "type": "episode",
    "episode": EPISODE,
    "show": SHOW,
}
RATINGS = BY_NAME["ratings_movies"]
WATCHLIST = BY_NAME["watchlist"]


def as_json(value: object) -> bytes:
    """JSON as Trakt writes it."""
    return msgspec.json.encode(value)


def a_play(row: object) -> ParsedPlay:
    """The play that ``row`` is read as."""
    found = parse_play(row if isinstance(row, bytes) else as_json(row))
    assert isinstance(found, ParsedPlay), found
    return found


def an_item(row: object, data_set: DataSet = WATCHLIST, place: int = 0) -> ParsedItem:
    """The item that ``row`` is read as."""
    found = parse_item(row if isinstance(row, bytes) else as_json(row), data_set, place)
    assert isinstance(found, ParsedItem), found
    return found


@pytest.mark.parametrize(
    ("slug", "kept"),
    [
        ("tron-legacy-2010", True),
        ("君の名は-2016", True),
        ("x\r\nATTENDEE:mailto:a@b", False),
        ("../../evil", False),
        ("a b", False),
        ('x"onclick=', False),
        ("x?a#b", False),
        ("x" * 201, False),
    ],
)
def test_a_slug_can_stand_in_an_address(slug: str, *, kept: bool) -> None:
    """Of one that cannot nothing is known: the title's number stands in its place."""
    (title,) = a_play(FILM_PLAY | {"movie": MOVIE | {"ids": {"trakt": 1, "slug": slug}}}).titles
    assert title["slug"] == (slug if kept else None)


def test_play_of_a_film() -> None:
    """A film's play names its title and keeps the row as it came."""
    play = a_play(FILM_PLAY)
    assert (play.history_id, play.type, play.action) == (123, "movie", "scrobble")
    assert play.watched_at == 1_770_091_500_000
    assert (play.title_key, play.raw) == ("movie:1", as_json(FILM_PLAY).decode())
    (title,) = play.titles
    assert (title["title"], title["year"], title["tmdb"]) == ("TRON: Legacy", 2010, 20526)
    assert not title["detailed"]


def test_play_of_an_episode() -> None:
    """An episode's play brings its show first, and the episode knows its place in it."""
    show, episode = a_play(EPISODE_PLAY).titles
    assert (show["key"], show["show_key"]) == ("show:11", None)
    assert (episode["key"], episode["show_key"]) == ("episode:111", "show:11")
    assert (episode["season"], episode["number"]) == (2, 3)


def test_full_form_tells_details() -> None:
    """Genres, runtime and the other fields of ``extended=full`` are taken along."""
    full = MOVIE | {"runtime": 125, "genres": ["action", "", "sci-fi"], "released": "2010-12-17"}
    (title,) = a_play(FILM_PLAY | {"movie": full}).titles
    assert title["detailed"]
    assert (title["genres"], title["released"]) == ("action,sci-fi", "2010-12-17")


@pytest.mark.parametrize(
    ("images", "kept"),
    [
        ({"poster": ["walter.trakt.tv/a.webp", "b"], "fanart": ["c"]},
         '{"poster":"walter.trakt.tv/a.webp"}'),
        ({"poster": [], "screenshot": ["walter.trakt.tv/s.webp"]},
         '{"still":"walter.trakt.tv/s.webp"}'),
        ({"poster": [], "screenshot": None}, None),
        ({"poster": [None]}, None),
        ({"poster": "walter.trakt.tv/a.webp"}, None),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_where_pictures_lie_is_kept(images: object, kept: str | None) -> None:
    """The first address of each kind that is shown; odd ones cost nothing but themselves."""
    full = MOVIE | {"runtime": 125, "images": images}
    (title,) = a_play(FILM_PLAY | {"movie": full}).titles
    assert (title["images"], title["runtime"]) == (kept, 125)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"watched_at": "1970-01-01T00:00:00.000Z"}, {"watched_at": 0}),
        ({"watched_at": "2026-02-03T04:05:00Z"}, {"watched_at": 1_770_091_500_000}),
        ({"watched_at": "2026-02-03T04:05:00"}, {"watched_at": 1_770_091_500_000}),
        ({"watched_at": "2026-02-03T06:05:00+02:00"}, {"watched_at": 1_770_091_500_000}),
        ({"watched_at": "1895-12-28T20:00:00Z"}, {"watched_at": -2_335_492_800_000}),
        ({"watched_at": "2999-01-01T00:00:00Z"}, {"watched_at": 32_472_144_000_000}),
        ({"id": MAX_ID}, {"history_id": MAX_ID}),
        ({"action": "telepathy"}, {"action": "telepathy"}),
        ({"action": f"wat{NUL}ch"}, {"action": "watch"}),
        ({"movie": None}, {"title_key": None, "titles": ()}),
        ({"movie": {}}, {"title_key": None, "titles": ()}),
        ({"movie": {"ids": None}}, {"title_key": None}),
        ({"movie": {"ids": {"trakt": None}}}, {"title_key": None}),
        ({"movie": {"ids": {"trakt": 0}}}, {"title_key": None}),
        ({"movie": {"ids": {"trakt": 2**63}}}, {"title_key": None}),
        ({"movie": "a text"}, {"title_key": None}),
        ({"movie": MOVIE | {"year": "soon"}}, {"title_key": "movie:1"}),
        ({"movie": MOVIE | {"genres": [None]}}, {"title_key": "movie:1"}),
        ({"movie": MOVIE | {"ids": {"trakt": "1", "imdb": 5}}}, {"title_key": "movie:1"}),
        ({"show": "of no interest"}, {"title_key": "movie:1"}),
        ({"a field of tomorrow": [1]}, {"title_key": "movie:1"}),
    ],
)
def test_odd_play_costs_a_column_never_a_row(
    change: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Whatever is odd about a play but its identity, the play is kept."""
    row = FILM_PLAY | change
    play = a_play(row)
    assert {name: getattr(play, name) for name in expected} == expected
    assert play.raw == as_json(row).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"id": 2**63},
        {"id": 0},
        {"id": -1},
        {"id": "123"},
        {"id": 1.5},
        {"id": None},
        {"watched_at": None},
        {"watched_at": "yesterday"},
        {"watched_at": "0001-01-01T00:00:00+14:00"},
        {"watched_at": "9999-12-31T23:59:59-14:00"},
        {"type": "audiobook"},
        {"type": None},
        {"action": None},
    ],
)
def test_play_without_identity_is_kept_raw(change: dict[str, Any]) -> None:
    """What cannot be a play is put aside as it came, with the reason."""
    row = as_json(FILM_PLAY | change)
    found = parse_play(row)
    assert isinstance(found, Reject)
    assert found.reason.startswith("not a play")
    assert found.raw == row.decode()


TEXTS = ["x" * 65_536, "🎬👨\u200d👩", "Ĳ", "\x1b[2J", "\u202eevil", f"a{NUL}b", "\u2028"]


@pytest.mark.parametrize("text", TEXTS)
def test_titles_in_any_script(text: str) -> None:
    """A title is kept whole, but for NUL, which PostgreSQL does not take."""
    (title,) = a_play(FILM_PLAY | {"movie": MOVIE | {"title": text}}).titles
    assert title["title"] == text.replace(NUL, "")


@pytest.mark.parametrize("name", ["year", "runtime", "aired_episodes", "season", "number", "tmdb"])
@pytest.mark.parametrize("number", [-1, 2**31, 2**63, 10**30])
def test_numbers_fit_their_columns(name: str, number: int) -> None:
    """A number that a column of the store cannot hold is left out of it."""
    odd = EPISODE | {name: number, "ids": {"trakt": 111, "tmdb": number if name == "tmdb" else 1}}
    titles = (a_play(EPISODE_PLAY | {"episode": odd}), an_item(EPISODE_PLAY | {"episode": odd}))
    for found in titles:
        assert found.title_key == "episode:111"
        kept = found.titles[1][name]
        assert kept is None or (name == "tmdb" and 0 <= kept <= MAX_ID)


BROKEN = [
    b'{"id": 1, "title": "half a pair: \\ud800"}',
    b'{"id": 1, "title": "\\udc00"}',
    b'{"id": NaN}',
    b'{"id": 1e999}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b'{"id": 1, "title": "\xff\xfe"}',
    b'{"id": 1, "title": "\x00"}',
    b"[" * 300 + b"]" * 300,
    b"7",
    b"null",
]


@pytest.mark.parametrize("bad", BROKEN)
def test_broken_row_does_not_take_the_page_along(bad: bytes) -> None:
    """One row that is no JSON is put aside alone; its neighbours are read."""
    good = as_json(FILM_PLAY)
    rows = split_rows(b"[" + good + b", " + bad + b" ," + good + b"]\n")
    assert rows == [good, bad, good]
    for found in (parse_play(bad), parse_item(bad, WATCHLIST, 0)):
        assert isinstance(found, Reject | ParsedItem)
        assert NUL not in found.raw
        found.raw.encode()
    assert isinstance(parse_play(bad), Reject)


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]"])
def test_no_rows(body: bytes) -> None:
    """An empty array has no rows, with or without a byte order mark."""
    assert split_rows(body) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"<html>",
        b"[1,2",
        b"[1,2] x",
        b"[1,,2]",
        b'["\\ud800"',
        b"\xff\xfe[\x00]\x00",
        b"[" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
    ],
)
def test_what_is_no_array(body: bytes) -> None:
    """Anything but a whole array is an answer of another shape, however deep."""
    with pytest.raises(RemoteChanged):
        split_rows(body)


def test_object_is_one_row() -> None:
    """An object is its own row, without mark and blanks around it; nothing else is."""
    assert object_row(b'\xef\xbb\xbf {"a": 1} \n') == [b'{"a": 1}']
    for body in (b"[]", b"null", b"", b'{"a": NaN}', b'{"a":' * 10_000, b'"\xff"'):
        with pytest.raises(RemoteChanged):
            object_row(body)
    assert decode_any(b'\xef\xbb\xbf{"a": 9007199254740993}') == {"a": 9_007_199_254_740_993}


ITEMS = {
    # a row by the data set that serves it: (row, key, type, title)
    "ratings_movies": (
        {"rated_at": "x", "rating": 8, "type": "movie", "movie": MOVIE},
        "movie:1",
        "movie",
        "movie:1",
    ),
    "ratings_seasons": (
        {"type": "season", "season": SEASON, "show": SHOW},
        "season:61",
        "season",
        "season:61",
    ),
    "watchlist": ({"id": 5, "type": "show", "show": SHOW}, "5", "show", "show:11"),
    "watched_shows": ({"plays": 2, "show": SHOW}, "11", "show", "show:11"),
    "list_items": (
        {"id": 6, "type": "person", "person": {"name": "A", "ids": {"trakt": 9}}},
        "6",
        "person",
        None,
    ),
    "lists": ({"name": "Mine", "ids": {"trakt": 55}, "user": USER}, "55", "user", None),
    "likes_comments": ({"type": "comment", "comment": {"id": 8}}, "8", "comment", None),
    "followers": ({"followed_at": "x", "user": USER}, "user:71", "user", None),
    "blocked": ({"user": {"username": "jo", "ids": {"slug": None}}}, "user:jo", "user", None),
    "hidden_comments": ({"type": "user", "user": USER}, "user:71", "user", None),
    "collection_movies": ({"type": "movie", "movie": MOVIE}, "movie:1", "movie", "movie:1"),
    "collection_shows": ({"show": SHOW, "seasons": []}, "show:11", "show", "show:11"),
    "list_likes": ({"liked_at": "x", "user": USER}, "user:71", "user", None),
    "smart_list_items": ({"rank": 1, "type": "show", "show": SHOW}, "show:11", "show", "show:11"),
    "calendar_shows": ({"episode": EPISODE, "show": SHOW}, "111", "episode", "episode:111"),
    "data_syncs_paused": ({"kind": "history"}, "row 7", None, None),
}


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_a_data_set(name: str) -> None:
    """A row is named by what its line of the catalogue says."""
    row, key, kind, title = ITEMS[name]
    item = an_item(row, BY_NAME[name], place=7)
    assert (item.key, item.type, item.title_key) == (key, kind, title)
    assert item.raw == as_json(row).decode()


@pytest.mark.parametrize(
    "data_set", [d for d in CATALOGUE if d.shape in {Shape.ROWS, Shape.LATEST}]
)
def test_natural_key_of_every_line(data_set: DataSet) -> None:
    """Each line names a row by its own field, the same at any place, and another row otherwise."""

    def row_of(number: int) -> bytes:
        if data_set.key == "subject":
            return as_json({"type": "movie", "movie": {"ids": {"trakt": number}}})
        row: dict[str, Any] = {}
        inner, names = row, (data_set.key or "nothing").split(".")
        for name in names[:-1]:
            inner[name] = inner = {}
        inner[names[-1]] = number
        return as_json(row)

    first = an_item(row_of(1), data_set, 0)
    if data_set.key:
        assert first.key == an_item(row_of(1), data_set, 5).key != an_item(row_of(2), data_set).key
        assert not first.key.startswith("digest:")
    else:
        assert first.key == "row 0"


@pytest.mark.parametrize(
    "value", [None, "", True, 1.5, [], {}, "x" * 201, f"a{NUL}b", {"deep": {"er": 1}}]
)
def test_row_without_a_name_is_named_by_its_content(value: object) -> None:
    """Where the naming field says nothing usable, the row's digest names it; none is lost."""
    first, second = an_item({"id": value, "a": 1}), an_item({"id": value, "a": 2})
    assert first.key.startswith("digest:")
    assert first.key != second.key


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"type": "hologram", "id": 1}, "hologram"),
        ({"type": "x" * 100, "id": 1}, "x" * 40),
        ({"type": f"a{NUL}b", "id": 1}, "ab"),
        ({"type": 5, "show": SHOW, "id": 1}, "show"),
        ({"type": "movie", "movie": None, "id": 1}, "movie"),
        ({"id": 1}, None),
    ],
)
def test_type_of_a_row(row: dict[str, Any], kind: str | None) -> None:
    """A row is of the type it says, else of that of the object it holds."""
    assert an_item(row).type == kind


def test_odd_title_of_an_item_keeps_what_fits() -> None:
    """A title with one odd field keeps its key and its other fields."""
    row = {
        "id": 1,
        "type": "movie",
        "movie": MOVIE | {"year": {}, "ids": {"trakt": 1, "tmdb": "?"}},
    }
    item = an_item(row)
    (title,) = item.titles
    assert (item.title_key, title["title"], title["year"]) == ("movie:1", "TRON: Legacy", None)


def test_user_name_with_nul_names_no_row() -> None:
    """No key holds a character that PostgreSQL refuses."""
    row = {"type": "user", "user": {"username": f"a{NUL}b", "ids": {}}}
    assert NUL not in an_item(row, BY_NAME["followers"]).key


SECRET = "s3cr3t-value"
SECRETS: dict[str, tuple[dict[str, Any], str]] = {
    "account.token": ({"account": {"token": SECRET, "timezone": "x"}}, "user_settings"),
    "share_link": ({"name": "l", "share_link": SECRET}, "lists"),
    "list.share_link": ({"type": "list", "list": {"share_link": SECRET}}, "likes_lists"),
    "lists of lists": ({"a": [[{"b": [{"share_link": SECRET}]}]]}, "watchlist"),
    "an object": ({"share_link": {"url": SECRET, "more": [SECRET]}}, "lists"),
    "webhook.url": ({"webhook": {"url": SECRET}, "url": "fine"}, "settings_plex"),
    "connection.token": ({"connection": {"token": SECRET}}, "settings_plex"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_taken_out(name: str) -> None:
    """What the catalogue calls a secret is gone wherever it stands; the rest of the row stays."""
    row, data_set = SECRETS[name]
    raw, found = redact(as_json(row), BY_NAME[data_set].secrets)
    assert SECRET.encode() not in raw
    assert b"[redacted]" in raw
    assert found
    kept = json.loads(raw)
    assert kept.keys() == row.keys()


@pytest.mark.parametrize("data_set", CATALOGUE)
def test_share_links_are_secret_everywhere(data_set: DataSet) -> None:
    """A share link opens a list to whoever knows it: no data set keeps one."""
    row = as_json({"id": 1, "list": {"share_link": SECRET}, "share_link": SECRET})
    assert SECRET.encode() not in redact(row, data_set.secrets)[0]


@pytest.mark.parametrize(
    "raw",
    [
        b'{ "id" : 1 , "x" : 7.10, "big": 9007199254740993 }',
        b'{"token": "of something else"}',
        b'{"url": "https://example.org", "account": {"tokens": 3}}',
        b'{"share_link": null, "a" : 1.0}',
        b'{"share_link": "", "a" : 1.0}',
        b'{"title": "\\"share_link\\""}',
    ],
)
def test_row_without_secrets_stays_byte_for_byte(raw: bytes) -> None:
    """Nothing is rewritten where there is nothing to take out."""
    assert redact(raw, ("account.token", "webhook.url", "share_link")) == (raw, ())


def test_big_numbers_survive_redaction() -> None:
    """Numbers beyond 2^53 are the same after a secret was taken out beside them."""
    raw, _ = redact(b'{"id":9007199254740993,"share_link":"x"}', ("share_link",))
    assert raw == b'{"id":9007199254740993,"share_link":"[redacted]"}'


@pytest.mark.parametrize(
    "raw",
    [
        b'{"share_link":"s3cr3t-value","a":NaN}',
        b'{"share_link":"s3cr3t-value","a":"\xff"}',
        b'{"share_link":"s3cr3t-value"',
        b'{"share_link":"s3cr3t-value","a":' + b"[" * 5000,
    ],
)
def test_secret_in_an_unreadable_row_goes_with_the_row(raw: bytes) -> None:
    """Of a row that cannot be searched nothing is kept, rather than a secret."""
    kept, found = redact(raw, ("share_link",))
    assert (kept, found) == (b'"[redacted]"', ("share_link",))


def test_lookup() -> None:
    """A dotted path leads through objects, and to nothing where there is none."""
    row = {"a": {"b": 1}, "c": [1]}
    assert (lookup(row, "a.b"), lookup(row, "a.x"), lookup(row, "c.b"), lookup(1, "a")) == (
        1,
        None,
        None,
        None,
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
PATHS = [
    ("id",), ("watched_at",), ("action",), ("type",), ("episode",), ("show",), ("share_link",),
    ("show", "ids"), ("show", "ids", "trakt"), ("show", "ids", "slug"), ("show", "year"),
    ("show", "genres"), ("episode", "ids", "trakt"), ("episode", "number"), ("show", "title"),
    ("episode", "first_aired"), ("show", "runtime"), ("show", "network"),
]  # fmt: skip


def mutated(changes: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """An episode's play in which the values at some paths are others."""
    row: dict[str, Any] = json.loads(as_json(EPISODE_PLAY))
    for path, value in changes.items():
        inner = row
        for name in path[:-1]:
            inner = inner[name] if isinstance(inner.get(name), dict) else inner.setdefault("x", {})
        inner[path[-1]] = value
    return row


def check(raw: bytes) -> None:
    """Whatever the row, each reader gives a row or a reject that both databases take."""
    kept, _ = redact(raw, ("share_link", "account.token"))
    found: list[ParsedPlay | ParsedItem | Reject] = [parse_play(kept)]
    found += [parse_item(kept, line, 0) for line in (WATCHLIST, RATINGS, BY_NAME["lists"])]
    for row in found:
        assert NUL not in row.raw
        row.raw.encode()
        if not isinstance(row, Reject):
            values = [value for title in row.titles for value in title.values()]
            for value in (*values, row.title_key, row.type, getattr(row, "key", "")):
                assert not isinstance(value, str) or NUL not in value
                assert not isinstance(value, int) or -(2**63) <= value < 2**63


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), JSON, min_size=1, max_size=4))
def test_mutated_values_never_crash(changes: dict[tuple[str, ...], Any]) -> None:
    """A valid row with other values anywhere becomes a row or a reject."""
    check(as_json(mutated(changes)))


@settings(deadline=None)
@given(st.data())
def test_mutated_bytes_never_crash(data: st.DataObject) -> None:
    """A valid page with bytes flipped, cut or put in becomes rows, rejects or RemoteChanged."""
    body = bytearray(as_json([FILM_PLAY, EPISODE_PLAY]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        rows = split_rows(bytes(body))
    except RemoteChanged:
        return
    for row in rows:
        check(row)
