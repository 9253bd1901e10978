"""Two roles, row-level security on the tenant tables, and the full-text function.

The owner migrates and runs the workers; ``goodname_app`` serves the API and sees one workspace
a transaction, named by the setting ``goodname.workspace``. Roles belong to the whole server, so
going down takes the role's rights in this database and leaves the role.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APP = "goodname_app"
TENANT_TABLES = (
    "api_key",
    "brand",
    "idempotent_response",
    "receiver",
    "story",
    "alert_rule",
    "alert",
    "alert_rule_receiver",
    "delivery",
    "mention",
    "alert_decision",
    "alert_mention",
)
READ_ONLY = (
    "workspace",
    "source_kind",
    "crawl_run",
    "post",
    "post_version",
    "post_engagement",
    "post_search",
    "dead_letter",
    "process",
)
HERE = "nullif(current_setting('goodname.workspace', true), '')::bigint"


def upgrade() -> None:
    _make_role()
    for table in TENANT_TABLES:
        _guard(table, "workspace_id")
    _guard("workspace", "id")
    _grant()
    op.execute(FIND_KEY)
    op.execute("REVOKE ALL ON FUNCTION find_api_key(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION find_api_key(text) TO {APP}")
    op.execute(FOLD_VECTOR)


def downgrade() -> None:
    op.execute("DROP FUNCTION fold_vector(text)")
    op.execute("DROP FUNCTION find_api_key(text)")
    for table in (*TENANT_TABLES, "workspace"):
        op.execute(f"DROP POLICY own_workspace ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for schema in ("public", "queue"):
        op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {APP}")
        op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {APP}")
        op.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {APP}")


def _make_role() -> None:
    """Make the role, or say what an administrator must run when we may not."""
    op.execute(
        f"""
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') THEN
                CREATE ROLE {APP} NOLOGIN;
            END IF;
            -- From Postgres 16 on, making a role gives the right to grant it, not to take it on.
            IF NOT pg_has_role(current_user, '{APP}', CASE
                WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET'
                ELSE 'MEMBER' END)
            THEN
                EXECUTE format('GRANT {APP} TO %I', current_user);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database was faster
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role {APP} is missing and % may not create it', current_user
                USING HINT = format(
                    'As an administrator: CREATE ROLE {APP} NOLOGIN; GRANT {APP} TO %I;',
                    current_user);
        END $$
        """  # noqa: S608 - a constant of this file
    )


def _guard(table: str, column: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON {table} "
        f"USING ({column} = {HERE}) WITH CHECK ({column} = {HERE})"
    )


def _grant() -> None:
    op.execute(f"GRANT USAGE ON SCHEMA public, queue TO {APP}")
    op.execute(f"GRANT SELECT ON {', '.join(READ_ONLY)} TO {APP}")
    writable = ", ".join((*TENANT_TABLES, "source"))
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {writable} TO {APP}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP}")
    # The API defers jobs ("crawl now", deliveries) and shows what waits; it never runs them.
    op.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA queue TO {APP}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO {APP}")


# Before a key is known there is no workspace to limit to; this one look-up runs as the owner.
FIND_KEY = """
CREATE FUNCTION find_api_key(shown text) RETURNS SETOF api_key
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT * FROM api_key WHERE prefix = shown $$
"""

# A tsvector holds at most 1 MB: a longer text is indexed by its beginning and never refused.
FOLD_VECTOR = """
CREATE FUNCTION fold_vector(folded text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    length integer := 200000;
BEGIN
    LOOP
        BEGIN
            RETURN to_tsvector('simple'::regconfig, left(folded, length));
        EXCEPTION WHEN program_limit_exceeded THEN
            length := length / 2;
        END;
    END LOOP;
END $$
"""
