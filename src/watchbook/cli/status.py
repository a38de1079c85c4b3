"""``watchbook status``: how each account stands, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from watchbook.cli.columns import Row, show
from watchbook.clock import counted, in_words, now

if TYPE_CHECKING:
    from datetime import datetime

    from watchbook.cli.context import Context
    from watchbook.offsite.standing import OffSite
    from watchbook.outlook import Outlook
    from watchbook.overview import Budget, DataSets, LastImport, LastSync, Overview, SignIn
    from watchbook.publish.standing import SiteStanding

GOOD, DOUBT, BAD = "green", "yellow", "bold red"

_ALL_EVENTS = 200
_FEW_NAMES = 6
_FEW_COPIES = 3
_OPEN = ("waiting", "sending", "unknown", "held", "rejected")


@click.command(short_help="Show how each account stands.")
@click.option("--grants", "all_events", is_flag=True, help="Show the whole history of the sign-in.")
@click.option("--all", "all_names", is_flag=True, help="Name every unavailable data set.")
@click.pass_obj
def status(context: Context, *, all_events: bool, all_names: bool) -> int:
    """Show how each account stands: sign-in, last sync, data sets, backups, what runs.

    Ends with 0 when all is well, 77 when somebody has to sign in (or Trakt locked the account),
    65 when a copy is incomplete, 75 when the last sync failed and another one may not.

    Example: watchbook status --grants
    """
    from watchbook.overview import FEW_EVENTS, overviews

    found = overviews(
        context.store,
        context.settings.trakt_budget,
        context.account_name,
        events=_ALL_EVENTS if all_events else FEW_EVENTS,
    )
    if context.json:
        _answer(context, found)
    if not found:
        _tell_how_to_begin(context)
    for place, overview in enumerate(found):
        if place:
            context.say()
        _tell(context, overview, all_names=all_names)
    return _exit_code(found)


def _answer(context: Context, found: list[Overview]) -> None:
    """Answer with the same as data; words are as clean as they would be on the screen."""
    import msgspec

    from watchbook.redaction import cleaned

    context.answer(cleaned(msgspec.to_builtins({"accounts": found})))


def _exit_code(found: list[Overview]) -> int:
    """The code of the most urgent need."""
    from watchbook.overview import Health

    codes = {Health.SIGN_IN: 77, Health.INCOMPLETE: 65, Health.RETRY: 75, Health.WELL: 0}
    healths = {overview.health for overview in found}
    return next((code for health, code in codes.items() if health in healths), 0)


def _tell_how_to_begin(context: Context) -> None:
    beginnings = [
        Row("watchbook connect", "sign in to Trakt"),
        Row("watchbook import FILE.zip", "begin with Trakt's export, without an app"),
        Row("watchbook demo", "look around first, on invented data"),
    ]
    if context.settings.trakt_refresh_token is not None:
        beginnings = [Row("watchbook sync", "makes one from WATCHBOOK_TRAKT_REFRESH_TOKEN")]
    show(context, beginnings, head="There is no account yet.")


def _tell(context: Context, overview: Overview, *, all_names: bool) -> None:
    user = f"Trakt user {overview.user}" if overview.user else "not known at Trakt"
    owner = ", owner of this installation" if overview.owner else ""
    show(context, _rows(overview, all_names=all_names), head=overview.account, aside=user + owner)


def _rows(overview: Overview, *, all_names: bool) -> Iterator[Row]:
    if overview.locked:
        yield Row("Trakt", overview.locked, BAD)
    if overview.sign_in is None:
        again = f"`watchbook --account {overview.account} connect`"
        style = BAD if overview.health == "a sign-in is needed" else DOUBT
        yield Row("sign-in", f"none: {again}, or import Trakt's export ZIPs", style)
    else:
        yield from _about_sign_in(overview.sign_in)
    if overview.last_sync is not None or overview.sign_in is not None:
        yield from _about_sync(overview.account, overview.last_sync)
    if overview.last_import is not None and overview.sign_in is None:
        yield _about_import(overview.last_import)
    yield from _about_data_sets(overview.data_sets, all_names=all_names)
    yield Row("plays", f"{overview.plays:,} kept")
    yield _about_backup(overview)
    yield from _about_copies(overview.off_site)
    for one in overview.sites:
        yield from _about_site(one)
    if overview.pictures:
        yield _about_pictures(overview.pictures)
    if own := [f"{key} {value}" for key, value in overview.own.items() if value]:
        yield Row("its own", ", ".join(own))
    if overview.outlook is not None:
        yield from _about_outlook(overview.outlook)
    yield from _about_running(overview)
    yield _about_budget(overview.budget)
    yield from _about_events(overview)


def _about_sign_in(sign_in: SignIn) -> Iterator[Row]:
    if sign_in.warning:
        yield Row("sign-in", sign_in.warning, BAD if sign_in.state == "needed" else DOUBT)
    else:
        yield Row("sign-in", f"{sign_in.state}, until {moment(sign_in.alive_until)}", GOOD)
    yield Row("", f"last renewed {ago(sign_in.refreshed_at)}, first given by {sign_in.origin}")


def _about_sync(account: str, last: LastSync | None) -> Iterator[Row]:
    if last is None:
        yield Row("last sync", f"never: `watchbook --account {account} sync`", DOUBT)
        return
    styles = {"complete": GOOD, "running": "cyan", "incomplete": DOUBT}
    words = last.words or ""
    told = words if words.startswith(last.outcome) else f"{last.outcome}: {words}".rstrip(": ")
    yield Row("last sync", told, styles.get(last.outcome, BAD))
    if last.hint:
        yield Row("", last.hint)
    when = ago(last.finished_at or last.started_at)
    yield Row("", f"{when}, {counted(last.requests, 'request')}")


def _about_import(last: LastImport) -> Row:
    style = {"complete": GOOD, "incomplete": DOUBT}.get(last.outcome, BAD)
    told = last.words if last.outcome == "failed" and last.words else last.outcome
    file = f"{last.file}, " if last.file else ""
    return Row("last import", f"{file}{ago(last.finished_at)}: {told}", style)


def _about_data_sets(found: DataSets, *, all_names: bool) -> Iterator[Row]:
    if found.total:
        whole = found.complete + len(found.unavailable) == found.total
        words = f"{found.complete} of {found.total} read and complete"
        yield Row("data sets", words, GOOD if whole else DOUBT)
    else:
        yield Row("data sets", "never read", DOUBT)
    if found.unread:
        yield Row("", f"{len(found.unread)} not read yet: {some(found.unread)}", DOUBT)
    for name, why in found.incomplete.items():
        yield Row("", f"{name} incomplete: {why}", DOUBT)
    for why, names in _by_reason(found.unavailable).items():
        few = all_names or len(names) <= _FEW_NAMES
        yield Row("", f"{', '.join(names) if few else f'{len(names)} kinds'} {why}")
    if found.held:
        yield Row("", f"{counted(found.held, 'removal')} held back for your word", DOUBT)


def _by_reason(found: Mapping[str, str]) -> dict[str, list[str]]:
    """The kinds of data that share a reason, each named once."""
    reasons: dict[str, list[str]] = {}
    for name, why in found.items():
        names = reasons.setdefault(why, [])
        kind = name.partition("/")[0]
        if kind not in names:
            names.append(kind)
    return reasons


def _about_backup(overview: Overview) -> Row:
    backup, again = overview.backup, f"`watchbook --account {overview.account} backup`"
    if backup is None:
        return Row("backup", f"none that is good: {again}", DOUBT)
    if backup.gone:
        return Row("backup", f"{backup.name}: its file is gone. A new one: {again}", DOUBT)
    return Row("backup", f"{backup.name}, proven whole {ago(backup.proven_at)}")


def _about_outlook(found: Outlook) -> Iterator[Row]:
    if found.since is None:
        yield Row("service", "none is running")
    else:
        where = f"process {found.process} on {found.machine}"
        yield Row("service", f"runs since {moment(found.since)}, {where}")
    if found.warning:
        yield Row("schedule", found.warning, DOUBT)
    elif found.service:
        nexts = {"sync": found.next_sync, "backup": found.next_backup}
        told = [f"next {what} {soon(when)}" for what, when in nexts.items() if when is not None]
        yield Row("schedule", ", ".join(told))


def _about_copies(found: OffSite | None) -> Iterator[Row]:
    if found is None:
        return
    if found.last_at is not None:
        made = counted(found.made, "off-site copy", "off-site copies")
        yield Row("copies", f"{made}, the last one {ago(found.last_at)}")
    for one in found.due[:_FEW_COPIES]:
        again = f" Tried again from {moment(one.retry_at)}." if one.retry_at else ""
        words = one.words or "waits to be copied."
        yield Row("not copied", f"{one.archive} to {one.place}: {words}{again}", DOUBT)
    if len(found.due) > _FEW_COPIES:
        yield Row("", f"and {len(found.due) - _FEW_COPIES} more", DOUBT)


def _about_site(one: SiteStanding) -> Iterator[Row]:
    """How publishing to a site goes: what is open, what it said last."""
    told = [one.words or one.state] if one.state != "working" else []
    told += [f"{one.posts[state]} {state}" for state in _OPEN if one.posts.get(state)]
    if one.published_at is not None:
        told.append(f"last post {ago(one.published_at)}")
    style = {"working": "", "troubled": DOUBT, "paused": DOUBT}.get(one.state, BAD)
    yield Row("site", f"{one.name}: {', '.join(told) or 'no posts yet'}", style)
    if one.hint:
        yield Row("", one.hint)


def _about_pictures(counts: Mapping[str, int]) -> Row:
    """Those of all accounts: they share them."""
    words = {"waiting": "waiting", "failed": "failed, tried again", "none": "not to be had"}
    told = [f"{counts[state]:,} {word}" for state, word in words.items() if counts.get(state)]
    return Row("pictures", ", ".join([f"{counts.get('kept', 0):,} kept", *told]))


def _about_running(overview: Overview) -> Iterator[Row]:
    for work in overview.running:
        where = f"process {work.process} on {work.machine}"
        yield Row("running", f"{work.purpose} since {moment(work.since)}, {where}", "cyan")


def _about_budget(budget: Budget) -> Row:
    words = f"{budget.used} of {budget.allowed} reads in {budget.seconds} s"
    if budget.blocked_until is not None:
        return Row("rate", f"{words}, none before {moment(budget.blocked_until)}", DOUBT)
    return Row("rate", words)


def _about_events(overview: Overview) -> Iterator[Row]:
    topic = "grants"
    for event in overview.events:
        told = "; ".join(filter(None, (event.origin, event.words)))
        yield Row(topic, f"{moment(event.at)}  {event.event}{f' ({told})' if told else ''}")
        topic = ""


def some(names: Sequence[str]) -> str:
    """The first of many names: ``history, stats, ...``."""
    shown = ", ".join(names[:_FEW_NAMES])
    return f"{shown}, ..." if len(names) > _FEW_NAMES else shown


def moment(when: datetime) -> str:
    """Write a moment for a person, as every page does."""
    from watchbook import overview

    return overview.moment(when)


def soon(when: datetime) -> str:
    """Say how far ahead a moment lies: ``in 3 minutes``, ``now``."""
    span = when - now()
    return "now" if span < timedelta(seconds=1) else f"in {in_words(span)}"


def ago(when: datetime) -> str:
    """Write a moment with how long it is past: ``3 days ago (2026-11-18 20:15 UTC)``."""
    span = now() - when
    told = "just now" if span < timedelta(minutes=1) else f"{in_words(span)} ago"
    return f"{told} ({moment(when)})"
