"""/v1/coverage and /v1/operations-alerts: what has been seen, and which source is not heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from api.call import ACall
from api.coverage import heard_hours, known_since, show_coverage
from api.lists import newest_first
from api.problems import Problem, documented
from api.queries import brand_keys, source_keys
from api.schemas.coverage import (
    CoverageQuery,
    CoverageWhole,
    OperationsAlertPage,
    OperationsAlertQuery,
    OperationsAlertShown,
    PeriodShown,
    SourceCoverageShown,
)
from api.shown import show_id
from core.ids import Prefix, database_key
from core.models import OperationsAlert, Source
from pipeline.heard import PARTLY, READ, UNKNOWN, UNREAD, Hour, Watched, summed

router = APIRouter(prefix="/v1", tags=["sources"], responses=documented())

_USUAL = timedelta(days=7)
_MOST_DAYS = {"hour": 31, "day": 366}


@router.get("/coverage")
def read_coverage(
    request: Request, call: ACall, wanted: Annotated[CoverageQuery, Query()]
) -> CoverageWhole:
    """What of a period has been read, source by source, and why the rest was not."""
    until = wanted.until or call.now
    since = wanted.since or until - _USUAL
    _check(since, until, most_days=_MOST_DAYS[wanted.resolution])
    brand_keys(call.session, wanted.brand)
    ids = source_keys(call.session, wanted.source) if wanted.source else None
    hours = heard_hours(
        call.session,
        since=since,
        until=until,
        now=call.now,
        source_ids=ids,
        floor=known_since(request, now=call.now),
    )
    whole = show_coverage(summed(hours, now=call.now), since=since, until=until)
    return CoverageWhole(
        **whole.model_dump(),
        resolution=wanted.resolution,
        sources=[
            _source(one, those, resolution=wanted.resolution, now=call.now) for one, those in hours
        ],
    )


def _check(since: datetime, until: datetime, *, most_days: int) -> None:
    if since >= until:
        raise Problem(422, "invalid", "since: an earlier time than until is wanted")
    if until - since > timedelta(days=most_days):
        raise Problem(422, "invalid", f"since: at most {most_days} days at this resolution")


def _source(
    source: Watched, hours: Sequence[Hour], *, resolution: str, now: datetime
) -> SourceCoverageShown:
    each = [[hour] for hour in hours]
    if resolution == "day":
        each = [list(those) for _, those in groupby(hours, lambda hour: hour.begins_at.date())]
    return SourceCoverageShown(
        source_id=show_id(Prefix.SOURCE, source.id),
        source=source.slug,
        is_enabled=source.is_enabled,
        share_read=summed([(source, hours)], now=now).share_read,
        periods=[_period(those) for those in each],
    )


def _period(hours: Sequence[Hour]) -> PeriodShown:
    read = sum(hour.state == READ for hour in hours)
    known = [hour for hour in hours if hour.state != UNKNOWN]
    is_unread = all(hour.state == UNREAD for hour in known)
    worst = next((hour for hour in hours if hour.state == UNREAD), None) or hours[0]
    state = READ if read == len(hours) else UNREAD if is_unread else PARTLY
    state = state if known else UNKNOWN
    return PeriodShown.model_validate(
        {
            "begins_at": hours[0].begins_at,
            "state": state,
            "reason": None if state == READ else worst.reason,
            "share_read": round(read / len(known), 4) if known else None,
        }
    )


@router.get("/operations-alerts")
def list_operations_alerts(
    request: Request,
    response: Response,
    call: ACall,
    wanted: Annotated[OperationsAlertQuery, Query()],
) -> OperationsAlertPage:
    """Sources that are not heard, or were not; newest first. Never alerts about mentions."""
    columns: tuple[Any, ...] = (OperationsAlert, Source.slug)
    query = select(*columns).join(Source, Source.id == OperationsAlert.source_id)
    if wanted.is_open is not None:
        is_open = OperationsAlert.resolved_at.is_(None)
        query = query.where(is_open if wanted.is_open else ~is_open)
    if wanted.source_id:
        key = database_key(Prefix.SOURCE, wanted.source_id)
        query = query.where(OperationsAlert.source_id == key)
    cut = newest_first(
        call.session,
        query,
        at=OperationsAlert.opened_at,
        key=OperationsAlert.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    items = [_show(row.OperationsAlert, row.slug) for row in cut.rows]
    return OperationsAlertPage(items=items, next=cut.next)


def _show(alert: OperationsAlert, slug: str) -> OperationsAlertShown:
    return OperationsAlertShown(
        id=show_id(Prefix.OPERATIONS_ALERT, alert.id),
        source_id=show_id(Prefix.SOURCE, alert.source_id),
        source=slug,
        outcome=alert.outcome,
        reason=alert.reason,
        runs=alert.runs,
        opened_at=alert.opened_at,
        seen_at=alert.seen_at,
        resolved_at=alert.resolved_at,
    )
