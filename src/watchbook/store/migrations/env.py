"""Runs migrations on the connection that the opener hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from watchbook.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
