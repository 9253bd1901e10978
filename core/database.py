"""Engines, sessions and the workspace that a session may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session

from core.errors import DatabaseError
from core.settings import Settings

#: The role that the API acts as: row-level security holds for it, not for the owner.
APP_ROLE = "goodname_app"
#: Tables of ours first; the queue's functions are called unqualified and live in ``queue``.
SEARCH_PATH = "public,queue"


@dataclass(frozen=True, slots=True)
class Urls:
    """How to connect; ``app`` is the owner's address unless a second login is configured."""

    owner: str
    app: str

    @classmethod
    def of(cls, settings: Settings, *, embedded: str | None = None) -> Urls:
        """Take the configured server, or the embedded one when none is configured."""
        owner = settings.database.url.get_secret_value() or embedded
        if not owner:
            raise DatabaseError("no database: set DATABASE_URL or start `goodname up`")
        return cls(owner=owner, app=settings.database.app_url.get_secret_value() or owner)


def conninfo(url: str) -> str:
    """The address as libpq and psycopg take it (no SQLAlchemy driver name)."""
    return _parsed(url).set(drivername="postgresql").render_as_string(hide_password=False)


def owner_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Connect as the owner: workers and migrations, for the whole installation."""
    return _engine(url, pool_size=pool_size, options=f"-c search_path={SEARCH_PATH}")


def app_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Connect as the app role: row-level security limits it to one workspace a transaction."""
    options = (
        f"-c search_path={SEARCH_PATH} -c role={APP_ROLE} -c plan_cache_mode=force_custom_plan"
    )
    return _engine(url, pool_size=pool_size, options=options)


def _parsed(url: str) -> URL:
    """The address in its parts; what cannot be read is not repeated, for it may hold a password."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            "the database's address cannot be read; it looks like postgresql://user@host/goodname"
        ) from None


def most_connections(pool_size: int) -> int:
    """How many an engine lends at once: the size of its pool, and as many again beyond it."""
    return 2 * pool_size


def _engine(url: str, *, pool_size: int, options: str) -> Engine:
    return create_engine(
        _parsed(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=most_connections(pool_size) - pool_size,
        pool_pre_ping=True,
        connect_args={"options": f"{options} -c timezone=UTC", "connect_timeout": 10},
    )


@contextmanager
def workspace_session(engine: Engine, workspace_id: int) -> Iterator[Session]:
    """One transaction that sees one workspace; the entry point commits, an error rolls back."""
    with Session(engine, expire_on_commit=False) as session:
        enter_workspace(session, workspace_id)
        yield session


def enter_workspace(session: Session, workspace_id: int) -> None:
    """Limit the running transaction to a workspace; it must be said anew after a commit."""
    session.execute(
        text("SELECT set_config('goodname.workspace', :id, true)"), {"id": str(workspace_id)}
    )


def check_connection(engine: Engine) -> None:
    """Raise ``DatabaseError`` in words when the server cannot be reached."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        shown = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(f"cannot reach the database {shown}: {reason}") from error
