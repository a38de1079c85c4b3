"""Shares, API tokens, pictures, what is being watched, posters at sites, and names to search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watchbook.store.folding import folded_name

revision = "0004"
down_revision = "0003"

_BATCH = 5_000


def upgrade() -> None:
    """Go up."""
    op.add_column("accounts", sa.Column("show_after", sa.String(), nullable=True))
    op.add_column("titles", sa.Column("images", sa.Text(), nullable=True))
    read_whole = ["account_id", "removed_at", "watched_at", "title_key", "type"]
    op.create_index(op.f(f"ix_plays_{'_'.join(read_whole)}"), "plays", read_whole)
    op.create_table(
        "changes",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_changes")),
    )
    op.create_table(
        "shares",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("shared_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_shares_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "part", name=op.f("pk_shares")),
    )
    op.create_table(
        "watching",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("title_key", sa.String(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_watching_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["title_key"], ["titles.key"], name=op.f("fk_watching_title_key")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_watching")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tokens_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_tokens_account_id_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    _make_pictures()
    _make_media()
    _fold_names()


def _make_pictures() -> None:
    op.create_table(
        "pictures",
        sa.Column("title_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("colour", sa.String(), nullable=True),
        sa.Column("tiny", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["title_key"], ["titles.key"], name=op.f("fk_pictures_title_key")),
        sa.PrimaryKeyConstraint("title_key", "kind", name=op.f("pk_pictures")),
    )
    op.create_index(op.f("ix_pictures_next_at"), "pictures", ["next_at"])
    op.create_table(
        "picture_files",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_picture_files")),
    )
    op.create_index(op.f("ix_picture_files_title_key_kind"), "picture_files", ["title_key", "kind"])


def _make_media() -> None:
    op.create_table(
        "media",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("title_key", sa.String(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_media_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "title_key", name=op.f("pk_media")),
    )


def _fold_names() -> None:
    """Let the titles that are there be found."""
    op.add_column("titles", sa.Column("folded", sa.Text(), nullable=True))
    columns = [sa.Column(name, sa.Text()) for name in ("key", "title", "folded")]
    titles, conn, last = sa.Table("titles", sa.MetaData(), *columns), op.get_bind(), ""
    named = sa.select(titles.c.key, titles.c.title).where(titles.c.title.is_not(None))
    fill = sa.update(titles).where(titles.c.key == sa.bindparam("of"))
    fill = fill.values(folded=sa.bindparam("name"))
    while rows := conn.execute(
        named.where(titles.c.key > last).order_by(titles.c.key).limit(_BATCH)
    ).all():
        conn.execute(fill, [{"of": key, "name": folded_name(title)} for key, title in rows])
        last = rows[-1].key
