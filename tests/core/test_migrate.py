"""The tables go up and down, say what the models say, and guard the tenants."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from core.database import enter_workspace
from core.migrate import downgrade, upgrade
from core.models import TENANT_TABLES, AlertMention, Base, Brand
from tests.factories import NOW, add_brand, add_workspace

_OURS = "nspname IN ('public', 'queue')"


def test_every_migration_goes_down_and_up_again(engine: Engine) -> None:
    for revision in ("0004", "0003", "0002", "0001", "base"):
        downgrade(engine, revision=revision)
    with engine.connect() as connection:
        left = connection.execute(
            text(
                f"SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                f" WHERE {_OURS} AND relname NOT LIKE 'alembic%'"
            )
        ).all()
    assert left == []
    assert upgrade(engine) is True
    assert upgrade(engine) is False


def test_the_models_say_what_the_migrations_made(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _item, name, *_: not str(name).startswith("procrastinate"),
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_every_tenant_table_has_row_level_security(session: Session) -> None:
    guarded = session.scalars(
        text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'")
    ).all()
    assert set(guarded) == {*TENANT_TABLES, "workspace"}


def test_the_app_role_sees_only_the_workspace_it_entered(engine: Engine, served: Engine) -> None:
    with Session(engine) as owner:
        mine, other = add_workspace(owner), add_workspace(owner)
        add_brand(owner, mine, name="Mine")
        add_brand(owner, other, name="Other")
        keys = mine.id, other.id
        owner.commit()
    with Session(served) as app:
        assert app.query(Brand).count() == 0
        enter_workspace(app, keys[0])
        assert [brand.name for brand in app.query(Brand)] == ["Mine"]
        app.add(Brand(workspace_id=keys[1], slug="x", name="x", aliases=[]))
        with pytest.raises(ProgrammingError, match="row-level security"):
            app.flush()


def test_the_app_role_can_neither_migrate_nor_write_posts(served: Engine) -> None:
    for statement in ("DROP TABLE brand", "DELETE FROM post", "UPDATE crawl_run SET pages = 0"):
        with served.connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(statement))


def test_rows_of_two_workspaces_cannot_be_tied_together(session: Session) -> None:
    mine, other = add_workspace(session), add_workspace(session)
    session.add(AlertMention(alert_id=1, mention_id=1, workspace_id=mine.id, added_at=NOW))
    with pytest.raises(IntegrityError):
        session.flush()
    assert other.id != mine.id


def test_a_text_too_long_for_the_index_is_indexed_by_its_beginning(session: Session) -> None:
    many_words = "SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 100000) i"
    length = session.scalar(text(f"SELECT length(fold_vector(({many_words})))"))
    assert length is not None
    assert length > 1000
