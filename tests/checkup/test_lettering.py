"""The doctor tells which fonts recent titles lack, for accounts that show cards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.web.showroom import Owner
from watchbook.checkup.check import Check, State
from watchbook.checkup.lettering import check_fonts, package_for
from watchbook.sharing import Part
from watchbook.store.opening import Store


def checked(owner: Owner) -> Check | None:
    """What the doctor says."""
    with owner.store.database.read() as conn:
        return check_fonts(conn, owner.account)


def test_fonts_matter_where_cards_are_shown(store: Store) -> None:
    """Nothing is said of a private account; a title that no font writes names the package."""
    owner = Owner(store)
    owner.watch(1, datetime(2026, 11, 20, tzinfo=UTC))
    assert checked(owner) is None
    owner.share(Part.LAST)
    found = checked(owner)
    assert found is not None
    assert found.state is State.OK
    with store.database.write() as conn:
        conn.execute(sa.text("UPDATE titles SET title = :title"), {"title": "\U00016a4f"})
    found = checked(owner)
    assert found is not None
    assert found.state is State.WARNING
    assert "fonts-noto-core" in (found.remedy or "")


@pytest.mark.parametrize(
    ("char", "package"),
    [
        ("君", "fonts-noto-cjk"),
        ("한", "fonts-noto-cjk"),
        ("🎬", "fonts-noto-color-emoji"),
        ("न", "fonts-noto-core"),
    ],
)
def test_packages(char: str, package: str) -> None:
    """By what is lacking."""
    assert package_for(char) == package
