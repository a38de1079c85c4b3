"""Trying a site out: a clearly marked test post, made, read back and deleted again."""

from __future__ import annotations

from dataclasses import dataclass

from watchbook.clock import now, to_stamp
from watchbook.connecting import Installation
from watchbook.errors import InputError
from watchbook.micropub.citing import Properties
from watchbook.micropub.client import Source
from watchbook.micropub.outcome import Outcome
from watchbook.micropub.reading import texts
from watchbook.publish.websites import Website
from watchbook.store import leases, sites
from watchbook.store.accounts import Account
from watchbook.store.sites import Kind, Site

_TEXT = "A test by Watchbook, which may be deleted."


@dataclass(frozen=True)
class Trial:
    """How a test post fared. ``source`` is what the site gave back of it, None if not asked."""

    sent: Properties
    outcome: Outcome
    source: Source | None

    @property
    def is_draft(self) -> bool | None:
        """Whether the site keeps it as a draft; None when it does not tell."""
        states = texts(self.source.properties, "post-status") if self.source else []
        return "draft" in states if states else None


def try_out(installation: Installation, account: Account, site: Site, *, draft: bool) -> Trial:
    """Make a test post and read it back; raises StoreBusy while the site is published to."""
    with leases.holding(
        installation.store.database, f"site:{site.id}", f"a test post of {account.name}"
    ):
        server = _website(installation, site)
        sent = _note(draft=draft)
        outcome = server.send(sent, draft=draft)
        found = server.read(outcome.url) if outcome.good and outcome.url else None
    return Trial(sent, outcome, found)


def take_back(installation: Installation, site: Site, url: str) -> Outcome:
    """Delete the test post at ``url``; raises StoreBusy."""
    with leases.holding(
        installation.store.database, f"site:{site.id}", f"the removal of {site.name}'s test post"
    ):
        return _website(installation, site).delete(url)


def _website(installation: Installation, site: Site) -> Website:
    with installation.store.database.read() as conn:
        site = sites.get(conn, site.id)
    if site.kind == Kind.FOLDER:
        raise InputError(
            f"{site.name} is a folder, which needs no test post.",
            hint="`watchbook publish --dry-run` shows what waits.",
        )
    return Website(installation.http.naming_hosts(), installation.store, site)


def _note(*, draft: bool) -> Properties:
    found: Properties = {
        "content": [_TEXT],
        "published": [now().isoformat(timespec="seconds")],
        "mp-slug": [f"watchbook-test-{to_stamp(now()).lower()}"],
    }
    return found | ({"post-status": ["draft"]} if draft else {})
