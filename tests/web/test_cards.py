"""`/card/NAME.svg` and `.png` over real HTTP: who sees them, how long they are kept."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from tests.web.showroom import EVENING, Owner, Visitor, served, until, who_shows_everything
from watchbook import logs
from watchbook.clock import now, to_iso
from watchbook.render.cards import png
from watchbook.render.cards.themes import NAMES
from watchbook.sharing import Part
from watchbook.store import changes, items, pictures
from watchbook.store.opening import Store
from watchbook.store.schema import picture_files, titles
from watchbook.store.schema import pictures as pictures_table
from watchbook.trakt import datasets
from watchbook.trakt.parse import ParsedItem, parse_item
from watchbook.web.cards import CARDS, NARROWEST, VIEWS, WIDEST

UNWRITABLE = "\U00016a4f\U0001e900"
"""Letters that no font here has."""
PATHS = [view.path for view in VIEWS]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sandra(store: Store) -> Owner:
    """An owner with two plays who shows everything."""
    return who_shows_everything(store)


@pytest.fixture
def visitor(sandra: Owner) -> Iterator[Visitor]:
    """A stranger in front of her server."""
    with served(sandra.store) as found:
        yield found


def said(body: bytes) -> str:
    """All text of an SVG."""
    return "|".join(ET.fromstring(body).itertext())


def test_cards_are_pictures_that_proxies_keep(visitor: Visitor) -> None:
    """Right type, kept by everybody for minutes, an ETag, no cookie, 304 when nothing changed."""
    for path in PATHS:
        told = visitor.ask(path)
        assert told.status == 200
        kind = "image/png" if path.endswith("png") else "image/svg+xml; charset=utf-8"
        assert told.headers["content-type"] == kind
        assert told.headers["cache-control"].startswith("public, max-age=")
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "set-cookie" not in told.headers
        again = visitor.ask(path, if_none_match=told.headers["etag"])
        assert (again.status, again.body) == (304, b"")


def test_what_is_on_is_kept_for_a_minute_only(visitor: Visitor) -> None:
    """A proxy may not show for long what changes soon."""
    ages = {card.name: visitor.ask(f"/card/{card.name}.svg").headers for card in CARDS}
    found = {name: headers["cache-control"].split(",")[1].strip() for name, headers in ages.items()}
    assert found == {
        "last": "max-age=300",
        "now": "max-age=60",
        "year": "max-age=3600",
        "heatmap": "max-age=3600",
    }


@pytest.mark.parametrize("path", PATHS)
def test_a_private_account_shows_no_card(store: Store, path: str) -> None:
    """A part that is off answers 404, as does a stranger's name."""
    owner = Owner(store)
    owner.watch(1, EVENING)
    with served(store) as visitor:
        told = visitor.ask(path)
        assert (told.status, told.json["reason"]) == (404, "not public")
        assert visitor.ask(f"{path}?account=nobody").status == 404


def test_an_empty_book_has_cards_that_say_so(store: Store) -> None:
    """Public but empty: a picture with status 200, never a broken one."""
    Owner(store).share(*Part)
    with served(store) as visitor:
        assert "Nothing watched yet" in said(visitor.ask("/card/last.svg").body)
        assert "Nothing on right now" in said(visitor.ask("/card/now.svg").body)
        assert "0 plays" in said(visitor.ask("/card/heatmap.svg").body)
        assert visitor.ask("/card/year.png").status == 200


def test_the_last_card_follows_the_book(visitor: Visitor, sandra: Owner) -> None:
    """A new play, and its type where that is asked for."""
    assert "Severance|S2 E7 · Chikhai Bardo" in said(visitor.ask("/card/last.svg").body)
    assert "Aftersun|2022" in said(visitor.ask("/card/last.svg?type=movie").body)
    sandra.watch(3, EVENING + timedelta(hours=5))
    visitor.look()
    assert "Aftersun" in said(visitor.ask("/card/last.svg?theme=dark").body)


@pytest.mark.parametrize(
    ("path", "key", "in_address"),
    [
        ("/card/last.png?type=movie&locale=en", "movie:11", "Aftersun"),
        ("/card/last.png?type=episode&locale=en", "show:21", "Severance"),
        ("/card/year.png?year=2026&locale=en", "show:21", "Severance"),
    ],
)
def test_what_no_font_can_write_has_another_name(
    visitor: Visitor, sandra: Owner, path: str, key: str, in_address: str
) -> None:
    """From the rows of a sync to the picture: the original title, else the words of the address."""
    asked = count()

    def card(called: str) -> bytes:
        with sandra.store.database.write() as conn:
            conn.execute(titles.update().where(titles.c.key == key).values(title=called))
            changes.tell(conn, changes.of_account(sandra.account.id))
        visitor.look()
        return visitor.ask(f"{path}-{next(asked)}").body  # each time one that is drawn anew

    assert card(UNWRITABLE) == card(in_address)
    _tell_original(sandra, key, "Their Name")
    assert card(UNWRITABLE) == card("Their Name") != card(in_address)


def _tell_original(owner: Owner, key: str, name: str) -> None:
    """The row of what was watched, as a sync keeps it: the full form alone has that name."""
    kind, _, number = key.partition(":")
    full = {"title": UNWRITABLE, "original_title": name, "ids": {"trakt": int(number)}}
    data_set = datasets.of(f"watched_{kind}s")
    row = parse_item(json.dumps({"plays": 1, kind: full}).encode(), data_set, 0)
    assert isinstance(row, ParsedItem)
    kept = items.ItemRow(row.key, row.type, row.title_key, 0, row.raw)
    with owner.store.database.write() as conn:
        items.save(conn, owner.account.id, data_set.name, [kept], 1, 1)


def test_the_delay_holds_for_cards(visitor: Visitor, sandra: Owner) -> None:
    """A play that is not shown yet is in no card."""
    sandra.watch(3, now() - timedelta(minutes=5))
    sandra.share(*Part, after="2h")
    visitor.look()
    year = now().year
    assert "1 play|" not in said(visitor.ask(f"/card/heatmap.svg?year={year + 1}").body)
    assert to_iso(now())[:10] not in said(visitor.ask("/card/last.svg").body)


def test_parameters(visitor: Visitor) -> None:
    """Themes, widths, locales and years do what they say."""
    for theme in NAMES:
        assert visitor.ask(f"/card/last.svg?theme={theme}").status == 200
    wide = ET.fromstring(visitor.ask("/card/year.svg?width=1000&year=2026").body)
    assert wide.get("width") == "1000"
    assert "Das Jahr in Filmen und Serien" in said(visitor.ask("/card/year.svg?locale=de-DE").body)
    assert "2 plays|· 2026" in said(visitor.ask("/card/heatmap.svg?year=2026").body)
    assert "1 play|· 2026" in said(visitor.ask("/card/heatmap.svg?year=2026&type=movie").body)
    drawn = visitor.ask("/card/last.png?width=300").body
    assert Image.open(io.BytesIO(drawn)).width == 600


@pytest.mark.parametrize(
    "question",
    [
        "last.svg?theme=purple", f"last.svg?width={NARROWEST - 1}", f"last.png?width={WIDEST + 1}",
        "now.svg?width=abc", "now.svg?width=-5", "last.svg?width=", "last.svg?type=show",
        "year.svg?year=26", "heatmap.svg?year=99999999999999", "heatmap.svg?year=%D9%A2%D9%A0",
    ],
)  # fmt: skip
def test_odd_parameters_are_told(visitor: Visitor, question: str) -> None:
    """A readable 400 that says what is expected."""
    told = visitor.ask(f"/card/{question}")
    assert told.status == 400
    assert told.json["ok"] is False
    assert told.json["hint"]


def test_a_policy_that_lets_only_the_card_be(visitor: Visitor) -> None:
    """Opened by itself, a card may use its own style and picture, and nothing else."""
    policy = visitor.ask("/card/last.svg").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    assert "style-src 'sha256-" in policy


def test_a_kept_poster_is_in_the_card(visitor: Visitor, sandra: Owner) -> None:
    """As data; a file that is gone leaves a drawn one."""
    kept = io.BytesIO()
    Image.new("RGB", (200, 300), "#336699").save(kept, "JPEG")
    place = _keep(sandra.store, "show:21", kept.getvalue())
    visitor.look()
    assert b'href="data:image/jpeg;base64,' in visitor.ask("/card/last.svg?width=401").body
    assert b'href="data:image/jpeg;base64,' in visitor.ask("/card/year.svg?year=2026").body
    if place is not None:
        place.unlink()
        assert b"<image" not in visitor.ask("/card/last.svg?width=402").body


def _keep(store: Store, title_key: str, body: bytes) -> Path | None:
    """Keep a poster as the job for pictures would; where its file is, if it is one."""
    on_disk = store.database.on_sqlite
    with store.database.write() as conn:
        conn.execute(
            pictures_table.insert().values(
                title_key=title_key, kind="poster", state="kept", colour="#336699", source="tmdb",
                tiny="data:image/gif;base64,R0lGODlhAQABAAAAACw=", tries=0, looked_at=0,
            )
        )  # fmt: skip
        conn.execute(
            picture_files.insert().values(
                key="k1", title_key=title_key, kind="poster", media_type="image/jpeg", width=200,
                height=300, bytes=len(body), body=None if on_disk else body,
            )
        )  # fmt: skip
    if not on_disk:
        return None
    place = pictures.path_of(store, title_key, "k1", "image/jpeg")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return place


def test_a_card_that_cannot_be_drawn(
    visitor: Visitor,
    sandra: Owner,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last picture stands; where there is none, strangers are not told of our machine."""
    logs.configure("warning")
    path = "/card/last.png?width=333"
    before = visitor.ask(path)
    assert before.status == 200
    gone = tmp_path / "press.py"
    monkeypatch.setattr(png, "_PRESS", gone)
    monkeypatch.setattr(png, "_kept", OrderedDict())
    sandra.watch(3, EVENING + timedelta(hours=5))
    visitor.look()
    assert visitor.ask(path).body == before.body
    until(lambda: str(gone) in capsys.readouterr().err)
    told = visitor.ask(path)
    assert (told.status, told.body) == (200, before.body)
    never = visitor.ask("/card/last.png?width=334")
    assert (never.status, never.headers["cache-control"]) == (503, "no-store")
    assert "at the moment" in never.json["reason"]
    assert str(gone).encode() not in never.body
    assert visitor.ask("/card/last.svg?width=334").status == 200
    monkeypatch.undo()
    until(lambda: visitor.ask(path).body != before.body)
