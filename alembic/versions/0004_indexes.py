"""Indexes for the groups that are open, the runs that go on, and rows that others point to.

Without an index on the pointing side, each row deleted on the other side reads a whole table.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POINTING = (
    ("post", "crawl_run_id"),
    ("dead_letter", "crawl_run_id"),
    ("dead_letter", "post_id"),
    ("dead_letter", "source_id"),
    ("delivery", "receiver_id"),
    ("alert_decision", "alert_id"),
)


def upgrade() -> None:
    op.create_index(
        "ix_alert_open_group",
        "alert",
        ["rule_id", "brand_id", "notify_at"],
        postgresql_where=sa.text("is_grouped AND state = 'triggered'"),
    )
    op.create_index(
        "ix_crawl_run_running",
        "crawl_run",
        ["source_id"],
        postgresql_where=sa.text("outcome = 'running'"),
    )
    for table, column in POINTING:
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table, column in reversed(POINTING):
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.drop_index("ix_crawl_run_running", table_name="crawl_run")
    op.drop_index("ix_alert_open_group", table_name="alert")
