"""`watchbook config`: every setting, with where it came from and without its secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from watchbook.settings.table import SETTINGS

SECRETS = {setting.variable: setting for setting in SETTINGS if setting.secret}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Every secret is set, in a way that its setting takes."""
    values = {name: f"{name.lower()}-which-nobody-may-see-at-all" for name in SECRETS}
    values["WATCHBOOK_DATABASE_URL"] = "postgresql://me:password-nobody-may-see@localhost/x"
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def test_every_setting_is_listed_in_order(run: Run) -> None:
    """All settings are there, in the order of the table, with their meanings."""
    shown = run("config").out
    heads = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert heads == [setting.variable for setting in SETTINGS]
    assert all(setting.meaning in shown for setting in SETTINGS)


def test_it_says_where_a_value_came_from(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, .env, watchbook.toml and defaults are told apart."""
    home.mkdir()
    (home / "watchbook.toml").write_text('trakt_budget = "100/300s"')
    (tmp_path / ".env").write_text("WATCHBOOK_LOG=warning")
    monkeypatch.setenv("WATCHBOOK_ALLOW_HOSTS", "one.example two.example")
    shown = run("config").out
    assert "100/300s  (watchbook.toml)" in shown
    assert "warning  (.env)" in shown
    assert "one.example, two.example  (environment)" in shown
    assert "http://localhost:8420  (default)" in shown


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_never_shown(run: Run, secrets: dict[str, str], form: tuple[str, ...]) -> None:
    """Of a secret only that it is set is told, as text and as data."""
    ended = run("config", *form)
    assert ended.code == 0
    assert ended.out.count("set (hidden)") == len(SECRETS)
    for value in (*secrets.values(), "password-nobody-may-see"):
        assert value not in ended.out + ended.err


def test_the_data_says_the_same(run: Run, home: Path) -> None:
    """With --json there is an object for each setting."""
    found = {one["name"]: one for one in json.loads(run("config", "--json").out)}
    assert list(found) == [setting.name for setting in SETTINGS]
    assert found["home"]["value"] == str(home)
    assert found["home"]["origin"] == "environment"
    assert found["trakt_client_id"]["value"] is None
    assert found["secret_key"]["secret"] is True
    assert found["log"]["variable"] == "WATCHBOOK_LOG"


def test_a_wrong_name_is_met_with_the_right_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who mistyped a setting is told so, and sees what there is."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_BUGDET", "1/1s")
    ended = run("config")
    assert ended.code == 78
    assert "Did you mean WATCHBOOK_TRAKT_BUDGET?" in ended.err
    assert all(setting.variable in ended.out for setting in SETTINGS)


def test_it_opens_nothing(run: Run, home: Path) -> None:
    """Looking at settings makes no folder, no database and no key."""
    run("config")
    assert not home.exists()
