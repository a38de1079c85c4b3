"""Settings: what is in force, and where it came from.

A value is taken from the environment (``WATCHBOOK_NAME``), else from a ``.env`` file in the
working folder, else from ``watchbook.toml`` in the home folder, else from the table. Where a
hosting platform sets ``DATABASE_URL`` or ``PORT``, they count when ours are not set. An unknown
key or a bad value is an error that shows a right example.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from watchbook.errors import SettingsError
from watchbook.settings import sources
from watchbook.settings.sources import Chosen, Layer
from watchbook.settings.table import PREFIX, SETTINGS
from watchbook.values import Bucket, KeepRule, Listen, Rate

Value = TypeVar("Value")
(_HOME,) = (setting for setting in SETTINGS if setting.name == "home")


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
    dotenv = sources.read_dotenv(working_folder / ".env")
    sources.refuse_unknown(environment, "the environment")
    sources.refuse_unknown(dotenv, ".env")
    layers: list[Layer] = [
        ("command line", {PREFIX + k.upper(): v for k, v in (overrides or {}).items()}),
        ("environment", environment),
        (".env", dotenv),
    ]
    home = sources.choose(_HOME, layers)
    layers.append(("watchbook.toml", sources.read_toml(home.value / "watchbook.toml")))
    layers.append(("environment (platform)", sources.from_platform(environment)))
    return Settings({setting.name: sources.choose(setting, layers) for setting in SETTINGS})
