"""A workspace may ask whether others hear a source, and learns nothing else of them."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APP = "goodname_app"

# Row security shows one workspace at a time; this one question runs as the owner, from whom no row
# is hidden. Without a workspace it has no answer (null).
IS_HEARD_BY_OTHERS = """
CREATE FUNCTION is_heard_by_others(asked bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT CASE WHEN here IS NOT NULL THEN EXISTS (
        SELECT FROM mention JOIN post ON post.id = mention.post_id
        WHERE post.source_id = asked AND mention.workspace_id <> here
    ) END
    FROM (SELECT nullif(current_setting('goodname.workspace', true), '')::bigint) AS own (here)
$$
"""


def upgrade() -> None:
    op.execute(IS_HEARD_BY_OTHERS)
    op.execute("REVOKE ALL ON FUNCTION is_heard_by_others(bigint) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION is_heard_by_others(bigint) TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION is_heard_by_others(bigint)")
