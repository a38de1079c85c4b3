"""Settings, data syncs and the connections to Plex and streaming services."""

from __future__ import annotations

from hashlib import sha256

from watchbook.sandbox.library.entries import Entry, Facts, stamp
from watchbook.sandbox.library.maker import Maker, kind_of

LIMITS: Facts = {
    "list": {"count": 100, "item_count": 5_000},
    "watchlist": {"item_count": 5_000},
    "favorites": {"item_count": 100},
}
_CONNECTIONS = (
    "facebook",
    "twitter",
    "mastodon",
    "google",
    "tumblr",
    "medium",
    "slack",
    "apple",
    "dropbox",
    "microsoft",
)
_SERVICES = ("Netflix", "Max", "Hulu")


def secret(make: Maker, purpose: str) -> str:
    """A made-up secret of the account, always the same for the same account and purpose."""
    return sha256(f"{purpose}:{make.user.trakt}".encode()).hexdigest()


def account(make: Maker, zone: str) -> Facts:
    """The parts of the settings that are not about the person."""
    return {
        "permissions": {"commenting": True, "liking": True, "following": True},
        "account": {
            "timezone": zone,
            "date_format": "ymd",
            "time_24hr": True,
            "cover_image": None,
            "token": secret(make, "feed"),
            "display_ads": False,
        },
        "connections": {name: name in ("apple", "google") for name in _CONNECTIONS},
        "sharing_text": {
            "watching": "I'm watching [item]",
            "watched": "I just watched [item]",
            "rated": "[item] [stars]",
        },
        "limits": LIMITS,
    }


def browsing() -> Facts:
    """How the person likes the website to look: what `extended=browsing` adds to the settings."""
    on_deck: Facts = {"sort": "activity", "sort_how": "desc", "refresh": True}
    plain: Facts = {"refresh": False, "simple_progress": False, "include_specials": False}
    grid: Facts = {
        "sort": "activity",
        "sort_how": "desc",
        "use_last_activity": True,
        "grid_view": True,
    }
    return {
        "watch_popup_action": "ask",
        "hide_watching_now": False,
        "week_start_day": "monday",
        "watch_only_once": False,
        "show_rating_prompt": True,
        "locale": "en",
        "other_site_ratings": True,
        "release_date_ignore_runtime": False,
        "display_early_ratings": False,
        "hide_episode_type_tags": False,
        "hide_unsaved_filters_prompt": True,
        "spoilers": dict.fromkeys(
            ("episodes", "shows", "movies", "comments", "ratings", "actors"), "show"
        ),
        "calendar": {"period": "month", "hide_specials": False, "autoscroll": True},
        "progress": {
            "on_deck": {**on_deck, "simple_progress": False, "only_favorites": False},
            "watched": {**plain, "include_watchlisted": False, "include_collected": False, **grid},
            "collected": {**plain, "include_watchlisted": False, "include_watched": False, **grid},
        },
        "watchnow": {"country": "dk", "favorites": ["dk-netflix"], "only_favorites": False},
        "welcome": {"completed_at": None, "exit_step": None},
        "genres": {"favorites": ["drama", "science-fiction"], "disliked": ["reality"]},
        "comments": {"blocked_uids": [880_005]},
        "recommendations": {"ignore_collected": True, "ignore_watchlisted": False},
        "rewatching": {"adjust_percentage": False},
        "profile": {
            "favorites": {"sort_by": "rank", "sort_how": "asc"},
            "most_watched_shows": {"sort_by": "plays", "tab": "all"},
            "most_watched_movies": {"sort_by": "plays", "tab": "all"},
        },
        "search": {
            "recent_queries": [{"query": "heist", "type": "movie", "created_at": 1_760_000_000}]
        },
    }


def plex(make: Maker, *, vip: bool) -> Facts:
    """The Plex connection; the webhook's address carries a secret and exists for VIP only."""
    watched: Facts = {"watching": True, "watched": True, "rated": True, "collected": False}
    rated: Facts = {"rated": True}
    hook = f"https://plex.invalid/webhook/{secret(make, 'plex')}" if vip else None
    movie: Facts = {"movie": {**watched, "watchlist": False}}
    return {
        "connection": {"connected": True, "username": "sandbox"},
        "webhook": {
            "url": hook,
            "last_event_at": stamp(make.today - 90),
            "event_count": 2_417,
            "home_users": None,
        },
        "sync": {
            "configured": True,
            "error": False,
            "selection": {
                "server_ids": ["living-room"],
                "library_ids": [{"server_id": "living-room", "uuid": "films"}],
                "user_ids": [],
            },
            "toggles": {
                **movie,
                "show": {**rated, "watchlist": False},
                "season": rated,
                "episode": watched,
            },
        },
        "scrobbler": {
            "toggles": {"movie": watched, "show": rated, "season": rated, "episode": watched}
        },
    }


def younify(make: Maker) -> list[Facts]:
    """Streaming services, the first of them connected."""
    return [
        {
            "id": name.lower(),
            "name": name,
            "vip": True,
            "color": "#e50914",
            "images": {"logo": f"walter-r2.trakt.tv/images/services/{name.lower()}/logo.webp"},
            "connectable": True,
            "connected": number == 0,
            "active": number == 0,
            "profile": {"id": "1", "name": make.user.name} if number == 0 else None,
            "last_synced_at": stamp(make.today - 300) if number == 0 else None,
        }
        for number, name in enumerate(_SERVICES)
    ]


def syncs(make: Maker) -> list[Facts]:
    """Data syncs of all three kinds, newest first, with what they paused and skipped."""
    table = (
        ("younify", "Netflix", None),
        ("plex", "living-room", "Plex"),
        ("import", "imdb", None),
    )
    rows: list[Facts] = []
    for number, (kind, source, application) in enumerate(table):
        paused = [_synced(make, n) for n in range(3 - number)]
        skipped = [_synced(make, n) for n in range(number * 2)]
        rows.append(
            {
                "id": 90_000 - number * 7,
                "created_at": stamp(make.past(0.2) - number * 90 * 1_440),
                "kind": kind,
                "source": source,
                "application": application,
                "undone": number == 2,
                "undone_at": stamp(make.past(0.1)) if number == 2 else None,
                "items": {"history": {"movies": 12, "episodes": 340}, "ratings": {"movies": 4}},
                "paused": paused,
                "skipped": skipped,
            }
        )
    return rows


def _synced(make: Maker, number: int) -> Facts:
    kind = ("movie", "episode", "show")[number % 3]
    title = make.draw(kind)
    return {
        "kind": "rating" if kind == "show" else "history",
        "type": kind_of(title),
        "trakt_item": Entry(kind, title, {"type": kind}),
        "service_id": "netflix",
        "content_id": str(make.number()),
        "watched_at": stamp(make.past(1)),
        "progress": 94.5,
    }
