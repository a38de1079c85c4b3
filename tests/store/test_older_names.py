"""A store of an older version is searched as a new one is."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from watchbook.store.database import Database
from watchbook.store.opening import migrate
from watchbook.store.schema import plays
from watchbook.store.watched import Wanted, newest


@pytest.fixture
def prepared() -> bool:
    """The tables are those of an older version at first."""
    return False


def test_an_older_store_is_searched_too(database_url: str, tmp_path: Path) -> None:
    """The names that were there before titles could be found so are folded by the upgrade."""
    database = Database(database_url)
    migrate(database, target="0003")
    rows: list[dict[str, str | None]] = [
        {"key": f"movie:{n}", "type": "movie", "title": f"Nº {n}"} for n in range(1, 10_005)
    ]
    rows += [
        {"key": "movie:20000", "type": "movie", "title": "Amélie"},
        {"key": "movie:20001", "type": "movie", "title": None},
    ]
    shown = {"account_id": 1, "type": "movie", "action": "watch", "raw": "{}", "discovered_at": 1}
    with database.write() as conn:
        accounts_made = sa.text(
            "INSERT INTO accounts (id, name, owner, created_at) VALUES (1, 'sandra', :yes, 1)"
        )
        conn.execute(accounts_made, {"yes": True})
        conn.execute(
            sa.text("INSERT INTO titles (key, type, title) VALUES (:key, :type, :title)"), rows
        )
        watched = [
            {**shown, "history_id": n, "title_key": row["key"], "watched_at": n * 1_000}
            for n, row in enumerate(rows, 1)
        ]
        conn.execute(sa.insert(plays), watched)
    migrate(database, folder=tmp_path)
    with database.read() as conn:
        told = [
            [play.history_id for play in newest(conn, 1, 50, wanted=Wanted(search=search))]
            for search in ("amelie", "no 10004", "no 1", "nothing")
        ]
        count = conn.scalar(sa.text("SELECT count(*) FROM titles WHERE folded IS NULL"))
    database.close()
    assert told[0] == [10_005]
    assert told[1] == [10_004]
    assert len(told[2]) == 50
    assert told[3] == []
    assert count == 1
