"""The generator of believable libraries: titles, years of watching, lists, texts and friends."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from watchbook.sandbox.library import belongings, profile
from watchbook.sandbox.library.catalogue import Catalogue, build
from watchbook.sandbox.library.entries import Comment, Entry, Facts, Play, UserList
from watchbook.sandbox.library.lists import ListMaker
from watchbook.sandbox.library.maker import Maker
from watchbook.sandbox.library.people import ZONES, owner
from watchbook.sandbox.library.texts import TextMaker
from watchbook.sandbox.library.titles import User
from watchbook.sandbox.library.viewing import Viewer

__all__ = ["Catalogue", "Library", "build", "generate"]


@dataclass(slots=True, eq=False)
class Library:
    """Everything that one account keeps at Trakt."""

    user: User
    zone: str
    plays: list[Play]
    touched: dict[int, int]
    ratings: dict[str, list[Entry]]
    watchlist: list[Entry]
    favorites: list[Entry]
    collection: list[Entry]
    playback: list[Entry]
    hidden: dict[str, list[Entry]]
    saved_filters: list[Facts]
    watching: Entry | None
    lists: list[UserList]
    collaborations: list[UserList]
    liked_lists: list[Entry]
    smart_lists: list[Facts]
    comments: list[Comment]
    liked_comments: list[Entry]
    reactions: list[Entry]
    notes: dict[str, list[Facts]]
    followers: list[Entry]
    following: list[Entry]
    friends: list[Entry]
    requests: list[Entry]
    pending: list[Entry]
    blocked: list[Entry]
    account: Facts
    plex: Facts
    younify: list[Facts]
    syncs: list[Facts]


def generate(
    catalogue: Catalogue, plays: int, seed: int, index: int, today: int, *, vip: bool = True
) -> Library:
    """The library of the account at a position: the same for the same arguments, always."""
    chance = Random(f"library:{seed}:{index}")
    zone, shift = ZONES[index % len(ZONES)]
    viewing = Viewer(catalogue, chance, today, shift).watch(plays, index)
    make = Maker(catalogue, viewing, owner(index, seed, today, vip=vip), chance, today)
    lists, texts = ListMaker(make), TextMaker(make)
    personal = lists.personal()
    ratings, collection = belongings.ratings(make), belongings.collection(make)
    members = make.members
    return Library(
        user=make.user,
        zone=zone,
        plays=viewing.plays,
        touched=viewing.touched,
        ratings=ratings,
        watchlist=belongings.watchlist(make),
        favorites=belongings.favorites(make),
        collection=collection,
        playback=belongings.playback(make),
        hidden=belongings.hidden(make),
        saved_filters=belongings.saved_filters(make),
        watching=None,
        lists=personal,
        collaborations=lists.collaborations(),
        liked_lists=lists.liked(),
        smart_lists=lists.smart(),
        comments=texts.comments(personal),
        liked_comments=texts.liked(),
        reactions=texts.reactions(),
        notes=texts.notes(viewing.plays, ratings, collection),
        followers=make.members_entries(members[:14], "followed_at"),
        following=make.members_entries([*members[6:18], members[-1]], "followed_at"),
        friends=make.members_entries(members[6:14], "friends_at"),
        requests=make.members_entries(members[18:20], "requested_at", numbered=True),
        pending=make.members_entries(members[3:4], "requested_at", numbered=True),
        blocked=make.members_entries(members[5:6], "blocked_at"),
        account=profile.account(make, zone),
        plex=profile.plex(make, vip=vip),
        younify=profile.younify(make),
        syncs=profile.syncs(make),
    )
