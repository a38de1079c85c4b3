"""The service: engine, keeper and web server put together, from the start to a signal."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from watchbook import environment
from watchbook.addresses import AddressRule
from watchbook.clock import counted, from_millis, in_words, now
from watchbook.connecting import Installation
from watchbook.errors import Fate, SettingsError, StoreBusy, StoreError, WatchbookError
from watchbook.files import file_errors, make_private_folder
from watchbook.http import HttpClient, user_agent
from watchbook.jobs.engine import Engine
from watchbook.jobs.keeper import Keeper
from watchbook.jobs.reaper import Pulse, new_worker_id
from watchbook.jobs.work import Worker
from watchbook.logs import logger
from watchbook.publish import joining
from watchbook.steps import hurried
from watchbook.store import accounts, due
from watchbook.waits import wait_for
from watchbook.web.app import App, make_app
from watchbook.web.front import Front
from watchbook.web.server import WebServer, listening

LOCK = "serve.lock"
"""The file in the home folder by which one service at a time runs on SQLite."""

_ONLY_WORKER = "watchbook"
"""The worker's name on SQLite: whoever starts is the heir of whoever died."""
_PATIENCE = 3.0
"""Seconds that jobs under way may still take when the service stops."""
_LOOK_EVERY = timedelta(seconds=1)
_FIRST_SIGN_IN_PAUSE = timedelta(minutes=10)
_NAMED = 3
_log = logger("service")


def serve(installation: Installation, concurrency: int) -> None:
    """Do the work of the schedule and answer over HTTP, until a signal comes.

    Raises StoreBusy when a service of this home runs already, SettingsError when nothing can
    be served at the address that is set, and StoreError.
    """
    with (
        _stopping() as stop,
        alone(installation),
        listening(installation.settings.listen) as listener,  # before any work is begun
        working(installation, concurrency, stop) as keeper,
        public(installation) as front,
        WebServer(_app(installation, keeper, front), listener) as server,
    ):
        _wake_oneself(installation, stop)
        _log.info(f"Watchbook serves on http://{server.address}; {_plans(installation)}.")
        wait_for(stop)
        _log.info("Stopping.")


def work(installation: Installation, concurrency: int) -> None:
    """Share the work of the schedule with others, until a signal comes; on PostgreSQL.

    Raises SettingsError on SQLite, and StoreError.
    """
    if installation.store.database.on_sqlite:
        raise SettingsError(
            "Workers share their work through PostgreSQL, and this database is a SQLite file.",
            hint="On one machine `watchbook serve` does it all; docs/how-to/move-to-postgresql.md "
            "says how to move.",
        )
    with _stopping() as stop, working(installation, concurrency, stop, files=False):
        _log.info(f"Watchbook works; {_plans(installation)}.")
        wait_for(stop)
        _log.info("Stopping.")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first signal sets; the second one ends the process at once."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(0)
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone(installation: Installation) -> Iterator[None]:
    """On SQLite, be the only service of the home folder; raises StoreBusy, naming the other."""
    if not installation.store.database.on_sqlite:
        yield
        return
    path = installation.store.home / LOCK
    make_private_folder(path.parent)
    with file_errors(path):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    except BlockingIOError:
        other = os.pread(handle, 20, 0).decode("ascii", "replace") or "unknown"
        raise StoreBusy(
            f"A service runs for {path.parent} already: process {other}.",
            hint="Stop that one first, or leave it to its work: `watchbook status`.",
        ) from None
    finally:
        os.close(handle)


def _end() -> None:
    """End the process, whatever it is at."""
    os._exit(0)


@contextmanager
def working(
    installation: Installation,
    concurrency: int,
    stop: threading.Event,
    *,
    files: bool = True,
    abandon: Callable[[], None] = _end,
) -> Iterator[Keeper]:
    """Engine and keeper at work; sets ``stop`` at the end, after which the process may end.

    Without ``files`` it leaves archives and their copies to others. ``abandon`` is called when
    jobs do not come to their end: nothing that they use may be closed any more.
    """
    database = installation.store.database
    worker = _ONLY_WORKER if database.on_sqlite else new_worker_id()
    pulse = Pulse(database, worker)
    engine = Engine(
        database,
        installation.store.home,
        Worker(installation),
        worker=worker,
        concurrency=concurrency,
        files=files,
        look_every=hurried(_LOOK_EVERY).total_seconds(),
    )
    keeper = Keeper(installation, engine, pulse)
    try:
        _sign_in_first(installation, stop)
        keeper.start()
        yield keeper
    finally:
        stop.set()
        keeper.stop()
        _leave(engine, pulse, abandon)


def _leave(engine: Engine, pulse: Pulse, abandon: Callable[[], None]) -> None:
    """End the engine; jobs still under way are abandoned, and go on at the next start."""
    ending = threading.Thread(target=engine.stop, args=(_PATIENCE,), name="ending", daemon=True)
    ending.start()
    ending.join(_PATIENCE + 1)
    with suppress(StoreError):
        pulse.stop()
    if ending.is_alive() or engine.running():
        _log.info("Jobs under way go on at the next start.", jobs=engine.running())
        abandon()


@contextmanager
def public(installation: Installation) -> Iterator[Front]:
    """What everybody may see, kept up to date while the block runs."""
    settings = installation.settings
    front = Front(installation.store, settings.base_url, settings.sync_every)
    front.watcher.start()
    try:
        yield front
    finally:
        front.watcher.stop()


def _app(installation: Installation, keeper: Keeper, front: Front) -> App:
    settings = installation.settings
    return make_app(
        _standing(keeper),
        joining.own_document(installation),
        front,
        trusted_proxies=settings.trusted_proxies,
        metrics_for=settings.metrics_for,
    )


def _standing(keeper: Keeper) -> Callable[[], Mapping[str, Any]]:
    def standing() -> Mapping[str, Any]:
        told: Mapping[str, Any] = msgspec.to_builtins(keeper.health)
        return told

    return standing


def _plans(installation: Installation) -> str:
    """What comes next, in words: ``sandra: next sync in 3 minutes, next backup Sunday``."""
    with installation.store.database.read() as conn:
        known = accounts.all_accounts(conn)
        rows = {account.id: due.of_account(conn, account.id) for account in known}
    if not known:
        return "no account yet, `watchbook connect` or `watchbook import FILE` makes one"
    if len(known) > _NAMED:
        return counted(len(known), "account")
    told = []
    for account in known:
        nexts = [f"next {row.kind} {when(row.next_at)}" for row in rows[account.id]]
        told.append(f"{account.name}: {', '.join(nexts) or 'nothing to do'}")
    return "; ".join(told)


def when(millis: int) -> str:
    """Say when something is due: ``now``, ``in 3 minutes``."""
    span = from_millis(millis) - now()
    return f"in {in_words(span)}" if span > timedelta(seconds=1) else "now"


def _sign_in_first(installation: Installation, stop: threading.Event) -> None:
    """Where there is no account yet, make one from the environment's token, if there is one."""
    with installation.store.database.read() as conn:
        known = accounts.all_accounts(conn)
    if not known and environment.may_use_environment(installation):
        _in_background("first sign-in", _first_account, installation, stop)


def _first_account(installation: Installation, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            account = environment.account_or_first(installation, None)
        except WatchbookError as reason:
            _log.warning(f"No account yet. {reason.message}", hint=reason.hint)
            if reason.fate is not Fate.TRANSIENT:
                return
        else:
            _log.info(f"Signed in as {account.name}.")
            return
        stop.wait(_FIRST_SIGN_IN_PAUSE.total_seconds())


def _wake_oneself(installation: Installation, stop: threading.Event) -> None:
    if installation.settings.keep_awake is not None:
        _in_background("awake", _keep_awake, installation, stop)


def _keep_awake(installation: Installation, stop: threading.Event) -> None:
    """Ask for our own health now and then, from outside, for hosts that stop who is not asked."""
    settings = installation.settings
    assert settings.keep_awake is not None
    rule = AddressRule((*settings.allowed_hosts, urlsplit(settings.base_url).netloc))
    with HttpClient(rule, service="Watchbook itself", agent=user_agent()) as http:
        while not stop.wait(hurried(settings.keep_awake).total_seconds()):
            try:
                http.request("GET", f"{settings.base_url}/healthz")
            except WatchbookError as reason:
                _log.warning(f"Could not ask for our own health. {reason.message}")


def _in_background(name: str, act: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=act, args=arguments, name=name, daemon=True).start()
