from __future__ import annotations

import io
import json
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from watchbook import logs, redaction
from watchbook.redaction import MASK, cleaned, forget, redact, secret, tame, tells

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (debug|info|warning|error|critical) +\S.*")
TOKEN = "6f1d0c9e4b7a45aa"
"""A secret in every test below, mostly one that nobody registered."""


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret of another test of this process is known here."""
    monkeypatch.setattr(redaction, "_registry", type(redaction._registry)())


SHAPES = [
    f"Authorization: Bearer {TOKEN}",
    f"authorization: basic {TOKEN}==",
    f'{{"Authorization": "Bearer {TOKEN}"}}',
    f"{{'authorization': 'Token {TOKEN} and {TOKEN}'}}",
    f"sent Bearer {TOKEN}, got 401",
    f"BEARER   {TOKEN}",
    f"(b'Authorization', b'Bearer {TOKEN}')",
    f"trakt-api-key: {TOKEN}",
    f"Cookie: session={TOKEN}; other={TOKEN}",
    f"(b'Set-Cookie', b'session={TOKEN}; Path=/')",
    f"grant_type=refresh_token&refresh_token={TOKEN}&client_id=x",
    f"grant_type=authorization_code&code={TOKEN}&client_secret={TOKEN}",
    f'{{"access_token":"{TOKEN}","refresh_token": "{TOKEN}","expires_in":604800}}',
    f"{{'access_token': '{TOKEN}', 'client_secret': '{TOKEN}'}}",
    f'"{{\\"access_token\\":\\"{TOKEN}\\"}}"',
    f'{{"code": "{TOKEN}"}}',
    f"password={TOKEN}",
    f'password: "two words {TOKEN}"',
    f"client-secret = {TOKEN}",
    f"api_key={TOKEN}",
    f"code_verifier={TOKEN}",
    f"https://bob:{TOKEN}@site.example/path",
    f"https://{TOKEN}@site.example/",
    f"https://bob:p@{TOKEN}@site.example/",
    f"postgresql+psycopg://watchbook:{TOKEN}@db.example/watchbook",
    f"https://api.example/3/movie/1?api_key={TOKEN}",
    f"https://site.example/?{TOKEN}",
    f"https://site.example/cb?state=1&code={TOKEN}#x",
    f"https://site.example/#access_token={TOKEN}",
    f"GET /trakt/callback?code={TOKEN}&state={TOKEN} HTTP/1.1",
    f"https://trakt.tv/lists/{TOKEN}",
    f"https://app.trakt.tv/lists/share/{TOKEN}?sort=rank",
    f"WATCHBOOK_TRAKT_CLIENT_SECRET={TOKEN}",
    f"share_link: https://trakt.example/{TOKEN}",
]
KEYS = """
    token access_token refresh_token ACCESS_TOKEN trakt-api-key api_key apiKey secret client_secret
    secret_key authorization Authorization code user_code device_code password passwd share_link
    shareLink key cookie cookies Set-Cookie jwt client_assertion code_verifier credentials auth pin
""".split()
PLAIN = [
    "200 plays, 3 pages",
    "The movie Token of Love (2019)",
    "https://api.trakt.tv/users/me/lists/123/items",
    "status code 404: not found",
    "Who's there? Nobody",
    "Basic Instinct (1992)",
    "Bearer of bad news",
    "invalid_token: The token is unknown",
    "expired_token: it was used before",
    "2026-11-21T20:15:00Z",
    "a@b.example",
    "C# and 50% of //",
]
CONTROLS = [
    *(chr(code) for code in range(0x20)),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud800\udfff\U000e0041",
]
FORGERIES = [
    "\n2026-11-21T20:15:00Z error    forged  part=sync",
    "\r2026-11-21T20:15:00Z error    forged",
    "\x1b[2J\x1b[1;31mforged",
    "\x1b]0;title\x07",
    "\x9b31mforged",
    "\x08" * 80 + "forged",
    '"}\n{"level": "error", "event": "forged"}',
    "\u202eforged",
    "%s %d %n {0} {event}",
    "$(reboot)`reboot`",
]
HOSTILE = [
    *(before + shape for shape in SHAPES for before in ("", "title ", "é\n", "\x1b[0m")),
    *(f"a{control}b" for control in CONTROLS),
    *FORGERIES,
    *(f"{forgery} Bearer {TOKEN}" for forgery in FORGERIES),
    *(f"{forgery}{shape}" for forgery in FORGERIES[:3] for shape in SHAPES),
]


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Logging and structlog are after each test what they were before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def registered() -> Iterator[str]:
    """A secret that this process knows, in a shape that gives nothing away."""
    yield secret('pass"wörd & more')
    forget('pass"wörd & more')


def written(level: str, *events: Any, **pairs: Any) -> str:
    """What the log says about an event."""
    stream = io.StringIO()
    logs.configure(level, stream)
    for event in events:
        logs.logger("test").info(event, **pairs)
    return stream.getvalue()


def test_there_are_plenty_of_hostile_strings() -> None:
    """The set that the next tests run through is as large as it is meant to be."""
    assert len(set(HOSTILE)) >= 300


@pytest.mark.parametrize("level", ["info", "json"])
def test_hostile_strings_stay_on_their_line(level: str) -> None:
    """No string, wherever it stands, shows a secret, moves a cursor or begins a line."""
    for text in HOSTILE:
        out = written(level, text, value=text, nested={"deep": [text, {text: text}]}, **{text: 1})
        line = out.removesuffix("\n")
        assert TOKEN not in out
        assert not any(control in line for control in CONTROLS)
        out.encode()
        if level == "json":
            assert json.loads(line)["level"] == "info"
        else:
            assert LINE.fullmatch(line)


@pytest.mark.parametrize("shape", SHAPES)
def test_masks_what_has_the_shape_of_a_secret(shape: str) -> None:
    """Tokens, passwords, queries and share links are masked though nobody registered them."""
    shown = redact(shape)
    assert TOKEN not in shown
    assert MASK in shown
    assert redact(shown) == shown


@pytest.mark.parametrize("text", PLAIN)
def test_leaves_plain_text_alone(text: str) -> None:
    """What only resembles a secret stays readable."""
    assert redact(text) == tame(text) == text


@pytest.mark.parametrize("key", KEYS)
def test_masks_values_by_their_key(key: str) -> None:
    """A telling key hides its value, of whatever type and however deep."""
    assert tells(key)
    assert cleaned({"a": [{key: TOKEN}]}) == {"a": [{key: MASK}]}
    assert cleaned({key: 12345678}) == {key: MASK}
    assert TOKEN not in written("info", "event", **{key: {"in": [TOKEN]}})


@pytest.mark.parametrize("key", ["status_code", "exit_code", "monkey", "event", "name", "author"])
def test_keeps_values_of_harmless_keys(key: str) -> None:
    """Keys that only resemble telling ones keep their values."""
    assert cleaned({key: "value"}) == {key: "value"}


def test_a_registered_secret_is_masked_in_every_spelling(registered: str) -> None:
    """A known secret is found plain, percent-encoded, and as JSON and Python write it."""
    for spelling in (
        registered,
        quote(registered),
        quote(registered, safe=""),
        quote_plus(registered),
        json.dumps(registered),
        repr(registered),
    ):
        shown = redact(f"x {spelling} y")
        assert "more" not in shown.replace("+", " ")
        assert shown.startswith("x ")


def test_a_forgotten_secret_is_an_ordinary_word_again() -> None:
    """What has been revoked need not be looked for, and short values never are."""
    assert redact(f"x {secret('hushhush')}") == f"x {MASK}"
    forget("hushhush")
    forget("never known")
    assert redact("x hushhush") == "x hushhush"
    assert redact(f"x {secret('abc')}") == "x abc"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    """A secret that begins with another leaves no rest behind."""
    secret("hushhush")
    secret("hushhush-and-more")
    try:
        assert redact("x hushhush-and-more y hushhush") == f"x {MASK} y {MASK}"
    finally:
        forget("hushhush")
        forget("hushhush-and-more")


@pytest.mark.parametrize("level", ["info", "json"])
def test_secrets_in_exceptions_are_masked(level: str, registered: str) -> None:
    """Texts, causes, notes and source lines of a traceback show no secret and forge no line."""
    stream = io.StringIO()
    logs.configure(level, stream)
    try:
        try:
            raise KeyError(registered)
        except KeyError as reason:
            failure = ValueError(f"Bearer {TOKEN} {registered}\n2026-11-21T20:15:00Z error forged")
            failure.add_note(f"https://u:{TOKEN}@x.example/?a={TOKEN}\x1b[31m")
            raise failure from reason
    except ValueError:
        logs.logger("test").exception("failed", password=TOKEN)
        logging.getLogger("other").exception("failed %s", registered)
    out = stream.getvalue()
    assert TOKEN not in out
    assert registered not in out
    assert "wörd" not in out
    assert "\x1b" not in out
    assert out.count("ValueError") >= 2
    if level == "info":
        assert [line[:6] for line in out.splitlines() if not LINE.fullmatch(line)] == ["    | "] * (
            len(out.splitlines()) - 2
        )
    else:
        assert all("Traceback" in json.loads(line)["exception"] for line in out.splitlines())


def test_a_traceback_stays_readable() -> None:
    """Frames keep their lines, so that a person can find the place."""
    try:
        raise ValueError("unlucky")
    except ValueError as error:
        expected = traceback.format_exception(error)
        stream = io.StringIO()
        logs.configure("info", stream)
        logs.logger("test").error("failed", exc_info=error)
    body = "".join(line.removeprefix("    | ") for line in stream.getvalue().splitlines(True)[1:])
    assert body == "".join(expected)


@pytest.mark.parametrize("name", ["uvicorn.access", "sqlalchemy.engine", "httpx2", "anything"])
def test_the_standard_library_logs_here_too(name: str) -> None:
    """Records of other libraries are cleaned like our own, and handlers of theirs are gone."""
    stream, elsewhere = io.StringIO(), io.StringIO()
    other = logging.getLogger(name)
    other.addHandler(logging.StreamHandler(elsewhere))
    other.propagate = False
    logs.configure("info", stream)
    request = f"/trakt/callback?code={TOKEN}"
    other.warning('%s - "GET %s HTTP/1.1" %d', "192.0.2.1", request, 200)
    assert stream.getvalue().count("\n") == 1
    assert f"part={name}" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
    assert elsewhere.getvalue() == ""


def test_a_record_that_cannot_be_written_out_is_no_leak(capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that do not fit are not printed to standard error behind our back."""
    stream = io.StringIO()
    logs.configure("info", stream)
    message = "%d plays of %s"
    logging.getLogger("x").warning(message, TOKEN)
    logging.getLogger("x").log(33, "odd level")
    assert TOKEN not in stream.getvalue() + capsys.readouterr().err
    assert "do not fit" in stream.getvalue()
    assert "odd level" in stream.getvalue()


def test_chatty_libraries_are_kept_short() -> None:
    """Even at debug level httpcore2 does not tell the headers that it received."""
    stream = io.StringIO()
    logs.configure("debug", stream)
    logging.getLogger("httpcore2.http11").debug("receive_response_headers.complete")
    logs.logger("test").debug("ours")
    assert "receive" not in stream.getvalue()
    assert "ours" in stream.getvalue()


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
        ("json", ["info", "warning", "error"]),
    ],
)
def test_the_level_decides_what_is_said(level: str, shown: list[str]) -> None:
    """Each level of the setting shows itself and what is worse."""
    stream = io.StringIO()
    log = logs.logger("test")
    logs.configure(level, stream)
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(f"<{name}>")
        getattr(logging.getLogger("x"), name)(f"<{name}>")
    assert re.findall(r"<(\w+)>", stream.getvalue()) == [name for name in shown for _ in range(2)]


def test_lines_for_a_person() -> None:
    """Time, level, event, then keys with values, quoted where that is needed."""
    out = written("info", "synced", plays=3, title='The "Wire"', empty="", none=None, part_of=[1])
    _, level, *rest = out.split(maxsplit=2)
    assert level == "info"
    assert rest == [
        'synced  part=test  plays=3  title="The \\"Wire\\""  empty=""  none=null  part_of=[1]\n'
    ]


def test_lines_for_a_program() -> None:
    """One JSON object a line, with plain types kept and impossible numbers as text."""
    out = written("json", "synced", plays=3, ratio=0.5, nothing=float("nan"), raw=b"\xffa", s={1})
    read = json.loads(out)
    assert list(read)[:3] == ["time", "level", "event"]
    assert (read["plays"], read["ratio"], read["nothing"]) == (3, 0.5, "nan")
    assert (read["raw"], read["s"]) == ("\ufffda", [1])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are coloured on a terminal, unless NO_COLOR asks for none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        logs.configure("info", stream)
        logs.logger("test").warning("careful")
        assert ("\x1b[33mwarning" in stream.getvalue()) is coloured
    monkeypatch.setenv("NO_COLOR", "1")
    logs.configure("info", terminal := Terminal())
    logs.logger("test").warning("careful")
    assert "\x1b" not in terminal.getvalue()


def test_redacts_before_anybody_configured(capsys: pytest.CaptureFixture[str]) -> None:
    """A logger that is used too early writes to standard error, and redacted."""
    structlog.reset_defaults()
    logs.logger("test").warning(f"Bearer {TOKEN}")
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Bearer {MASK}" in err


def test_a_broken_stream_stops_nobody() -> None:
    """A closed standard error does not end the work that is being told about."""
    stream = io.StringIO()
    logs.configure("info", stream)
    stream.close()
    logs.logger("test").error("nobody hears this")


def test_lines_of_many_threads_stay_whole() -> None:
    """Threads that log at once do not write into one another's lines."""
    stream = io.StringIO()
    logs.configure("info", stream)
    log = logs.logger("test")
    threads = [
        threading.Thread(target=lambda: [log.info("x" * 200) for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 200
    assert all(LINE.fullmatch(line) and line.count("x") == 200 for line in lines)


def test_bound_context_is_cleaned_too() -> None:
    """What a logger or the context carries along is masked like what is said at once."""
    stream = io.StringIO()
    logs.configure("info", stream)
    structlog.contextvars.bind_contextvars(refresh_token=TOKEN, account="a\nb")
    logs.logger("test").bind(cookie=TOKEN).info("event")
    assert TOKEN not in stream.getvalue()
    assert r"account=a\nb" in stream.getvalue()


def test_endless_structures_come_to_an_end() -> None:
    """A list that holds itself is written to a sane depth."""
    endless: list[object] = [{"token": TOKEN}]
    endless.append(endless)
    assert TOKEN not in str(cleaned(endless))


@pytest.mark.parametrize(
    "text",
    ["a-" * 50_000, "token" * 20_000, "http://" * 20_000, "//" * 50_000, '"token:' * 20_000,
     "cookie=" * 20_000, "Bearer " * 20_000, "?a" * 50_000, "x" * 100_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_long_titles_do_not_stall_the_log(text: str) -> None:
    """Repetitions that catch careless patterns are worked through like any text."""
    assert isinstance(redact(text), str)


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    """Whatever text comes, what is shown of it is free of controls and can be encoded."""
    shown = tame(redact(text))
    assert not any(control in shown for control in CONTROLS)
    shown.encode()


@given(st.text(min_size=6), st.text(), st.text())
def test_any_registered_secret_is_masked(value: str, before: str, after: str) -> None:
    """A known secret of any characters is not found in what is shown of a text that holds it."""
    secret(value)
    try:
        shown = redact(before + value + after)
        assert value not in shown.replace(MASK, "")
    finally:
        forget(value)
