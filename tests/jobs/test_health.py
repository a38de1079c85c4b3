"""How the service stands, when that cannot be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.test_away import spoil, store_at
from watchbook.errors import StoreError
from watchbook.jobs import health
from watchbook.jobs.health import DOWN
from watchbook.store.database import Database


def test_an_unreadable_file_is_down(tmp_path: Path) -> None:
    """It is an answer, not an error: who asks wants to know."""
    file = tmp_path / "home" / "watchbook.db"
    with store_at(f"sqlite:///{file}", tmp_path / "home") as store:
        assert health.known(store.database).status == "ok"
        spoil(store)
        with pytest.raises(StoreError):
            health.look(store.database)
        assert health.known(store.database) == DOWN


def test_a_server_that_is_not_there_is_down() -> None:
    """PostgreSQL may be away before it was ever reached."""
    database = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    assert health.known(database) == DOWN
    database.close()
