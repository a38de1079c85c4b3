"""A book that everybody may see, filled by hand, and the web server in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa

from tests.exporting.conftest import Filled, episode, filled, film, show
from tests.web.showroom import Told, Visitor, served
from watchbook import sharing
from watchbook.clock import now, to_iso
from watchbook.sharing import Part
from watchbook.store import accounts, changes
from watchbook.store.opening import Store
from watchbook.store.schema import picture_files, pictures

BASE_URL = "https://watch.example"
ALL = (Part.HISTORY, Part.FEEDS, Part.RATINGS)
NUMBER = 9_007_199_254_740_993
"""A history id that a floating-point number cannot hold."""


@dataclass
class OpenBook:
    """Sandra's account, and a stranger who looks at it."""

    book: Filled
    visitor: Visitor

    def ask(self, path: str) -> Told:
        """What the stranger is told, of the state that the store is in now."""
        self.visitor.look()
        return self.visitor.ask(path)

    def page(self, path: str = "") -> str:
        """A page below ``/@sandra``, which must be there."""
        told = self.ask(f"/@sandra{path}")
        assert told.status == 200, told.body
        return told.body.decode()

    def share(self, *parts: Part, on: bool = True, after: str | None = None) -> None:
        """Switch parts on or off, and set the delay."""
        with self.book.store.database.write() as conn:
            (sharing.switch_on if on else sharing.switch_off)(conn, self.book.account.id, parts)
            accounts.change(conn, self.book.account.id, show_after=after)


@contextmanager
def open_book(store: Store, folder: Path, *parts: Part) -> Iterator[OpenBook]:
    """Sandra's account without a row, of which everybody may see ``parts``."""
    book = filled(store, folder)
    with served(store, BASE_URL) as visitor:
        opened = OpenBook(book, visitor)
        opened.share(*(parts or ALL))
        yield opened


def ago(**span: float) -> str:
    """A moment before now, as Trakt writes it."""
    return to_iso(now() - timedelta(**span))


def a_film(history_id: int, at: str, title: str = "Heat", number: int = 1) -> dict[str, Any]:
    """A row of history about a film of 1995."""
    about = film(number, title, 1995) | {"title": title}
    head = {"id": history_id, "watched_at": at, "action": "watch", "type": "movie"}
    return {**head, "movie": about | {"genres": ["crime", "drama"], "runtime": 170}}


def an_episode(
    history_id: int, at: str, title: str | None = "Chikhai Bardo", of: str = "Severance"
) -> dict[str, Any]:
    """A row of history about the seventh episode of a show's second season."""
    head = {"id": history_id, "watched_at": at, "action": "scrobble", "type": "episode"}
    about = episode(31, 2, 7) | {"title": title, "runtime": 50}
    return {**head, "episode": about, "show": show(21, of) | {"title": of}}


def hang_poster(store: Store, title_key: str, kind: str = "poster", *, source: str = "tmdb") -> str:
    """Keep a picture of a title, without its bytes; its key at ``/images/``."""
    key = uuid5(NAMESPACE_URL, f"{kind} of {title_key}").hex
    told = {"title_key": title_key, "kind": kind}
    tiny = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    known = {"state": "kept", "source": source, "colour": "#335577", "tiny": tiny}
    kept = {**told, **known, "looked_at": 0}
    file = {**told, "key": key, "media_type": "image/jpeg", "width": 342, "height": 513, "bytes": 9}
    with store.database.write() as conn:
        conn.execute(sa.insert(pictures).values(**kept))
        conn.execute(sa.insert(picture_files).values(**file))
        changes.tell(conn, changes.PICTURES)
    return key


def moment(text: str) -> datetime:
    """A moment that somebody wrote with its offset."""
    return datetime.fromisoformat(text)
