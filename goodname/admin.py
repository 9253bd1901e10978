"""Commands of the operator: tables, keys, a crawl now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import migrate
from core.database import owner_engine
from core.errors import GoodnameError
from core.log import configure_logging
from core.models import ApiKey, Source, SourceKind
from core.queue import defer_crawl
from core.settings import Settings, WorkspaceSection, load_settings, settings_file
from core.types import Role
from goodname.reach import reached

_console = Console(highlight=False)


def operated(path: Path | None, *, demo: bool) -> Settings:
    """The settings for a command of an operator; standard output stays its own."""
    settings = load_settings(path)
    configure_logging(level="warning", style="console", process="cli")
    if not demo:
        return settings
    return settings.model_copy(update={"workspace": WorkspaceSection(name="demo")})


def migrate_database(path: Path | None, *, down: str | None) -> None:
    """Bring the tables and what the settings declare up to date; or go down to a revision."""
    settings = operated(path, demo=False)
    with reached(settings) as urls:
        engine = owner_engine(urls.owner, pool_size=1)
        if down is not None:
            migrate.downgrade(engine, revision=down)
            _console.print(f"the database is at {down}")
        else:
            changed = migrate.upgrade(engine)
            _console.print("migrated to the newest tables" if changed else "nothing to migrate")
            _declare(engine, settings, file=settings_file(path))
        engine.dispose()


def _declare(engine: Engine, settings: Settings, *, file: Path | None) -> None:
    """Not without the file where something may be declared already: all of it would go off."""
    from goodname.prepare import declare

    said = f"read {file}" if file else "no settings file here: what was declared stays as it is"
    with Session(engine) as session:
        if file is not None or session.scalars(select(SourceKind).limit(1)).first() is None:
            declare(session, settings, now=datetime.now(UTC))
            session.commit()
    _console.print(said, markup=False, soft_wrap=True)


def crawl_now(path: Path | None, slug: str, *, demo: bool) -> None:
    """Queue one crawl of a source."""
    with operating(path, demo=demo) as (session, _):
        source = session.scalar(select(Source).where(Source.slug == slug))
        if source is None:
            known = ", ".join(session.scalars(select(Source.slug).order_by(Source.slug)))
            raise GoodnameError(f"unknown source {slug!r}; known: {known or 'none yet'}")
        queued = defer_crawl(session, source.id, trigger="cli")
        session.commit()
    _console.print(f"{slug}: queued" if queued else f"{slug}: a crawl waits already")


def create_api_key(
    path: Path | None, *, name: str, role: str, days: int | None, demo: bool
) -> None:
    """Make a key of the settings' workspace and print it once."""
    from api.keys import issue_key
    from goodname.prepare import workspace

    if role not in set(Role):
        raise GoodnameError(f"unknown role {role!r}; known: {', '.join(Role)}")
    now = datetime.now(UTC)
    with operating(path, demo=demo) as (session, settings):
        owner = workspace(session, settings.workspace.name)
        row, shown = issue_key(session, workspace_id=owner, name=name, role=Role(role), now=now)
        row.expires_at = now + timedelta(days=days) if days else None
        session.commit()
    print(shown)  # noqa: T201 - alone on standard output, so that a script can take it


def list_api_keys(path: Path | None, *, as_json: bool, demo: bool) -> None:
    """Show the workspace's keys by prefix."""
    with operating(path, demo=demo) as (session, _):
        rows = session.scalars(select(ApiKey).order_by(ApiKey.id)).all()
    shown = [
        {
            "prefix": row.prefix,
            "name": row.name,
            "role": row.role,
            "created_at": row.created_at.isoformat(),
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        for row in rows
    ]
    if as_json:
        print(json.dumps(shown))  # noqa: T201
        return
    table = Table("prefix", "name", "role", "created", "expires", "revoked")
    for key in shown:
        table.add_row(*(str(value or "") for value in key.values()))
    _console.print(table)


def revoke_api_key(path: Path | None, prefix: str, *, demo: bool) -> None:
    """Make a key useless at once."""
    with operating(path, demo=demo) as (session, _):
        row = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
        if row is None:
            raise GoodnameError(f"no key with the prefix {prefix!r}; see `goodname keys list`")
        row.revoked_at = row.revoked_at or datetime.now(UTC)
        session.commit()
    _console.print(f"{prefix}: revoked")


@contextmanager
def operating(path: Path | None, *, demo: bool) -> Iterator[tuple[Session, Settings]]:
    """A session as the owner on the newest tables, and the settings; the command commits."""
    settings = operated(path, demo=demo)
    with reached(settings, demo=demo) as urls:
        engine = owner_engine(urls.owner, pool_size=1)
        migrate.upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            yield session, settings
        engine.dispose()
