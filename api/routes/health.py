"""/v1/health: the one answer that needs no key."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from api.call import installation
from api.health import HealthCheck
from api.schemas.ops import HealthShown

router = APIRouter(prefix="/v1/health", tags=["health"])


@router.get("", responses={503: {"model": HealthShown, "description": "The database is down"}})
def read_health(request: Request, response: Response) -> HealthShown:
    """Database, queues, processes, and how long the oldest post waits for its judgement."""
    check = cast("HealthCheck", request.app.state.health)
    health = check(now=installation(request).clock())
    response.status_code = 503 if health.status == "down" else 200
    return health
