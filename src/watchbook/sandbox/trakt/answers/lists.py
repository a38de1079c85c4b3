"""Watchlist, favourites, personal lists, collaborations and smart lists."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from watchbook.sandbox.answer import Headers, Refusal, as_json
from watchbook.sandbox.library.entries import Comment, Entry, Facts, UserList
from watchbook.sandbox.library.maker import kind_of
from watchbook.sandbox.library.titles import DAY, Film, Show, mix
from watchbook.sandbox.trakt.answers.plays import entries
from watchbook.sandbox.trakt.call import API, Call, Paged, Reply, listed, not_found
from watchbook.sandbox.trakt.shapes import comment, user_list

_OPEN = ("public", "link")
_GROUPS = {"media": {"movie", "show"}, "all": {"movie", "show", "season", "episode"}}


@API.get("/sync/watchlist", "/users/{user}/watchlist")
@API.get("/sync/watchlist/{type}", "/users/{user}/watchlist/{type}")
@API.get("/sync/watchlist/{type}/{sort_by}", "/users/{user}/watchlist/{type}/{sort_by}")
@API.get(
    "/sync/watchlist/{type}/{sort_by}/{sort_how}",
    "/users/{user}/watchlist/{type}/{sort_by}/{sort_how}",
)
def watchlist(call: Call) -> Reply:
    """The watchlist, of one kind, several or all."""
    return _items(call, call.account.library.watchlist)


@API.get("/sync/favorites", "/users/{user}/favorites")
@API.get("/sync/favorites/{type}", "/users/{user}/favorites/{type}")
@API.get("/sync/favorites/{type}/{sort_by}", "/users/{user}/favorites/{type}/{sort_by}")
@API.get(
    "/sync/favorites/{type}/{sort_by}/{sort_how}",
    "/users/{user}/favorites/{type}/{sort_by}/{sort_how}",
)
def favorites(call: Call) -> Reply:
    """Favourite films and shows."""
    return _items(call, call.account.library.favorites)


def _items(call: Call, rows: list[Entry]) -> Paged:
    kinds = _kinds(call.params.get("type"))
    chosen = [row for row in rows if kinds is None or row.kind in kinds]
    sort_by = call.params.get("sort_by") or call.query.get("sort_by") or "rank"
    sort_how = call.params.get("sort_how") or call.query.get("sort_how") or "asc"
    chosen.sort(key=_order(sort_by), reverse=sort_how == "desc")
    page = entries(call, chosen)
    page.headers += _sorting(sort_by, sort_how)
    return page


def _kinds(text: str | None) -> set[str] | None:
    if text is None:
        return None
    if text in _GROUPS:
        return _GROUPS[text]
    return {word.removesuffix("s").replace("people", "person") for word in text.split(",")}


def _order(sort_by: str) -> Callable[[Entry], tuple[str, int]]:
    """Only what a backup may ask for; every other word sorts by rank."""

    def key(row: Entry) -> tuple[str, int]:
        rank = int(str(row.facts["rank"]))
        if sort_by == "added":
            return str(row.facts["listed_at"]), rank
        if sort_by == "title":
            title = getattr(row.subject, "title", "") or getattr(row.subject, "name", "")
            return str(title).lower(), rank
        return "", rank

    return key


def _sorting(sort_by: str, sort_how: str) -> Headers:
    values = sort_by.encode(), sort_how.encode()
    names = ("x-sort-by", "x-sort-how"), ("x-applied-sort-by", "x-applied-sort-how")
    return [
        (name.encode(), value) for pair in names for name, value in zip(pair, values, strict=True)
    ]


@API.get("/users/{user}/watchlist/comments", "/users/{user}/watchlist/comments/{sort}")
@API.get("/users/{user}/favorites/comments", "/users/{user}/favorites/comments/{sort}")
def comments_on_built_in_lists(_: Call) -> Reply:
    """Nobody has commented on these yet."""
    return listed([])


@API.get("/users/{user}/lists")
def lists(call: Call) -> Reply:
    """Personal lists; others see the public ones."""
    return listed([user_list(made) for made in call.account.library.lists if _visible(call, made)])


def _visible(call: Call, made: UserList) -> bool:
    return call.own or made.privacy == "public"


@API.get("/users/{user}/lists/collaborations")
def collaborations(call: Call) -> Reply:
    """Lists of others that the account may edit."""
    return as_json([user_list(made) for made in call.account.library.collaborations])


def _find(call: Call) -> UserList:
    """The list that a path names, whoever of the people the caller knows owns it."""
    owner = call.params.get("user", "me")
    if call.viewer is None:
        raise Refusal(not_found())
    made = call.viewer.find_list(call.params["id"])
    if made and owner in ("me", made.owner.slug):
        return made
    made = call.world.account(owner).find_list(call.params["id"]) if owner != "me" else None
    if made is None or made.privacy not in _OPEN:
        raise Refusal(not_found())
    return made


@API.get("/users/{user}/lists/{id}", "/lists/{id}")
def one_list(call: Call) -> Reply:
    """One list, by id or slug."""
    return as_json(user_list(_find(call)))


@API.get("/users/{user}/lists/{id}/items", "/lists/{id}/items")
@API.get("/users/{user}/lists/{id}/items/{type}", "/lists/{id}/items/{type}")
@API.get("/users/{user}/lists/{id}/items/{type}/{sort_by}", "/lists/{id}/items/{type}/{sort_by}")
@API.get(
    "/users/{user}/lists/{id}/items/{type}/{sort_by}/{sort_how}",
    "/lists/{id}/items/{type}/{sort_by}/{sort_how}",
)
def list_items(call: Call) -> Reply:
    """Items of a list; "all" leaves persons out, as Trakt's contract does."""
    return _items(call, _find(call).items)


@API.get("/users/{user}/lists/{id}/comments", "/lists/{id}/comments")
@API.get("/users/{user}/lists/{id}/comments/{sort}", "/lists/{id}/comments/{sort}")
def list_comments(call: Call) -> Reply:
    """What others said about a list."""
    found: list[Comment] = _find(call).comments
    return listed([comment(made) for made in found], default=10)


@API.get("/users/{user}/lists/{id}/likes", "/lists/{id}/likes")
def list_likes(call: Call) -> Reply:
    """Who likes a list."""
    return entries(call, _find(call).likes, default=10)


@API.get("/users/{user}/smart-lists")
def smart_lists(call: Call) -> Reply:
    """Definitions of smart lists."""
    return as_json(call.account.library.smart_lists)


def _smart(call: Call) -> Facts:
    everybody = () if "user" in call.params else call.world.accounts()
    for account in chain([call.account], everybody):
        for made in account.library.smart_lists:
            if call.params["id"] in _names(made):
                return made
    raise Refusal(not_found())


def _names(made: Facts) -> list[str]:
    ids = made["ids"]
    return [str(value) for value in ids.values()] if isinstance(ids, dict) else []


@API.get("/users/{user}/smart-lists/{id}", "/smart-lists/{id}")
def smart_list(call: Call) -> Reply:
    """One definition."""
    return as_json(_smart(call))


@API.get("/smart-lists/{id}/items/{type}/{sort_by}/{sort_how}", "/smart-lists/{id}/items/{type}")
def smart_list_items(call: Call) -> Reply:
    """Items worked out from a definition: another forty titles every week."""
    made = _smart(call)
    week = call.world.clock.today() // (7 * DAY)
    number = mix(len(str(made["name"])), week)
    found: list[Film | Show] = []
    if made["media_type"] != "shows":
        found += _stretch(call.world.catalogue.films[:-1], number, 25)
    if made["media_type"] != "movies":
        found += _stretch(call.world.catalogue.shows, number, 15)
    chosen: list[Entry] = []
    for rank, title in enumerate(found, 1):
        kind = kind_of(title)
        chosen.append(Entry(kind, title, {"rank": rank, "type": kind}))
    return entries(call, chosen)


def _stretch(titles: list[Film] | list[Show], number: int, length: int) -> list[Film | Show]:
    start = number % max(1, len(titles))
    return [*titles[start : start + length]]
