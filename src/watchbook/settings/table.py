"""The table of settings: what can be set, how it is read, and what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import platformdirs

from watchbook import values

PREFIX = "WATCHBOOK_"


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
