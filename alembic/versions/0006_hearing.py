"""What sources need to be trusted: quotas, evidence, coverage by hours, operations alerts."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APP = "goodname_app"
TIME = sa.DateTime(timezone=True)
OUTCOMES = ("running", "ok", "empty", "blocked", "drift", "auth", "error")


def _of(table: str, on_delete: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete=on_delete)


def upgrade() -> None:
    _widen_kinds()
    _widen_runs()
    _widen_posts()
    _make_evidence()
    _make_quota()
    _make_hours()
    _make_operations()
    op.execute(
        "GRANT SELECT ON raw_answer, post_evidence, quota_use, source_hour, operations_alert"
        f" TO {APP}"
    )


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE operations_alert_id IS NOT NULL")
    op.execute("DELETE FROM delivery WHERE event <> 'alert.triggered'")
    for name in ("mention_ids", "event"):
        op.drop_column("delivery", name)
    op.drop_constraint(op.f("ck_delivery_of_one_alert"), "delivery")
    op.drop_column("delivery", "operations_alert_id")
    op.alter_column("delivery", "alert_id", nullable=False)
    op.drop_column("receiver", "is_operations")
    for table in ("operations_alert", "source_hour", "quota_use", "post_evidence", "raw_answer"):
        op.drop_table(table)
    op.drop_index("ix_post_to_visit", "post")
    op.drop_index("ix_post_listed", "post")
    op.drop_constraint(op.f("ck_post_gone_reason_known"), "post")
    for name in ("visits", "next_visit_at", "last_seen_at", "missing_since", "gone_reason"):
        op.drop_column("post", name)
    op.drop_column("crawl_run", "profile")
    op.execute("UPDATE crawl_run SET outcome = 'error' WHERE outcome = 'quota'")
    _know_outcomes(*OUTCOMES)
    for name in ("secrets", "is_opted_in", "needs_opt_in", "family"):
        op.drop_column("source_kind", name)


def _widen_kinds() -> None:
    # Every kind is written anew when the crawlers start.
    op.add_column("source_kind", sa.Column("family", sa.Text, nullable=False, server_default=""))
    for name in ("needs_opt_in", "is_opted_in"):
        op.add_column(
            "source_kind", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        )
    op.add_column(
        "source_kind", sa.Column("secrets", pg.JSONB, nullable=False, server_default="{}")
    )
    for name in ("family", "needs_opt_in", "is_opted_in"):
        op.alter_column("source_kind", name, server_default=None)


def _widen_runs() -> None:
    op.add_column("crawl_run", sa.Column("profile", pg.JSONB, nullable=False, server_default="{}"))
    _know_outcomes(*OUTCOMES[:-1], "quota", "error")


def _know_outcomes(*outcomes: str) -> None:
    name = op.f("ck_crawl_run_outcome_known")
    op.drop_constraint(name, "crawl_run")
    listed = ", ".join(f"'{one}'" for one in outcomes)
    op.create_check_constraint(name, "crawl_run", f"outcome IN ({listed})")


def _widen_posts() -> None:
    op.add_column("post", sa.Column("gone_reason", sa.Text))
    for name in ("missing_since", "last_seen_at", "next_visit_at"):
        op.add_column("post", sa.Column(name, TIME))
    op.add_column("post", sa.Column("visits", sa.Integer, nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_post_gone_reason_known"),
        "post",
        "gone_reason IN ('deleted', 'removed_after_resolution')",
    )
    op.create_index("ix_post_listed", "post", ["source_id", "published_at"])
    op.create_index(
        "ix_post_to_visit",
        "post",
        ["source_id", "next_visit_at"],
        postgresql_where=sa.text("next_visit_at IS NOT NULL"),
    )


def _make_evidence() -> None:
    op.create_table(
        "raw_answer",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("source_id", sa.BigInteger, _of("source", "SET NULL"), index=True),
        sa.Column("sha256", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", pg.JSONB, nullable=False, server_default="{}"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
    )  # fmt: skip
    op.create_index(
        "ix_raw_answer_expiring",
        "raw_answer",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "post_evidence",
        sa.Column("post_id", sa.BigInteger, _of("post", "CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column(
            "raw_answer_id", sa.BigInteger, sa.ForeignKey("raw_answer.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
    )  # fmt: skip


def _make_quota() -> None:
    op.create_table(
        "quota_use",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("credential", sa.Text, primary_key=True),
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("period_start", TIME, primary_key=True),
        sa.Column("used", sa.Integer, nullable=False, server_default="0"),
        sa.Column("exhausted_until", TIME),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quota_use_used_positive")),
    )


def _make_hours() -> None:
    op.create_table(
        "source_hour",
        sa.Column("source_id", sa.BigInteger, _of("source", "CASCADE"), primary_key=True),
        sa.Column("hour", TIME, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("runs", sa.Integer, nullable=False, server_default="0"),
        sa.Column("read_at", TIME),
        sa.CheckConstraint(
            "state IN ('read', 'partly', 'unread')", name=op.f("ck_source_hour_state_known")
        ),
    )  # fmt: skip


def _make_operations() -> None:
    op.create_table(
        "operations_alert",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("source_id", sa.BigInteger, _of("source", "CASCADE"), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False, server_default="1"),
        sa.Column("resolved_at", TIME),
    )  # fmt: skip
    op.create_index(
        "ix_operations_alert_open",
        "operations_alert",
        ["source_id"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_operations_alert_feed",
        "operations_alert",
        [sa.text("opened_at DESC"), sa.text("id DESC")],
    )
    op.add_column(
        "receiver",
        sa.Column("is_operations", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.alter_column("delivery", "alert_id", nullable=True)
    op.add_column(
        "delivery",
        sa.Column(
            "operations_alert_id",
            sa.BigInteger,
            sa.ForeignKey("operations_alert.id", ondelete="CASCADE"),
        ),
    )
    op.create_unique_constraint(
        op.f("uq_delivery_operations_alert_id_receiver_id_sequence"),
        "delivery",
        ["operations_alert_id", "receiver_id", "sequence"],
    )
    op.create_check_constraint(
        op.f("ck_delivery_of_one_alert"),
        "delivery",
        "num_nonnulls(alert_id, operations_alert_id) = 1",
    )
    op.add_column(
        "delivery",
        sa.Column("event", sa.Text, nullable=False, server_default="alert.triggered"),
    )
    op.add_column("delivery", sa.Column("mention_ids", pg.ARRAY(sa.BigInteger)))
