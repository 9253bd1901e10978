"""Real Postgres for every test: migrated once; a test is rolled back or lent a database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.database import app_engine, owner_engine
from core.migrate import upgrade
from tests.databases import Databases, administer, as_owner

# Some images set it: each of a few hundred processes of the tests would compile all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where nothing configures logs, structlog draws an error with all its variables, for seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

TEMPLATE = f"goodname_template_{os.getpid()}"


@pytest.fixture(scope="session")
def superuser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A throw-away embedded server; ``GOODNAME_TEST_SERVER`` names another to test on."""
    if given := os.environ.get("GOODNAME_TEST_SERVER"):
        yield given
        return
    from core.postgres.cluster import running

    folder = tmp_path_factory.mktemp("postgres")
    with running(folder / "data", options={"fsync": "off", "max_connections": "60"}) as server:
        yield server.superuser_url


@pytest.fixture(scope="session")
def template(superuser_url: str) -> Iterator[str]:
    """The name of a migrated database, copied for tests that commit."""
    administer(
        superuser_url,
        "DO $$ BEGIN CREATE ROLE goodname LOGIN CREATEROLE CREATEDB;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    )
    administer(superuser_url, f"CREATE DATABASE {TEMPLATE} OWNER goodname")
    engine = owner_engine(as_owner(superuser_url, TEMPLATE))
    upgrade(engine)
    engine.dispose()
    yield TEMPLATE
    administer(superuser_url, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases(superuser_url: str, template: str) -> Iterator[Databases]:
    """What lends databases to tests that commit."""
    made = Databases(superuser_url, template)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_database(databases: Databases) -> Iterator[str]:
    """One database for all tests that roll back."""
    with databases.lent() as url:
        yield url


@pytest.fixture(scope="session")
def _shared_engine(shared_database: str) -> Iterator[Engine]:
    engine = owner_engine(shared_database)
    yield engine
    engine.dispose()


@pytest.fixture
def session(_shared_engine: Engine) -> Iterator[Session]:
    """A session as the owner; whatever it commits is rolled back after the test."""
    with _shared_engine.connect() as connection, connection.begin() as outer:
        with Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as inside:
            yield inside
        outer.rollback()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of its own, for tests with several connections or processes."""
    with databases.lent() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The owner's engine on a database of its own."""
    made = owner_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def served(database_url: str) -> Iterator[Engine]:
    """The API's engine on the same database: row-level security holds for it."""
    made = app_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def now() -> datetime:
    """The time that tests agree on; a collaborator, never the clock."""
    return datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings and labelled texts beside the checkout; skips where a clone stands alone."""
    folder = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "fixtures").is_dir():
        pytest.skip(f"no recordings at {folder}; set GOODNAME_SHARED to test against them")
    return folder
