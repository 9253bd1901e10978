"""An index to find counters of posts that are old enough to be forgotten."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_post_engagement_seen_at", "post_engagement", ["seen_at"])


def downgrade() -> None:
    op.drop_index("ix_post_engagement_seen_at", table_name="post_engagement")
