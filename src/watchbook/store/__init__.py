"""The store: everything that Watchbook keeps, in one schema on SQLite and PostgreSQL."""
