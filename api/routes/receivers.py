"""/v1/receivers: who is told, and how."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.call import ACall
from api.changes import apply_changes
from api.idempotency import Answer, ARepeat, answer_once
from api.lists import ListQuery, newest_first
from api.managed import refuse_if_declared, save_new
from api.problems import Problem, documented, not_found
from api.schemas.receivers import (
    NewReceiver,
    ReceiverChange,
    ReceiverOnce,
    ReceiverPage,
    ReceiverShown,
    check_address,
)
from api.shown import show_id
from core.ids import Prefix, database_key
from core.models import Receiver
from core.types import ReceiverKind

router = APIRouter(prefix="/v1/receivers", tags=["receivers"], responses=documented())


@router.get("")
def list_receivers(
    request: Request, response: Response, call: ACall, wanted: Annotated[ListQuery, Query()]
) -> ReceiverPage:
    """Who is told, newest first."""
    cut = newest_first(
        call.session,
        select(Receiver),
        at=Receiver.created_at,
        key=Receiver.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    items = [ReceiverShown(**_values(row.Receiver)) for row in cut.rows]
    return ReceiverPage(items=items, next=cut.next)


@router.post("", status_code=201, response_model=ReceiverOnce)
def create_receiver(wanted: NewReceiver, call: ACall, repeat: ARepeat) -> Response:
    """Somebody to tell; rules name receivers."""

    def act() -> Answer:
        secret = _new_secret() if wanted.kind is ReceiverKind.WEBHOOK else None
        row = Receiver(
            workspace_id=call.caller.workspace_id,
            **wanted.model_dump(mode="json"),
            secret=secret,
            managed_by="api",
            created_at=call.now,
        )
        save_new(call.session, row, noun="receiver", slug=wanted.slug)
        body = ReceiverOnce(**_values(row), secret=secret)
        return Answer(status=201, body=body, secrets=frozenset({"secret"}))

    return answer_once(call, repeat, act)


@router.patch("/{receiver_id}")
def change_receiver(receiver_id: str, wanted: ReceiverChange, call: ACall) -> ReceiverShown:
    """Change where a receiver is reached, or whether."""
    row = _own(call.session, receiver_id)
    refuse_if_declared(row, noun="receiver")
    if wanted.address is not None:
        try:
            check_address(ReceiverKind(row.kind), wanted.address)
        except ValueError as error:
            raise Problem(422, "invalid", f"body.address: {error}") from None
    apply_changes(row, wanted)
    call.session.flush()
    return ReceiverShown(**_values(row))


@router.delete("/{receiver_id}", status_code=204)
def delete_receiver(receiver_id: str, call: ACall) -> None:
    """Forget a receiver with the record of its deliveries; `is_active: false` keeps it."""
    row = _own(call.session, receiver_id)
    refuse_if_declared(row, noun="receiver")
    call.session.delete(row)
    call.session.flush()


def _own(session: Session, receiver_id: str) -> Receiver:
    key = database_key(Prefix.RECEIVER, receiver_id)
    row = session.get(Receiver, key, with_for_update=True)
    if row is None:
        raise not_found("This receiver")
    return row


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _values(row: Receiver) -> dict[str, object]:
    return {
        "id": show_id(Prefix.RECEIVER, row.id),
        "slug": row.slug,
        "kind": row.kind,
        "address": row.address,
        "is_active": row.is_active,
        "is_operations": row.is_operations,
        "managed_by": row.managed_by,
        "created_at": row.created_at,
    }
