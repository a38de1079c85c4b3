"""``watchbook config``: every setting, its value in force and where that came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from watchbook.cli.columns import Row, show
from watchbook.errors import SettingsError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.settings.sources import Chosen
    from watchbook.settings.table import Setting


@click.command(short_help="List every setting, its value and where it came from.")
@click.pass_obj
def config(context: Context) -> None:
    """List every setting: its value in force, where it came from, what it means.

    Secrets are never shown, only whether they are set.

    Example: watchbook config
    """
    try:
        chosen = list(context.settings)
    except SettingsError:
        _tell_what_there_is(context)
        raise
    if context.json:
        context.answer([_as_data(one) for one in chosen])
        return
    for one in chosen:
        show(context, _rows(one), head=one.setting.variable)


def _tell_what_there_is(context: Context) -> None:
    """The table alone: somebody who mistyped a name needs the right ones."""
    from watchbook.settings.table import SETTINGS

    show(context, [Row(setting.variable, setting.meaning) for setting in SETTINGS])


def _rows(chosen: Chosen) -> list[Row]:
    style = "" if chosen.origin == "default" else "bold"
    return [
        Row("value", f"{shown(chosen)}  ({chosen.origin})", style),
        Row("means", chosen.setting.meaning),
    ]


def shown(chosen: Chosen) -> str:
    """The value in force as it would be written; of a secret, whether it is set."""
    if chosen.setting.secret or not isinstance(chosen.value, tuple):
        return chosen.shown
    return ":".join(map(str, chosen.value)) if _is_address(chosen) else _listed(chosen.value)


def _is_address(chosen: Chosen) -> bool:
    return any(isinstance(part, int) for part in chosen.value)


def _listed(words: tuple[Any, ...]) -> str:
    return ", ".join(map(str, words)) or "none"


def _as_data(chosen: Chosen) -> dict[str, Any]:
    setting: Setting = chosen.setting
    return {
        "name": setting.name,
        "variable": setting.variable,
        "value": None if chosen.value is None else shown(chosen),
        "origin": chosen.origin,
        "secret": setting.secret,
        "meaning": setting.meaning,
        "example": setting.example,
    }
