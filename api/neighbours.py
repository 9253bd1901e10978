"""Sources are shared: one workspace takes nothing from the others that have mentions from them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.call import Call
from api.problems import Problem
from api.schemas.sources import SourceChange
from core.models import Source

_WHAT_TO_DO = (
    "Other workspaces have mentions from this source, so no single one may {what} it. Whoever runs "
    "the installation can switch it off for all: declare its slug in settings.toml with "
    "is_enabled = false."
)


def refuse_loss_to_others(call: Call, source: Source, *, what: str) -> None:
    """409 when other workspaces have mentions from the source; it does not say which or how many.

    ``what`` would be done to it, as a verb.
    """
    if is_others(call.session, source.id):
        raise Problem(409, "used-by-others", _WHAT_TO_DO.format(what=what))


def loss_of(source: Source, wanted: SourceChange) -> str:
    """The verb for what a change takes from whoever else reads the source; empty: nothing."""
    if wanted.is_enabled is False and source.is_enabled:
        return "switch off"
    if wanted.interval_seconds is not None and wanted.interval_seconds > source.interval_seconds:
        return "slow down"
    is_moved = wanted.params is not None and wanted.params != source.params
    is_dated = wanted.time_zone is not None and wanted.time_zone != source.time_zone
    return "change what is read of" if is_moved or is_dated else ""


def is_others(session: Session, source_id: int) -> bool:
    """Whether any workspace but the one that the session is in has a mention from a source.

    ``RuntimeError`` when the session is in none: then nobody may be told.
    """
    found = session.scalar(select(func.is_heard_by_others(source_id)))
    if found is None:
        raise RuntimeError("the session is in no workspace")
    return bool(found)
