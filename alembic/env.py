"""Run migrations on the connection that ``core.migrate`` hands over."""

from __future__ import annotations

from sqlalchemy.sql.schema import SchemaItem

from alembic import context
from core.models import Base


def include(_item: SchemaItem, name: str | None, kind: str, *_: object) -> bool:
    """Leave the queue's own tables out of autogenerate; they are visible by the search path."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=include,
)
with context.begin_transaction():
    context.run_migrations()
