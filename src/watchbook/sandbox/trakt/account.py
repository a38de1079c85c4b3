"""One account of the sandbox: its library, its plays and its timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from watchbook.sandbox.library import Catalogue, Library
from watchbook.sandbox.library.entries import Comment, Entry, Facts, UserList
from watchbook.sandbox.library.people import OWNER_IDS
from watchbook.sandbox.library.titles import Episode
from watchbook.sandbox.trakt import activities
from watchbook.sandbox.trakt.history import History
from watchbook.sandbox.trakt.shapes import user


class Account:
    """What one member of the sandbox's Trakt has, and how it is counted."""

    def __init__(self, catalogue: Catalogue, library: Library, today: int) -> None:
        """Move into a generated library."""
        self.catalogue = catalogue
        self.library = library
        self.today = today
        self.history = History(catalogue, library.plays, library.touched)
        films = frozenset(range(len(catalogue.films)))
        self.activities = activities.of_library(library, films)
        self.numbers = count(900_000_000 + (library.user.trakt - OWNER_IDS) * 100_000)

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return str(self.library.user.slug)

    def find_list(self, key: str) -> UserList | None:
        """One of its own lists, or one it works on together with others, by id or slug."""
        found = [*self.library.lists, *self.library.collaborations]
        return next((made for made in found if key in (str(made.trakt), made.slug)), None)

    def find_comment(self, number: str) -> Comment | None:
        """A comment it wrote, received, liked or reacted to."""
        return next((c for c in self.all_comments() if str(c.id) == number), None)

    def all_comments(self) -> Iterator[Comment]:
        """Every comment that it may read, replies included."""
        rows = [*self.library.liked_comments, *self.library.reactions]
        others = [row.subject for row in rows if isinstance(row.subject, Comment)]
        on_lists = [comment for made in self.library.lists for comment in made.comments]
        for comment in [*self.library.comments, *on_lists, *others]:
            yield comment
            yield from comment.replies

    def own_comments(self) -> list[Comment]:
        """Comments and replies that it wrote, newest first."""
        found = {c.id: c for c in self.all_comments() if c.author is self.library.user}
        return sorted(found.values(), key=lambda comment: (comment.at, comment.id), reverse=True)

    def settings(self, *, browsing: Facts | None) -> Facts:
        """The answer of `GET /users/settings`."""
        member = dict(user(self.library.user, "full"))
        ids: Facts = {"slug": self.slug, "trakt": self.library.user.trakt}
        member["ids"] = {**ids, "uuid": f"{self.library.user.trakt:032x}"}
        member["dob"] = None
        parts: Facts = {"user": member, "permissions": self.library.account["permissions"]}
        if browsing is not None:
            parts["browsing"] = browsing
        return {**parts, **self.library.account}

    def stats(self) -> Facts:
        """The answer of `GET /users/:id/stats`, counted from what there is."""
        library = self.library
        movies, shows = self._watched_films(), self._watched_episodes()
        totals = {name: len(rows) for name, rows in library.ratings.items()}
        marks = [row.facts["rating"] for rows in library.ratings.values() for row in rows]
        network = {
            "friends": len(library.friends),
            "followers": len(library.followers),
            "following": len(library.following),
        }
        return {
            "movies": {**movies, **self._common("movie", totals["movies"])},
            "shows": {
                "watched": len(self.history.shows()),
                **self._common("show", totals["shows"]),
            },
            "seasons": {"ratings": totals["seasons"], "comments": self._commented("season")},
            "episodes": {**shows, **self._common("episode", totals["episodes"])},
            "network": network,
            "ratings": {
                "total": len(marks),
                "distribution": {str(n): marks.count(n) for n in range(1, 11)},
            },
        }

    def _watched_films(self) -> Facts:
        times = self.history.films()
        minutes = sum(self.catalogue.films[i].runtime * len(t) for i, t in times.items())
        plays = sum(map(len, times.values()))
        return {"plays": plays, "watched": len(times), "minutes": minutes}

    def _watched_episodes(self) -> Facts:
        plays = watched = minutes = 0
        for record in self.history.shows().values():
            seen = len(record.times(specials=True))
            plays += seen
            watched += sum(map(len, record.seasons.values()))
            minutes += seen * record.show.runtime
        return {"plays": plays, "watched": watched, "minutes": minutes}

    def _common(self, kind: str, ratings: int) -> Facts:
        owned = self.collected_shows() if kind == "show" else self.collected(kind)
        return {"collected": len(owned), "ratings": ratings, "comments": self._commented(kind)}

    def _commented(self, kind: str) -> int:
        return sum(comment.kind == kind for comment in self.library.comments)

    def collected(self, kind: str) -> list[Entry]:
        """Copies owned of a kind, the last collected first."""
        rows = [row for row in self.library.collection if row.kind == kind]
        return sorted(rows, key=lambda row: str(row.facts["collected_at"]), reverse=True)

    def collected_shows(self) -> dict[int, list[Entry]]:
        """Collected episodes by the id of their show."""
        found: dict[int, list[Entry]] = {}
        for row in self.collected("episode"):
            subject = row.subject
            if isinstance(subject, Episode):
                found.setdefault(subject.show.trakt, []).append(row)
        return found
