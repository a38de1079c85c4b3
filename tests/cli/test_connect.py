from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from watchbook import clock
from watchbook.addresses import AddressRule
from watchbook.cli.context import Context
from watchbook.cli.main import cli
from watchbook.errors import (
    AuthorisationNeeded,
    InputError,
    RateLimited,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running
from watchbook.store import accounts, grants
from watchbook.store.schema import grants as table
from watchbook.trakt.auth import PIN_REDIRECT, App, AuthServer

KEY = "a-key-that-only-tests-use-and-long-enough"
OPTIONS = SandboxOptions(plays=5, accounts=2, rate_limit=False)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def prepared() -> bool:
    """Signing in begins with nothing."""
    return False


@pytest.fixture
def trakt() -> Iterator[RunningSandbox]:
    """A Trakt of two users."""
    with running(OPTIONS) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def environment(
    trakt: RunningSandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """This process is an installation without an app; waiting takes no time."""
    variables = {
        "WATCHBOOK_HOME": str(tmp_path / "home"),
        "WATCHBOOK_DATABASE_URL": database_url,
        "WATCHBOOK_SECRET_KEY": KEY,
        "WATCHBOOK_TRAKT_API_URL": trakt.url,
        "WATCHBOOK_TRAKT_AUTH_URL": trakt.auth_url,
    }
    for name in [name for name in os.environ if name.startswith("WATCHBOOK_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    return variables


@pytest.fixture
def app(trakt: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's app is set."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_ID", trakt.client_id)
    monkeypatch.setenv("WATCHBOOK_TRAKT_CLIENT_SECRET", trakt.client_secret)


def watchbook(*arguments: str, typed: str = "") -> Result:
    """Run a command that ends well."""
    result = CliRunner().invoke(cli, arguments, typed, obj=Context(), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def failing(kind: type[WatchbookError], *arguments: str, typed: str = "") -> Any:
    """Run a command that ends with an error of that kind; the error."""
    with pytest.raises(kind) as caught:
        watchbook(*arguments, typed=typed)
    return caught.value


def known() -> list[accounts.Account]:
    """All accounts there are."""
    context = Context()
    with context.store.database.read() as conn:
        found = accounts.all_accounts(conn)
    context.close()
    return found


def set_grants(**values: object) -> None:
    """Change columns of all grants."""
    context = Context()
    with context.store.database.write() as conn:
        conn.execute(sa.update(table).values(values))
    context.close()


def aged(days: float) -> None:
    """Let all grants be so many days old."""
    issued = clock.now() - timedelta(days=days)
    ends = clock.to_millis(issued + timedelta(days=7))
    set_grants(issued_at=clock.to_millis(issued), expires_at=ends)


def tokens() -> list[str]:
    """Every token in the store."""
    context = Context()
    found = []
    with context.store.database.read() as conn:
        for account in accounts.all_accounts(conn):
            grant = grants.find(conn, account.id)
            opened = grant.opened(context.store.sealer) if grant else None
            found += [opened.access, str(opened.refresh)] if opened else []
    context.close()
    return found


@contextmanager
def server_of(trakt: RunningSandbox) -> Iterator[AuthServer]:
    """The authorisation server, asked by the test itself."""
    rule = AddressRule([urlsplit(trakt.auth_url).netloc])
    with HttpClient(rule, service="Trakt") as http:
        yield AuthServer(http, trakt.auth_url, App(trakt.client_id, trakt.client_secret))


def pin_of(trakt: RunningSandbox) -> str:
    """Agree on the PIN page; the PIN it shows."""
    with server_of(trakt) as server:
        address = urlsplit(server.authorize_url(PIN_REDIRECT))
    connection = HTTPConnection(address.netloc)
    connection.request("GET", f"{address.path}?{address.query}", headers={"User-Agent": "Test/1"})
    page = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r"\b[0-9a-f]{32}\b", page)
    assert found is not None, page
    return found[0]


def test_first_connect_asks_for_the_app_and_makes_the_account(trakt: RunningSandbox) -> None:
    """Without an app the person is led to one, then to the code, and ends with an account."""
    result = watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    for needed in (
        "https://app.trakt.tv/settings/apps/api/new",
        "urn:ietf:wg:oauth:2.0:oob",
        "http://localhost:8420/trakt/callback",
        "VIP",
        "watchbook import FILE.zip",
        f"Open {trakt.auth_url}/activate and enter the code",
    ):
        assert needed in result.stderr
    slug = trakt.accounts[0].slug
    assert f"Connected: the Trakt user {slug}, as account {slug}." in result.stdout
    (account,) = known()
    assert (account.name, account.client_id) == (slug, trakt.client_id)
    for value in (*tokens(), trakt.client_secret):
        assert value not in result.output


def test_a_name_that_no_account_can_have_is_refused_first(trakt: RunningSandbox) -> None:
    """Nobody gives a consent for nothing."""
    reason = failing(InputError, "--account", "../x", "connect")
    assert reason.message == "'../x' cannot be the name of an account."
    assert trakt.requests()["total"] == 0


def test_with_several_accounts_one_is_named(trakt: RunningSandbox) -> None:
    """Nobody's living sign-in is replaced by chance."""
    watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    watchbook("account", "add", "tom")
    before = tokens()
    reason = failing(InputError, "connect")
    assert reason.message == "There are several accounts."
    assert "--account NAME" in (reason.hint or "")
    assert tokens() == before


def test_without_anybody_to_ask_the_settings_are_named(trakt: RunningSandbox) -> None:
    """The app's id and secret are no options: they stand in the environment."""
    reason = failing(InputError, "connect", typed="")
    assert "WATCHBOOK_TRAKT_CLIENT_ID and WATCHBOOK_TRAKT_CLIENT_SECRET" in (reason.hint or "")
    assert trakt.requests()["total"] == 0


def test_second_connect_asks_for_nothing(trakt: RunningSandbox) -> None:
    """A stored app is used again: renewing takes no typing."""
    watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    before = tokens()
    assert "Client id" not in watchbook("connect").output
    assert len(known()) == 1
    assert tokens() != before


def test_deleted_app_can_be_replaced(trakt: RunningSandbox) -> None:
    """When the stored app is gone, another is asked for instead of a dead end."""
    watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    context = Context()
    with context.store.database.write() as conn:
        accounts.change(conn, known()[0].id, client_id="deleted")
    context.close()
    result = watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    assert "does not accept the app" in result.stderr
    assert known()[0].client_id == trakt.client_id


def test_wrong_app_ends_with_both_doors(trakt: RunningSandbox) -> None:
    """A mistyped id ends with words about VIP and the ZIP, and makes no account."""
    error = failing(AuthorisationNeeded, "connect", typed="wrong\nwrong\n")
    assert "VIP" in error.hint
    assert "watchbook import" in error.hint
    assert known() == []


@pytest.mark.usefixtures("app")
def test_app_of_the_settings_is_not_asked_for(trakt: RunningSandbox) -> None:
    """With the app in the settings only the code is shown; ``--json`` answers on stdout alone."""
    result = watchbook("connect", "--json")
    slug = trakt.accounts[0].slug
    assert f'"user": "{slug}"' in result.stdout
    assert "enter the code" not in result.stdout
    assert "enter the code" in result.stderr
    assert "Client id" not in result.output


@pytest.mark.usefixtures("app")
def test_pin_page_is_named_before_the_pin_is_asked(trakt: RunningSandbox) -> None:
    """``--code`` prints the page, then takes the PIN without showing it."""
    pin = pin_of(trakt)
    result = watchbook("connect", "--code", typed=f"{pin}\n")
    page = f"{trakt.auth_url}/oauth/authorize?response_type=code&client_id={trakt.client_id}"
    assert result.stderr.index(page) < result.stderr.index("PIN:")
    assert pin not in result.output
    assert "Connected" in result.stdout


@pytest.mark.usefixtures("app")
def test_pin_as_argument_is_taken_at_once(trakt: RunningSandbox) -> None:
    """``--code PIN`` needs no further typing; a used PIN is refused in our words."""
    pin = pin_of(trakt)
    assert "Connected" in watchbook("connect", "--code", pin).stdout
    assert (
        "does not accept the code" in failing(AuthorisationNeeded, "connect", "--code", pin).message
    )


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("device-refused", AuthorisationNeeded, "refused on Trakt's page"),
        ("device-expired", AuthorisationNeeded, "ended before anybody"),
        ("device-unknown", AuthorisationNeeded, "does not know this device code"),
        ("device-used", AuthorisationNeeded, "used already"),
        ("device-start-429", RateLimited, "come back in 2 minutes"),
        ("http-403/oauth/device/code", AuthorisationNeeded, "does not accept the app"),
        ("cloudflare-403/oauth/device/code", RateLimited, "Cloudflare"),
    ],
)
def test_sign_ins_that_fail(
    trakt: RunningSandbox, fault: str, kind: type[WatchbookError], words: str
) -> None:
    """Each way to fail says what happened and leaves no account behind."""
    trakt.set_faults(fault)
    reason = failing(kind, "connect")
    assert words in reason.message
    assert ("do it again later" in (reason.hint or "")) is (kind is RateLimited)
    assert known() == []


@pytest.mark.usefixtures("app")
def test_another_users_consent_names_both(trakt: RunningSandbox) -> None:
    """Who is signed in to Trakt as somebody else reads both names and nothing changes."""
    watchbook("connect")
    before = tokens()
    trakt.set_faults("device-other:1")
    message = failing(AuthorisationNeeded, "connect").message
    assert all(member.slug in message for member in trakt.accounts)
    assert tokens() == before


def test_second_person_brings_an_app_of_their_own(trakt: RunningSandbox) -> None:
    """``--account`` with a new name makes a book for another Trakt user."""
    typed = f"{trakt.client_id}\n{trakt.client_secret}\n"
    watchbook("connect", typed=typed)
    trakt.consent_as(trakt.accounts[1].slug)
    result = watchbook("--account", "tom", "connect", typed=typed)
    assert "as account tom" in result.stdout
    assert [account.name for account in known()] == [trakt.accounts[0].slug, "tom"]


@pytest.mark.usefixtures("app")
def test_cron_refresh_is_silent_while_all_is_well(trakt: RunningSandbox) -> None:
    """``--refresh`` says nothing, due or not."""
    watchbook("connect")
    assert watchbook("connect", "--refresh").output == ""
    aged(4)
    before = tokens()
    assert watchbook("connect", "--refresh").output == ""
    assert tokens() != before
    assert '"refreshed"' in watchbook("connect", "--refresh", "--json").stdout


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("refresh-429", RemoteUnavailable, 75),
        ("refresh-lost-close", RemoteUnavailable, 75),
        ("refresh-invalid-grant", AuthorisationNeeded, 77),
        ("refresh-invalid-client", AuthorisationNeeded, 77),
    ],
)
def test_cron_refresh_tells_trouble_by_its_exit_code(
    trakt: RunningSandbox, fault: str, kind: type[WatchbookError], code: int
) -> None:
    """Trouble ends with the exit code of its kind, though the access token still serves."""
    watchbook("connect")
    aged(4)
    trakt.set_faults(fault)
    assert failing(kind, "connect", "--refresh").exit_code == code


def test_cron_refresh_looks_after_everybody(trakt: RunningSandbox) -> None:
    """With several accounts one that fails does not keep the others from being refreshed."""
    typed = f"{trakt.client_id}\n{trakt.client_secret}\n"
    watchbook("connect", typed=typed)
    trakt.consent_as(trakt.accounts[1].slug)
    watchbook("--account", "tom", "connect", typed=typed)
    aged(4)
    before = tokens()
    trakt.set_faults("refresh-invalid-grant@1")
    failing(AuthorisationNeeded, "connect", "--refresh")
    after = tokens()
    assert before[:2] == after[:2]
    assert before[2:] != after[2:]


def test_refresh_without_any_account(trakt: RunningSandbox) -> None:
    """Nothing to keep alive is an error that says how to begin."""
    assert "watchbook connect" in failing(InputError, "connect", "--refresh").hint


@pytest.mark.parametrize("other", [["--code", "1"], ["--print-token"]])
def test_refresh_goes_alone(trakt: RunningSandbox, other: list[str]) -> None:
    """``--refresh`` with another way to sign in is a mistake."""
    failing(InputError, "connect", "--refresh", *other)


@pytest.mark.usefixtures("app")
def test_token_is_not_printed_into_a_pipe(trakt: RunningSandbox) -> None:
    """``--print-token`` refuses anything but a terminal, before it asks Trakt."""
    assert "terminal" in failing(InputError, "connect", "--print-token").message
    assert trakt.requests()["total"] == 0


@pytest.mark.usefixtures("app")
def test_token_is_shown_once_on_a_terminal(trakt: RunningSandbox, tmp_path: Path) -> None:
    """On a terminal the token comes with a QR code before it, works, and nothing is stored."""
    shown = on_a_terminal("connect", "--print-token")
    assert "▄" in shown
    assert f"Trakt user {trakt.accounts[0].slug}" in shown
    token = shown.strip().splitlines()[-1].strip()
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert shown.count(token) == 1
    assert not (tmp_path / "home").exists()
    with server_of(trakt) as server:
        assert server.refresh(token).access


def test_a_stored_app_is_not_asked_for_again(trakt: RunningSandbox) -> None:
    """``--print-token`` takes the app that the account was connected with."""
    watchbook("connect", typed=f"{trakt.client_id}\n{trakt.client_secret}\n")
    before = tokens()
    shown = on_a_terminal("connect", "--print-token")
    assert "Client id" not in shown
    assert re.fullmatch(r"[0-9a-f]{64}", shown.strip().splitlines()[-1].strip())
    assert tokens() == before


def test_answers_may_come_through_a_pipe(trakt: RunningSandbox) -> None:
    """Without a terminal the app's secret is read as a line, without a warning of Python's."""
    ended = subprocess.run(
        [sys.executable, "-m", "watchbook", "connect", "--code", pin_of(trakt)],
        input=f"{trakt.client_id}\n{trakt.client_secret}\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert ended.returncode == 0
    assert "Connected: " in ended.stdout
    assert "Warning" not in ended.stderr
    assert trakt.client_secret not in ended.stdout + ended.stderr


def test_a_pipe_that_ends_too_early(trakt: RunningSandbox) -> None:
    """A question that nobody answers ends with words about that."""
    ended = subprocess.run(
        [sys.executable, "-m", "watchbook", "connect"],
        input=f"{trakt.client_id}\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert ended.returncode == 2
    assert "standard input ended before its answer" in ended.stderr


def on_a_terminal(*arguments: str) -> str:
    """Run a command on a terminal of its own; all that it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "watchbook", *arguments], stdin=theirs, stdout=theirs, stderr=theirs
    ) as child:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
    os.close(ours)
    assert child.returncode == 0, shown.decode()
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the other side is closed
        return b""


@pytest.mark.usefixtures("app")
def test_disconnect_gives_back_and_forgets(trakt: RunningSandbox) -> None:
    """After ``disconnect`` there is no token, the account stays, and a second time is an error."""
    watchbook("connect")
    assert "is disconnected" in watchbook("disconnect").stdout
    assert tokens() == []
    assert len(known()) == 1
    failing(InputError, "disconnect")


@pytest.mark.usefixtures("app")
def test_disconnect_says_what_is_left_to_do(trakt: RunningSandbox) -> None:
    """When Trakt cannot be told, the person is told where to finish."""
    watchbook("connect")
    trakt.set_faults("http-500/oauth/revoke")
    result = watchbook("disconnect", "--json")
    assert "settings/apps/connected" in result.stderr
    assert '"connected": false' in result.stdout
    assert tokens() == []
