"""Settings: one table of what can be set, and where a value came from.

A value is taken from the environment (``WATCHBOOK_NAME``), else from a ``.env`` file in the
working folder, else from ``watchbook.toml`` in the home folder, else from the table. Where a
hosting platform sets ``DATABASE_URL`` or ``PORT``, they count when ours are not set. An unknown
key or a bad value is an error that shows a right example.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import platformdirs

from watchbook import values
from watchbook.clock import in_short
from watchbook.errors import SettingsError
from watchbook.values import Bucket, KeepRule, Listen, Rate

PREFIX = "WATCHBOOK_"
Value = TypeVar("Value")


@dataclass(frozen=True)
class Setting:
    """One line of the table: how a setting is read and what it means."""

    name: str
    default: str | None
    read: Callable[[str], Any]
    meaning: str
    example: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True)
class Chosen:
    """The value in force for one setting and where it came from."""

    setting: Setting
    value: Any = field(repr=False)  # it may be a secret
    origin: str

    @property
    def shown(self) -> str:
        """The value as it may be shown to anybody: a secret only says whether it is set."""
        if self.value is None:
            return "not set"
        if self.setting.secret:
            return "set (hidden)"
        if isinstance(self.value, tuple):
            return ",".join(map(str, self.value))
        return in_short(self.value) if isinstance(self.value, timedelta) else str(self.value)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "home",
        platformdirs.user_data_dir("watchbook", appauthor=False),
        values.folder,
        "Folder of the database, backups, posters and the secret key.",
        "/srv/watchbook",
    ),
    Setting(
        "database_url",
        None,
        values.database_url,
        "Database; without it `watchbook.db` in the home folder.",
        "postgresql://localhost/watchbook",
        secret=True,
    ),
    Setting(
        "secret_key",
        None,
        values.keys,
        "Keys that seal tokens at rest, newest first, comma-separated; without it the content of "
        "`secret.key` in the home folder.",
        "a line of `openssl rand -base64 32`",
        secret=True,
    ),
    Setting(
        "base_url",
        "http://localhost:8420",
        values.url,
        "The address people see; the OAuth redirect is BASE_URL/trakt/callback.",
        "https://watchbook.example.org",
    ),
    Setting(
        "trakt_client_id",
        None,
        values.text,
        "Id of the owner's Trakt app.",
        "the id shown at app.trakt.tv/settings/apps",
    ),
    Setting(
        "trakt_client_secret",
        None,
        values.text,
        "Secret of the owner's Trakt app.",
        "the secret shown at app.trakt.tv/settings/apps",
        secret=True,
    ),
    Setting(
        "trakt_refresh_token",
        None,
        values.text,
        "Refresh token to start from when the database holds no grant for the only account. "
        "It is spent once; its successor is kept in the database.",
        "what `watchbook connect --print-token` printed",
        secret=True,
    ),
    Setting(
        "trakt_api_url",
        "https://api.trakt.tv",
        values.url,
        "Where Trakt's data is read.",
        "https://api.trakt.tv",
    ),
    Setting(
        "trakt_auth_url",
        "https://auth.trakt.tv",
        values.url,
        "Where Trakt's OAuth is done.",
        "https://auth.trakt.tv",
    ),
    Setting(
        "trakt_budget",
        "450/300s",
        values.rate,
        "Reads allowed per account, by all processes together; Trakt's own limit is 500 in 300 s.",
        "450/300s",
    ),
    Setting(
        "tmdb_token",
        None,
        values.text,
        "Key (v3) or token (v4) for TMDB's posters; without it Trakt's own pictures serve.",
        "the token shown at www.themoviedb.org/settings/api",
        secret=True,
    ),
    Setting(
        "tmdb_language",
        "en",
        values.language,
        "Language of posters, where there are any in it; else the title's own, else English.",
        "de",
    ),
    Setting(
        "tmdb_api_url",
        "https://api.themoviedb.org",
        values.url,
        "Where TMDB's data is read.",
        "https://api.themoviedb.org",
    ),
    Setting(
        "tmdb_image_url",
        "https://image.tmdb.org/t/p",
        values.url,
        "Where TMDB's pictures are fetched.",
        "https://image.tmdb.org/t/p",
    ),
    Setting(
        "listen",
        "127.0.0.1:8420",
        values.listen,
        "Where `watchbook serve` listens.",
        "0.0.0.0:8420",
    ),
    Setting(
        "sync_every",
        "5m",
        values.period,
        "How often `watchbook serve` asks Trakt what is new; an account may have its own.",
        "15m",
    ),
    Setting(
        "backup_every",
        "7d",
        values.period,
        "How often `watchbook serve` writes a backup; an account may have its own.",
        "1d",
    ),
    Setting(
        "keep",
        "7 daily, 5 weekly, 12 monthly, all yearly",
        values.keep_rule,
        "Which backups stay when older ones are pruned: the newest of so many days, weeks, "
        "months and years. An account may have its own.",
        "7 daily, 5 weekly, 12 monthly, all yearly",
    ),
    Setting(
        "encrypt_to",
        "",
        values.recipients,
        "Who can open the owner's archives: age recipients, comma-separated. Without any, "
        "archives are not encrypted.",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    ),
    Setting(
        "copy_to",
        "",
        values.places,
        "Where copies of the owner's archives go: folders, and s3://BUCKET/PREFIX.",
        "/mnt/nas/watchbook,s3://backups/watchbook",
    ),
    Setting(
        "s3_endpoint",
        None,
        values.url,
        "The S3-compatible service; without it Amazon's.",
        "https://s3.eu-central-003.example.com",
    ),
    Setting(
        "s3_region",
        None,
        values.text,
        "The region of the bucket.",
        "eu-central-1",
    ),
    Setting(
        "s3_access_key",
        None,
        values.text,
        "Id of the key for the S3-compatible service.",
        "the id that the service shows for the key",
        secret=True,
    ),
    Setting(
        "s3_secret_key",
        None,
        values.text,
        "The key for the S3-compatible service.",
        "the secret that the service showed when the key was made",
        secret=True,
    ),
    Setting(
        "after_backup",
        None,
        values.text,
        "Command that is run after each backup of the owner, with the archive's path in "
        "`WATCHBOOK_ARCHIVE`.",
        'rclone copy "$WATCHBOOK_ARCHIVE" remote:watchbook',
    ),
    Setting(
        "keep_awake",
        None,
        values.period,
        "How often `watchbook serve` asks its own /healthz at the base URL, for hosts that put "
        "idle services to sleep.",
        "10m",
    ),
    Setting(
        "allow_hosts",
        "",
        values.words,
        "Hosts or networks exempt from the rule that only public addresses are connected to.",
        "blog.home.arpa,192.168.1.0/24",
    ),
    Setting(
        "trusted_proxies",
        "",
        values.networks,
        "Addresses or networks of the reverse proxies in front of `watchbook serve`, whose "
        "`X-Forwarded-For` says who asks.",
        "127.0.0.1,10.0.0.0/8",
    ),
    Setting(
        "metrics_for",
        "127.0.0.0/8,::1",
        values.networks,
        "Addresses or networks that may read /metrics; everybody else finds nothing there.",
        "127.0.0.1,192.168.1.20",
    ),
    Setting(
        "log",
        "info",
        values.choice("debug", "info", "warning", "error", "json"),
        "Level of the log on standard error; `json` writes it as structured lines.",
        "warning",
    ),
)
"""Every setting there is. A test holds this table against the documentation."""

_TABLE = {setting.name: setting for setting in SETTINGS}


class Settings:
    """What is in force, setting by setting, read once at the start of a process."""

    def __init__(self, chosen: Mapping[str, Chosen]) -> None:
        self._chosen = chosen

    def __iter__(self) -> Any:
        """Each setting with its value and origin, in the order of the table."""
        return iter(self._chosen.values())

    def __getitem__(self, name: str) -> Chosen:
        """The value and origin of the setting called ``name``."""
        return self._chosen[name]

    def _value(self, name: str, kind: type[Value]) -> Value:
        value = self._chosen[name].value
        if not isinstance(value, kind):
            raise SettingsError(f"{PREFIX}{name.upper()} is not set.")
        return value

    @property
    def home(self) -> Path:
        """The home folder."""
        return self._value("home", Path)

    @property
    def database_url(self) -> str:
        """The database, as SQLAlchemy writes it."""
        url = self._chosen["database_url"].value
        if url is None:
            return f"sqlite:///{self.home / 'watchbook.db'}"
        return str(url).replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def secret_keys(self) -> tuple[str, ...] | None:
        """Keys given by a setting, newest first, or None when the key file counts."""
        keys: tuple[str, ...] | None = self._chosen["secret_key"].value
        return keys

    @property
    def base_url(self) -> str:
        """The address people see, without a slash at its end."""
        return self._value("base_url", str)

    @property
    def trakt_app(self) -> tuple[str | None, str | None]:
        """Id and secret of the owner's Trakt app."""
        return (
            self._chosen["trakt_client_id"].value,
            self._chosen["trakt_client_secret"].value,
        )

    @property
    def trakt_refresh_token(self) -> str | None:
        """The refresh token to start from, if one was set."""
        token: str | None = self._chosen["trakt_refresh_token"].value
        return token

    @property
    def trakt_api_url(self) -> str:
        """Where Trakt's data is read."""
        return self._value("trakt_api_url", str)

    @property
    def trakt_auth_url(self) -> str:
        """Where Trakt's OAuth is done."""
        return self._value("trakt_auth_url", str)

    @property
    def trakt_budget(self) -> Rate:
        """Reads allowed per account."""
        return self._value("trakt_budget", Rate)

    @property
    def tmdb_token(self) -> str | None:
        """Key or token for TMDB, if one was set."""
        token: str | None = self._chosen["tmdb_token"].value
        return token

    @property
    def tmdb_language(self) -> str:
        """The language of posters: ``de``, ``pt-BR``."""
        return self._value("tmdb_language", str)

    @property
    def tmdb_api_url(self) -> str:
        """Where TMDB's data is read."""
        return self._value("tmdb_api_url", str)

    @property
    def tmdb_image_url(self) -> str:
        """Where TMDB's pictures are fetched."""
        return self._value("tmdb_image_url", str)

    @property
    def listen(self) -> Listen:
        """Where the server listens."""
        return self._value("listen", Listen)

    @property
    def sync_every(self) -> timedelta:
        """How often Trakt is asked, for accounts without a period of their own."""
        return self._value("sync_every", timedelta)

    @property
    def backup_every(self) -> timedelta:
        """How often a backup is written, for accounts without a period of their own."""
        return self._value("backup_every", timedelta)

    @property
    def keep(self) -> KeepRule:
        """Which archives stay, for accounts without a rule of their own."""
        return self._value("keep", KeepRule)

    @property
    def encrypt_to(self) -> tuple[str, ...]:
        """The age recipients of the owner's archives; none when they are not encrypted."""
        return self._value("encrypt_to", tuple)

    @property
    def copy_to(self) -> tuple[Path | Bucket, ...]:
        """Where copies of the owner's archives go."""
        return self._value("copy_to", tuple)

    @property
    def s3_endpoint(self) -> str | None:
        """The S3-compatible service, or None for Amazon's."""
        address: str | None = self._chosen["s3_endpoint"].value
        return address

    @property
    def s3_region(self) -> str | None:
        """The region of the buckets."""
        region: str | None = self._chosen["s3_region"].value
        return region

    @property
    def s3_keys(self) -> tuple[str | None, str | None]:
        """Id and secret of the key for the S3-compatible service."""
        return self._chosen["s3_access_key"].value, self._chosen["s3_secret_key"].value

    @property
    def after_backup(self) -> str | None:
        """The command that is run after each backup of the owner."""
        command: str | None = self._chosen["after_backup"].value
        return command

    @property
    def keep_awake(self) -> timedelta | None:
        """How often the service wakes itself, if at all."""
        span: timedelta | None = self._chosen["keep_awake"].value
        return span

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Hosts and networks exempt from the public-address rule.

        A server that a setting of ours names is one of them: whoever may set the address of
        Trakt or TMDB may also decide that it lies on this machine.
        """
        names = ("trakt_api_url", "trakt_auth_url", "tmdb_api_url", "tmdb_image_url")
        named = [self._chosen[name] for name in names]
        hosts = [urlsplit(c.value).netloc for c in named if c.origin != "default"]
        return (*self._value("allow_hosts", tuple), *hosts)

    @property
    def trusted_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks whose ``X-Forwarded-For`` counts."""
        return self._value("trusted_proxies", tuple)

    @property
    def metrics_for(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that may read the metrics."""
        return self._value("metrics_for", tuple)

    @property
    def log(self) -> str:
        """The log's level, or ``json``."""
        return self._value("log", str)


def load(
    environment: Mapping[str, str],
    working_folder: Path,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """Read all settings, for a process started in ``working_folder``.

    ``overrides`` (names as in the table) win over everything; the command line's own options
    come in through it. Raises SettingsError naming the key, where it stands and an example.
    """
    dotenv = _read_dotenv(working_folder / ".env")
    _refuse_unknown(environment, "the environment")
    _refuse_unknown(dotenv, ".env")
    layers = [
        ("command line", {PREFIX + k.upper(): v for k, v in (overrides or {}).items()}),
        ("environment", environment),
        (".env", dotenv),
    ]
    home = _choose(_TABLE["home"], layers)
    layers.append(("watchbook.toml", _read_toml(home.value / "watchbook.toml")))
    layers.append(("environment (platform)", _platform(environment)))
    return Settings({setting.name: _choose(setting, layers) for setting in SETTINGS})


def _choose(setting: Setting, layers: list[tuple[str, Any]]) -> Chosen:
    for origin, layer in layers:
        text = layer.get(setting.variable)
        if text is not None and text.strip():
            return Chosen(setting, _read(setting, text, origin), origin)
    if setting.default is None:
        return Chosen(setting, None, "default")
    return Chosen(setting, setting.read(setting.default), "default")


def _read(setting: Setting, text: str, origin: str) -> Any:
    try:
        return setting.read(text)
    except ValueError as reason:
        shown = "its value" if setting.secret else repr(text)
        raise SettingsError(
            f"{setting.variable} ({origin}): {shown} {reason}.",
            hint=_right_example(setting),
        ) from None


def _right_example(setting: Setting) -> str:
    """Advice that has not the shape of a secret: what hides those would spoil it."""
    if setting.secret:
        return f"A right example for {setting.variable} is {setting.example}."
    return f"A right example: {setting.variable}={setting.example}"


def _platform(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that hosting platforms set, under our names."""
    found = {}
    if "DATABASE_URL" in environment:
        found[PREFIX + "DATABASE_URL"] = environment["DATABASE_URL"]
    if "PORT" in environment:  # from outside of the container
        found[PREFIX + "LISTEN"] = f"0.0.0.0:{environment['PORT']}"
    return found


def _read_dotenv(path: Path) -> dict[str, str]:
    values = {}
    for number, line in enumerate(_lines(path), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            raise SettingsError(
                f"{path}, line {number}, is not NAME=value.",
                hint=f"A right example: {PREFIX}LOG=warning",
            )
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    for quote in ('"', "'"):
        if len(value) > 1 and value[0] == quote == value[-1]:
            return value[1:-1]
    return value


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as reason:  # no text, or no path
        raise SettingsError(f"{path} cannot be read: {reason}.") from None


def _read_toml(path: Path) -> dict[str, str]:
    try:
        table = tomllib.loads("\n".join(_lines(path)))
    except tomllib.TOMLDecodeError as reason:
        raise SettingsError(
            f"{path} is not TOML: {reason}.", hint='A right example: log = "warning"'
        ) from None
    _refuse_unknown({PREFIX + name.upper(): "" for name in table}, str(path))
    return {PREFIX + name.upper(): _toml_text(value) for name, value in table.items()}


def _toml_text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _refuse_unknown(values: Mapping[str, str], place: str) -> None:
    known = [setting.variable.removeprefix(PREFIX) for setting in SETTINGS]
    for name in values:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            raise SettingsError(
                f"{name} in {place} is not a setting.",
                hint=f"Did you mean {PREFIX}{near[0]}?"
                if near
                else "`watchbook config` lists them all.",
            )
