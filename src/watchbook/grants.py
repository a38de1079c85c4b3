"""Tokens that stay alive: refreshed at half life, by one process at a time, never twice.

Trakt's refresh tokens are good for one use, and a server may take the second use for theft and
end the whole grant. So a refresh goes in steps, each durable before the next (``step`` marks
where a test may kill the process):

1. wait for the account's token lease, lock the grant's row, read it again: another process may
   have done the work;
2. write down that this very token is being sent, commit;
3. send it, once;
4. commit the new pair, and only then use it.

When the answer is lost, nobody knows whether the token still counts. The grant is *unclear*
then: the access token serves while it lives, and only when it fails the old refresh token is
sent once more, as the last step before asking the person.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from watchbook import clock
from watchbook.connecting import Installation, app_of, issue_of, token_lease
from watchbook.environment import may_use_environment, spend_environment_token
from watchbook.errors import (
    AuthorisationNeeded,
    Fate,
    OutcomeUnknown,
    RateLimited,
    RemoteUnavailable,
    SettingsError,
    StoreBusy,
    WatchbookError,
)
from watchbook.logs import logger
from watchbook.steps import step
from watchbook.store import accounts, grants
from watchbook.store.accounts import Account
from watchbook.store.grants import Event, Grant, State, Tokens
from watchbook.trakt.auth import App

_PAUSE = timedelta(minutes=1)
_REJECTED_PAUSE = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(hours=1)
"""However long Trakt asks us to stay away: a token must not end over a wrong header or clock."""
_LAST_TRY = 1
"""Open tries with which a refresh token may be sent once more, when nothing else is left."""
_STILL_FRESH = 600.0
_WARN_AFTER = timedelta(days=4)


class TokenSource:
    """Gives the access token of one account, and keeps it alive. Threads may share it."""

    def __init__(self, installation: Installation, account_id: int) -> None:
        self._warned = False
        self._installation = installation
        self._database = installation.store.database
        self._account_id = account_id
        self._lock = threading.RLock()
        self._replaced: tuple[str, float] | None = None

    def current(self) -> str:
        """The access token, refreshed when it has lived half of its life.

        Raises AuthorisationNeeded when only the person can go on, RemoteUnavailable,
        OutcomeUnknown or StoreBusy when there is no usable token right now.
        """
        with self._lock:
            return self._access(self._usable())

    def after_401(self, failed_token: str) -> str:
        """The token to try after Trakt refused ``failed_token``; a second refusal is final.

        When another process has renewed the pair meanwhile, its token is given, else the pair
        is refreshed once. Raises as :meth:`current`.
        """
        with self._lock:
            grant = self._stored()
            if grant is None:
                return self._access(self._usable())
            access = self._access(grant)
            if access != failed_token:
                return access
            if self._just_replaced(failed_token):
                raise self._needed(grant, "Trakt refuses a token that it has just made")
            fresh = self._access(self._renewed(grant, access_dead=True))
            self._replaced = (fresh, clock.monotonic())
            return fresh

    def refresh(self) -> bool:
        """Refresh if it is due, and say whether a new pair came; for a cron job.

        Raises what went wrong even while the old access token still serves.
        """
        with self._lock:
            before = self._stored()
            if before is None:
                self._usable()
                return True
            if not _is_due(before):
                self._complain(before)
                return False
            after = self._renewed(before, access_dead=_is_over(before))
            self._complain(after)
            return after.access_fingerprint != before.access_fingerprint

    def _complain(self, grant: Grant) -> None:
        if grant.state is State.NEEDED:
            raise self._needed(grant)
        if grant.state is not State.ALIVE or grant.state_words:
            raise RemoteUnavailable(
                f"The Trakt token of {self._account().name} was not refreshed: {grant.state_words}",
                service="Trakt",
                hint="The access token serves until "
                f"{clock.to_iso(grant.expires_at)}; `watchbook status` shows more.",
            )

    def _stored(self) -> Grant | None:
        with self._database.read() as conn:
            return grants.find(conn, self._account_id)

    def _account(self) -> Account:
        with self._database.read() as conn:
            return accounts.get(conn, self._account_id)

    def _access(self, grant: Grant) -> str:
        return grant.opened(self._installation.store.sealer).access

    def _usable(self) -> Grant:
        """The grant with a token that should work, by way of the environment if need be."""
        grant = self._stored()
        if grant is None:
            return self._from_environment(None)
        if _is_due(grant) or _is_over(grant):
            grant = self._renewed(grant, access_dead=_is_over(grant))
        self._warn(grant)
        return grant

    def _warn(self, grant: Grant) -> None:
        words = None if self._warned else warning(grant, self._account().name)
        if words is not None:
            self._warned = True
            logger("grants").warning(words)

    def _from_environment(self, dead: Grant | None) -> Grant:
        """A grant from the environment's token; ``dead`` is the one that nothing can revive."""
        reason = self._needed(dead)
        if not may_use_environment(self._installation):
            raise reason
        try:
            spend_environment_token(self._installation, self._account())
        except AuthorisationNeeded as spent:
            raise (reason if dead else spent) from spent
        grant = self._stored()
        assert grant is not None
        return grant

    def _just_replaced(self, token: str) -> bool:
        if self._replaced is None:
            return False
        known, when = self._replaced
        return token == known and clock.monotonic() - when < _STILL_FRESH

    def _needed(self, grant: Grant | None, words: str | None = None) -> AuthorisationNeeded:
        account = self._account()
        told = f"{account.name} is not signed in to Trakt."
        if grant is not None:
            told = _again_because(account.name, words or grant.state_words)
        return AuthorisationNeeded(
            told,
            hint=f"Run `watchbook --account {account.name} connect`. What is stored stays, and "
            "Trakt's export ZIP can be imported meanwhile.",
        )

    def _renewed(self, seen: Grant, *, access_dead: bool) -> Grant:
        """Refresh under the lease, unless another process has; else the best there is.

        ``access_dead`` says that the access token of ``seen`` is of no use any more.
        """
        try:
            with token_lease(self._database, self._account_id, "a refresh of Trakt's token"):
                grant = self._refreshed(seen, access_dead=access_dead)
        except StoreBusy:
            if access_dead:
                raise
            return seen
        if access_dead and grant.access_fingerprint == seen.access_fingerprint:
            return self._beyond_hope(grant)
        return grant

    def _beyond_hope(self, grant: Grant) -> Grant:
        """What is left when the access token is dead and could not be renewed."""
        if grant.state is State.NEEDED:
            return self._from_environment(grant)
        raise RateLimited(
            f"Trakt's token cannot be renewed now: {grant.state_words}",
            retry_after=_seconds_until(grant),
            service="Trakt",
            hint="It is tried again later; `watchbook status` shows how it stands.",
        )

    def _refreshed(self, seen: Grant, *, access_dead: bool) -> Grant:
        """Refresh if it is still called for; the lease is held."""
        with self._database.write(durable=True) as conn:
            grant = grants.find(conn, self._account_id, lock=True)
            if grant is None or grant.access_fingerprint != seen.access_fingerprint:
                return self._theirs(grant)
            if grant.state is State.REFRESHING:
                # Whoever wrote this held the lease; it is ours now, so they did not finish.
                _not_answered(conn, grant, "The process that refreshed it was ended.")
                grant = _again(conn, grant)
            if not _may_send(grant, access_dead=access_dead):
                return grant
            tokens = grant.opened(self._installation.store.sealer)
            app = app_of(self._installation, accounts.get(conn, self._account_id))
            if tokens.refresh is None or app is None or app.client_id != grant.client_id:
                return _cannot_send(conn, grant, tokens)
            _note_started(conn, grant)
        step("refresh.noted")
        return self._sent(grant, app, tokens.refresh)

    def _theirs(self, grant: Grant | None) -> Grant:
        """What another process has made of the grant meanwhile."""
        if grant is None:
            raise self._needed(None)
        return grant

    def _sent(self, grant: Grant, app: App, refresh_token: str) -> Grant:
        """Send the refresh token, once, and write down what came of it."""
        server = self._installation.auth_server(app)
        try:
            pair = server.refresh(refresh_token, grant.redirect_uri)
        except WatchbookError as reason:
            step("refresh.failed")
            return self._failed(grant, reason)
        step("refresh.answered")
        issue = issue_of(pair, app, grant.redirect_uri, grant.origin, kept=refresh_token)
        with self._database.write(durable=True) as conn:
            present = grants.find(conn, self._account_id, lock=True)
            if present is None or present.access_fingerprint != grant.access_fingerprint:
                return self._theirs(present)  # connected anew or disconnected: that counts
            saved = grants.save(conn, self._installation.store.sealer, self._account_id, issue)
            token = saved.refresh_fingerprint
            grants.record(conn, self._account_id, Event.REFRESHED, token=token)
        step("refresh.committed")
        return saved

    def _failed(self, grant: Grant, reason: WatchbookError) -> Grant:
        """Write down a refresh without a new pair; ``grant`` is as it was before the attempt."""
        with self._database.write(durable=True) as conn:
            if isinstance(reason, AuthorisationNeeded):
                _ended(conn, grant, reason.message)
            elif isinstance(reason, OutcomeUnknown):
                _not_answered(conn, replace(grant, open_tries=grant.open_tries + 1), reason.message)
            else:
                _put_off(conn, grant, reason)
            after = _again(conn, grant)
        logger("grants").warning(
            "Trakt's token was not refreshed",
            account=grant.account_id,
            state=after.state.value,
            reason=reason.message,
        )
        return after


def warning(grant: Grant, name: str) -> str | None:
    """What the person called ``name`` should know about their grant; None while all is well.

    A token that could not be renewed for four days (of seven; in proportion for other
    lifetimes) is worth a word while there is still time.
    """
    end = clock.to_iso(grant.expires_at)
    if grant.state is State.NEEDED:
        return f"{_again_because(name, grant.state_words)} Run `watchbook connect`."
    lifetime = grant.expires_at - grant.issued_at
    late = clock.now() >= grant.issued_at + min(_WARN_AFTER, lifetime * 4 / 7)
    if grant.state is not State.UNCLEAR and not late:
        return None
    why = grant.state_words or "Nothing has refreshed it: does a service or a cron job run?"
    return f"Trakt's token of {name} was not renewed and ends at {end}. {why}"


def _again_because(name: str, words: str | None) -> str:
    reason = (words or "the sign-in has ended").rstrip(".")
    return f"{name} has to sign in to Trakt again: {reason}."


def _is_over(grant: Grant) -> bool:
    return clock.now() >= grant.expires_at


def _is_due(grant: Grant) -> bool:
    """Whether somebody should look after the grant, though its access token may still serve."""
    if grant.state is State.ALIVE:
        return clock.now() >= grant.half_life and _may_send(grant, access_dead=False)
    return grant.state is State.REFRESHING


def _may_send(grant: Grant, *, access_dead: bool) -> bool:
    if grant.state is State.NEEDED:
        return False
    if grant.retry_at is not None:
        pause = grant.retry_at - clock.now()
        if timedelta() < pause <= _LONGEST_PAUSE:
            return False
    return grant.open_tries < _LAST_TRY or (access_dead and grant.open_tries == _LAST_TRY)


def _again(conn: Connection, grant: Grant) -> Grant:
    found = grants.find(conn, grant.account_id)
    assert found is not None
    return found


def _note_started(conn: Connection, grant: Grant) -> None:
    token = grant.refresh_fingerprint
    grants.settle(conn, grant, State.REFRESHING, None, open_tries=grant.open_tries + 1)
    grants.record(conn, grant.account_id, Event.STARTED, token=token)


def _not_answered(conn: Connection, grant: Grant, words: str) -> None:
    """Nobody knows what became of the refresh token; ``open_tries`` counts this try already."""
    last = grant.open_tries > _LAST_TRY
    if last:
        words += " It was the last try with this token."
    grants.settle(conn, grant, State.NEEDED if last else State.UNCLEAR, words, **_counted(grant))
    token = grant.refresh_fingerprint
    grants.record(conn, grant.account_id, Event.UNCLEAR, token=token, words=words)


def _ended(conn: Connection, grant: Grant, words: str) -> None:
    grants.settle(conn, grant, State.NEEDED, words, **_counted(grant))
    token = grant.refresh_fingerprint
    grants.record(conn, grant.account_id, Event.REFUSED, token=token, words=words)


def _put_off(conn: Connection, grant: Grant, reason: WatchbookError) -> None:
    """The token was not used: all is as it was, but Trakt is left alone for a while."""
    wait = _REJECTED_PAUSE if reason.fate is Fate.PERMANENT else _PAUSE
    if isinstance(reason, RateLimited) and reason.retry_after is not None:
        wait = min(timedelta(seconds=reason.retry_after), _LONGEST_PAUSE)
    moment = clock.to_millis(clock.now() + wait)
    state = State.UNCLEAR if grant.open_tries else State.ALIVE
    grants.settle(conn, grant, state, reason.message, **_counted(grant), retry_at=moment)
    token = grant.refresh_fingerprint
    grants.record(conn, grant.account_id, Event.PUT_OFF, token=token, words=reason.message)


def _counted(grant: Grant) -> dict[str, int]:
    return {"open_tries": grant.open_tries}


def _cannot_send(conn: Connection, grant: Grant, tokens: Tokens) -> Grant:
    if tokens.refresh is None:
        _ended(conn, grant, "Trakt gave no refresh token with it.")
    else:
        words = f"It was made with the Trakt app {grant.client_id}, which is not the one in force."
        _put_off(conn, grant, SettingsError(words))
    return _again(conn, grant)


def _seconds_until(grant: Grant) -> float | None:
    if grant.retry_at is None:
        return None
    return max(0.0, (grant.retry_at - clock.now()).total_seconds())
