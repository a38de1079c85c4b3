"""What is really in an account, for tests to hold against what a client has read."""

from __future__ import annotations

from watchbook.sandbox.library.entries import stamp
from watchbook.sandbox.trakt.account import Account
from watchbook.sandbox.trakt.world import World


def state(world: World, account: Account) -> dict[str, object]:
    """Every live play, rows of every data set, timestamps and statistics of an account."""
    plays = [{"id": play.id, "watched_at": stamp(play.minute)} for play in account.history.plays]
    return {
        "account": account.slug,
        "now": world.clock.now().isoformat(),
        "plays": plays,
        "counts": counts(world, account),
        "last_activities": account.activities.as_json(),
        "stats": account.stats(),
    }


def counts(world: World, account: Account) -> dict[str, int]:
    """Rows of every data set, as its own endpoint would count them."""
    library, catalogue = account.library, world.catalogue
    films = account.history.films()
    found = {
        "history": len(account.history.plays),
        "watched_movies": sum(not catalogue.films[item].removed for item in films),
        "watched_shows": len(account.history.shows()),
        "watchlist": len(library.watchlist),
        "favorites": len(library.favorites),
        "collection_movies": len(account.collected("movie")),
        "collection_episodes": len(account.collected("episode")),
        "collection_shows": len(account.collected_shows()),
        "playback": len(library.playback),
        "saved_filters": len(library.saved_filters),
        "lists": len(library.lists),
        "collaborations": len(library.collaborations),
        "liked_lists": len(library.liked_lists),
        "liked_comments": len(library.liked_comments),
        "reactions": len(library.reactions),
        "smart_lists": len(library.smart_lists),
        "comments": len(account.own_comments()),
        "followers": len(library.followers),
        "following": len(library.following),
        "friends": len(library.friends),
        "requests": len(library.requests),
        "pending": len(library.pending),
        "blocked": len(library.blocked),
        "syncs": len(library.syncs),
    }
    found |= {f"ratings_{kind}": len(rows) for kind, rows in library.ratings.items()}
    found |= {f"hidden_{section}": len(rows) for section, rows in library.hidden.items()}
    found |= {f"notes_{kind}": len(rows) for kind, rows in library.notes.items()}
    return found | {f"list_{made.trakt}": len(made.items) for made in library.lists}
