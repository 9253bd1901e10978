"""``Idempotency-Key``: a repeated POST gets the first answer and changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.call import Call
from api.problems import Problem
from core.models import IdempotentResponse

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """How to recognise a repeat of this request."""

    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a POST answers; ``secrets`` are shown to the first asker and never stored."""

    status: int
    body: BaseModel
    location: str | None = None
    secrets: frozenset[str] = field(default_factory=frozenset)


async def read_repeat(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            description="Any unique word; the same one within 24 hours gets the same answer.",
        ),
    ] = None,
) -> Repeat | None:
    """Fingerprint a request that carries a key."""
    if idempotency_key is None:
        return None
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    body = await request.body()
    return Repeat(key=idempotency_key, request_hash=hashlib.sha256(target + body).digest())


ARepeat = Annotated[Repeat | None, Depends(read_repeat)]


def answer_once(call: Call, repeat: Repeat | None, act: Callable[[], Answer]) -> Response:
    """Act and keep the answer in the same transaction, or give the kept answer again."""
    if repeat is None:
        return _written(act())
    # One key's names are its own: another key's repeat is another request.
    key = f"{call.caller.key_id}:{repeat.key}"
    _wait_for_twin(call.session, f"{call.caller.workspace_id}/{key}")
    kept = call.session.get(IdempotentResponse, (call.caller.workspace_id, key))
    if kept is not None and kept.created_at > call.now - KEPT:
        return _again(kept, repeat)
    _forget_old(call)
    answer = act()
    call.session.add(
        IdempotentResponse(
            workspace_id=call.caller.workspace_id,
            key=key,
            request_hash=repeat.request_hash,
            status=answer.status,
            # As text: jsonb would give the fields back in another order.
            body={"text": _public(answer), "location": answer.location},
            created_at=call.now,
        )
    )
    call.session.flush()
    return _written(answer)


def _wait_for_twin(session: Session, name: str) -> None:
    """Let the same request that runs beside us finish first; until our transaction ends."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    session.execute(select(func.pg_advisory_xact_lock(number)))


def _again(kept: IdempotentResponse, repeat: Repeat) -> Response:
    if bytes(kept.request_hash) != repeat.request_hash:
        raise Problem(
            422,
            "idempotency-key-reused",
            "This Idempotency-Key was used for another request; take a new one.",
        )
    headers = {"Idempotency-Replayed": "true"}
    if kept.body["location"]:
        headers["Location"] = kept.body["location"]
    return _json(kept.body["text"].encode(), status=kept.status, headers=headers)


def _forget_old(call: Call) -> None:
    call.session.execute(
        delete(IdempotentResponse)
        .where(IdempotentResponse.created_at <= call.now - KEPT)
        .execution_options(synchronize_session="fetch")
    )


def _public(answer: Answer) -> str:
    shown = answer.body.model_dump(mode="json")
    kept = {name: None if name in answer.secrets else value for name, value in shown.items()}
    return orjson.dumps(kept).decode()


def _written(answer: Answer) -> Response:
    headers = {"Location": answer.location} if answer.location else {}
    body = orjson.dumps(answer.body.model_dump(mode="json"))
    return _json(body, status=answer.status, headers=headers)


def _json(body: bytes, *, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status_code=status, media_type="application/json", headers=headers)
