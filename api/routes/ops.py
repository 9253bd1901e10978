"""/v1/dead-letters and /v1/deliveries: what is broken, and what was sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from api.alert_queries import deliveries, show_delivery
from api.call import ACall
from api.lists import newest_first
from api.problems import documented
from api.roles import may
from api.schemas.alerts import DeliveryPage, DeliveryQuery
from api.schemas.ops import DeadLetterPage, DeadLetterQuery, DeadLetterShown
from api.shown import show_id, show_known_id
from core.ids import Prefix, database_key
from core.models import DeadLetter, Delivery
from core.public_address import shown_url
from core.types import Role

router = APIRouter(prefix="/v1", tags=["operations"], responses=documented())


@router.get("/dead-letters")
def list_dead_letters(
    request: Request,
    response: Response,
    call: ACall,
    wanted: Annotated[DeadLetterQuery, Query()],
) -> DeadLetterPage:
    """What could not be processed, newest first; nothing is dropped silently."""
    query = select(DeadLetter)
    if wanted.stage:
        query = query.where(DeadLetter.stage == wanted.stage)
    if wanted.source_id:
        key = database_key(Prefix.SOURCE, wanted.source_id)
        query = query.where(DeadLetter.source_id == key)
    cut = newest_first(
        call.session,
        query,
        at=DeadLetter.created_at,
        key=DeadLetter.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return DeadLetterPage(
        items=[_show(row.DeadLetter, call.caller.role) for row in cut.rows], next=cut.next
    )


@router.get("/deliveries")
def list_deliveries(
    request: Request,
    response: Response,
    call: ACall,
    wanted: Annotated[DeliveryQuery, Query()],
) -> DeliveryPage:
    """What was sent to whom, newest first; `state=dead` lists what reached nobody."""
    query = deliveries()
    if wanted.state:
        query = query.where(Delivery.state.in_([state.value for state in wanted.state]))
    cut = newest_first(
        call.session,
        query,
        at=Delivery.created_at,
        key=Delivery.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return DeliveryPage(items=[show_delivery(row) for row in cut.rows], next=cut.next)


def _show(letter: DeadLetter, role: Role) -> DeadLetterShown:
    is_whole = letter.url is None or may(role, "change_source")
    return DeadLetterShown(
        id=show_id(Prefix.DEAD_LETTER, letter.id),
        stage=letter.stage,
        source_id=show_known_id(Prefix.SOURCE, letter.source_id),
        run_id=show_known_id(Prefix.RUN, letter.crawl_run_id),
        post_id=show_known_id(Prefix.POST, letter.post_id),
        url=letter.url if is_whole else shown_url(letter.url or ""),
        reason=letter.reason,
        detail=letter.detail,
        created_at=letter.created_at,
    )
