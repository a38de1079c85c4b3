"""The one tree of errors that Watchbook raises.

::

    WatchbookError                 a message for a person, a hint, an exit code, a fate
    ├─ SettingsError            78   permanent
    ├─ InputError                2   permanent   bad arguments or a bad file
    ├─ AuthorisationNeeded      77   permanent   sign in again, or the ZIP door
    │  └─ AccountLocked         77   permanent   only Trakt's support can open it
    ├─ RemoteError                   service, status, address without its query
    │  ├─ RemoteUnavailable     75   transient
    │  │  └─ RateLimited        75   transient   knows when to come back
    │  ├─ RemoteRejected        69   permanent   with the server's own words
    │  │  └─ NotOffered         69   permanent   this data set, to this account
    │  ├─ RemoteChanged         65   permanent   another shape than known
    │  └─ OutcomeUnknown        75   unknown     a write was sent, no answer came
    ├─ AddressRefused           69   permanent
    ├─ StoreError               74
    │  ├─ StoreUnavailable      75   transient
    │  │  └─ StoreBusy          75   transient   another process works on the account
    │  │     └─ TakenOver       75   transient   and took it from this one, which stood still
    │  ├─ StoreFull             74   transient
    │  └─ SchemaMismatch        78   permanent
    └─ ArchiveError             65
       ├─ ArchiveDamaged        65   permanent
       ├─ ArchiveIncomplete     65   permanent   written, but not everything is inside
       ├─ ArchiveUnsafe         65   permanent
       └─ RestoreRefused        73   permanent

The numbers are exit codes (``sysexits.h`` where it has one). Code that decides whether to
try again reads :attr:`WatchbookError.fate` and nothing else.
"""

from __future__ import annotations

from enum import Enum


class Fate(Enum):
    """What may be hoped for when the same thing is tried again."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class WatchbookError(Exception):
    """Anything that goes wrong in a way we know how to speak about.

    ``message`` says what happened and to whom, ``hint`` what to do next; neither ever holds
    a secret.
    """

    exit_code = 70
    fate = Fate.PERMANENT

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(WatchbookError):
    """A setting is unknown, malformed or missing."""

    exit_code = 78


class InputError(WatchbookError):
    """An argument or a file given by a person is not what was expected."""

    exit_code = 2


class AuthorisationNeeded(WatchbookError):
    """Only the person can go on: by signing in again, or through the ZIP door."""

    exit_code = 77


class AccountLocked(AuthorisationNeeded):
    """Trakt has locked or deactivated the account; nothing may be asked any more."""


class RemoteError(WatchbookError):
    """Another server did not do its part.

    ``service`` names it for a person ("Trakt"), ``status`` is the HTTP status or None when no
    answer came, ``address`` is the URL without its query.
    """

    exit_code = 69

    def __init__(
        self,
        message: str,
        *,
        service: str = "the server",
        status: int | None = None,
        address: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.service = service
        self.status = status
        self.address = address


class RemoteUnavailable(RemoteError):
    """No answer, or one that says "not now"."""

    exit_code = 75
    fate = Fate.TRANSIENT


class RateLimited(RemoteUnavailable):
    """Too many requests; ``retry_after`` is the wait asked for, in seconds, when one was named."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        service: str = "the server",
        status: int | None = None,
        address: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, service=service, status=status, address=address, hint=hint)
        self.retry_after = retry_after


class RemoteRejected(RemoteError):
    """The server understood and refused; the message carries its own words."""


class NotOffered(RemoteRejected):
    """The server does not offer this data to this account; the message says why."""


class RemoteChanged(RemoteError):
    """The answer has another shape than any we know; what came was kept raw."""

    exit_code = 65


class OutcomeUnknown(RemoteError):
    """A write was sent and its answer was lost: it may have happened."""

    exit_code = 75
    fate = Fate.UNKNOWN


class AddressRefused(WatchbookError):
    """A URL leads to an address that may not be connected to."""

    exit_code = 69


class StoreError(WatchbookError):
    """The database or a file of ours did not do its part."""

    exit_code = 74


class StoreUnavailable(StoreError):
    """The database cannot be reached, or went away."""

    exit_code = 75
    fate = Fate.TRANSIENT


class StoreBusy(StoreUnavailable):
    """Another process holds the account's lease."""


class TakenOver(StoreBusy):
    """Another process has taken the account over from this one, which stood still too long."""


class StoreFull(StoreError):
    """There is no room left to write."""

    fate = Fate.TRANSIENT


class SchemaMismatch(StoreError):
    """The database belongs to another version of the program."""

    exit_code = 78


class ArchiveError(WatchbookError):
    """Something is wrong with a backup archive."""

    exit_code = 65


class ArchiveDamaged(ArchiveError):
    """Bytes of an archive are missing or differ from what was written."""


class ArchiveIncomplete(ArchiveError):
    """An archive was written, but something that Trakt holds is not in it."""


class ArchiveUnsafe(ArchiveError):
    """An archive holds entries that no honest archive has."""


class RestoreRefused(ArchiveError):
    """A restore would do harm."""

    exit_code = 73
