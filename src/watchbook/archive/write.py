"""Writing an account's archive, unless the last one holds the same already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from watchbook.archive import ledger
from watchbook.archive.documents import documents
from watchbook.archive.encryption import SUFFIX
from watchbook.archive.layout import Layouts, trakt_layouts
from watchbook.archive.ledger import Archive, Checked
from watchbook.archive.manifest import (
    ACCOUNT_FORMAT,
    COMPLETE,
    AccountEntry,
    Manifest,
    count_rows,
    current_format,
    encode,
    generator,
)
from watchbook.archive.packing import Member, in_memory, pack, stem_of
from watchbook.archive.standalone.verify import MANIFEST
from watchbook.archive.survey import Survey, surveyed
from watchbook.archive.verify import Verification
from watchbook.clock import from_millis, now, to_iso, to_stamp
from watchbook.files import file_errors, make_private_folder
from watchbook.steps import step
from watchbook.store.accounts import Account
from watchbook.store.opening import Store


@dataclass(frozen=True)
class WrittenArchive:
    """What a backup came to: a new archive, or the check of the last one, still the same.

    ``lost`` says what was wrong with the archive that held the same, when there was one that
    cannot be relied on any more; ``strange`` names files in the folder that look like archives
    of this account and are none, with the reason.
    """

    archive: Archive
    path: Path
    manifest: Manifest
    unchanged: bool
    lost: Checked | None
    strange: list[tuple[str, str]]

    @property
    def complete(self) -> bool:
        """Whether everything that Trakt holds is in it."""
        return self.archive.verdict == COMPLETE


def write_archive(
    store: Store,
    account: Account,
    folder: Path,
    *,
    force: bool = False,
    recipients: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
    layouts: Layouts = trakt_layouts,
) -> WrittenArchive:
    """Write an archive of ``account`` into ``folder``, unless nothing changed since the last.

    Then the last one is verified instead (``force`` writes all the same). It is encrypted to
    ``recipients``, if there are any. ``progress`` is told each file's path. Call it under the
    account's lease. Raises StoreError; that an archive is incomplete is no error here, its verdict
    says so.
    """
    make_private_folder(folder)
    with file_errors(folder):
        strange = ledger.tidy(store.database, account, folder)
        lost = None
        with surveyed(store.database, account, layouts) as survey:
            twin = None if force else _twin(store, account, survey, ledger.listed(recipients))
            if twin is not None:
                checked = ledger.check(store.database, twin, folder)
                if checked.whole:
                    found = checked.found
                    same = found.manifest if found else _said_by(account, twin, survey)
                    return _unchanged(store, account, folder / twin.name, same, strange)
                lost = checked
            moment = _free_moment(store, account, folder)
            path = folder / (_name(account, moment) + (SUFFIX if recipients else ""))
            found = _pack(store, account, path, moment, survey, recipients, progress)
    with store.database.write(durable=True) as conn:
        archive = ledger.record(conn, account, path, found, recipients)
    step("backup.recorded")
    return WrittenArchive(archive, path, found.manifest, False, lost, strange)


def _twin(store: Store, account: Account, survey: Survey, recipients: str | None) -> Archive | None:
    """The last archive that may be relied on, if it holds the very same for the same recipients.

    An incomplete one counts only while the store is as incomplete as it was.
    """
    with store.database.read() as conn:
        known = ledger.recorded(conn, account)
    last = ledger.newest_good(known) if survey.verdict == COMPLETE else next(iter(known), None)
    if last is None or last.content != survey.content or last.verdict != survey.verdict:
        return None
    return last if last.recipients == recipients else None


def _unchanged(
    store: Store,
    account: Account,
    path: Path,
    manifest: Manifest,
    strange: list[tuple[str, str]],
) -> WrittenArchive:
    with store.database.read() as conn:
        twin = next(one for one in ledger.recorded(conn, account) if one.name == path.name)
    return WrittenArchive(twin, path, manifest, True, None, strange)


def _said_by(account: Account, twin: Archive, survey: Survey) -> Manifest:
    """What the manifest inside an encrypted archive says, since it holds what ``survey`` found."""
    return _contents(account, stem_of(twin.name), from_millis(twin.written_at), survey)[1]


def _free_moment(store: Store, account: Account, folder: Path) -> datetime:
    """Now, or as many seconds later as it takes to find a name that was never used."""
    with store.database.read() as conn:
        taken = {stem_of(archive.name) for archive in ledger.recorded(conn, account)}
    taken |= {stem_of(path.name) for path in folder.iterdir()}
    moment = now()
    while stem_of(_name(account, moment)) in taken:
        moment += timedelta(seconds=1)
    return moment


def _name(account: Account, moment: datetime) -> str:
    return f"{ledger.file_stem(account)}-{to_stamp(moment)}.tar.gz"


def _pack(
    store: Store,
    account: Account,
    path: Path,
    moment: datetime,
    survey: Survey,
    recipients: Sequence[str],
    progress: Callable[[str], None] | None,
) -> Verification:
    def announce(found: Verification) -> None:
        with store.database.write(durable=True) as conn:
            ledger.announce(conn, account, path, found, recipients)

    return pack(
        path,
        _contents(account, stem_of(path.name), moment, survey)[0],
        moment,
        progress=progress,
        recipients=recipients,
        announce=announce if recipients else None,
    )


def _contents(
    account: Account, name: str, moment: datetime, survey: Survey
) -> tuple[list[Member], Manifest]:
    """Every file of an archive, and the manifest, which is the last of them."""
    members = [*documents(name, account.name, moment, survey.verdict), *survey.members]
    entries = [member.entry for member in members]
    manifest = Manifest(
        format=ACCOUNT_FORMAT,
        format_version=current_format(),
        generator=generator(),
        name=name,
        created_at=to_iso(moment),
        account=AccountEntry(account.name, account.trakt_slug, account.trakt_uuid),
        schema=None,
        verdict=survey.verdict,
        words=survey.words,
        counts=count_rows(entries),
        content=survey.content,
        data_sets=survey.data_sets,
        files=entries,
    )
    return [*members, in_memory(MANIFEST, "document", encode(manifest))], manifest
