"""Handing archives on: to every place that the settings name, and to the person's command.

Only the owner's archives and copies of the installation are handed on. What does not work is
written down and tried again, with growing pauses, until it does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchbook.archive import ledger
from watchbook.archive.backup import backups_folder
from watchbook.archive.encryption import Digested, check_digest
from watchbook.archive.keep import Candidate, kept
from watchbook.archive.manifest import COMPLETE
from watchbook.archive.prune import rule_for
from watchbook.archive.verify import beside_line, beside_of
from watchbook.clock import counted, from_iso, now, to_millis
from watchbook.errors import StoreBusy, WatchbookError
from watchbook.offsite import command, copies
from watchbook.offsite.buckets import S3
from watchbook.offsite.copies import COMMAND, COPIED, DROPPED, FAILED, Copy
from watchbook.offsite.places import Folder, Place
from watchbook.settings import Settings
from watchbook.steps import step
from watchbook.store import leases, runs
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.values import Bucket

_INSTANCE = rf"instance-{ledger.STAMP}\.tar\.gz(\.age)?"
_STAMPED = re.compile(ledger.STAMP)


@dataclass(frozen=True)
class CopyResult:
    """What came of handing one archive on to one place.

    ``words`` say more; ``hint`` is what to do and ``retry_at`` (milliseconds since 1970) when it
    is tried again, after a failure.
    """

    archive: str
    place: str
    state: str
    words: str
    hint: str | None = None
    retry_at: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it is still to be done."""
        return self.state == FAILED


def wanted_places(settings: Settings) -> list[str]:
    """The names of all places, the command among them, in the order of handing on."""
    return [*map(str, settings.copy_to), *([COMMAND] if settings.after_backup else [])]


def place_for(target: Path | Bucket, settings: Settings) -> Place:
    """The place that a setting names; raises SettingsError when something is missing for it."""
    return S3(target, settings) if isinstance(target, Bucket) else Folder(target)


def after_backup(
    store: Store, settings: Settings, account: Account, archive_path: Path
) -> list[CopyResult]:
    """Hand on an archive that was just written or verified, and whatever else is due.

    What failed before is tried at once. Gives what came of it for every place; nothing for
    accounts other than the owner's. While another process does the same, it is left to that one.
    """
    places = wanted_places(settings)
    if not account.owner:
        return []
    name = archive_path.name
    with store.database.write() as conn:
        copies.forget_other_places(conn, account.id, places)
        known = {archive.name: archive.verdict for archive in ledger.recorded(conn, account)}
        copies.expect(conn, account.id, name, known.get(name, COMPLETE), places)
        copies.take_up(conn, name)
    step("copy.waiting")
    _look_for(store, settings, name)
    results: list[CopyResult] = []
    with suppress(StoreBusy):
        results = _send(store, settings, account, name)
    done = {one.place for one in results if one.archive == name}
    with store.database.read() as conn:
        before = [copies.find(conn, name, place) for place in places if place not in done]
    return [*results, *(_as_before(one) for one in before)]


def _as_before(copy: Copy) -> CopyResult:
    words = "another process copies just now" if copy.is_open else "done before"
    return CopyResult(copy.archive, copy.place, copy.state, words, retry_at=copy.retry_at)


def _look_for(store: Store, settings: Settings, name: str) -> None:
    """Put copies of the archive ``name`` that somebody has deleted back on the list.

    A place that cannot be asked now says nothing about them.
    """
    for target in settings.copy_to:
        with store.database.read() as conn:
            copy = copies.find(conn, name, str(target))
        with suppress(WatchbookError):
            if _lies(copy) and name not in place_for(target, settings).names():
                with store.database.write() as conn:
                    copies.wait_again(conn, copy, f"It was gone from {copy.place}.")


def send_due(store: Store, settings: Settings, account: Account) -> list[CopyResult]:
    """Hand on what waits, or has failed and may be tried again; the newest archive counts too."""
    places = wanted_places(settings)
    if not account.owner:
        return []
    with store.database.write() as conn:
        copies.forget_other_places(conn, account.id, places)
        newest = next(iter(ledger.recorded(conn, account)), None)
        if newest is not None and newest.check_outcome == ledger.WHOLE:
            copies.expect(conn, account.id, newest.name, newest.verdict, places)
    return _send(store, settings, account, None)


def _send(
    store: Store, settings: Settings, account: Account, at_once: str | None
) -> list[CopyResult]:
    """Hand on what is due, and the archive ``at_once`` whether it is due or not."""
    if not _due(store, settings, account, at_once):
        return []
    purpose = f"the off-site copies of {account.name}"
    with leases.holding(store.database, f"copies:{account.id}", purpose):
        with store.database.write() as conn:
            run_id = runs.start(conn, account.id, "copy")
        try:
            results = [
                _hand_on(store, settings, account, copy)
                for copy in _due(store, settings, account, at_once)
            ]
        except BaseException as reason:
            runs.fail(store.database, run_id, reason)
            raise
        _write_down(store, run_id, results)
    return results


def _due(store: Store, settings: Settings, account: Account, at_once: str | None) -> list[Copy]:
    places = wanted_places(settings)
    moment = to_millis(now())
    with store.database.read() as conn:
        listed = copies.open_ones(conn, account.id)
    due = [
        one
        for one in listed
        if one.place in places
        and (one.archive == at_once or one.retry_at is None or one.retry_at <= moment)
    ]
    return sorted(due, key=lambda one: places.index(one.place))


def _write_down(store: Store, run_id: int, results: list[CopyResult]) -> None:
    failed = [one for one in results if one.failed]
    words = "; ".join(f"{one.archive} to {one.place}: {one.words}" for one in failed)
    hint = next((one.hint for one in failed if one.hint), None)
    done = sum(one.state == COPIED for one in results)
    with store.database.write() as conn:
        runs.finish(
            conn,
            run_id,
            runs.FAILED if failed else runs.COMPLETE,
            words or f"{done} handed on",
            hint=hint,
        )


def _hand_on(store: Store, settings: Settings, account: Account, copy: Copy) -> CopyResult:
    path = backups_folder(store.home) / copy.archive
    if not path.exists():
        words = f"{copy.archive} was gone before it could be copied."
        with store.database.write() as conn:
            copies.drop(conn, copy, words)
        return CopyResult(copy.archive, copy.place, DROPPED, words)
    try:
        whole = check_digest(path)
        if copy.place == COMMAND:
            assert settings.after_backup is not None
            said = command.run(settings.after_backup, path, account.name, copy.verdict)
            words = said or "ended well"
            with store.database.write() as conn:
                copies.succeed(conn, copy, words)
        else:
            words = _copy(store, settings, account, copy, path, whole)
    except WatchbookError as reason:
        with store.database.write() as conn:
            copies.fail(conn, copy, reason.message)
            again = copies.find(conn, copy.archive, copy.place).retry_at
        return CopyResult(
            copy.archive, copy.place, FAILED, reason.message, reason.hint, retry_at=again
        )
    return CopyResult(copy.archive, copy.place, COPIED, words)


def _copy(
    store: Store, settings: Settings, account: Account, copy: Copy, path: Path, whole: Digested
) -> str:
    """Copy to a place, and let older copies there go; the .sha256 comes when all is verified."""
    target = next(one for one in settings.copy_to if str(one) == copy.place)
    place = place_for(target, settings)
    with store.database.read() as conn:
        there = copies.made_at(conn, account.id, copy.place)
    place.check(there)
    place.put(path, whole)
    step("copy.verified")
    place.put_small(beside_of(path).name, beside_line(whole.sha256, path.name))
    step("copy.whole")
    words = "read back and verified"
    with store.database.write() as conn:
        copies.succeed(conn, copy, words)
    step("copy.recorded")
    try:
        gone = _prune(store, settings, account, place)
    except WatchbookError as reason:
        return f"{words}; older copies stay for now: {reason.message}"
    return f"{words}; {counted(gone, 'older copy', 'older copies')} pruned" if gone else words


def _lies(copy: Copy) -> bool:
    return copy.state == COPIED


def _prune(store: Store, settings: Settings, account: Account, place: Place) -> int:
    """Delete the copies at ``place`` that the account's keep rule lets go; says how many.

    Only files with the names of this account's archives (and of copies of the installation) are
    looked at. Each of the two is a series of its own.
    """
    names, gone = place.names(), 0
    with store.database.write() as conn:
        known = {one.archive: one for one in copies.of_account(conn, account.id, place.name)}
        for one in known.values():
            if _lies(one) and one.archive not in names:  # somebody's doing, or a killed pruning
                copies.mark_pruned(conn, one.archive, place.name)
    for pattern in (ledger.name_pattern(account), _INSTANCE):
        for name in _superfluous(names, pattern, known, settings, account):
            place.delete(f"{name}.sha256")
            place.delete(name)
            with store.database.write() as conn:
                copies.mark_pruned(conn, name, place.name)
            gone += 1
    return gone


def _superfluous(
    names: Collection[str],
    pattern: str,
    known: Mapping[str, Copy],
    settings: Settings,
    account: Account,
) -> list[str]:
    """The names of a series that may go.

    What this installation has copied itself is known to be good or not. Of another one's copies
    the .sha256 says that they were whole; the newest of our own stays whatever lies beside it.
    """
    candidates = []
    for name in names:
        if re.fullmatch(pattern, name) and (moment := _moment(name)):
            ours = known.get(name)
            good = _lies(ours) and ours.verdict == COMPLETE if ours else f"{name}.sha256" in names
            candidates.append(Candidate(name, moment, good))
    rule = settings.keep if pattern == _INSTANCE else rule_for(settings, account)
    stay = set(kept(candidates, rule, account.zone))
    verified = sorted(
        (one.written_at, one.name) for one in candidates if one.good and one.name in known
    )
    stay |= {name for _, name in verified[-1:]}
    return sorted({one.name for one in candidates} - stay)


def _moment(name: str) -> datetime | None:
    """When an archive was written, by its name; None for what only looks like one."""
    try:
        return from_iso(_STAMPED.findall(name)[-1])
    except ValueError:
        return None
