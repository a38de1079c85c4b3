"""Running migrations: bringing a database's schema up to a version, in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from watchbook.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database, target: str, scripts: Path = MIGRATIONS) -> None:
    """Bring the schema of ``database`` up to ``target``; an empty database gets all of it."""
    from alembic import command  # noqa: PLC0415 - costs 0.2 s, needed once per upgrade
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with database.write(durable=True) as conn:
        if not database.on_sqlite:
            conn.execute(sa.text("SELECT pg_advisory_xact_lock(8420)"))
        config.attributes["connection"] = conn
        command.upgrade(config, target)
