"""Where the values of settings come from: the environment, files, and the table itself."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from watchbook.clock import in_short
from watchbook.errors import SettingsError
from watchbook.settings.table import PREFIX, SETTINGS, Setting

Layer = tuple[str, Mapping[str, str]]
"""A place that values may come from, as it is called, and its texts by variable."""


@dataclass(frozen=True)
class Chosen:
    """The value in force for one setting and where it came from."""

    setting: Setting
    value: Any = field(repr=False)  # it may be a secret
    origin: str

    @property
    def shown(self) -> str:
        """The value as it may be shown to anybody: a secret only says whether it is set."""
        if self.value is None:
            return "not set"
        if self.setting.secret:
            return "set (hidden)"
        if isinstance(self.value, tuple):
            return ",".join(map(str, self.value))
        return in_short(self.value) if isinstance(self.value, timedelta) else str(self.value)


def choose(setting: Setting, layers: Iterable[Layer]) -> Chosen:
    """The value of ``setting`` from the first of ``layers`` that has one, else the default's."""
    for origin, layer in layers:
        text = layer.get(setting.variable)
        if text is not None and text.strip():
            return Chosen(setting, _read(setting, text, origin), origin)
    if setting.default is None:
        return Chosen(setting, None, "default")
    return Chosen(setting, setting.read(setting.default), "default")


def _read(setting: Setting, text: str, origin: str) -> Any:
    try:
        return setting.read(text)
    except ValueError as reason:
        shown = "its value" if setting.secret else repr(text)
        raise SettingsError(
            f"{setting.variable} ({origin}): {shown} {reason}.",
            hint=_right_example(setting),
        ) from None


def _right_example(setting: Setting) -> str:
    """Advice that has not the shape of a secret: what hides those would spoil it."""
    if setting.secret:
        return f"A right example for {setting.variable} is {setting.example}."
    return f"A right example: {setting.variable}={setting.example}"


def from_platform(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that hosting platforms set, under our names."""
    found = {}
    if "DATABASE_URL" in environment:
        found[PREFIX + "DATABASE_URL"] = environment["DATABASE_URL"]
    if "PORT" in environment:  # from outside of the container
        found[PREFIX + "LISTEN"] = f"0.0.0.0:{environment['PORT']}"
    return found


def read_dotenv(path: Path) -> dict[str, str]:
    """The lines ``NAME=value`` of a ``.env`` file; none when there is no such file."""
    values = {}
    for number, line in enumerate(_lines(path), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            raise SettingsError(
                f"{path}, line {number}, is not NAME=value.",
                hint=f"A right example: {PREFIX}LOG=warning",
            )
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    for quote in ('"', "'"):
        if len(value) > 1 and value[0] == quote == value[-1]:
            return value[1:-1]
    return value


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as reason:  # no text, or no path
        raise SettingsError(f"{path} cannot be read: {reason}.") from None


def read_toml(path: Path) -> dict[str, str]:
    """What a file of TOML sets, by variable; nothing when there is no such file."""
    try:
        table = tomllib.loads("\n".join(_lines(path)))
    except tomllib.TOMLDecodeError as reason:
        raise SettingsError(
            f"{path} is not TOML: {reason}.", hint='A right example: log = "warning"'
        ) from None
    refuse_unknown({PREFIX + name.upper(): "" for name in table}, str(path))
    return {PREFIX + name.upper(): _toml_text(value) for name, value in table.items()}


def _toml_text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def refuse_unknown(values: Mapping[str, str], place: str) -> None:
    """Raise SettingsError for a variable of ours in ``place`` that is no setting."""
    known = [setting.variable.removeprefix(PREFIX) for setting in SETTINGS]
    for name in values:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            raise SettingsError(
                f"{name} in {place} is not a setting.",
                hint=f"Did you mean {PREFIX}{near[0]}?"
                if near
                else "`watchbook config` lists them all.",
            )
