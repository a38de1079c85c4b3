"""Checks that ask Trakt: one request without a token, one with it. Nothing is renewed.

They pass by the account's budget, which may make its callers wait; between it and Trakt's own
limit there is room for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from watchbook import clock
from watchbook.checkup.book import about
from watchbook.checkup.check import Check, ok, problem, warning
from watchbook.http import Answer, HttpClient, Timeouts
from watchbook.store.accounts import Account

CLOCK_SKEW = timedelta(minutes=2)
_QUICK = Timeouts(connect=5, read=10, total=20)
_PROBE = "/sync/last_activities"
_APPS = "https://app.trakt.tv/settings/apps"


_TOLD: Mapping[int, Callable[[str], Check]] = {
    423: lambda name: problem(
        name, "Trakt has locked the account (423)", "Write to support@trakt.tv."
    ),
    429: lambda name: warning(
        name, "Trakt asks to wait (429)", "Nothing to do: a sync waits as long as it is told."
    ),
}
"""Answers that mean the same with and without a token."""


def ask(http: HttpClient, api_url: str, client_id: str | None, token: str | None = None) -> Answer:
    """Ask Trakt what moved, with or without an app and a token; raises as the client does."""
    headers = {"Content-Type": "application/json", "trakt-api-version": "2"}
    if client_id is not None:
        headers["trakt-api-key"] = client_id
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return http.request("GET", api_url + _PROBE, headers=headers, timeout=_QUICK)


def check_app(answer: Answer, client_id: str | None) -> Check:
    """What Trakt's answer without a token says about the app, and about the way there.

    Trakt asks a known app for a token (401) and refuses any other (403); a page of HTML comes
    from Cloudflare, which stands before it.
    """
    name = "Trakt"
    if answer.status == 401:
        return ok(name, "reachable, and knows the app")
    if answer.status in {403, 429} and answer.is_html:
        return problem(
            name,
            f"Cloudflare, which guards Trakt, turns us away (status {answer.status})",
            "Wait a quarter of an hour. A VPN or a shared address may be the reason.",
        )
    if answer.status in _TOLD:
        return _TOLD[answer.status](name)
    if client_id is None and answer.status < 500:
        return ok(name, "reachable; there is no app to try yet")
    if answer.status == 403:
        return problem(
            name,
            "reachable, but does not know the app (403)",
            f"Check the client id at {_APPS}; apps go away when VIP lapses.",
        )
    return warning(
        name, f"answers with status {answer.status}, which says nothing", "Try again later."
    )


def check_clock(answer: Answer) -> Check:
    """Whether our clock agrees with the date of an answer, to two minutes."""
    name = "clock"
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return ok(name, "Trakt's answer has no date to compare with")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    apart = clock.now() - theirs
    if abs(apart) <= CLOCK_SKEW:
        return ok(name, "agrees with Trakt's")
    way = "ahead of" if apart > timedelta() else "behind"
    words = f"{clock.in_words(abs(apart))} {way} Trakt's"
    return warning(name, words, "Let the system set its clock (timedatectl set-ntp true).")


def check_token(account: Account, answer: Answer) -> Check:
    """What Trakt's answer to a request with the account's token says."""
    name = about("token", account)
    if answer.status == 200:
        return ok(name, "Trakt takes it")
    remedies = {
        401: ("Trakt does not take it (401)", "`watchbook connect --refresh`, then `connect`"),
        403: ("Trakt does not take the app (403)", f"Check the app at {_APPS}."),
    }
    if answer.status in _TOLD and not answer.is_html:
        return _TOLD[answer.status](name)
    if answer.status in remedies and not answer.is_html:
        return problem(name, *remedies[answer.status])
    return warning(name, f"no clear answer (status {answer.status})", "Try again later.")
