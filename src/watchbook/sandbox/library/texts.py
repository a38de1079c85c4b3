"""Comments with replies, likes and reactions on the comments of others, and notes."""

from __future__ import annotations

from watchbook.sandbox.library.entries import Comment, Entry, Facts, Play, Subject, UserList, stamp
from watchbook.sandbox.library.maker import Maker, kind_of
from watchbook.sandbox.library.people import film_people

REACTIONS = ("like", "dislike", "love", "laugh", "shocked", "bravo", "spoiler")
NOTE_TYPES = (
    "movies",
    "shows",
    "seasons",
    "episodes",
    "people",
    "activities",
    "collection_items",
    "ratings",
)
"""The eight kinds of notes, as their addresses name them."""

_SHOUTS = (
    "Better the second time, when you watch the hands and not the faces.",
    "I laughed, I cried, I forgot the pasta on the stove.",
    "Nobody told me the dog would be fine. The dog is fine.",
    "مذهل من البداية إلى النهاية.",
    "The last ten minutes 🤯 … no words.",
    "Solid. Loses its way in the middle & finds it again.",
)
_ANSWERS = (
    "Same here, word for word.",
    "I could not disagree more, but well put!",
    "Thanks, now I have to see it again.",
)
_NOTE = "Seen with the neighbours; {what} was new to all of us."


class TextMaker:
    """Writes what one account wrote, and what others answered."""

    def __init__(self, make: Maker) -> None:
        """Draw from the account's maker."""
        self.make = make

    def comments(self, lists: list[UserList]) -> list[Comment]:
        """Comments on films, shows, seasons, episodes and a list; some are reviews."""
        subjects: list[Subject] = [*self.make.several("movie", 6), *self.make.several("show", 4)]
        subjects += [*self.make.several("season", 2), *self.make.several("episode", 4)]
        found = [self._comment(n, subject, kind_of(subject)) for n, subject in enumerate(subjects)]
        found.append(self._comment(len(found), lists[0], "list"))
        return sorted(found, key=lambda comment: comment.at, reverse=True)

    def _comment(self, number: int, subject: Subject, kind: str) -> Comment:
        make = self.make
        review = number % 5 == 4
        text = _SHOUTS[number % len(_SHOUTS)]
        comment = Comment(
            id=make.number(),
            parent_id=0,
            author=make.user,
            text=" ".join([text] * 40) if review else text,
            at=make.past(6),
            kind=kind,
            subject=subject,
            spoiler=number % 7 == 5,
            review=review,
            likes=number % 4,
            rating=make.chance.randint(4, 10) if number % 2 else None,
        )
        comment.replies = [self._reply(comment, n) for n in range(number % 3)]
        return comment

    def _reply(self, comment: Comment, number: int) -> Comment:
        make = self.make
        # Now and then the account answers itself.
        author = make.user if number else make.members[comment.id % 20]
        at = min(make.today - 1, comment.at + 600 * (number + 1))
        text = _ANSWERS[(comment.id + number) % len(_ANSWERS)]
        return Comment(make.number(), comment.id, author, text, at, comment.kind, comment.subject)

    def of_others(self, count: int) -> list[Comment]:
        """Comments by other members; the last author is deleted."""
        found = []
        for number in range(count):
            comment = self._comment(number, self.make.film(), "movie")
            comment.author = self.make.members[-1 if number == count - 1 else number % 20]
            found.append(comment)
        return found

    def liked(self) -> list[Entry]:
        """Comments of others that the account likes."""
        found = self.of_others(4)
        facts: list[Facts] = [
            {"liked_at": stamp(self.make.past(3)), "type": "comment"} for _ in found
        ]
        return [Entry("comment", c, f) for c, f in zip(found, facts, strict=True)]

    def reactions(self) -> list[Entry]:
        """Every kind of reaction to comments of others."""
        rows = []
        for comment, word in zip(self.of_others(len(REACTIONS)), REACTIONS, strict=True):
            facts: Facts = {"reacted_at": stamp(self.make.past(1)), "reaction": {"type": word}}
            rows.append(Entry("comment", comment, {**facts, "type": "comment"}))
        return rows

    def notes(
        self, plays: list[Play], rated: dict[str, list[Entry]], collected: list[Entry]
    ) -> dict[str, list[Facts]]:
        """Notes on titles and people, on plays, on collected copies and on ratings."""
        make = self.make
        kinds = {"movies": "movie", "shows": "show", "seasons": "season", "episodes": "episode"}
        found = {
            section: [self._note(kind, kind, title) for title in make.several(kind, 3)]
            for section, kind in kinds.items()
        }
        found["people"] = [self._note("person", "person", film_people()[0])]
        found["activities"] = [self._of_play(play) for play in plays[-2:]]
        copies = [row for row in collected if row.kind == "movie"][:2]
        found["collection_items"] = [self._note("collection", r.kind, r.subject) for r in copies]
        stars = rated["movies"][:2] + rated["episodes"][:1]
        found["ratings"] = [self._note("rating", r.kind, r.subject) for r in stars]
        return found

    def _of_play(self, play: Play) -> Facts:
        title = self.make.catalogue.title(play.item)
        note = self._note("history", kind_of(title), title)
        note["attached_to"] = {"type": "history", "id": play.id}
        return note

    def _note(self, attached: str, kind: str, subject: Subject) -> Facts:
        make = self.make
        number = make.number()
        at = stamp(make.past(2))
        return {
            "id": number,
            "notes": _NOTE.format(what=f"the {kind}"),
            "privacy": ("private", "friends", "public")[number % 3],
            "spoiler": number % 4 == 0,
            "created_at": at,
            "updated_at": at,
            "attached_to": {"type": attached},
            "item": Entry(kind, subject, {"type": kind}),
        }
