"""The queue: procrastinate 3.10.0's own tables and functions, in the schema ``queue``.

``alembic/queue.sql`` is that version's schema, word for word (MIT licence, see NOTICE). A newer
procrastinate brings migrations of its own; each becomes a migration here.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).parent.parent / "queue.sql"
    op.execute("CREATE SCHEMA queue")
    # The script names nothing with its schema, so what it makes lands in the first of the path.
    op.execute("SET LOCAL search_path TO queue")
    op.execute(script.read_text(encoding="utf-8").replace(":", r"\:"))
    op.execute("SET LOCAL search_path TO public, queue")


def downgrade() -> None:
    op.execute("DROP SCHEMA queue CASCADE")
