"""Personal lists of every privacy, collaborations, liked lists and smart lists."""

from __future__ import annotations

from watchbook.sandbox.library.belongings import Title, ranked
from watchbook.sandbox.library.entries import Comment, Entry, Facts, UserList, stamp
from watchbook.sandbox.library.maker import Maker
from watchbook.sandbox.library.people import film_people
from watchbook.sandbox.library.titles import User, slugify

_LISTS = (
    ("Films for a rainy Sunday", "public", "For when nobody wants to decide.", "rank"),
    ("Rewatch with the children", "private", None, "added"),
    ("Halloween 🎃", "friends", "One a night, all October.", "title"),
    ("قائمة السفر", "link", None, "rank"),
    ("Best pilots ever", "public", "Episodes only. Well, nearly.", "my_rating"),
    ("Empty for now", "private", None, "rank"),
)
_COLLABORATIONS = ("Film club, season 4", "Movies set on trains")
_REMARKS = (
    "Great choice, I would only swap the last two.",
    "Where is the director's cut of the third one?",
    "Followed. Please never stop adding to this list.",
)
_SMART = (
    ("Unseen sci-fi", "public", "discover", "movies", {"genres": ["science-fiction"]}),
    (
        "Short evenings",
        "private",
        "watchlist",
        "media",
        {"runtimes": [0, 45], "ignore_watched": True},
    ),
)


class ListMaker:
    """Makes lists for one account."""

    def __init__(self, make: Maker) -> None:
        """Draw from the account's maker."""
        self.make = make

    def personal(self) -> list[UserList]:
        """The account's own lists; the last one is empty."""
        lists = [self._list(name, self.make.user, privacy) for name, privacy, *_ in _LISTS]
        for made, (_, _, description, sort_by) in zip(lists, _LISTS, strict=True):
            made.description = description
            made.sort_by = sort_by
            made.items = ranked(self.make, self._titles(made.sort_by)) if description else []
        self._extend(lists)
        return lists

    def _extend(self, lists: list[UserList]) -> None:
        """People among the items, a private list of one item, remarks and likes on the first."""
        first, second, _, linked, *_ = lists
        first.items += self._people(len(first.items))
        second.items = ranked(self.make, self.make.several("movie", 1))
        linked.items = ranked(self.make, self.make.several("show", 3))
        first.comments = [self.remark(first, n) for n in range(len(_REMARKS))]
        first.likes = self.make.members_entries(self.make.members[:4], "liked_at")

    def collaborations(self) -> list[UserList]:
        """Lists of others that the account may edit."""
        return [self._foreign(name, n) for n, name in enumerate(_COLLABORATIONS, 8)]

    def liked(self) -> list[Entry]:
        """Lists of others that the account likes; one of them is gone."""
        rows = []
        for number in range(3):
            made = self._foreign(f"Essential viewing, part {number + 1}", number)
            facts: Facts = {"liked_at": stamp(self.make.past(3)), "type": "list"}
            rows.append(Entry("list", made if number else None, facts))
        return rows

    def smart(self) -> list[Facts]:
        """Definitions of smart lists."""
        rows: list[Facts] = []
        for name, privacy, source, media, filters in _SMART:
            at = stamp(self.make.past(1))
            ids = {"trakt": self.make.number(), "slug": slugify(name, "list")}
            head: Facts = {"name": name, "privacy": privacy, "created_at": at, "updated_at": at}
            tail: Facts = {"source": source, "media_type": media, "filters": filters}
            rows.append({**head, "ids": ids, "images": {"posters": []}, **tail})
        return rows

    def remark(self, made: UserList, number: int) -> Comment:
        """A comment that somebody left on a list."""
        make = self.make
        author = make.members[number + 1]
        text = _REMARKS[number % len(_REMARKS)]
        at = make.past(2)
        return Comment(make.number(), 0, author, text, at, "list", made, likes=number)

    def _foreign(self, name: str, member: int) -> UserList:
        made = self._list(name, self.make.members[member], "public")
        made.items = ranked(self.make, self._titles("rank"))
        return made

    def _list(self, name: str, owner: User, privacy: str) -> UserList:
        trakt = self.make.number()
        slug = slugify(name, f"list-{trakt}")
        at = self.make.past()
        later = at + int((self.make.today - 1 - at) * self.make.chance.random())
        return UserList(trakt, name, slug, owner, privacy, at, later)

    def _titles(self, sort_by: str) -> list[Title]:
        make = self.make
        if sort_by == "my_rating":
            return [*make.several("episode", 8), *make.several("season", 3)]
        return [*make.several("movie", 12), *make.several("show", 4), *make.several("season", 1)]

    def _people(self, rank: int) -> list[Entry]:
        rows = []
        for number, person in enumerate(film_people()[:4], rank + 1):
            head: Facts = {"rank": number, "id": self.make.number()}
            facts: Facts = {**head, "listed_at": stamp(self.make.past(2)), "notes": None}
            rows.append(Entry("person", person, {**facts, "type": "person"}))
        return rows
