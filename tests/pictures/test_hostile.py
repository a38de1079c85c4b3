"""Pictures and their addresses come from strangers: each fails alone, with words, as it should."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.pictures.conftest import FILM, SHOW, MakeGallery
from watchbook.pictures.making import BadPicture, made
from watchbook.store.pictures import Kind, State
from watchbook.store.schema import titles

NO_ADDRESSES = (
    "https://[", "https://[::1", "//127.0.0.1/x", "file:///etc/passwd", "data:image/png;base64,aa",
    "http://user:password@127.0.0.1/", "http://a:99999/", "http://a\r\nHost: b/", "a b", "::",
)  # fmt: skip


@pytest.mark.daily(6)
@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_odd_address_hinders_no_other_picture(make_gallery: MakeGallery, address: str) -> None:
    """What an export calls a poster may be anything; the next title's is fetched all the same."""
    gallery = make_gallery(tmdb_token="")
    odd = json.dumps({"poster": address})
    with gallery.store.database.write() as conn:
        conn.execute(sa.update(titles).where(titles.c.key == FILM).values(images=odd))
    gallery.fetch()
    assert gallery.picture(SHOW) is not None
    row = gallery.row()
    assert row["state"] in {State.FAILED, State.NONE}
    assert row["words"]
    assert "password" not in row["words"]


@pytest.mark.parametrize("size", [(60, 20_000), (20_000, 60), (60, 601), (1000, 99), (59, 59)])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_strip_is_no_picture(size: tuple[int, int], form: str) -> None:
    """One that is too long for its width would fit nowhere, not even into a WebP file."""
    body = BytesIO()
    Image.new("RGB", size, "red").save(body, form)
    with pytest.raises(BadPicture, match=f"{size[0]} by {size[1]}"):
        made(body.getvalue(), Kind.POSTER, "images.example")
