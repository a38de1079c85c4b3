"""Everything that one running sandbox holds."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from watchbook.sandbox.answer import Refusal
from watchbook.sandbox.clock import Clock
from watchbook.sandbox.library import build, generate
from watchbook.sandbox.library.people import owner
from watchbook.sandbox.record import Record
from watchbook.sandbox.rules import FaultBoard
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.call import not_found
from watchbook.sandbox.trakt.fault_table import FAULTS
from watchbook.sandbox.trakt.grants import Grants
from watchbook.sandbox.trakt.limits import Limiter
from watchbook.sandbox.trakt.options import SandboxOptions
from watchbook.sandbox.trakt.shapes import Shapes


class World:
    """The catalogue, the accounts, the grants, the clock, the faults and the log."""

    def __init__(self, options: SandboxOptions) -> None:
        """Prepare a world; libraries are generated when they are first looked at."""
        self.options = options
        self.clock = Clock(options.now)
        self.today = self.clock.today()
        self._sizes = options.sizes
        self.catalogue = build(max(self._sizes), options.seed, self.today)
        self.shapes = Shapes(options.pictures)
        self.faults = FaultBoard(FAULTS, options.faults)
        self.latency = options.latency
        self.record = Record()
        self.limiter = Limiter(options, self.clock)
        self.client_id = sha256(f"client:{options.seed}".encode()).hexdigest()
        self.client_secret = sha256(f"secret:{options.seed}".encode()).hexdigest()
        self.grants = Grants(options, self.clock)
        self.url = self.auth_url = ""
        self._made: dict[str, Account] = {}
        members = [
            owner(n, options.seed, self.today, vip=options.vip) for n in range(len(self._sizes))
        ]
        self.slugs = [str(member.slug) for member in members]
        self._numbers = {slug: number for number, slug in enumerate(self.slugs)}
        self.consenting = self.slugs[0]
        """Who is signed in at the auth host, and so says yes there."""

    def accounts(self) -> Iterator[Account]:
        """All accounts in turn; each is generated when it is reached."""
        return map(self.account, self.slugs)

    def account(self, slug: str) -> Account:
        """The account of a slug; 404 when there is none."""
        if slug not in self._numbers:
            raise Refusal(not_found())
        if slug not in self._made:
            self._made[slug] = self._make(self._numbers[slug])
        return self._made[slug]

    def _make(self, number: int) -> Account:
        options = self.options
        size = self._sizes[number], options.seed, number, self.today
        return Account(self.catalogue, generate(self.catalogue, *size, vip=options.vip), self.today)

    def slug_number(self, number: float) -> str:
        """The slug of the account at a position, counted round."""
        return self.slugs[int(number) % len(self.slugs)]
