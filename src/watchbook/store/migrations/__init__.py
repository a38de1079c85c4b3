"""Alembic migrations, run by :mod:`watchbook.store.opening`."""
