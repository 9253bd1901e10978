"""Bring a database to the newest tables, or back."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from alembic import command
from core.advisory import AdvisoryLock


def upgrade(engine: Engine, *, revision: str = "head") -> bool:
    """Migrate up to ``revision``; False when the database is there already."""
    with engine.begin() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": AdvisoryLock.MIGRATION}
        )
        if revision == "head" and is_current(connection):
            return False
        command.upgrade(_config(connection), revision)
        return True


def downgrade(engine: Engine, *, revision: str = "base") -> None:
    """Migrate down to ``revision``; the rows of dropped tables are gone."""
    with engine.begin() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": AdvisoryLock.MIGRATION}
        )
        command.downgrade(_config(connection), revision)


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest tables of this version of the code."""
    heads = ScriptDirectory.from_config(_config(connection)).get_heads()
    context = MigrationContext.configure(connection)
    return set(heads) == set(context.get_current_heads())


def scripts() -> Path:
    """The folder of migrations: beside the packages in a checkout, inside ``core`` in a wheel."""
    packaged = Path(__file__).parent / "_alembic"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "alembic"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()))
    config.attributes["connection"] = connection
    return config
