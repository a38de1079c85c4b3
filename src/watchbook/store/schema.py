"""The tables, once for both databases.

Moments are integers (milliseconds since 1970, UTC, see :mod:`watchbook.clock`), so that they
compare alike everywhere. ``raw`` columns hold Trakt's JSON as it came, less the secrets that
the catalogue names. Nothing that Trakt showed is ever deleted here: ``missing_at`` is the
first time it was not served, ``removed_at`` the second look that confirmed it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _account(*, nullable: bool = False) -> Column[int]:
    key = ForeignKey("accounts.id", ondelete="CASCADE")
    return Column("account_id", Integer, key, nullable=nullable)


meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("trakt_slug", String),
    Column("trakt_uuid", String),
    Column("owner", Boolean, nullable=False),
    Column("timezone", String),
    Column("created_at", BigInteger, nullable=False),
    Column("client_id", String),
    Column("client_secret_sealed", Text),
    Column("full_read_at", BigInteger),
    Column("locked", Text),
    Column("sync_every", String),
    Column("backup_every", String),
    Column("keep", String),
    Column("show_after", String),
)

grants = Table(
    "grants",
    metadata,
    Column(
        "account_id",
        Integer,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("client_id", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("scope", String),
    Column("origin", String, nullable=False),
    Column("access_sealed", Text, nullable=False),
    Column("refresh_sealed", Text),
    Column("access_fingerprint", String, nullable=False),
    Column("refresh_fingerprint", String),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("state_words", Text),
    Column("state_at", BigInteger, nullable=False),
    Column("open_tries", Integer, nullable=False, default=0),
    Column("retry_at", BigInteger),
)

grant_events = Table(
    "grant_events",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(nullable=True),
    Column("at", BigInteger, nullable=False),
    Column("event", String, nullable=False),
    Column("origin", String),
    Column("fingerprint", String),
    Column("words", Text),
    Index(None, "account_id", "at"),
    Index(None, "fingerprint"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column(
        "account_id",
        Integer,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("used", Text, nullable=False),
    Column("blocked_until", BigInteger),
)

data_sets = Table(
    "data_sets",
    metadata,
    _account(),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("words", Text),
    Column("guard", Text),
    Column("kept", Integer),
    Column("claimed", Integer),
    Column("held", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=0),
    Column("position", Text),
    Column("read_at", BigInteger),
    Column("tried_at", BigInteger),
    PrimaryKeyConstraint("account_id", "name"),
)

titles = Table(
    "titles",
    metadata,
    Column("key", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("trakt_id", BigInteger),
    Column("show_key", String, ForeignKey("titles.key")),
    Column("season", Integer),
    Column("number", Integer),
    Column("title", Text),
    Column("year", Integer),
    Column("slug", String),
    Column("imdb", String),
    Column("tmdb", BigInteger),
    Column("tvdb", BigInteger),
    Column("runtime", Integer),
    Column("released", String),
    Column("genres", Text),
    Column("country", String),
    Column("language", String),
    Column("network", String),
    Column("status", String),
    Column("certification", String),
    Column("aired_episodes", Integer),
    Column("detailed_at", BigInteger),
    Column("images", Text),
    Column("folded", Text),
    Index(None, "show_key", "season", "number"),
)

plays = Table(
    "plays",
    metadata,
    _account(),
    Column("history_id", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("title_key", String, ForeignKey("titles.key")),
    Column("watched_at", BigInteger, nullable=False),
    Column("action", String, nullable=False),
    Column("raw", Text, nullable=False),
    Column("discovered_at", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False, default=0),
    Column("missing_at", BigInteger),
    Column("removed_at", BigInteger),
    PrimaryKeyConstraint("account_id", "history_id"),
    Index(None, "account_id", "watched_at", "history_id"),
    Index(None, "account_id", "title_key"),
    Index(None, "account_id", "removed_at", "watched_at", "title_key", "type"),
)

items = Table(
    "items",
    metadata,
    _account(),
    Column("data_set", String, nullable=False),
    Column("key", String, nullable=False),
    Column("type", String),
    Column("title_key", String, ForeignKey("titles.key")),
    Column("place", Integer, nullable=False),
    Column("raw", Text, nullable=False),
    Column("discovered_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False, default=0),
    Column("missing_at", BigInteger),
    Column("removed_at", BigInteger),
    PrimaryKeyConstraint("account_id", "data_set", "key"),
    Index(None, "account_id", "data_set", "place"),
)

rejects = Table(
    "rejects",
    metadata,
    _account(),
    Column("data_set", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False, default=0),
    PrimaryKeyConstraint("account_id", "data_set", "digest"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(),
    Column("kind", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", String, nullable=False),
    Column("words", Text),
    Column("hint", Text),
    Column("requests", Integer, nullable=False, default=0),
    Column("report", Text),
    Column("job", String),
    Index(None, "account_id", "kind", "started_at"),
    Index(None, "job"),
)

archives = Table(
    "archives",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(),
    Column("name", String, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("content", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("words", Text),
    Column("checked_at", BigInteger),
    Column("check_outcome", String),
    Column("check_words", Text),
    Column("recipients", Text),
    UniqueConstraint("name"),
    Index(None, "account_id", "written_at"),
)

copies = Table(
    "copies",
    metadata,
    _account(),
    Column("archive", String, nullable=False),
    Column("place", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("state", String, nullable=False),
    Column("words", Text),
    Column("tries", Integer, nullable=False, default=0),
    Column("retry_at", BigInteger),
    Column("copied_at", BigInteger),
    Column("checked_at", BigInteger),
    PrimaryKeyConstraint("archive", "place"),
    Index(None, "account_id", "state"),
)

due = Table(
    "due",
    metadata,
    _account(),
    Column("kind", String, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("job", String),
    PrimaryKeyConstraint("account_id", "kind"),
    Index(None, "next_at"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("me", String),
    Column("endpoint", String, nullable=False),
    Column("sign_in", Text),
    Column("token_sealed", Text),
    Column("renewing", String),
    Column("state", String, nullable=False),
    Column("words", Text),
    Column("hint", Text),
    Column("state_at", BigInteger, nullable=False),
    Column("retry_at", BigInteger),
    Column("failures", Integer, nullable=False, default=0),
    Column("connected_at", BigInteger, nullable=False),
    Column("rules", Text, nullable=False),
    Column("config", Text),
    Column("config_at", BigInteger),
    UniqueConstraint("account_id", "name"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(),
    Column("site_id", Integer, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String, nullable=False),
    Column("post_id", Integer, ForeignKey("outbox.id", ondelete="CASCADE")),
    Column("slug", String),
    Column("show_key", String),
    Column("watched_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("words", Text),
    Column("due_at", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("url", Text),
    Column("sent", Text),
    Column("tries", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    UniqueConstraint("site_id", "slug"),
    Index(None, "site_id", "state", "due_at"),
    Index(None, "account_id", "state"),
    Index(None, "post_id"),
)

outbox_plays = Table(
    "outbox_plays",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("history_id", BigInteger, nullable=False),
    Column("outbox_id", Integer, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("site_id", "history_id"),
    Index(None, "outbox_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("outbox_id", Integer, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False),
    Column("what", String, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", String),
    Column("status", Integer),
    Column("words", Text),
    Index(None, "outbox_id", "began_at"),
)

media = Table(
    "media",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("title_key", String, nullable=False),
    Column("picture", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", BigInteger, nullable=False),
    Column("url", Text),
    Column("uploaded_at", BigInteger),
    PrimaryKeyConstraint("site_id", "title_key"),
)

changes = Table(
    "changes",
    metadata,
    Column("topic", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    _account(),
    Column("part", String, nullable=False),
    Column("shared_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "part"),
)

watching = Table(
    "watching",
    metadata,
    Column(
        "account_id",
        Integer,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("raw", Text),
    Column("title_key", String, ForeignKey("titles.key")),
    Column("started_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("asked_at", BigInteger, nullable=False),
    Column("words", Text),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    _account(),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    UniqueConstraint("digest"),
    UniqueConstraint("account_id", "name"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("title_key", String, ForeignKey("titles.key"), nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("source", String),
    Column("origin", Text),
    Column("language", String),
    Column("colour", String),
    Column("tiny", Text),
    Column("tries", Integer, nullable=False, default=0),
    Column("looked_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("words", Text),
    PrimaryKeyConstraint("title_key", "kind"),
    Index(None, "next_at"),
)

picture_files = Table(
    "picture_files",
    metadata,
    Column("key", String, primary_key=True),
    Column("title_key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("body", LargeBinary),
    Index(None, "title_key", "kind"),
)
