"""What lends databases to the tests gives none the traces of another."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.databases import Databases

_ALTER = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' {}'; END $$"
_EACH = """
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT format('{}', {}) FROM {} LIMIT 1 LOOP EXECUTE one; END LOOP;
END $$
"""


@pytest.fixture
def lender(superuser_url: str, template: str) -> Iterator[Databases]:
    """One that no other test has borrowed from."""
    made = Databases(superuser_url, template)
    yield made
    made.close()


def _asked(url: str, question: str) -> object:
    plain = url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(plain, autocommit=True) as connection:
        asked = connection.execute(question)
        return asked.fetchone() if asked.description else None


def test_it_comes_again_without_rows_and_counts_from_one(lender: Databases) -> None:
    create = "INSERT INTO workspace (name) VALUES ('one') RETURNING id"
    with lender.lent() as first:
        assert _asked(first, create) == (1,)
        assert _asked(first, create.replace("one", "two")) == (2,)
    with lender.lent() as again:
        assert again == first
        assert _asked(again, "SELECT count(*) FROM workspace") == (0,)
        assert _asked(again, create) == (1,)


def test_two_at_once_are_two(lender: Databases) -> None:
    with lender.lent() as one, lender.lent() as other:
        assert one != other


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_behind (id int)",
        "ALTER TABLE workspace ADD COLUMN left_behind int",
        "DROP TABLE workspace CASCADE",
        "ALTER TABLE workspace ALTER COLUMN name SET DEFAULT 'left behind'",
        "CREATE VIEW left_behind AS SELECT 1",
        "CREATE INDEX left_behind ON workspace (name)",
        "GRANT SELECT ON workspace TO public",
        "GRANT CREATE ON SCHEMA queue TO public",
        _EACH.format(
            "ALTER FUNCTION %s COST 7",
            "p.oid::regprocedure",
            "pg_proc AS p JOIN "
            "pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'queue'",
        ),
        _EACH.format(
            "ALTER POLICY %I ON %s USING (true)", "polname, polrelid::regclass", "pg_policy"
        ),
        "ALTER TABLE brand DISABLE TRIGGER ALL",
        "ALTER TABLE brand DISABLE ROW LEVEL SECURITY",
        "UPDATE alembic_version SET version_num = 'none'",
        _ALTER.format("CONNECTION LIMIT 3"),
        _ALTER.format("SET jit = on"),
    ],
)
def test_one_that_is_no_longer_as_it_was_is_not_lent_again(
    lender: Databases, superuser_url: str, change: str
) -> None:
    with lender.lent() as first:
        name = first.partition("?")[0].rpartition("/")[2]
        base, _, rest = superuser_url.partition("?")
        _asked(f"{base.rpartition('/')[0]}/{name}?{rest}", change)
    with lender.lent() as other:
        assert other != first


def test_one_that_is_still_in_use_is_not_lent_again(lender: Databases) -> None:
    with lender.lent() as first:
        forgotten = psycopg.connect(first.replace("postgresql+psycopg:", "postgresql:"))
    with lender.lent() as other:
        assert other != first
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
