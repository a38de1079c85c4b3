"""Changes that a person makes at Trakt; each moves the timestamps that it should."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from watchbook.sandbox.answer import Refusal, refused
from watchbook.sandbox.library.entries import Entry, Facts, Play, UserList, stamp
from watchbook.sandbox.library.maker import kind_of
from watchbook.sandbox.library.titles import Episode, Film, Season, Show, slugify
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.world import World

Title = Film | Show | Season | Episode

_HIDDEN_FIELDS = {"dropped": "shows.dropped_at", "comments": "comments.blocked_at"}


def touch(world: World, account: Account, *fields: str) -> None:
    """Move timestamps of an account to now."""
    account.activities.touch(world.clock.now(), *fields)


def _watched_fields(world: World, plays: Iterable[Play]) -> list[str]:
    kinds = {world.catalogue.is_film(play.item) for play in plays}
    names = {True: "movies.watched_at", False: "episodes.watched_at"}
    return [names[kind] for kind in sorted(kinds, reverse=True)]


def add_plays(
    world: World,
    account: Account,
    count: int = 1,
    watched_at: int | None = None,
    item: int | None = None,
    action: str = "watch",
) -> list[Play]:
    """Add plays; without a time they happened just now, one minute apart."""
    now = world.clock.minute()
    added = []
    for number in range(count):
        minute = now - (count - 1 - number) if watched_at is None else watched_at
        title = _some_item(world, account) if item is None else item
        play = Play(minute, account.history.next_id(), title, action)
        account.history.add(play, now)
        added.append(play)
    _unlist(world, account, added)
    touch(world, account, *_watched_fields(world, added))
    return added


def _some_item(world: World, account: Account) -> int:
    """Another film or episode each time, always the same in the same history."""
    films = len(world.catalogue.films)
    last = world.catalogue.shows[-1]
    draw = Random(account.history.next_id())
    if draw.random() < 0.3:
        return draw.randrange(films - 1)
    return films + draw.randrange(last.first + last.size)


def _unlist(world: World, account: Account, plays: list[Play]) -> None:
    """Watching takes a film or show off the watchlist."""
    for play in plays:
        title = world.catalogue.title(play.item)
        seen = {title.trakt} | ({title.show.trakt} if isinstance(title, Episode) else set())
        gone = [
            row
            for row in account.library.watchlist
            if row.kind in ("movie", "show") and getattr(row.subject, "trakt", 0) in seen
        ]
        if gone:
            _take_off(world, account, gone)


def _take_off(world: World, account: Account, gone: list[Entry]) -> None:
    account.library.watchlist = [row for row in account.library.watchlist if row not in gone]
    _rerank(account.library.watchlist)
    fields = {f"{row.kind}s.watchlisted_at" for row in gone}
    touch(world, account, "watchlist.updated_at", *sorted(fields))


def _rerank(rows: list[Entry]) -> None:
    for rank, row in enumerate(rows, 1):
        row.facts["rank"] = rank


def delete_plays(world: World, account: Account, ids: Sequence[int]) -> list[Play]:
    """Delete plays; Trakt leaves nothing behind but a moved timestamp."""
    removed = account.history.remove(ids)
    if removed:
        touch(world, account, *_watched_fields(world, removed))
    return removed


def pick(account: Account, count: int, seed: int) -> list[int]:
    """Ids of some plays, evenly at random but always the same for the same seed."""
    plays = account.history.plays
    return [play.id for play in Random(seed).sample(plays, min(count, len(plays)))]


def edit_play(
    world: World, account: Account, history_id: int, watched_at: int, *, keep_id: bool
) -> Play:
    """Give a play another date; whether its id survives that, nobody has promised."""
    found = account.history.find(history_id)
    if found is None:
        raise Refusal(refused(404, "not_found", f"there is no play {history_id}"))
    account.history.remove([history_id])
    number = history_id if keep_id else account.history.next_id()
    play = Play(watched_at, number, found.item, found.action)
    account.history.add(play, world.clock.minute())
    touch(world, account, *_watched_fields(world, [play]))
    return play


def rate(world: World, account: Account, title: Title, rating: int | None) -> None:
    """Rate a title, or with None take the rating back."""
    kind = kind_of(title)
    rows = account.library.ratings[f"{kind}s"]
    rows[:] = [row for row in rows if _trakt(row) != title.trakt]
    if rating is not None:
        now = stamp(world.clock.minute())
        rows.insert(0, Entry(kind, title, {"rated_at": now, "rating": rating}))
    touch(world, account, f"{kind}s.rated_at")


def _trakt(row: Entry) -> int:
    return int(getattr(row.subject, "trakt", 0))


def list_item(world: World, account: Account, rows: list[Entry], title: Title) -> Entry:
    """Put a title at the end of a list, once."""
    kind = kind_of(title)
    head: Facts = {"rank": len(rows) + 1, "id": next(account.numbers)}
    now = stamp(world.clock.minute())
    row = Entry(kind, title, {**head, "listed_at": now, "notes": None, "type": kind})
    rows.append(row)
    return row


def watchlist_add(world: World, account: Account, title: Title) -> None:
    """Put a title on the watchlist."""
    row = list_item(world, account, account.library.watchlist, title)
    touch(world, account, "watchlist.updated_at", f"{row.kind}s.watchlisted_at")


def watchlist_remove(world: World, account: Account, title: Title) -> None:
    """Take a title off the watchlist."""
    rows = account.library.watchlist
    _take_off(
        world, account, [r for r in rows if r.kind == kind_of(title) and _trakt(r) == title.trakt]
    )


def favorite(world: World, account: Account, title: Title, *, on: bool) -> None:
    """Make a film or show a favourite, or not any more."""
    rows = account.library.favorites
    rows[:] = [row for row in rows if _trakt(row) != title.trakt]
    _rerank(rows)
    if on:
        list_item(world, account, rows, title)
    touch(world, account, "favorites.updated_at", f"{kind_of(title)}s.favorited_at")


def list_add(world: World, account: Account, name: str, privacy: str) -> UserList:
    """Make an empty personal list."""
    trakt, now = next(account.numbers), world.clock.minute()
    slug = slugify(name, str(trakt))
    made = UserList(trakt, name, slug, account.library.user, privacy, now, now)
    account.library.lists.append(made)
    touch(world, account, "lists.updated_at")
    return made


def list_touch(world: World, account: Account, made: UserList) -> None:
    """Note that a list or its items changed."""
    made.updated = world.clock.minute()
    touch(world, account, "lists.updated_at")


def list_delete(world: World, account: Account, made: UserList) -> None:
    """Delete a personal list with everything on it."""
    account.library.lists.remove(made)
    touch(world, account, "lists.updated_at")


def hide(world: World, account: Account, section: str, title: Title, *, on: bool) -> None:
    """Hide a title in a section, or show it again."""
    rows = account.library.hidden[section]
    rows[:] = [row for row in rows if _trakt(row) != title.trakt]
    kind = kind_of(title)
    if on:
        facts: Facts = {"hidden_at": stamp(world.clock.minute()), "type": kind}
        rows.append(Entry(kind, title, facts))
    touch(world, account, _HIDDEN_FIELDS.get(section, f"{kind}s.hidden_at"))


def watch_now(world: World, account: Account, title: Title | None) -> None:
    """Start a film or episode that runs for two hours, or stop whatever is running."""
    if title is None:
        account.library.watching = None
        return
    now, kind = world.clock.minute(), kind_of(title)
    facts: Facts = {"expires_at": stamp(now + 120), "started_at": stamp(now), "action": "checkin"}
    account.library.watching = Entry(kind, title, {**facts, "type": kind})
