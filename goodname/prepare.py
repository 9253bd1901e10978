"""Make a database ready to serve: tables, source kinds, what the settings declare, a first key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.keys import issue_key
from core.database import Urls, owner_engine
from core.migrate import upgrade
from core.models import ApiKey, Workspace
from core.settings import Settings
from core.types import Role
from crawlers.catalogue import register_kinds
from pipeline.declared import apply_declared


def prepare(urls: Urls, settings: Settings, *, now: datetime, is_demo: bool = False) -> str | None:
    """Bring everything up to date; return the first admin key when it was made just now."""
    engine = owner_engine(urls.owner, pool_size=1)
    try:
        upgrade(engine)
        with Session(engine) as session:
            workspace_id = declare(session, settings, now=now, is_demo=is_demo)
            shown = _first_key(session, workspace_id, now=now)
            session.commit()
        return shown
    finally:
        engine.dispose()


def declare(session: Session, settings: Settings, *, now: datetime, is_demo: bool = False) -> int:
    """Write the kinds of sources and what the settings declare; return the workspace's id.

    What the settings no longer declare is switched off.
    """
    crawl = settings.crawl
    register_kinds(session, now, opted_in=crawl.opted_in, sites=crawl.sites)
    workspace_id = workspace(session, settings.workspace.name)
    apply_declared(session, settings, workspace_id=workspace_id, now=now, is_guest=is_demo)
    return workspace_id


def workspace(session: Session, name: str) -> int:
    """The id of the workspace of that name, made when it is missing."""
    found = session.scalar(select(Workspace.id).where(Workspace.name == name))
    if found is not None:
        return found
    row = Workspace(name=name)
    session.add(row)
    session.flush()
    return row.id


def _first_key(session: Session, workspace_id: int, *, now: datetime) -> str | None:
    held = session.scalar(
        select(func.count()).select_from(ApiKey).where(ApiKey.workspace_id == workspace_id)
    )
    if held:
        return None
    _, shown = issue_key(
        session, workspace_id=workspace_id, name="first admin key", role=Role.ADMIN, now=now
    )
    return shown
