"""Pages: which rows a call gets, what the headers claim, and the faults of both."""

from __future__ import annotations

from watchbook.sandbox.answer import JSON_TYPE, Answer, Headers
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.trakt import edits
from watchbook.sandbox.trakt.call import Call, Handler, Paged, Reply
from watchbook.sandbox.trakt.poison import poisoned


def serve(call: Call, handler: Handler) -> Answer:
    """Run a handler, and cut the page that the call asks for out of its rows."""
    reply: Reply = handler(call)
    if isinstance(reply, Answer):
        return reply
    rules = call.world.faults.firing(call.path, "page", "item")
    drifts = [rule for rule in rules if rule.name.startswith("page-drift")]
    if drifts:
        for rule in drifts:
            _drift(call, rule)
        # The rows are looked up again: that is the drift.
        again = handler(call)
        reply = again if isinstance(again, Paged) else reply
    return _cut(call, reply, {rule.name: rule for rule in rules})


def _drift(call: Call, rule: Rule) -> None:
    account, number = call.account, int(rule.number())
    if rule.name == "page-drift-insert":
        edits.add_plays(call.world, account, number)
        return
    newest = [play.id for play in account.history.plays[-number:]]
    edits.delete_plays(call.world, account, newest)


def _cut(call: Call, paged: Paged, rules: dict[str, Rule]) -> Answer:
    page = _positive(call.query.get("page"), 1)
    maximum = paged.maximum
    if "limit-clamped" in rules:
        maximum = min(maximum, int(rules["limit-clamped"].number()))
    limit = min(_limit(call, paged), maximum)
    shown = max(1, page - 1) if "page-twice" in rules else page
    rows = paged.rows(*_bounds(paged.count, shown, limit))
    rows = _thinned(rows, rules)
    poisons = [rule for rule in rules.values() if rule.scope == "item"]
    if poisons and rows:
        rows[0] = poisoned(rows[0], poisons, mapping=paged.mapping)
    joined = b",".join(rows)
    body = b"{" + joined + b"}" if paged.mapping else b"[" + joined + b"]"
    return Answer(
        200, body, [JSON_TYPE, *_headers(paged.count, page, limit, rules), *paged.headers]
    )


def _bounds(count: int, page: int, limit: int) -> tuple[int, int]:
    low = min(count, (page - 1) * limit)
    return low, min(count, low + limit)


def _limit(call: Call, paged: Paged) -> int:
    if call.query.get("limit") == "all":
        return paged.maximum
    return _positive(call.query.get("limit"), paged.default)


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and 0 < int(text) < 2**31 else default


def _thinned(rows: list[bytes], rules: dict[str, Rule]) -> list[bytes]:
    if "page-empty" in rules:
        return []
    if "page-short" in rules:
        return rows[: max(0, len(rows) - int(rules["page-short"].number()))]
    return rows


def _headers(count: int, page: int, limit: int, rules: dict[str, Rule]) -> Headers:
    if "page-headers-missing" in rules:
        return []
    if "page-count-low" in rules:
        count = max(0, count - limit * int(rules["page-count-low"].number()))
    if "page-count-high" in rules:
        count += limit * int(rules["page-count-high"].number())
    values = {
        b"x-pagination-page": page,
        b"x-pagination-limit": limit,
        b"x-pagination-page-count": -(-count // limit),
        b"x-pagination-item-count": count,
    }
    return [(name, str(value).encode()) for name, value in values.items()]
