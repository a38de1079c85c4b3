from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
import sqlalchemy as sa

from watchbook import clock, connecting, logs
from watchbook.addresses import AddressRule
from watchbook.connecting import Installation
from watchbook.environment import account_or_first
from watchbook.errors import (
    AccountLocked,
    AuthorisationNeeded,
    InputError,
    RateLimited,
    RemoteUnavailable,
    StoreBusy,
    WatchbookError,
)
from watchbook.grants import TokenSource, warning
from watchbook.http import Exchange, HttpClient
from watchbook.sandbox.trakt import RunningSandbox as Sandbox
from watchbook.sandbox.trakt import SandboxOptions, running
from watchbook.seal import fingerprint
from watchbook.settings import load
from watchbook.store import accounts, grants, leases
from watchbook.store.accounts import Account
from watchbook.store.grants import Event, Grant, State
from watchbook.store.opening import open_store
from watchbook.store.schema import grants as table
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair

WEEK = timedelta(days=7)
OPTIONS = SandboxOptions(plays=5, accounts=2, rate_limit=False)
KEY = "a-key-that-only-tests-use-and-long-enough"


@pytest.fixture
def trakt(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A Trakt of two users; strict (a refresh token that comes twice ends all) unless told."""
    with running(replace(OPTIONS, refresh=getattr(request, "param", "strict"))) as sandbox:
        yield sandbox


# What hangs on locks and commits is proven on both databases, the rest on the quicker one.
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
grace = pytest.mark.parametrize("trakt", ["grace"], indirect=True)


@pytest.fixture
def environment(trakt: Sandbox, database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of an installation that talks to the sandbox, as variables."""
    return {
        "WATCHBOOK_HOME": str(tmp_path / "home"),
        "WATCHBOOK_DATABASE_URL": database_url,
        "WATCHBOOK_SECRET_KEY": KEY,
        "WATCHBOOK_TRAKT_API_URL": trakt.url,
        "WATCHBOOK_TRAKT_AUTH_URL": trakt.auth_url,
        "WATCHBOOK_TRAKT_CLIENT_ID": trakt.client_id,
        "WATCHBOOK_TRAKT_CLIENT_SECRET": trakt.client_secret,
    }


@contextmanager
def installed(
    environment: dict[str, str], on_request: Callable[[Exchange], None] | None = None
) -> Iterator[Installation]:
    """What one process works with."""
    settings = load(environment, Path(environment["WATCHBOOK_HOME"]))
    rule = AddressRule(settings.allowed_hosts)
    store = open_store(settings)
    try:
        with HttpClient(rule, service="Trakt", on_request=on_request) as http:
            yield Installation(store, settings, http)
    finally:
        store.close()


@pytest.fixture
def here(environment: dict[str, str]) -> Iterator[Installation]:
    """The installation of this process."""
    with installed(environment) as installation:
        yield installation


@pytest.fixture
def account(here: Installation, trakt: Sandbox) -> Account:
    """The first user's account, just connected."""
    return connected(here, trakt, trakt.accounts[0].slug)


def app_of(trakt: Sandbox) -> App:
    """The app that the sandbox knows."""
    return App(trakt.client_id, trakt.client_secret)


def pair_of(trakt: Sandbox, slug: str) -> TokenPair:
    """A consent of the user called ``slug``."""
    facts = trakt.issue_tokens(slug)
    access, refresh = str(facts["access_token"]), str(facts["refresh_token"])
    return TokenPair(access, refresh, 604_800, int(clock.now().timestamp()), "public")


def connected(here: Installation, trakt: Sandbox, slug: str, wanted: str | None = None) -> Account:
    """Connect with a consent of ``slug``."""
    issue = connecting.issue_of(pair_of(trakt, slug), app_of(trakt), PIN_REDIRECT, "test")
    return connecting.connect(here, wanted, app_of(trakt), issue, sleep=lambda _: None)


def stored(here: Installation, account: Account) -> Grant:
    """The grant as it lies in the store."""
    with here.store.database.read() as conn:
        grant = grants.find(conn, account.id)
    assert grant is not None
    return grant


def access_of(here: Installation, account: Account) -> str:
    """The stored access token."""
    return stored(here, account).opened(here.store.sealer).access


def history(here: Installation, account: Account) -> list[Event]:
    """What happened, oldest first."""
    with here.store.database.read() as conn:
        return [line.event for line in reversed(grants.history(conn, account))]


def set_row(here: Installation, **values: object) -> None:
    """Change columns of the grant behind everybody's back."""
    with here.store.database.write() as conn:
        conn.execute(sa.update(table).values(values))


def aged(here: Installation, days: float) -> None:
    """Let the grant be so many days old."""
    issued = clock.now() - timedelta(days=days)
    set_row(
        here,
        issued_at=clock.to_millis(issued),
        expires_at=clock.to_millis(issued + WEEK),
        retry_at=None,
    )


def refreshes(trakt: Sandbox) -> int:
    """How often the token endpoint was asked."""
    asked: int = trakt.requests()["paths"].get("POST /oauth/token", 0)
    return asked


def works(trakt: Sandbox, token: str) -> bool:
    """Whether Trakt takes an access token."""
    connection = HTTPConnection(trakt.url.removeprefix("http://"))
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": "Test/1",
        "trakt-api-key": trakt.client_id,
        "trakt-api-version": "2",
    }
    connection.request("GET", "/users/settings", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status == 200


@sqlite
def test_young_token_costs_nothing(here: Installation, account: Account, trakt: Sandbox) -> None:
    """Before half of its life is over a token is given without asking Trakt."""
    aged(here, 3.4)
    assert TokenSource(here, account.id).current() == access_of(here, account)
    assert refreshes(trakt) == 0


def test_refreshed_at_half_life(here: Installation, account: Account, trakt: Sandbox) -> None:
    """At half life the pair is swapped, once, and the history says so."""
    before = access_of(here, account)
    aged(here, 3.6)
    source = TokenSource(here, account.id)
    token = source.current()
    assert token != before
    assert works(trakt, token)
    assert [source.current(), TokenSource(here, account.id).current()] == [token, token]
    assert refreshes(trakt) == 1
    assert history(here, account) == [Event.CONNECTED, Event.STARTED, Event.REFRESHED]


@sqlite
def test_half_life_follows_the_lifetime(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A token of one day is renewed after half a day: no margin is a constant."""
    issued = clock.now() - timedelta(hours=13)
    ends = clock.to_millis(issued + timedelta(days=1))
    set_row(here, issued_at=clock.to_millis(issued), expires_at=ends)
    TokenSource(here, account.id).current()
    assert refreshes(trakt) == 1


@sqlite
def test_refresh_repeats_the_grants_redirect(here: Installation, trakt: Sandbox) -> None:
    """A grant made in the browser is renewed with the redirect it was made with."""
    pair = pair_of(trakt, trakt.accounts[0].slug)
    redirect = "https://book.example.org/trakt/callback"
    issue = connecting.issue_of(pair, app_of(trakt), redirect, "browser")
    account = connecting.connect(here, None, app_of(trakt), issue)
    aged(here, 4)
    TokenSource(here, account.id).current()
    grant = stored(here, account)
    assert (grant.redirect_uri, grant.origin, grant.state) == (redirect, "browser", State.ALIVE)


def test_401_uses_what_another_has_renewed(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """When the stored token is not the one that failed, it is used and nothing refreshed."""
    source, other = TokenSource(here, account.id), TokenSource(here, account.id)
    old = source.current()
    fresh = other.after_401(old)
    assert source.after_401(old) == fresh
    assert refreshes(trakt) == 1


@sqlite
def test_second_401_is_final(here: Installation, account: Account, trakt: Sandbox) -> None:
    """A token that fails right after it was made is not burnt for yet another."""
    source = TokenSource(here, account.id)
    fresh = source.after_401(source.current())
    with pytest.raises(AuthorisationNeeded, match="just made"):
        source.after_401(fresh)
    assert refreshes(trakt) == 1


LOST = ["refresh-lost-close", "refresh-lost-500", "refresh-lost-html"]


@sqlite
@pytest.mark.parametrize("fault", LOST)
def test_lost_answer_is_not_repeated(
    here: Installation, account: Account, trakt: Sandbox, fault: str
) -> None:
    """After a lost answer the access token goes on serving and nothing is sent again."""
    before = access_of(here, account)
    aged(here, 4)
    trakt.set_faults(fault)
    assert [TokenSource(here, account.id).current() for _ in range(3)] == [before] * 3
    assert refreshes(trakt) == 1
    grant = stored(here, account)
    assert (grant.state, grant.open_tries) == (State.UNCLEAR, 1)
    assert "may have been" in str(grant.state_words)
    assert history(here, account)[-2:] == [Event.STARTED, Event.UNCLEAR]


def test_lost_answer_on_a_strict_server_asks_in_the_end(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """When the access token ends too, the old token is tried once; then the person is asked."""
    aged(here, 4)
    trakt.set_faults("refresh-lost-close@1")
    TokenSource(here, account.id).current()
    aged(here, 7.1)
    for _ in range(3):
        with pytest.raises(AuthorisationNeeded, match=f"{account.name} has to sign in") as caught:
            TokenSource(here, account.id).current()
    assert f"--account {account.name} connect" in str(caught.value.hint)
    assert refreshes(trakt) == 2
    assert stored(here, account).state is State.NEEDED


@grace
def test_lost_answer_on_a_grace_server_heals(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """Where a second use is forgiven the last try brings the pair back."""
    aged(here, 4)
    trakt.set_faults("refresh-lost-close@1")
    source = TokenSource(here, account.id)
    old = source.current()
    fresh = source.after_401(old)
    assert fresh != old
    assert works(trakt, fresh)
    grant = stored(here, account)
    assert (grant.state, grant.open_tries, grant.state_words) == (State.ALIVE, 0, None)


@grace
def test_two_lost_answers_end_the_trying(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A last try without an answer was the last: then only the person can go on."""
    trakt.set_faults("refresh-lost-close")
    aged(here, 4)
    TokenSource(here, account.id).current()
    aged(here, 7.1)
    for _ in range(3):
        with pytest.raises(AuthorisationNeeded, match="last try"):
            TokenSource(here, account.id).current()
    assert refreshes(trakt) == 2


@sqlite
@grace
def test_last_try_that_is_turned_away_is_not_counted(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A 429 leaves the last try for later, because the token was not used."""
    aged(here, 4)
    trakt.set_faults("refresh-lost-close@1", "refresh-429@2")
    TokenSource(here, account.id).current()
    aged(here, 7.1)
    with pytest.raises(RateLimited):
        TokenSource(here, account.id).current()
    assert stored(here, account).state is State.UNCLEAR
    set_row(here, retry_at=None)
    assert works(trakt, TokenSource(here, account.id).current())


@pytest.mark.parametrize(("fault", "seconds"), [("refresh-429", 143), ("refresh-503", 30)])
def test_transient_trouble_leaves_the_pair_alone(
    here: Installation, account: Account, trakt: Sandbox, fault: str, seconds: float
) -> None:
    """After 429, or 503 with a time, nothing changes and Trakt is left alone for that time."""
    before = access_of(here, account)
    aged(here, 4)
    trakt.set_faults(f"{fault}@1")
    assert [TokenSource(here, account.id).current() for _ in range(3)] == [before] * 3
    assert refreshes(trakt) == 1
    grant = stored(here, account)
    assert (grant.state, grant.open_tries) == (State.ALIVE, 0)
    assert grant.retry_at is not None
    assert abs((grant.retry_at - clock.now()).total_seconds() - seconds) < 20
    set_row(here, retry_at=clock.to_millis(clock.now()))
    assert works(trakt, TokenSource(here, account.id).current())
    assert refreshes(trakt) == 2


@sqlite
def test_transient_trouble_without_a_token_is_transient(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """With a dead access token, a put-off refresh says when to come back, not "sign in"."""
    aged(here, 7.1)
    trakt.set_faults("refresh-429")
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            TokenSource(here, account.id).current()
    assert 100 < float(caught.value.retry_after or 0) <= 143
    assert refreshes(trakt) == 1


@sqlite
def test_unreachable_server_leaves_the_pair_alone(
    environment: dict[str, str], here: Installation, account: Account
) -> None:
    """What was never sent is no try: the state stays alive and says why."""
    aged(here, 4)
    with installed({**environment, "WATCHBOOK_TRAKT_AUTH_URL": "http://127.0.0.1:9"}) as offline:
        assert TokenSource(offline, account.id).current() == access_of(here, account)
    grant = stored(here, account)
    assert (grant.state, grant.open_tries) == (State.ALIVE, 0)
    assert "could not be reached" in str(grant.state_words)


@sqlite
@pytest.mark.parametrize("fault", ["refresh-invalid-grant", "refresh-invalid-client"])
def test_refused_token_is_used_until_it_fails(
    here: Installation, account: Account, trakt: Sandbox, fault: str
) -> None:
    """After a refusal the person is asked, and the access token still serves till its end."""
    before = access_of(here, account)
    aged(here, 4)
    trakt.set_faults(fault)
    assert [TokenSource(here, account.id).current() for _ in range(2)] == [before] * 2
    assert stored(here, account).state is State.NEEDED
    assert history(here, account)[-1] is Event.REFUSED
    with pytest.raises(AuthorisationNeeded, match="sign in to Trakt again"):
        TokenSource(here, account.id).after_401(before)
    aged(here, 7.1)
    with pytest.raises(AuthorisationNeeded, match="sign in to Trakt again"):
        TokenSource(here, account.id).current()
    assert refreshes(trakt) == 1


@sqlite
def test_no_successor_keeps_the_refresh_token(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """An answer without a refresh token leaves the old one in use."""
    before = stored(here, account)
    aged(here, 4)
    trakt.set_faults("refresh-no-successor")
    assert works(trakt, TokenSource(here, account.id).current())
    after = stored(here, account)
    assert after.refresh_fingerprint == before.refresh_fingerprint
    assert after.access_fingerprint != before.access_fingerprint


@sqlite
def test_a_grant_that_cannot_be_renewed(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """Without any refresh token the access token serves to its end; then the person is asked."""
    set_row(here, refresh_sealed=None, refresh_fingerprint=None)
    aged(here, 4)
    TokenSource(here, account.id).current()
    aged(here, 7.1)
    with pytest.raises(AuthorisationNeeded):
        TokenSource(here, account.id).current()
    assert refreshes(trakt) == 0
    assert stored(here, account).state is State.NEEDED


@sqlite
def test_another_app_does_not_send_the_token(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A grant of one app is never sent under another; with the right app it goes on."""
    aged(here, 4)
    with installed({**environment, "WATCHBOOK_TRAKT_CLIENT_ID": "another"}) as other:
        TokenSource(other, account.id).current()
    assert refreshes(trakt) == 0
    assert trakt.client_id in str(stored(here, account).state_words)
    set_row(here, retry_at=None)
    TokenSource(here, account.id).current()
    assert refreshes(trakt) == 1


def test_new_consent_during_a_refresh_wins(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """Who connects anew while a refresh is on its way keeps the new consent."""
    newer = replace(pair_of(trakt, account.trakt_slug or ""), access="a-newer-access-token")
    issue = connecting.issue_of(newer, app_of(trakt), PIN_REDIRECT, "test")

    def meanwhile(exchange: Exchange) -> None:
        with here.store.database.write() as conn:
            grants.save(conn, here.store.sealer, account.id, issue)

    aged(here, 4)
    with installed(environment, meanwhile) as busy:
        assert TokenSource(busy, account.id).current() == "a-newer-access-token"
    assert access_of(here, account) == "a-newer-access-token"


def test_waiting_for_another_process_has_an_end(
    here: Installation, account: Account, trakt: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the lease for too long, only a living token is given."""
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    monkeypatch.setattr(connecting, "LONGEST_REFRESH", 1.0)
    old = access_of(here, account)
    with leases.holding(here.store.database, f"refresh:{account.id}", "a refresh"):
        aged(here, 4)
        assert TokenSource(here, account.id).current() == old
        aged(here, 7.1)
        with pytest.raises(StoreBusy):
            TokenSource(here, account.id).current()
    assert refreshes(trakt) == 0


@sqlite
def test_cron_refresh_says_what_happened(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """``refresh`` tells whether a new pair came, and raises while a token only just serves."""
    source = TokenSource(here, account.id)
    assert source.refresh() is False
    aged(here, 4)
    assert source.refresh() is True
    aged(here, 4)
    trakt.set_faults("refresh-429@1", "refresh-invalid-grant@2")
    for _ in range(2):
        with pytest.raises(RemoteUnavailable, match="was not refreshed"):
            source.refresh()
    set_row(here, retry_at=None)
    for _ in range(2):
        with pytest.raises(AuthorisationNeeded):
            source.refresh()


@pytest.mark.parametrize(
    ("age", "lifetime", "changes", "words"),
    [
        (3.9, 7, {}, None),
        (4.1, 7, {}, "Nothing has refreshed it"),
        (4.1, 7, {"state_words": "Trakt is away."}, "Trakt is away."),
        (0.5, 1, {}, None),
        (0.6, 1, {}, "Nothing has refreshed it"),
        (4.1, 90, {}, "Nothing has refreshed it"),
        (1, 7, {"state": State.UNCLEAR, "state_words": "Lost."}, "Lost."),
        (1, 7, {"state": State.NEEDED, "state_words": "Refused."}, "sign in to Trakt again"),
    ],
)
def test_warning_comes_before_the_end(
    age: float, lifetime: float, changes: dict[str, object], words: str | None
) -> None:
    """A grant that nobody renewed for four days, or in proportion, is warned of in time."""
    issued = clock.now() - timedelta(days=age)
    plain = Grant(
        1, "app", "urn:x", None, "test", issued, issued + timedelta(days=lifetime),
        "a", "b", State.ALIVE, None, issued, 0, None, ("", None),
    )  # fmt: skip
    told = warning(replace(plain, **changes), "sandra")  # type: ignore[arg-type]
    assert (told is None) if words is None else words in str(told)


# Connecting


def test_first_consent_makes_the_owners_account(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """The first consent makes an account with name, zone and app, and the secret is sealed."""
    slug = trakt.accounts[0].slug
    assert (account.name, account.trakt_slug, account.owner) == (slug, slug, True)
    assert account.trakt_uuid
    assert account.timezone
    assert trakt.client_secret not in str(account.client_secret_sealed)
    app = connecting.app_of(here, replace(account, owner=False))
    assert app == app_of(trakt)


def test_renewing_keeps_the_account(here: Installation, account: Account, trakt: Sandbox) -> None:
    """A further consent of the same user gives the same account a new pair."""
    before = access_of(here, account)
    assert connected(here, trakt, trakt.accounts[0].slug).id == account.id
    assert access_of(here, account) != before


def test_another_users_consent_is_refused(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A consent of somebody else names both, is handed back, and changes nothing."""
    before = stored(here, account)
    owner, stranger = (member.slug for member in trakt.accounts)
    pair = pair_of(trakt, stranger)
    issue = connecting.issue_of(pair, app_of(trakt), PIN_REDIRECT, "test")
    for wanted in (None, account.name):
        with pytest.raises(AuthorisationNeeded) as caught:
            connecting.connect(here, wanted, app_of(trakt), issue)
        assert owner in caught.value.message
        assert stranger in caught.value.message
        assert not works(trakt, pair.access)
        pair = pair_of(trakt, stranger)
        issue = connecting.issue_of(pair, app_of(trakt), PIN_REDIRECT, "test")
    assert stored(here, account) == before
    assert history(here, account).count(Event.STRANGER) == 2


def test_second_person_gets_an_account_by_name(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A new name makes a further account, and then each consent finds its own."""
    second = connected(here, trakt, trakt.accounts[1].slug, wanted="tom")
    assert (second.name, second.trakt_slug, second.owner) == ("tom", trakt.accounts[1].slug, False)
    assert connected(here, trakt, trakt.accounts[1].slug).id == second.id
    assert connected(here, trakt, trakt.accounts[0].slug).id == account.id


@sqlite
def test_one_user_cannot_have_two_accounts(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A name that is not the user's account is refused, for an old name and a new one."""
    connected(here, trakt, trakt.accounts[1].slug, wanted="tom")
    for wanted in ("tom", "somebody-new"):
        with pytest.raises(AuthorisationNeeded, match=account.name):
            connected(here, trakt, trakt.accounts[0].slug, wanted=wanted)
    assert works(trakt, access_of(here, account)), "handing back must not end their own grant"


@sqlite
@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        ("rate-429:7/users/settings@1", [7]),
        ("rate-429-bare/users/settings@1", [2]),
        ("http-502/users/settings@1 http-503:60/users/settings@2", [2, 60]),
    ],
)
def test_a_new_consent_is_worth_a_wait(
    here: Installation, trakt: Sandbox, fault: str, waits: list[float]
) -> None:
    """What passes within a minute at the test of a consent does not throw the consent away."""
    issue = connecting.issue_of(
        pair_of(trakt, trakt.accounts[0].slug), app_of(trakt), PIN_REDIRECT, "test"
    )
    slept: list[float] = []
    trakt.set_faults(*fault.split())
    account = connecting.connect(here, None, app_of(trakt), issue, sleep=slept.append)
    assert slept == waits
    assert stored(here, account).state is State.ALIVE


@sqlite
@pytest.mark.parametrize(
    ("fault", "kind", "waits"),
    [
        ("rate-429:61/users/settings", RateLimited, []),
        ("http-500/users/settings", RemoteUnavailable, [2, 5]),
        ("http-423/users/settings", AccountLocked, []),
    ],
)
def test_a_consent_that_cannot_be_tried_is_not_kept(
    here: Installation, trakt: Sandbox, fault: str, kind: type[WatchbookError], waits: list[float]
) -> None:
    """Longer waits, more than two more tries and a locked account end the sign-in in words."""
    issue = connecting.issue_of(
        pair_of(trakt, trakt.accounts[0].slug), app_of(trakt), PIN_REDIRECT, "test"
    )
    slept: list[float] = []
    trakt.set_faults(fault)
    with pytest.raises(kind) as caught:
        connecting.connect(here, None, app_of(trakt), issue, sleep=slept.append)
    assert slept == waits
    assert ("support@trakt.tv" in str(caught.value.hint)) is (kind is AccountLocked)
    with here.store.database.read() as conn:
        assert accounts.all_accounts(conn) == []


@sqlite
def test_account_of_a_zip_takes_the_identity(here: Installation, trakt: Sandbox) -> None:
    """An account that does not know its Trakt user yet learns it from the consent."""
    with here.store.database.write() as conn:
        made = accounts.add(conn, "sandra")
    account = connected(here, trakt, trakt.accounts[0].slug)
    assert (account.id, account.name) == (made.id, "sandra")
    assert account.trakt_slug == trakt.accounts[0].slug


@sqlite
@pytest.mark.parametrize("fault", ["http-401", "http-403", "http-500", "body-html", "body-object"])
def test_untested_consent_is_not_kept(here: Installation, trakt: Sandbox, fault: str) -> None:
    """A pair that cannot be tried makes no account."""
    trakt.set_faults(f"{fault}/users/settings")
    with pytest.raises(WatchbookError):
        connected(here, trakt, trakt.accounts[0].slug)
    with here.store.database.read() as conn:
        assert accounts.all_accounts(conn) == []


def test_disconnect_revokes_and_forgets(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """After ``disconnect`` neither Trakt nor the store knows the tokens."""
    token = access_of(here, account)
    assert connecting.disconnect(here, account) is None
    assert not works(trakt, token)
    with here.store.database.read() as conn:
        assert grants.find(conn, account.id) is None
    assert history(here, account)[-1] is Event.DISCONNECTED
    with pytest.raises(InputError, match="not connected"):
        connecting.disconnect(here, account)
    with pytest.raises(AuthorisationNeeded, match=rf"^{account.name} is not signed in to Trakt\.$"):
        TokenSource(here, account.id).current()


@sqlite
def test_disconnect_without_trakt_forgets_and_says_so(
    here: Installation, account: Account, trakt: Sandbox
) -> None:
    """When Trakt cannot be told, the tokens are forgotten and the person told what is left."""
    trakt.set_faults("http-500/oauth/revoke")
    assert "settings/apps/connected" in str(connecting.disconnect(here, account))
    with here.store.database.read() as conn:
        assert grants.find(conn, account.id) is None


# The environment's token


@pytest.fixture
def hosted(environment: dict[str, str], trakt: Sandbox) -> dict[str, str]:
    """Settings of a host, with a refresh token of the first user."""
    token = pair_of(trakt, trakt.accounts[0].slug).refresh
    return {**environment, "WATCHBOOK_TRAKT_REFRESH_TOKEN": str(token)}


def test_environment_makes_the_first_account(hosted: dict[str, str], trakt: Sandbox) -> None:
    """Where there is no account the environment's token makes it, and is spent for ever."""
    with installed(hosted) as here:
        account = account_or_first(here, None)
        assert (account.name, account.owner) == (trakt.accounts[0].slug, True)
        assert works(trakt, TokenSource(here, account.id).current())
        assert account_or_first(here, None) == account
        assert history(here, account) == [Event.SPENT, Event.CONNECTED]
        assert stored(here, account).origin == "environment"
    assert refreshes(trakt) == 1


def test_spent_environment_token_says_connect_again(hosted: dict[str, str], trakt: Sandbox) -> None:
    """A token that was spent before is not sent again, though the grant is gone."""
    with installed(hosted) as here:
        account = account_or_first(here, None)
        with here.store.database.write() as conn:
            grants.remove(conn, account.id)
        with pytest.raises(AuthorisationNeeded, match="used before") as caught:
            TokenSource(here, account.id).current()
    assert "--print-token" in str(caught.value.hint)
    assert refreshes(trakt) == 1


@sqlite
def test_environment_serves_the_only_account(hosted: dict[str, str], trakt: Sandbox) -> None:
    """An account without a grant takes the environment's, and learns who it is."""
    with installed(hosted) as here:
        with here.store.database.write() as conn:
            made = accounts.add(conn, "sandra")
        assert works(trakt, TokenSource(here, made.id).current())
        with here.store.database.read() as conn:
            assert accounts.get(conn, made.id).trakt_slug == trakt.accounts[0].slug


@sqlite
def test_environment_revives_a_dead_grant(hosted: dict[str, str], trakt: Sandbox) -> None:
    """A new token in the environment is taken when the stored grant is beyond help."""
    with installed(hosted) as here:
        account = connected(here, trakt, trakt.accounts[0].slug)
        trakt.set_faults("refresh-invalid-grant@1")
        aged(here, 7.1)
        assert works(trakt, TokenSource(here, account.id).current())
        assert stored(here, account).state is State.ALIVE


def test_environment_of_another_user_is_refused(hosted: dict[str, str], trakt: Sandbox) -> None:
    """The environment's token counts for the account's own Trakt user alone."""
    token = pair_of(trakt, trakt.accounts[1].slug).refresh
    with installed({**hosted, "WATCHBOOK_TRAKT_REFRESH_TOKEN": str(token)}) as here:
        account = connected(here, trakt, trakt.accounts[0].slug)
        with here.store.database.write() as conn:
            grants.remove(conn, account.id)
        with pytest.raises(AuthorisationNeeded, match=trakt.accounts[1].slug):
            TokenSource(here, account.id).current()
        with here.store.database.read() as conn:
            assert grants.find(conn, account.id) is None


@sqlite
def test_environment_is_nobodys_among_several(hosted: dict[str, str], trakt: Sandbox) -> None:
    """With several accounts the environment's token is not given to any of them."""
    with installed(hosted) as here:
        connected(here, trakt, trakt.accounts[0].slug)
        second = connected(here, trakt, trakt.accounts[1].slug, wanted="tom")
        with here.store.database.write() as conn:
            grants.remove(conn, second.id)
        with pytest.raises(AuthorisationNeeded, match="tom is not signed in"):
            TokenSource(here, second.id).current()
    assert refreshes(trakt) == 0


def test_environment_token_survives_a_refusal_at_the_door(
    hosted: dict[str, str], trakt: Sandbox
) -> None:
    """A 429 does not spend the environment's token; a lost answer does."""
    trakt.set_faults("refresh-429@1", "refresh-lost-close@2")
    with installed(hosted) as here:
        for kind, words in (
            (RateLimited, "come back"),
            (WatchbookError, "may have been"),
            (AuthorisationNeeded, "used before"),
        ):
            with pytest.raises(kind, match=words):
                account_or_first(here, None)
    assert refreshes(trakt) == 2


@sqlite
def test_environment_without_an_app_says_what_is_missing(hosted: dict[str, str]) -> None:
    """A token without the app's id is not sent anywhere."""
    del hosted["WATCHBOOK_TRAKT_CLIENT_ID"]
    with installed(hosted) as here, pytest.raises(AuthorisationNeeded, match="CLIENT_ID"):
        account_or_first(here, None)


@sqlite
def test_identity_is_learnt_when_trakt_is_back(hosted: dict[str, str], trakt: Sandbox) -> None:
    """A grant from the environment is kept even when Trakt cannot say at once whose it is."""
    trakt.set_faults("http-500/users/settings@1")
    with installed(hosted) as here:
        assert account_or_first(here, None).trakt_slug is None
        assert account_or_first(here, None).name == trakt.accounts[0].slug
    assert refreshes(trakt) == 1


# Secrets


@sqlite
def test_no_secret_is_logged_or_told(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """Through success, loss and refusal no token stands in a log line, an error or the history."""
    written = io.StringIO()
    logs.configure("debug", written)
    seen = {access_of(here, account), trakt.client_secret, KEY}
    trakt.set_faults("refresh-lost-500@2", "refresh-invalid-grant@3")
    try:
        for days in (4, 4, 7.1):
            tokens = stored(here, account).opened(here.store.sealer)
            seen |= {tokens.access, str(tokens.refresh)}
            aged(here, days)
            try:
                TokenSource(here, account.id).current()
            except WatchbookError as reason:
                written.write(f"{reason!r} {reason.hint} {reason.__cause__!r}")
    finally:
        logs.configure("info")
    with here.store.database.read() as conn:
        written.write(repr(grants.history(conn, account)) + repr(grants.find(conn, account.id)))
    assert "refresh" in written.getvalue()
    assert [token for token in seen if token in written.getvalue()] == []


# Real processes

CHILD = """
import os, sys
from pathlib import Path
from watchbook.addresses import AddressRule
from watchbook.connecting import Installation
from watchbook.environment import account_or_first
from watchbook.errors import WatchbookError
from watchbook.grants import TokenSource
from watchbook.http import HttpClient
from watchbook.seal import fingerprint
from watchbook.settings import load
from watchbook.store.opening import open_store

settings = load(os.environ, Path(os.environ["WATCHBOOK_HOME"]))
http = HttpClient(AddressRule(settings.allowed_hosts), service="Trakt")
here = Installation(open_store(settings), settings, http)
print("ready", flush=True)
failed = sys.stdin.readline().strip()
try:
    source = TokenSource(here, account_or_first(here, None).id)
    token = source.after_401(failed) if failed else source.current()
except WatchbookError as reason:
    print(type(reason).__name__, reason.message)
else:
    print(fingerprint(token))
"""


def start(environment: dict[str, str], die_at: str = "") -> subprocess.Popen[str]:
    """Another process of the same installation, waiting for the token that failed."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "XDG_RUNTIME_DIR") if name in os.environ
    }
    return subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env={**inherited, **environment, "_WATCHBOOK_DIE_AT": die_at},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_at(environment: dict[str, str], step: str) -> None:
    """Run a process that refreshes until it is killed at ``step``."""
    child = start(environment, step)
    _, log = child.communicate("\n")
    assert child.returncode == -9, log


def race(environment: dict[str, str], count: int, failed: str) -> set[str]:
    """Let ``count`` processes at once do something about a 401; what they say in the end."""
    children = [start(environment) for _ in range(count)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n", child.communicate()
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{failed}\n")
        child.stdin.flush()
    return {child.communicate()[0].strip() for child in children}


def one_refresh(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox, count: int
) -> None:
    """Prove that ``count`` processes refresh a dead token exactly once."""
    failed, asked = access_of(here, account), refreshes(trakt)
    aged(here, 7.1)
    said = race(environment, count, failed)
    assert said == {fingerprint(access_of(here, account))}
    assert refreshes(trakt) == asked + 1
    assert works(trakt, access_of(here, account))


@pytest.mark.daily(2)
@pytest.mark.parametrize("count", [2, 4, 8])
def test_processes_never_refresh_with_the_same_token(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox, count: int
) -> None:
    """Of many processes with one dead token exactly one refreshes, and all get its result."""
    one_refresh(environment, here, account, trakt, count)


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 4, 8])
def test_processes_never_refresh_with_the_same_token_in_many_rounds(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox, count: int
) -> None:
    """Twenty rounds of the race, each with the token of the round before."""
    for _ in range(20):
        one_refresh(environment, here, account, trakt, count)


def test_killed_before_sending(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A refresh killed after its note is unclear, and the last try finds the token unused."""
    old = access_of(here, account)
    aged(here, 4)
    killed_at(environment, "refresh.noted")
    assert stored(here, account).state is State.REFRESHING
    assert TokenSource(here, account.id).current() == old
    grant = stored(here, account)
    assert (grant.state, grant.open_tries) == (State.UNCLEAR, 1)
    assert refreshes(trakt) == 0
    assert works(trakt, TokenSource(here, account.id).after_401(old))
    assert stored(here, account).state is State.ALIVE


@pytest.mark.parametrize(("trakt", "mode"), [("strict",) * 2, ("grace",) * 2], indirect=["trakt"])
def test_killed_with_the_answer_in_hand(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox, mode: str
) -> None:
    """A pair that died with its process is asked for once more, and then the person."""
    old = access_of(here, account)
    aged(here, 4)
    killed_at(environment, "refresh.answered")
    source = TokenSource(here, account.id)
    assert source.current() == old
    assert stored(here, account).state is State.UNCLEAR
    assert refreshes(trakt) == 1
    if mode == "grace":
        assert works(trakt, source.after_401(old))
    else:
        with pytest.raises(AuthorisationNeeded, match="sign in to Trakt again"):
            source.after_401(old)
        assert stored(here, account).state is State.NEEDED
    assert refreshes(trakt) == 2


@sqlite
def test_killed_in_the_last_try(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """A last try that was killed counts: there is no third one."""
    aged(here, 7.1)
    killed_at(environment, "refresh.noted")
    killed_at(environment, "refresh.noted")
    with pytest.raises(AuthorisationNeeded, match="last try"):
        TokenSource(here, account.id).current()
    assert refreshes(trakt) == 0


def test_killed_after_the_commit(
    environment: dict[str, str], here: Installation, account: Account, trakt: Sandbox
) -> None:
    """What was committed is used by the next process, without another refresh."""
    old = access_of(here, account)
    aged(here, 4)
    killed_at(environment, "refresh.committed")
    assert stored(here, account).state is State.ALIVE
    token = TokenSource(here, account.id).current()
    assert token != old
    assert works(trakt, token)
    assert refreshes(trakt) == 1


@pytest.mark.parametrize("step", ["environment.noted", "environment.answered"])
def test_killed_while_spending_the_environments_token(
    hosted: dict[str, str], trakt: Sandbox, step: str
) -> None:
    """A token that may have been sent is spent, and the person is told to connect."""
    killed_at(hosted, step)
    with installed(hosted) as here, pytest.raises(AuthorisationNeeded, match="used before"):
        account_or_first(here, None)
    assert refreshes(trakt) == int(step == "environment.answered")


def test_killed_after_the_environments_commit(hosted: dict[str, str], trakt: Sandbox) -> None:
    """The successor of the environment's token is found by the next process."""
    killed_at(hosted, "environment.committed")
    with installed(hosted) as here:
        account = account_or_first(here, None)
        assert account.name == trakt.accounts[0].slug
        assert works(trakt, TokenSource(here, account.id).current())
    assert refreshes(trakt) == 1


@sqlite
def test_process_list_shows_no_token(
    environment: dict[str, str], here: Installation, account: Account
) -> None:
    """A process at work has no token in its command line."""
    child = start(environment)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        line = Path(f"/proc/{child.pid}/cmdline").read_text()
        assert access_of(here, account) not in line
        assert KEY not in line
    finally:
        child.communicate("\n")


@sqlite
@pytest.mark.parametrize("ahead", [0.0, 30.0])
def test_no_pause_outlives_the_token(
    here: Installation, account: Account, trakt: Sandbox, ahead: float
) -> None:
    """Neither a Retry-After of a billion seconds nor a clock set back keeps a refresh away."""
    aged(here, 4)
    trakt.set_faults("refresh-429:999999999@1")
    TokenSource(here, account.id).current()
    grant = stored(here, account)
    assert grant.retry_at is not None
    assert grant.retry_at - clock.now() <= timedelta(hours=1)
    later = clock.now() + timedelta(days=ahead)
    set_row(here, retry_at=clock.to_millis(later))
    assert works(trakt, TokenSource(here, account.id).current())
    assert refreshes(trakt) == 2
