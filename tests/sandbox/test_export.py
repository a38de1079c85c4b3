"""The official export that the sandbox writes: the API's own rows, in both forms."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import Api
from watchbook.exports.trakt_zip import ENDPOINTS
from watchbook.sandbox.client import ControlError


def files(path: Path) -> dict[str, Any]:
    """Every file of an export, decoded."""
    with zipfile.ZipFile(path) as packed:
        return {name: json.loads(packed.read(name)) for name in packed.namelist()}


def joined(found: dict[str, Any], name: str) -> list[Any]:
    """The rows of all numbered pages of a file."""
    rows: list[Any] = []
    for number in range(1, 1000):
        rows += found.get(f"{name}-{number}.json", [])
    return rows


def test_the_files_are_those_of_trakts_exporter(read: Api, tmp_path: Path) -> None:
    """Each endpoint has its file, also without rows, and each personal list has one."""
    found = files(read.sandbox.export_zip(tmp_path / "a.zip"))
    lists = {name for name in found if name.startswith("lists-list-")}
    assert {f"{name}.json" for name in ENDPOINTS} == set(found) - lists
    made = read.pages("/users/me/lists")
    assert lists == {f"lists-list-{m['ids']['trakt']}-{m['ids']['slug']}.json" for m in made}


def test_the_rows_are_those_of_the_api(read: Api, tmp_path: Path) -> None:
    """What a client reads is what the export holds, in the same order."""
    found = files(read.sandbox.export_zip(tmp_path / "a.zip"))
    for name, path in ENDPOINTS.items():
        if isinstance(found[f"{name}.json"], list) and name != "collection-shows":
            extended = "?extended=metadata" if name.startswith("collection") else ""
            extended = "?include_replies=true" if name.startswith("comments") else extended
            whole = name in {"network-followers-requests", "lists-collaborations"}
            rows = read.json(f"/{path}") if whole else read.pages(f"/{path}{extended}")
            assert found[f"{name}.json"] == rows, name
    assert found["user-stats.json"] == read.json("/users/me/stats")
    assert found["user-last-activities.json"] == read.json("/sync/last_activities")


def test_watched_shows_come_without_seasons(read: Api, tmp_path: Path) -> None:
    """The exporter does not ask for progress, so there are no episodes in it."""
    found = files(read.sandbox.export_zip(tmp_path / "a.zip"))
    assert found["watched-shows.json"]
    assert all("seasons" not in row for row in found["watched-shows.json"])


def test_long_answers_are_numbered(read: Api, tmp_path: Path) -> None:
    """Pages of 250 rows have numbers; what fits on one page has none."""
    plain = files(read.sandbox.export_zip(tmp_path / "a.zip"))
    numbered = files(read.sandbox.export_zip(tmp_path / "b.zip", numbered=True))
    assert "watched-history.json" not in numbered
    assert len(numbered["watched-history-1.json"]) == 250
    assert joined(numbered, "watched-history") == plain["watched-history.json"]
    assert numbered["network-friends.json"] == plain["network-friends.json"]


def test_files_may_fail(read: Api, tmp_path: Path) -> None:
    """A failed file is absent or stops after some pages, and `_errors.json` says so."""
    failing = ["lists-favorites", "watched-history@2"]
    path = read.sandbox.export_zip(tmp_path / "a.zip", numbered=True, errors=failing)
    found = files(path)
    assert "lists-favorites.json" not in found
    assert {"watched-history-1.json", "watched-history-2.json"} <= set(found)
    assert "watched-history-3.json" not in found
    told = {row["endpoint"].partition("?")[0]: row for row in found["_errors.json"]}
    slug = read.sandbox.accounts[0].slug
    assert set(told) == {f"users/{slug}/favorites", f"users/{slug}/history"}
    assert told[f"users/{slug}/history"]["fetchedPages"] == 2
    assert told[f"users/{slug}/history"]["totalPages"] == 6


def test_saved_filters_are_for_vip_members(api: Api, start: Any, tmp_path: Path) -> None:
    """The exporter asks for them only when it may."""
    assert "user-saved-filters.json" in files(api.sandbox.export_zip(tmp_path / "a.zip"))
    free = start(vip=False)
    assert "user-saved-filters.json" not in files(free.sandbox.export_zip(tmp_path / "b.zip"))


def test_each_account_has_its_own_export(read: Api, tmp_path: Path) -> None:
    """The account is the one that is named."""
    for account in read.sandbox.accounts:
        path = read.sandbox.export_zip(tmp_path / "a.zip", account=account.slug)
        assert files(path)["user-settings.json"]["user"]["ids"]["slug"] == account.slug


def test_a_place_that_cannot_be_written_to_is_refused(read: Api, tmp_path: Path) -> None:
    """The control route answers in words."""
    with pytest.raises(ControlError, match="export"):
        read.sandbox.export_zip(tmp_path / "nowhere" / "a.zip")
