"""/v1/keys: hand out and take back API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from api.call import ACall
from api.idempotency import Answer, ARepeat, answer_once
from api.keys import issue_key
from api.lists import ListQuery, newest_first
from api.problems import Problem, documented, not_found
from api.schemas.keys import KeyOnce, KeyPage, KeyShown, NewKey
from api.shown import show_id
from core.ids import Prefix, database_key
from core.models import ApiKey

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=documented())


@router.get("")
def list_keys(
    request: Request, response: Response, call: ACall, wanted: Annotated[ListQuery, Query()]
) -> KeyPage:
    """The keys of this workspace, newest first, also revoked ones."""
    cut = newest_first(
        call.session,
        select(ApiKey),
        at=ApiKey.created_at,
        key=ApiKey.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return KeyPage(items=[KeyShown(**_values(row.ApiKey)) for row in cut.rows], next=cut.next)


@router.post("", status_code=201, response_model=KeyOnce)
def create_key(wanted: NewKey, call: ACall, repeat: ARepeat) -> Response:
    """A new key; to rotate one, make the next before you revoke the last."""
    if wanted.expires_at is not None and wanted.expires_at <= call.now:
        raise Problem(422, "invalid", "body.expires_at: this time has passed.")

    def act() -> Answer:
        row, shown_once = issue_key(
            call.session,
            workspace_id=call.caller.workspace_id,
            name=wanted.name,
            role=wanted.role,
            now=call.now,
            expires_at=wanted.expires_at,
        )
        body = KeyOnce(**_values(row), key=shown_once)
        return Answer(status=201, body=body, secrets=frozenset({"key"}))

    return answer_once(call, repeat, act)


@router.delete("/{key_id}", status_code=204)
def revoke_key(key_id: str, call: ACall) -> None:
    """Take a key back; it and every login made with it end with this call."""
    row = call.session.get(ApiKey, database_key(Prefix.API_KEY, key_id), with_for_update=True)
    if row is None:
        raise not_found("This key")
    if row.id == call.caller.key_id:
        raise Problem(409, "own-key", "A key cannot revoke itself; use another admin key.")
    row.revoked_at = row.revoked_at or call.now
    call.session.flush()


def _values(row: ApiKey) -> dict[str, object]:
    return {
        "id": show_id(Prefix.API_KEY, row.id),
        "name": row.name,
        "prefix": row.prefix,
        "role": row.role,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
