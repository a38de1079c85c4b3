"""What the API answers of the account itself, its copy, its backups and its posts; see `shapes`."""

from __future__ import annotations

from typing import Annotated

from watchbook.web.api.shapes import (
    AsOf,
    Count,
    Done,
    Moment,
    Number,
    Shape,
    Sheet,
    WhyStale,
    says,
)


class Copy(Shape, frozen=True, kw_only=True):
    """A backup archive, and how it stood when it was last looked at."""

    name: str
    written_at: Moment
    bytes: Number
    sha256: str
    verdict: Annotated[str, says("How complete it was when written: `complete` or `incomplete`.")]
    words: Annotated[str | None, says("What is missing in it, and why.")]
    encrypted: bool
    checked_at: Moment | None
    check: Annotated[str | None, says("How it stood then: `whole`, `damaged` or `gone`.")]
    check_words: str | None


class Backups(Done, frozen=True, kw_only=True):
    """Backup archives, newest first."""

    items: list[Copy]


class Try(Shape, frozen=True, kw_only=True):
    """One try at a post, or one look for it, and what the site answered."""

    what: Annotated[str, says("`send`, `look` or `poster`")]
    began_at: Moment
    ended_at: Moment | None
    outcome: str | None
    status: Annotated[int | None, says("The HTTP status of the answer.")]
    words: Annotated[str | None, says("What the site said, without secrets.")]


class Post(Shape, frozen=True, kw_only=True):
    """A post on a site, or a change of one, and how it stands."""

    id: int
    site: str
    kind: Annotated[str, says("`create`, `update` or `withdraw`")]
    post_id: Annotated[int | None, says("Of an update or a withdrawal: the post it is about.")]
    state: str
    reason: Annotated[str | None, says("Why it is held, in a word.")]
    words: Annotated[str | None, says("How it ended, and what to do, in words.")]
    url: Annotated[str | None, says("Where the site published it.")]
    watched_at: Moment | None
    made_at: Moment
    due_at: Moment
    settled_at: Moment | None
    plays: Annotated[list[Number], says("History ids of what it is about.")]
    tries: Annotated[list[Try], says("The latest tries, oldest first.")]


class Outbox(Sheet, frozen=True, kw_only=True):
    """Posts, those made last first."""

    items: list[Post]


class Run(Shape, frozen=True, kw_only=True):
    """A sync, an import, a backup … and how it ended."""

    kind: str
    started_at: Moment
    finished_at: Moment | None
    outcome: Annotated[str, says("`complete`, `incomplete`, `failed`, `interrupted`, `running`")]
    words: Annotated[str | None, says("The verdict, in words.")]
    hint: Annotated[str | None, says("What to do about it.")]
    requests: Annotated[Count, says("Requests that it sent to Trakt.")]


class KnownSet(Shape, frozen=True, kw_only=True):
    """One kind of data, and how completely it is kept."""

    name: str
    state: Annotated[str, says("`complete`, `incomplete`, `unavailable` or `never`")]
    words: str | None
    kept: Annotated[Number | None, says("Rows here.")]
    claimed: Annotated[Number | None, says("Rows that Trakt says there are.")]
    read_at: Moment | None


class Health(Done, frozen=True, kw_only=True):
    """How the copy of an account stands."""

    as_of: AsOf
    stale: bool
    reason: WhyStale
    plays: Count
    runs: Annotated[list[Run], says("The latest runs, newest first.")]
    data_sets: list[KnownSet]


class Person(Done, frozen=True, kw_only=True):
    """An account: what may be seen of it, and where."""

    account: str
    shares: Annotated[list[str], says("Parts that everybody may see.")]
    own: Annotated[bool, says("Whether a token of this account asked, which may read all.")]
    time_zone: Annotated[str | None, says("Where its days begin.")]
    links: Annotated[dict[str, str], says("Address of everything that the asker may read.")]
