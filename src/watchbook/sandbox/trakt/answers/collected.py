"""Ratings, collection and hidden titles."""

from __future__ import annotations

from watchbook.sandbox.answer import as_json
from watchbook.sandbox.library.entries import Entry, Facts
from watchbook.sandbox.library.titles import Episode, Season, Show
from watchbook.sandbox.trakt.answers.plays import entries
from watchbook.sandbox.trakt.call import API, Call, Reply, not_found


@API.get("/sync/ratings", "/users/{user}/ratings")
@API.get("/sync/ratings/{type}", "/users/{user}/ratings/{type}")
@API.get("/sync/ratings/{type}/{rating}", "/users/{user}/ratings/{type}/{rating}")
def ratings(call: Call) -> Reply:
    """Ratings of one kind or of all, the newest first; `rating` may be one mark or several."""
    kind = call.params.get("type", "all")
    table = call.account.library.ratings
    if kind not in (*table, "all"):
        return not_found()
    rows = [row for name, found in table.items() if kind in ("all", name) for row in found]
    marks = call.params.get("rating")
    if marks:
        rows = [row for row in rows if str(row.facts["rating"]) in marks.split(",")]
    rows.sort(key=lambda row: str(row.facts["rated_at"]), reverse=True)
    return entries(call, [_typed(row) for row in rows])


def _typed(row: Entry) -> Entry:
    return Entry(row.kind, row.subject, {**row.facts, "type": row.kind})


@API.get("/sync/collection/{type}", "/users/{user}/collection/{type}")
def collection(call: Call) -> Reply:
    """Copies owned; the metadata of a copy comes with `extended=metadata`."""
    kind = call.params["type"].removesuffix("s")
    if "min" in call.extended:
        return collection_times(call)
    if kind == "show":
        return entries(
            call, [_show_row(call, rows) for rows in call.account.collected_shows().values()]
        )
    if kind not in ("movie", "episode", "media"):
        return not_found()
    account = call.account
    kinds = ("movie", "episode") if kind == "media" else (kind,)
    return entries(call, [_copy(call, row) for k in kinds for row in account.collected(k)])


def _copy(call: Call, row: Entry) -> Entry:
    return Entry(row.kind, row.subject, row.facts, _metadata(call, row))


def _metadata(call: Call, row: Entry) -> Facts:
    told = "metadata" in call.extended
    return {k: v for k, v in (row.trailing or {}).items() if told or k != "metadata"}


def _show_row(call: Call, rows: list[Entry]) -> Entry:
    latest = max(str(row.facts["collected_at"]) for row in rows)
    seasons: dict[int, list[Facts]] = {}
    show: Show | None = None
    for row in rows:
        if isinstance(row.subject, Episode):
            show = row.subject.show
            seasons.setdefault(row.subject.season, []).append(_collected_episode(call, row))
    facts: Facts = {"last_collected_at": latest, "last_updated_at": latest, "type": "show"}
    listed = [{"number": n, "episodes": seasons[n]} for n in sorted(seasons)]
    return Entry("show", show, facts, {"seasons": listed})


def _collected_episode(call: Call, row: Entry) -> Facts:
    number = row.subject.number if isinstance(row.subject, Episode) else 0
    return {
        "number": number,
        "collected_at": row.facts["collected_at"],
        **_metadata(call, row),
    }


@API.get("/sync/collection/minimal/{type}")
def collection_times(call: Call) -> Reply:
    """When each film, episode or episode of a show was collected, by id."""
    kind = call.params["type"].removesuffix("s")
    if kind == "show":
        return as_json(_nested(call.account.collected_shows()))
    if kind not in ("movie", "episode"):
        return not_found()
    rows = call.account.collected(kind)
    return as_json({_trakt(row): row.facts["collected_at"] for row in rows})


def _nested(found: dict[int, list[Entry]]) -> Facts:
    answer: dict[str, dict[str, Facts]] = {}
    for trakt, rows in found.items():
        seasons = answer.setdefault(str(trakt), {})
        for row in rows:
            if isinstance(row.subject, Episode):
                season = str(Season(row.subject.show, row.subject.season).trakt)
                seasons.setdefault(season, {})[_trakt(row)] = row.facts["collected_at"]
    return dict(answer)


def _trakt(row: Entry) -> str:
    return str(getattr(row.subject, "trakt", 0))


@API.get("/users/hidden/{section}")
def hidden(call: Call) -> Reply:
    """What is hidden in a section, the last hidden first; `type` picks one kind."""
    rows = call.account.library.hidden.get(call.params["section"])
    if rows is None:
        return not_found()
    wanted = call.query.get("type")
    chosen = [row for row in rows if wanted in (None, row.kind)]
    chosen.sort(key=lambda row: str(row.facts["hidden_at"]), reverse=True)
    return entries(call, chosen, default=10)
