"""Profile, settings, statistics, timestamps, filters, data syncs and connections."""

from __future__ import annotations

from watchbook.sandbox.answer import Refusal, as_json, refused
from watchbook.sandbox.library.entries import Entry, Facts
from watchbook.sandbox.library.profile import browsing
from watchbook.sandbox.trakt.call import API, Call, Reply, listed, not_found
from watchbook.sandbox.trakt.shapes import user

_VIP_PAGE = (b"x-upgrade-url", b"https://app.trakt.tv/vip")


@API.get("/users/{user}")
def profile(call: Call) -> Reply:
    """The member."""
    return as_json(user(call.account.library.user, "full" if call.extended else "plain"))


@API.get("/users/settings")
def settings(call: Call) -> Reply:
    """Settings; `extended=browsing` adds how the website should look."""
    told = browsing() if "browsing" in call.extended else None
    return as_json(call.account.settings(browsing=told))


@API.get("/users/{user}/stats")
def stats(call: Call) -> Reply:
    """Counts of everything, made from what there is."""
    return as_json(call.account.stats())


@API.get("/sync/last_activities")
def last_activities(call: Call) -> Reply:
    """When each data set last changed."""
    return as_json(call.account.activities.as_json())


@API.get("/users/saved_filters")
@API.get("/users/saved_filters/{section}")
def saved_filters(call: Call) -> Reply:
    """Saved searches, for VIP accounts."""
    if not call.account.library.user.vip:
        return refused(426, "vip_only", "Saved filters need VIP", [_VIP_PAGE])
    section = call.params.get("section")
    rows = call.account.library.saved_filters
    return listed([row for row in rows if section in (None, row["section"])], default=10)


@API.get("/users/syncs")
def syncs(call: Call) -> Reply:
    """Data syncs, the newest first."""
    return listed([_summary(row) for row in call.account.library.syncs], default=10)


def _summary(row: Facts) -> Facts:
    hidden = ("paused", "skipped")
    counts = {f"{name}_count": len(_rows(row, name)) for name in hidden}
    return {**{k: v for k, v in row.items() if k not in hidden}, **counts}


def _rows(row: Facts, name: str) -> list[Facts]:
    found = row[name]
    return found if isinstance(found, list) else []


@API.get("/users/syncs/{id}")
def syncs_of_kind(call: Call) -> Reply:
    """Data syncs of one kind, or one of them by its id."""
    key = call.params["id"]
    if key in ("younify", "plex", "import"):
        found = [row for row in call.account.library.syncs if row["kind"] == key]
        return listed([_summary(row) for row in found], default=10)
    return as_json(_summary(_sync(call)))


def _sync(call: Call) -> Facts:
    for row in call.account.library.syncs:
        if str(row["id"]) == call.params["id"]:
            return row
    raise Refusal(not_found())


@API.get("/users/syncs/{id}/paused")
def paused(call: Call) -> Reply:
    """Rows that a data sync set aside."""
    return listed([_synced(call, row) for row in _rows(_sync(call), "paused")], default=10)


@API.get("/users/syncs/{id}/skipped")
def skipped(call: Call) -> Reply:
    """Rows that a data sync left out."""
    return listed([_synced(call, row) for row in _rows(_sync(call), "skipped")], default=10)


def _synced(call: Call, row: Facts) -> Facts:
    """A row with its title in the flat shape that only this answer uses."""
    entry = row["trakt_item"]
    if not isinstance(entry, Entry):
        raise Refusal(not_found())
    return {**row, "trakt_item": call.world.shapes.flat(entry)}


@API.get("/users/settings/plex")
def plex(call: Call) -> Reply:
    """The Plex connection."""
    return as_json(call.account.library.plex)


@API.get("/users/settings/plex/servers")
def plex_servers(_: Call) -> Reply:
    """The only server does not answer."""
    body = {
        "error_code": "PLEX_TIMEOUT",
        "message": "The server did not answer",
        "guidance": "Is it on?",
    }
    return as_json(body, 504)


@API.get("/younify/connections")
def younify(call: Call) -> Reply:
    """Streaming services."""
    return as_json(call.account.library.younify)
