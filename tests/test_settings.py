from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.errors import SettingsError
from watchbook.redaction import redact
from watchbook.settings import Settings, load
from watchbook.settings.table import PREFIX, SETTINGS
from watchbook.values import Bucket, Rate

KEY = "0123456789abcdef0123456789abcdef"
Load = Callable[..., Settings]


@pytest.fixture
def settings_of(tmp_path: Path) -> Load:
    """Loads settings from texts of the places they may stand in."""

    def make(
        environment: dict[str, str] | None = None,
        dotenv: str | bytes = "",
        toml: str | bytes = "",
        overrides: dict[str, str] | None = None,
    ) -> Settings:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        for path, text in ((tmp_path / ".env", dotenv), (home / "watchbook.toml", toml)):
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load({"WATCHBOOK_HOME": str(home), **(environment or {})}, tmp_path, overrides)

    return make


def test_order_of_places(settings_of: Load) -> None:
    """Command line, environment, .env, watchbook.toml, table: the first that speaks counts."""
    places: list[tuple[str, str, dict[str, Any]]] = [
        ("command line", "error", {"overrides": {"log": "error"}}),
        ("environment", "warning", {"environment": {"WATCHBOOK_LOG": "warning"}}),
        (".env", "debug", {"dotenv": "WATCHBOOK_LOG=debug"}),
        ("watchbook.toml", "json", {"toml": 'log = "json"'}),
        ("default", "info", {}),
    ]
    for number, (origin, value, _) in enumerate(places):
        given_here = {name: text for *_, place in places[number:] for name, text in place.items()}
        found = settings_of(**given_here)
        assert (found.log, found["log"].origin) == (value, origin)


def test_empty_means_not_set(settings_of: Load) -> None:
    """An empty value lets the next place speak, as compose files need it."""
    found = settings_of({"WATCHBOOK_LOG": " "}, dotenv="WATCHBOOK_LOG=\n", toml='log = "debug"')
    assert found.log == "debug"


def test_platforms_database_counts_last(settings_of: Load) -> None:
    """DATABASE_URL of a hosting platform counts when no setting of ours names a database."""
    platform = {"DATABASE_URL": "postgres://u:pw@host/db"}
    found = settings_of(platform)
    assert found.database_url == "postgresql+psycopg://u:pw@host/db"
    assert found["database_url"].origin == "environment (platform)"
    ours = settings_of(platform, toml='database_url = "sqlite:////tmp/x.db"')
    assert ours.database_url == "sqlite:////tmp/x.db"


def test_defaults(settings_of: Load, tmp_path: Path) -> None:
    """With nothing set, everything has a value that works, or is known to be missing."""
    found = settings_of()
    assert found.home == tmp_path / "home"
    assert found.database_url == f"sqlite:///{tmp_path}/home/watchbook.db"
    assert found.secret_keys is None
    assert found.trakt_app == (None, None)
    assert found.trakt_refresh_token is None
    assert found.trakt_budget == Rate(450, 300)
    assert found.allowed_hosts == ()
    assert [chosen.setting for chosen in found] == list(SETTINGS)


AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("home", "~/books", Path.home() / "books"),
        ("home", "books", Path.cwd() / "books"),
        ("database_url", "postgres://h/n", "postgresql://h/n"),
        ("database_url", "postgresql+psycopg://h/n", "postgresql://h/n"),
        ("database_url", " sqlite:////x.db ", "sqlite:////x.db"),
        ("secret_key", f"{KEY}, {KEY}2,", (KEY, KEY + "2")),
        ("base_url", "https://x.org/books/ ", "https://x.org/books"),
        ("trakt_api_url", "http://[::1]:8421", "http://[::1]:8421"),
        ("trakt_budget", "10/1m", Rate(10, 60)),
        ("allow_hosts", "a.b, 10.0.0.0/8 c", ("a.b", "10.0.0.0/8", "c")),
        ("encrypt_to", f"{AGE} , {AGE}", (AGE,)),
        ("copy_to", "~/a b, s3://x.y", (Path.home() / "a b", Bucket("x.y"))),
        ("copy_to", "s3://books/deep/er/,/mnt/nas", (Bucket("books", "deep/er"), Path("/mnt/nas"))),
        ("log", " json ", "json"),
        ("trakt_client_id", " id ", "id"),
    ],
)
def test_values_that_are_read(settings_of: Load, name: str, text: str, value: object) -> None:
    """Each kind of setting takes what a person would write."""
    assert settings_of(overrides={name: text})[name].value == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("home", "~nobody-of-that-name/x"),
        ("database_url", "mysql://h/n"),
        ("database_url", "sqlite://x.db"),
        ("secret_key", "too short"),
        ("secret_key", f"{KEY},short"),
        ("secret_key", ","),
        ("base_url", "example.org"),
        ("base_url", "ftp://example.org"),
        ("base_url", "https://"),
        ("base_url", "https://user:pw@example.org"),
        ("base_url", "http://[::1"),
        ("base_url", "http://x:99999"),
        ("base_url", "http://x:port"),
        ("base_url", "http://x:0"),
        ("trakt_budget", "450"),
        ("trakt_budget", "0/300s"),
        ("trakt_budget", "-1/300s"),
        ("trakt_budget", "²/300s"),
        ("trakt_budget", "450/0s"),
        ("trakt_budget", "450/never"),
        ("trakt_budget", "450/" + "9" * 25 + "w"),
        ("trakt_budget", "9" * 5000 + "/1s"),
        ("sync_every", "30s"),
        ("sync_every", "36501d"),
        ("encrypt_to", "somebody"),
        ("encrypt_to", AGE[:-1]),
        ("encrypt_to", "ssh-ed25519 AAAA"),
        ("copy_to", "nas/books"),
        ("copy_to", "s3://"),
        ("copy_to", "s3:///books"),
        ("copy_to", "s3://my books"),
        ("copy_to", "s3://books/../x"),
        ("copy_to", "s3://books//x"),
        ("copy_to", "https://example.org/books"),
        ("log", "loud"),
    ],
)
def test_bad_value_shows_a_right_one(settings_of: Load, name: str, text: str) -> None:
    """A bad value is refused with its name, where it stands and an example."""
    with pytest.raises(SettingsError) as caught:
        settings_of({PREFIX + name.upper(): text})
    assert f"{PREFIX}{name.upper()} (environment)" in caught.value.message
    hint = str(caught.value.hint)
    assert re.match(
        rf"A right example(: {PREFIX}{name.upper()}=| for {PREFIX}{name.upper()} is )", hint
    )
    assert redact(hint) == hint, "what hides secrets would spoil the advice"
    assert caught.value.exit_code == 78


def test_the_names_that_buckets_have_are_told(settings_of: Load) -> None:
    """Somebody with a space in the name reads what is allowed."""
    with pytest.raises(SettingsError, match="2 to 63 letters, digits, dots, - and _"):
        settings_of({f"{PREFIX}COPY_TO": "s3://my books"})


def test_no_advice_looks_like_a_secret() -> None:
    """Meaning and example of every setting come through what hides secrets as they are."""
    for setting in SETTINGS:
        assert redact(setting.meaning) == setting.meaning
        assert redact(setting.example) == setting.example


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_line_of_the_table(setting: Any) -> None:
    """The example of each setting is right, where it is no description, and so is its default."""
    assert setting.meaning.endswith(".")
    assert setting.variable == PREFIX + setting.name.upper()
    if setting.default is not None:
        setting.read(setting.default)
    if " " not in setting.example:
        setting.read(setting.example)


PLACES: list[tuple[str, dict[str, Any]]] = [
    ("the environment", {"environment": {"WATCHBOOK_LGO": "info"}}),
    (".env", {"dotenv": "WATCHBOOK_LGO=info"}),
    ("watchbook.toml", {"toml": 'lgo = "info"'}),
]


@pytest.mark.parametrize(("place", "given_here"), PLACES, ids=[place for place, _ in PLACES])
def test_unknown_key(settings_of: Load, place: str, given_here: dict[str, Any]) -> None:
    """A key that is no setting is refused wherever it stands, with the nearest that is one."""
    with pytest.raises(SettingsError, match="is not a setting") as caught:
        settings_of(**given_here)
    assert place in caught.value.message
    assert caught.value.hint == "Did you mean WATCHBOOK_LOG?"


def test_unknown_key_like_none(settings_of: Load) -> None:
    """Where nothing is near, the command that lists all settings is named."""
    with pytest.raises(SettingsError) as caught:
        settings_of({"WATCHBOOK_ZZZZZZZZ": "1"})
    assert "watchbook config" in str(caught.value.hint)


def test_variables_of_others_are_none_of_ours(settings_of: Load) -> None:
    """Whatever else the environment and .env hold is passed over."""
    assert settings_of({"LOG": "x", "PATH": "/bin"}, dotenv="OTHER=1\nlog=debug").log == "info"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("WATCHBOOK_LOG=debug", "debug"),
        ("\n# a comment\n  export WATCHBOOK_LOG = 'debug' \n", "debug"),
        ('WATCHBOOK_LOG="debug"\r\n', "debug"),
        ("WATCHBOOK_LOG=json\nWATCHBOOK_LOG=debug", "debug"),
        ("\ufeffWATCHBOOK_LOG=debug", "debug"),
    ],
)
def test_dotenv(settings_of: Load, text: str, value: str) -> None:
    """A .env file is read as shells and editors write it."""
    assert settings_of(dotenv=text).log == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('allow_hosts = ["a", "b"]', ("a", "b")),
        ('allow_hosts = "a b"', ("a", "b")),
        ("\ufeffallow_hosts = 'a'", ("a",)),
        ("", ()),
    ],
)
def test_toml(settings_of: Load, text: str, value: tuple[str, ...]) -> None:
    """watchbook.toml takes texts and lists."""
    assert settings_of(toml=text).allowed_hosts == value


@pytest.mark.parametrize(
    ("given_here", "words"),
    [
        ({"dotenv": "WATCHBOOK_LOG debug"}, "line 1, is not NAME=value"),
        ({"dotenv": b"\xff\xfe"}, "cannot be read"),
        ({"toml": "log = "}, "is not TOML"),
        ({"toml": b"log = \xff"}, "cannot be read"),
        ({"toml": "[watchbook]\nlog = 'info'"}, "is not a setting"),
        ({"toml": "log = true"}, "WATCHBOOK_LOG"),
    ],
)
def test_broken_files(settings_of: Load, given_here: dict[str, Any], words: str) -> None:
    """A file that cannot be read is named, with the place where it is wrong."""
    with pytest.raises(SettingsError) as caught:
        settings_of(**given_here)
    assert words in caught.value.message


def test_home_that_is_no_path(tmp_path: Path) -> None:
    """A home with a character that no path has is refused."""
    (tmp_path / ".env").write_bytes(b"WATCHBOOK_HOME=a\0b")
    with pytest.raises(SettingsError, match="cannot be read"):
        load({}, tmp_path)


def test_no_files_at_all(tmp_path: Path) -> None:
    """Neither file has to exist, nor the home folder."""
    assert load({"WATCHBOOK_HOME": str(tmp_path / "no")}, tmp_path / "nowhere").log == "info"


SECRETS = {
    "secret_key": f"{KEY}-secret",
    "database_url": "postgresql://u:secret-password@h/n",
    "trakt_client_secret": "client-secret-value",
    "trakt_refresh_token": "refresh-secret-value",
    "tmdb_token": "tmdb-secret-value",
    "s3_access_key": "access-secret-value",
    "s3_secret_key": "key-secret-value",
}


def test_secrets_are_never_shown(settings_of: Load) -> None:
    """No secret stands in what is shown of the settings, nor in how they print."""
    found = settings_of(overrides=SECRETS)
    for chosen in found:
        assert "secret-" not in f"{chosen.shown} {chosen!r} {chosen}"
        if chosen.setting.name in SECRETS:
            assert chosen.shown == "set (hidden)"
    assert found["trakt_client_id"].shown == "not set"
    assert {setting.name for setting in SETTINGS if setting.secret} == set(SECRETS)
    assert found.trakt_app == (None, SECRETS["trakt_client_secret"])


@pytest.mark.parametrize("name", ["secret_key", "database_url"])
def test_bad_secret_is_not_quoted(settings_of: Load, name: str) -> None:
    """The error about a bad secret does not say it."""
    with pytest.raises(SettingsError) as caught:
        settings_of(overrides={name: "my-password"})
    assert "my-password" not in f"{caught.value!r} {caught.value.hint}"


def test_named_servers_may_be_private(settings_of: Load) -> None:
    """A server that a setting names is exempt from the rule about addresses; a default is not."""
    found = settings_of(
        overrides={"trakt_api_url": "http://127.0.0.1:8421", "allow_hosts": "blog.home.arpa"}
    )
    assert found.allowed_hosts == ("blog.home.arpa", "127.0.0.1:8421")


def test_rate_is_written_as_it_is_set() -> None:
    """A rate prints as what would set it."""
    assert str(Rate(450, 300)) == "450/300s"


@settings(deadline=None)
@given(st.sampled_from([setting.name for setting in SETTINGS]), st.text(max_size=40))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    """Whatever is set, it is taken or refused in our words; nothing crashes."""
    setting = {setting.name: setting for setting in SETTINGS}[name]
    with suppress(ValueError):
        setting.read(text)


def test_an_identity_given_as_recipient_is_not_repeated(settings_of: Load) -> None:
    """Whoever mistakes one for the other has told us what opens the archives."""
    with pytest.raises(SettingsError) as caught:
        settings_of({PREFIX + "ENCRYPT_TO": "AGE-SECRET-KEY-1QQQQQQQQ"})
    assert "holds the key that opens archives" in caught.value.message
    assert "QQQ" not in redact(caught.value.message)


def test_places_are_shown_as_they_are_set(settings_of: Load) -> None:
    """What `watchbook config` shows can be set again."""
    found = settings_of(overrides={"copy_to": "/mnt/nas, s3://books/deep/"})
    assert found["copy_to"].shown == "/mnt/nas,s3://books/deep"


@pytest.mark.parametrize(("name", "text"), [("SYNC_EVERY", "5"), ("TRAKT_BUDGET", "450/abc")])
def test_a_wrong_duration_is_told_once(tmp_path: Path, name: str, text: str) -> None:
    """The value stands in the message one time."""
    with pytest.raises(SettingsError) as caught:
        load({f"WATCHBOOK_{name}": text}, tmp_path)
    message = caught.value.message
    assert f"'{text}' is not a duration such as 90s" in message
    assert message.count("'") == 2
