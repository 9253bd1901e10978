"""A private Postgres for a machine that has none: found, created, started, shared, stopped."""
