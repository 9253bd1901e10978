"""Sources are shared: one workspace takes nothing from the others that have mentions from them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from api.call import Call
from api.problems import Problem
from api.schemas.sources import SourceChange
from core.database import enter_workspace
from core.models import Mention, PostRow, Source

_WHAT_TO_DO = (
    "Other workspaces have mentions from this source, so no single one may {what} it. Whoever runs "
    "the installation can switch it off for all: declare its slug in settings.toml with "
    "is_enabled = false."
)


def refuse_loss_to_others(call: Call, source: Source, *, what: str) -> None:
    """409 when other workspaces have mentions from the source; it does not say which or how many.

    ``what`` would be done to it, as a verb.
    """
    if is_others(call.session, source.id, own=call.caller.workspace_id):
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


def is_others(session: Session, source_id: int, *, own: int) -> bool:
    """Whether any workspace but ``own`` has a mention from a source; the session stays in ``own``.

    The database shows one workspace at a time, so each is looked into by itself.
    """
    is_held = any(_has_mention(session, source_id, one) for one in _all_ids(session) if one != own)
    enter_workspace(session, own)  # an error before this ends the transaction, and the view with it
    return is_held


def _has_mention(session: Session, source_id: int, workspace_id: int) -> bool:
    enter_workspace(session, workspace_id)
    found = exists().where(Mention.post_id == PostRow.id, PostRow.source_id == source_id)
    return bool(session.scalar(select(found)))


def _all_ids(session: Session) -> Iterator[int]:
    """Every id that a workspace can have; their table shows only the own one."""
    last = session.scalar(
        select(func.pg_sequence_last_value(func.pg_get_serial_sequence("workspace", "id")))
    )
    yield from range(1, (last or 0) + 1)
