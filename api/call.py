"""One authorised call: a transaction that sees one workspace, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.keys import Caller, find_caller, hash_of
from api.problems import Problem
from api.rates import Rates
from api.roles import may
from core.database import enter_workspace
from core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What every call of this process shares."""

    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    rates: Rates
    session_pepper: str  #: makes a copy of the tables too little to forge a login


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a route works with; it never commits, leaving the route does."""

    session: Session
    caller: Caller
    now: datetime


def installation(request: Request) -> Installation:
    """The shared things, as ``create_app`` put them."""
    return cast("Installation", request.app.state.installation)


_bearer = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer gn_…`")


def open_call(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Iterator[Call]:
    """Check the key and its role, then lend a transaction; commit unless the route raised."""
    shared = installation(request)
    if shown is None:
        raise _unauthorised("Send an API key: Authorization: Bearer gn_…")
    address = request.client.host if request.client else "unknown"
    shared.rates.count_call(hash_of(shown.credentials))
    now = shared.clock()
    with Session(shared.engine, expire_on_commit=False) as session:
        caller = find_caller(session, shown.credentials, now=now)
        if caller is None:
            shared.rates.count_refusal(address)
            raise _unauthorised("This key is unknown, expired or revoked.")
        check_role(caller, request)
        enter_workspace(session, caller.workspace_id)
        yield Call(session=session, caller=caller, now=now)
        session.commit()


def check_role(caller: Caller, request: Request) -> None:
    """Raise 403 unless the table of roles names this route for the caller's role."""
    if not may(caller.role, request.scope["endpoint"].__name__):
        raise Problem(403, "forbidden", f"A key of role {caller.role} may not do this.")


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})


# "function": the transaction is committed before the answer leaves, never after it.
ACall = Annotated[Call, Depends(open_call, scope="function")]
