"""Fault rules: reading them, and saying which of them strike a request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from watchbook.sandbox.trakt.fault_table import FAULTS, Scope

_RULE = re.compile(
    r"(?P<name>[a-z0-9-]+)"
    r"(?::(?P<value>[^/@]+))?"
    r"(?P<path>/[^@]*)?"
    r"(?:@(?P<first>\d+)(?P<open>\+)?(?:-(?P<last>\d+))?)?"
)
_EVER = 2**63
_DATA = ("answer", "wire")
_AUTH = ("/oauth/", "/activate")


class FaultSyntaxError(ValueError):
    """A rule that cannot be read; the message names the rule and shows a right one."""


@dataclass(slots=True)
class Rule:
    """One rule in force, and how many requests it has matched."""

    name: str
    value: str
    path: str
    first: int
    last: int
    seen: int = 0

    @property
    def scope(self) -> Scope:
        """Where it strikes."""
        return FAULTS[self.name].scope

    def number(self) -> float:
        """Its value as a number."""
        return float(self.value)

    def strikes(self, path: str) -> bool:
        """Count a request if it matches, and say whether the rule strikes it."""
        # Faults of data leave the auth host alone unless their path names it.
        if self.scope in _DATA and not self.path and path.startswith(_AUTH):
            return False
        if self.path not in path:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


def parse(text: str) -> Rule:
    """Read one rule such as `http-500@3`, `page-short:5/history@2+` or `rate-429:20`."""
    match = _RULE.fullmatch(text)
    if match is None or match["name"] not in FAULTS:
        message = (
            f"{text!r} is not a fault: write NAME[:VALUE][/PATH][@WHEN], like http-500/history@3"
        )
        raise FaultSyntaxError(message)
    first = int(match["first"] or 1)
    last = first if match["first"] else _EVER
    if match["open"]:
        last = _EVER
    elif match["last"]:
        last = int(match["last"])
    value = match["value"] or FAULTS[match["name"]].value
    rule = Rule(match["name"], value, match["path"] or "", first, last)
    _check_value(rule, text)
    return rule


def _check_value(rule: Rule, text: str) -> None:
    if not rule.value:
        return
    try:
        rule.number()
    except ValueError:
        message = f"{text!r}: the value must be a number, like {rule.name}:2"
        raise FaultSyntaxError(message) from None


class FaultBoard:
    """The rules in force."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        """Start with some rules."""
        self.rules: list[Rule] = []
        self.struck: list[str] = []
        self.add(rules)

    def add(self, rules: Iterable[str]) -> None:
        """Put rules into force, all or none."""
        self.rules += [parse(text) for text in rules]

    def clear(self) -> None:
        """Take all rules back."""
        self.rules.clear()

    def firing(self, path: str, *scopes: Scope) -> list[Rule]:
        """The rules of some scopes that strike a request; each matching rule counts it."""
        found = [r for r in self.rules if r.scope in scopes and r.strikes(path)]
        self.struck += [rule.name for rule in found]
        return found

    def take_struck(self) -> list[str]:
        """Names of the faults that struck since this was last asked, for the log."""
        struck, self.struck = self.struck, []
        return struck
