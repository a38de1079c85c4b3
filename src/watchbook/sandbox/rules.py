"""Fault rules: reading them, and saying which of them strike a request.

The grammar of a rule is `NAME[:VALUE][/PATH-PART][@WHEN]`. `VALUE` replaces the usual one of the
fault; `PATH-PART` limits the rule to addresses that contain it (with its leading slash); `WHEN`
counts matching requests: `3` the third only, `3+` from the third on, `2-5` a range; every one
when it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_RULE = re.compile(
    r"(?P<name>[a-z0-9-]+)"
    r"(?::(?P<value>[^/@]+))?"
    r"(?P<path>/[^@]*)?"
    r"(?:@(?P<first>\d+)(?P<open>\+)?(?:-(?P<last>\d+))?)?"
)
_EVER = 2**63


class Fault(NamedTuple):
    """One kind of fault: where it strikes, one line of meaning, and its usual value."""

    scope: str
    meaning: str
    value: str = ""


class FaultSyntaxError(ValueError):
    """A rule that cannot be read; the message names the rule and shows a right one."""


@dataclass(slots=True)
class Rule:
    """One rule in force, and how many requests it has matched."""

    name: str
    scope: str
    value: str
    path: str
    first: int
    last: int
    seen: int = 0

    def number(self) -> float:
        """Its value as a number."""
        return float(self.value)

    def strikes(self, path: str) -> bool:
        """Count a request if it matches, and say whether the rule strikes it."""
        if self.path not in path:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


def parse(text: str, faults: Mapping[str, Fault]) -> Rule:
    """Read one rule such as `http-500@3`, `page-short:5/history@2+` or `rate-429:20`."""
    match = _RULE.fullmatch(text)
    if match is None or match["name"] not in faults:
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
    fault = faults[match["name"]]
    value = match["value"] or fault.value
    rule = Rule(match["name"], fault.scope, value, match["path"] or "", first, last)
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

    def __init__(self, faults: Mapping[str, Fault], rules: Iterable[str] = ()) -> None:
        """Start with some rules of a table of faults."""
        self._faults = faults
        self.rules: list[Rule] = []
        self.struck: list[str] = []
        self.add(rules)

    def add(self, rules: Iterable[str]) -> None:
        """Put rules into force, all or none."""
        self.rules += [parse(text, self._faults) for text in rules]

    def clear(self) -> None:
        """Take all rules back."""
        self.rules.clear()

    def firing(self, path: str, *scopes: str, named: bool = False) -> list[Rule]:
        """The rules of some scopes that strike a request; each matching rule counts it.

        `named`: only those that name a part of the path.
        """
        asked = [rule for rule in self.rules if rule.scope in scopes and (rule.path or not named)]
        found = [rule for rule in asked if rule.strikes(path)]
        self.struck += [rule.name for rule in found]
        return found

    def take_struck(self) -> list[str]:
        """Names of the faults that struck since this was last asked, for the log."""
        struck, self.struck = self.struck, []
        return struck
