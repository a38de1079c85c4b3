"""What all parts of the generator share: chance, the day, and what has been watched."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from random import Random

from watchbook.sandbox.library.catalogue import Catalogue
from watchbook.sandbox.library.entries import Entry, Facts, Subject, stamp
from watchbook.sandbox.library.people import OWNER_IDS, members
from watchbook.sandbox.library.titles import DAY, Episode, Film, Season, Show, User
from watchbook.sandbox.library.viewing import Viewing

KINDS: dict[type, str] = {Film: "movie", Show: "show", Season: "season", Episode: "episode"}


def kind_of(subject: Subject) -> str:
    """The word under which a title appears in a row."""
    return KINDS[type(subject)]


class Maker:
    """Draws titles, times and numbers for one account."""

    def __init__(
        self, catalogue: Catalogue, viewing: Viewing, user: User, chance: Random, today: int
    ) -> None:
        """Prepare to furnish the account of a user who has watched something."""
        self.catalogue = catalogue
        self.user = user
        self.chance = chance
        self.today = today
        self.members = members(today)
        items = sorted(viewing.touched)
        self.seen_films = [catalogue.films[i] for i in items if catalogue.is_film(i)]
        self.seen_episodes = [i for i in items if not catalogue.is_film(i)]
        shows = {catalogue.show_of(i).trakt: catalogue.show_of(i) for i in self.seen_episodes}
        self.seen_shows = list(shows.values())
        self._numbers = count(400_000_000 + (user.trakt - OWNER_IDS) * 250_000, 13)

    def number(self) -> int:
        """A fresh id."""
        return next(self._numbers)

    def past(self, years: float = 8) -> int:
        """A minute of the last years, never before the account was opened."""
        span = min(int(years * 365) * DAY, self.today - self.user.joined)
        return self.today - 1 - int(span * self.chance.random())

    def film(self) -> Film:
        """Any film that is still in the catalogue."""
        return self.catalogue.films[self.chance.randrange(len(self.catalogue.films) - 1)]

    def show(self) -> Show:
        """Any show."""
        return self.chance.choice(self.catalogue.shows)

    def season(self) -> Season:
        """Any season, specials included."""
        show = self.show()
        return Season(show, self.chance.choice(show.season_numbers()))

    def episode(self) -> Episode:
        """Any episode, seen or not."""
        items = self.catalogue.items_of(self.show())
        return self.catalogue.episode(self.chance.choice(items) - len(self.catalogue.films))

    def draw(self, kind: str) -> Film | Show | Season | Episode:
        """Any title of a kind."""
        table: dict[str, Callable[[], Film | Show | Season | Episode]] = {
            "movie": self.film,
            "show": self.show,
            "season": self.season,
            "episode": self.episode,
        }
        return table[kind]()

    def several(self, kind: str, wanted: int) -> list[Film | Show | Season | Episode]:
        """Different titles of a kind; fewer when the catalogue is too small."""
        found: dict[int, Film | Show | Season | Episode] = {}
        for _ in range(wanted * 3):
            if len(found) == wanted:
                break
            title = self.draw(kind)
            found[title.trakt] = title
        return list(found.values())

    def sample(self, rows: list[Film] | list[Show], wanted: int) -> list[Film | Show]:
        """A choice among what was seen."""
        return self.chance.sample([*rows], min(wanted, len(rows)))

    def members_entries(
        self, people: list[User], key: str, *, numbered: bool = False
    ) -> list[Entry]:
        """Rows that name a member and when something happened, newest first."""
        found: list[tuple[int, User]] = sorted(
            ((self.past(5), user) for user in people), reverse=True
        )
        rows = []
        for at, user in found:
            facts: Facts = {"id": self.number()} if numbered else {}
            rows.append(Entry("user", user, {**facts, key: stamp(at)}))
        return rows
