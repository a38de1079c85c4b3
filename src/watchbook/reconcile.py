"""Plays that were back-dated, edited or deleted at Trakt: found for a handful of requests.

Trakt has no list of changes. But ``extended=min`` tells every play's time by title, without
ids, in a few requests. Where it differs from the store, the history of just those titles is
read. A play that neither shows any more is removed: two looks in the same run. Where the
endpoint is missing, counts of time windows serve (:mod:`watchbook.windows`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from watchbook.clock import from_iso, now, to_millis
from watchbook.desk import Desk, Outcome, Reading, of_one_answer, settled
from watchbook.errors import NotOffered, RemoteChanged, RemoteRejected, RemoteUnavailable
from watchbook.history import keep_plays, read_all, read_details, read_newest
from watchbook.ingest import judge, trips_wire
from watchbook.store import items, plays
from watchbook.store.datasets import INCOMPLETE, NEVER
from watchbook.trakt.paging import Page, PageReader, read_page
from watchbook.windows import Look, NoCounts, look_at_moments, look_at_windows

Decoded = TypeVar("Decoded")

_MINUTE = 60_000
_PAGE = 250
_MAX_DETAILED = 250
_NO_TOTALS = (NotOffered, RemoteRejected, RemoteChanged)
_NO_SUCH_TITLE = {404, 410}
_map = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_movie_times = msgspec.json.Decoder(list[str])
_show_times = msgspec.json.Decoder(dict[str, dict[str, list[str]]])


@dataclass
class Totals:
    """The minutes of all plays that Trakt counts, by title key; shows of the episodes."""

    minutes: dict[str, list[int]] = field(default_factory=dict)
    shows: dict[str, str] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    @property
    def plays(self) -> int:
        """How many plays there are in all."""
        return sum(map(len, self.minutes.values()))


def read_history(
    desk: Desk, reading: Reading, first: Future[Page] | None = None, *, full: bool
) -> Outcome:
    """Bring the plays up to date and settle what vanished; never raises for history alone."""

    def read(outcome: Outcome) -> None:
        _read_history(desk, reading, outcome, first, full=full)

    return settled(desk, reading, read)


def _read_history(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None, *, full: bool
) -> None:
    unseen: set[int] = set()
    shown: set[int] | None = None
    goes_on = reading.before.position is not None
    if goes_on or not (full or reading.before.state == NEVER):
        shown = read_newest(desk, reading, outcome, first)
        first = first if goes_on else None
    if goes_on or shown is None:
        unseen = _unseen(desk, read_all(desk, reading, outcome, first))
    elif outcome.new_plays and len(outcome.new_plays) <= _MAX_DETAILED:
        read_details(desk, reading, outcome.new_plays)
    if not outcome.holes:
        # What the newest pages show stays, though totals and titles come from an older cache.
        _reconcile(desk, reading, outcome, unseen, Look(seen=shown or set()))
    _judge(desk, reading, outcome)


def _unseen(desk: Desk, generation: int) -> set[int]:
    with desk.database.read() as conn:
        return plays.unseen_ids(conn, desk.account_id, generation)


def _reconcile(
    desk: Desk, reading: Reading, outcome: Outcome, unseen: set[int], look: Look
) -> None:
    """Hold the store against Trakt's totals, mend what differs and mark what is gone.

    ``look`` is what was seen before.
    """
    try:
        totals = _read_totals(desk, _moved_kinds(reading, unseen))
    except _NO_TOTALS:
        _reconcile_by_windows(desk, reading, outcome, unseen, look)
        return
    except RemoteUnavailable as reason:
        if not of_one_answer(reason):
            raise
        outcome.holes.append(f"Trakt's totals could not be read (status {reason.status})")
        return
    found = _look_at_titles(desk, reading, outcome, totals, unseen)
    _settle(desk, outcome, look.and_also(found).gone)
    outcome.claimed = _claimed(desk, totals)


def _reconcile_by_windows(
    desk: Desk, reading: Reading, outcome: Outcome, unseen: set[int], look: Look
) -> None:
    try:
        found, outcome.claimed = look_at_windows(desk, reading, outcome, unseen)
    except (NoCounts, *_NO_TOTALS) as reason:
        outcome.add_words(
            f"Trakt offers no totals to hold the plays against ({reason}); what was deleted or "
            "back-dated long ago shows only in a full pass"
        )
        found = look_at_moments(desk, reading, outcome, unseen)
    _settle(desk, outcome, look.and_also(found).gone)


def _moved_kinds(reading: Reading, unseen: set[int]) -> set[str]:
    """Which of films and episodes may have changed since the last reading."""
    before, after = reading.before.guard, reading.guard
    if unseen or before is None or after is None or reading.before.state == INCOMPLETE:
        return {"movie", "episode"}
    pairs = zip(
        ("movie", "episode"), msgspec.json.decode(before), msgspec.json.decode(after), strict=True
    )
    return {kind for kind, old, new in pairs if old != new} or {"movie", "episode"}


def _read_totals(desk: Desk, kinds: set[str]) -> Totals:
    totals = Totals(kinds=kinds)
    if "movie" in kinds:
        for key, raw in _read_map(desk, "/sync/watched/movies", {}):
            times = _decoded(_movie_times, raw)
            totals.minutes[f"movie:{key}"] = _minutes(times)
    if "episode" in kinds:
        for show, raw in _read_map(desk, "/sync/watched/shows", {"specials": "true"}):
            for season in _decoded(_show_times, raw).values():
                for episode, watched in season.items():
                    totals.minutes[f"episode:{episode}"] = _minutes(watched)
                    totals.shows[f"episode:{episode}"] = show
    return totals


def _read_map(desk: Desk, path: str, extra: dict[str, str]) -> Iterable[tuple[str, msgspec.Raw]]:
    """The entries of a paged answer that is one object."""

    def fetch(number: int) -> Page:
        params: dict[str, str | int] = {"extended": "min", "page": number, "limit": _PAGE}
        return read_page(desk.client.get(path, {**params, **extra}), number, _split_map)

    reader = PageReader(fetch, desk.executor, lanes=desk.lanes)
    for page in reader.pages():
        for row in page.rows:
            yield _entry.decode(row)


def _split_map(body: bytes) -> list[bytes]:
    """The entries of an object, each as an array of its name and its value."""
    entries = _decoded(_map, body)
    return [
        b"[" + msgspec.json.encode(name) + b"," + bytes(raw) + b"]" for name, raw in entries.items()
    ]


def _decoded(decoder: msgspec.json.Decoder[Decoded], raw: bytes | msgspec.Raw) -> Decoded:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as reason:
        raise RemoteChanged(
            f"Trakt's totals have another shape than known ({reason}).", service="Trakt"
        ) from None


def _minutes(times: Iterable[str]) -> list[int]:
    try:
        return [to_millis(from_iso(text)) // _MINUTE for text in times]
    except ValueError as reason:
        raise RemoteChanged(
            f"Trakt's totals hold what is no time ({reason}).", service="Trakt"
        ) from None


def _differing(desk: Desk, totals: Totals) -> set[str]:
    """Titles whose plays, by their minutes, are not those that Trakt counts."""
    ours: dict[str, list[int]] = defaultdict(list)
    with desk.database.read() as conn:
        for kind in totals.kinds:
            for key, moment in plays.moments_by_title(conn, desk.account_id, kind):
                ours[key].append(moment // _MINUTE)
    return {
        key
        for key in ours.keys() | totals.minutes.keys()
        if Counter(ours.get(key, ())) != Counter(totals.minutes.get(key, ()))
    }


def _look_at_titles(
    desk: Desk, reading: Reading, outcome: Outcome, totals: Totals, unseen: set[int]
) -> Look:
    """Read the history of the titles that differ or of which a play did not come."""
    with desk.database.read() as conn:
        of_unseen = plays.titles_of(conn, desk.account_id, unseen)
        count = plays.count(conn, desk.account_id)
    keys = _differing(desk, totals) | {key for key in of_unseen.values() if key}
    with desk.database.read() as conn:
        doubtful = unseen | set(plays.ids_of_titles(conn, desk.account_id, keys))
    paths = _paths(desk, keys, totals)
    if len(paths) > count // _PAGE + 1:
        return _look_at_everything(desk, reading, outcome, doubtful)
    look = Look()
    readings = (replace(reading, path=f"{reading.path}/{path}") for path in sorted(paths))
    for pages in desk.executor.map(lambda part: _all_pages(desk, part), list(readings)):
        for page in pages:
            _keep(desk, reading, page, outcome, look)
    with desk.database.read() as conn:
        look.expected |= set(plays.ids_of_titles(conn, desk.account_id, keys))
    titleless = {history_id for history_id in unseen if of_unseen.get(history_id) is None}
    return look.and_also(look_at_moments(desk, reading, outcome, titleless))


def _all_pages(desk: Desk, reading: Reading) -> list[Page]:
    """The history of one title, one page after the other; none when Trakt has no such title."""
    reader = PageReader(lambda number: desk.fetch(reading, number), desk.executor, lanes=0)
    try:
        return list(reader.pages())
    except NotOffered as reason:
        if reason.status in _NO_SUCH_TITLE:
            return []
        raise RemoteRejected(
            reason.message, service=reason.service, status=reason.status, address=reason.address
        ) from None


def _keep(desk: Desk, reading: Reading, page: Page, outcome: Outcome, look: Look) -> None:
    with desk.write() as conn:
        look.seen |= keep_plays(conn, desk, reading, page, reading.before.generation, outcome)


def _look_at_everything(desk: Desk, reading: Reading, outcome: Outcome, doubtful: set[int]) -> Look:
    """Read all of history once more: cheaper when many titles differ.

    Of what does not come, only ``doubtful`` plays may be gone: the others are in the totals, so
    a row that slipped from one page to the next hid them.
    """
    fresh = replace(reading, before=replace(reading.before, position=None))
    generation = read_all(desk, fresh, outcome)
    return Look() if outcome.holes else Look(_unseen(desk, generation) & doubtful)


def _paths(desk: Desk, keys: set[str], totals: Totals) -> set[str]:
    """Where to read the history of those titles: films, single episodes, else whole shows."""
    paths = {f"movies/{key.partition(':')[2]}" for key in keys if key.startswith("movie:")}
    episodes = {key for key in keys if key.startswith("episode:")}
    with desk.database.read() as conn:
        shows = plays.show_keys(conn, episodes)
    by_show: dict[str, set[str]] = defaultdict(set)
    for key in episodes:
        show = totals.shows.get(key) or shows.get(key, "").partition(":")[2]
        by_show[show].add(key)
    for show, of_show in by_show.items():
        if show and len(of_show) > 1:
            paths.add(f"shows/{show}")
        else:
            paths |= {f"episodes/{key.partition(':')[2]}" for key in of_show}
    return paths


def _settle(desk: Desk, outcome: Outcome, gone: set[int]) -> None:
    """Mark what two looks missed, unless too much is gone at once."""
    if not gone:
        return
    moment = to_millis(now())
    with desk.write() as conn:
        before = plays.count(conn, desk.account_id)
        plays.mark(conn, desk.account_id, gone, column="missing_at", moment=moment)
        if trips_wire(len(gone), before) and not desk.accept_removals:
            outcome.held = len(gone)
            return
        plays.mark(conn, desk.account_id, gone, column="removed_at", moment=moment)
    outcome.removed += len(gone)


def _claimed(desk: Desk, totals: Totals) -> int:
    """How many plays Trakt has: those it counts, and ours that no count covers."""
    with desk.database.read() as conn:
        uncounted = plays.count_uncounted(conn, desk.account_id, totals.kinds)
    return totals.plays + uncounted


def _judge(desk: Desk, reading: Reading, outcome: Outcome) -> None:
    """Give the verdict on the plays, in words."""
    with desk.database.read() as conn:
        outcome.kept = plays.count(conn, desk.account_id)
        outcome.rejected = items.count_rejects(conn, desk.account_id, reading.name)
    judge(outcome, outcome.kept + outcome.rejected)
