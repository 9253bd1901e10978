"""What earlier judges said, runs of `goodname rejudge`, and which version a person corrected."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APP = "goodname_app"
HERE = "nullif(current_setting('goodname.workspace', true), '')::bigint"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("mention", sa.Column("rejudged_at", TIME))
    op.add_column("mention", sa.Column("corrected_version", sa.Integer))
    op.execute("UPDATE mention SET corrected_version = post_version WHERE corrected_at IS NOT NULL")
    op.create_index(
        "ix_mention_corrected",
        "mention",
        ["workspace_id", "id"],
        postgresql_where=sa.text("corrected_at IS NOT NULL"),
    )
    _make_judgements()
    _make_runs()


def downgrade() -> None:
    op.drop_table("rejudge_run")
    op.drop_table("mention_judgement")
    op.drop_index("ix_mention_corrected", table_name="mention")
    op.drop_column("mention", "corrected_version")
    op.drop_column("mention", "rejudged_at")


def _make_judgements() -> None:
    op.create_table(
        "mention_judgement",
        sa.Column("mention_id", sa.BigInteger, nullable=False),
        sa.Column("post_version", sa.Integer, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column(
            "workspace_id",
            sa.BigInteger,
            sa.ForeignKey(
                "workspace.id",
                ondelete="CASCADE",
                name="fk_mention_judgement_workspace_id",
            ),
            nullable=False,
        ),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("sentiment", sa.Text, nullable=False),
        sa.Column("sentiment_p", pg.JSONB, nullable=False, server_default="{}"),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("severity_p", pg.JSONB, nullable=False, server_default="{}"),
        sa.Column("categories", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("reasons", pg.JSONB, nullable=False, server_default="[]"),
        sa.Column("judged_at", TIME, nullable=False),
        sa.Column("is_live", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id", "workspace_id"],
            ["mention.id", "mention.workspace_id"],
            ondelete="CASCADE",
            name=op.f("fk_mention_id_same_workspace"),
        ),
        sa.CheckConstraint(
            "sentiment IN ('negative', 'neutral', 'positive')",
            name=op.f("ck_mention_judgement_sentiment_known"),
        ),
        sa.CheckConstraint(
            "severity BETWEEN 0 AND 4", name=op.f("ck_mention_judgement_severity_known")
        ),
        sa.PrimaryKeyConstraint("mention_id", "post_version", "judge", name="pk_mention_judgement"),
    )
    op.execute("ALTER TABLE mention_judgement ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_workspace ON mention_judgement "
        f"USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})"
    )
    # Only the workers write it.
    op.execute(f"GRANT SELECT ON mention_judgement TO {APP}")


def _make_runs() -> None:
    op.create_table(
        "rejudge_run",
        sa.Column("id", sa.BigInteger, sa.Identity()),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("brand_ids", pg.ARRAY(sa.BigInteger)),
        sa.Column("since", TIME),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("dead", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column(
            "open_lanes", pg.ARRAY(sa.SmallInteger), nullable=False, server_default=sa.text("'{}'")
        ),
        sa.Column("note", sa.Text),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("moved_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("stopped_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_rejudge_run"),
    )
    op.execute(f"GRANT SELECT ON rejudge_run TO {APP}")
