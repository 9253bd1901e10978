"""The hot list against the least that FastAPI and Postgres cost, side by side in one run.

    DATABASE_URL=postgresql://… python -m bench.api        (a migrated one, to which rows are added)

Calls go straight into the app (ASGI), so no server or client is measured. Three lines:
``static`` answers ready bytes made by orjson each time, ``bare`` runs the same SQL statement and
dumps its rows, ``list`` is ``GET /v1/mentions?limit=50`` with its key, tenancy and shape.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create_app
from api.keys import issue_key
from api.queries import mention_page
from api.schemas.mentions import MentionQuery
from core.database import Urls, app_engine, owner_engine, workspace_session
from core.settings import Settings
from core.types import Role
from tests.api.rows import add_mention, add_post
from tests.factories import add_brand, add_source, add_workspace

ROWS, ROUNDS, CALLS = 2_000, 7, 150


def main() -> None:
    """Fill the database, then take turns between the three until the medians are calm."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    url = os.environ["DATABASE_URL"]
    key, workspace_id = _fill(url)
    served = create_app(
        Settings(),
        Urls(owner=url, app=url),
        clock=lambda: datetime.now(UTC),
        requests_per_minute=10**7,
    )
    engine = app_engine(url)
    least = _least(engine, workspace_id, _ready_items(engine, workspace_id))
    targets = {
        "static": (least, "/static", ""),
        "bare": (least, "/bare", ""),
        "list": (served, "/v1/mentions", key),
    }
    rates: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, (app, path, shown) in targets.items():
            rates[name].append(asyncio.run(_rate(app, path, shown)))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in middle.items():
        low, high = min(rates[name]), max(rates[name])
        print(f"{name:7} {rate:8.0f}/s  ({low:.0f}-{high:.0f})")
    print(f"list / bare SQL and orjson:  {middle['list'] / middle['bare']:.2f}")
    print(f"list / static orjson:        {middle['list'] / middle['static']:.2f}")
    engine.dispose()


def _fill(url: str) -> tuple[str, int]:
    engine, now = owner_engine(url), datetime.now(UTC)
    with Session(engine) as session:
        workspace = add_workspace(session, name=f"bench {now}")
        brand = add_brand(session, workspace)
        source = add_source(session, slug=f"bench-{now:%s}")
        for number in range(ROWS):
            at = now - timedelta(minutes=number)
            text = "Voltano lost my parcel and nobody answers the phone. " * 6
            post = add_post(
                session,
                source,
                external_id_hash=sha256(f"{now}{number}".encode()).digest(),
                published_at=at,
                text=text,
            )
            add_mention(session, brand, post)
        _, shown = issue_key(
            session, workspace_id=workspace.id, name="bench", role=Role.ANALYST, now=now
        )
        session.commit()
        workspace_id = workspace.id
    engine.dispose()
    return shown, workspace_id


def _ready_items(engine: Engine, workspace_id: int) -> list[dict[str, Any]]:
    with workspace_session(engine, workspace_id) as session:
        rows = mention_page(session, MentionQuery(), after=None, limit=50)
        return [dict(row._mapping) for row in rows]


def _least(engine: Engine, workspace_id: int, items: list[dict[str, Any]]) -> FastAPI:
    app = FastAPI()
    wanted = MentionQuery()

    @app.get("/static")
    def static() -> Response:
        return Response(orjson.dumps({"items": items}), media_type="application/json")

    @app.get("/bare")
    def bare() -> Response:
        with workspace_session(engine, workspace_id) as session:
            rows = mention_page(session, wanted, after=None, limit=51)
            found = [dict(row._mapping) for row in rows]
        return Response(orjson.dumps({"items": found}), media_type="application/json")

    return app


async def _rate(app: FastAPI, path: str, key: str) -> float:
    headers = [(b"host", b"bench"), (b"authorization", f"Bearer {key}".encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"limit=50",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
    }
    await _call(app, scope)
    began = time.perf_counter()
    for _ in range(CALLS):
        await _call(app, scope)
    return CALLS / (time.perf_counter() - began)


async def _call(app: FastAPI, scope: dict[str, Any]) -> None:
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(dict(scope), receive, send)
    assert statuses == [200], statuses


if __name__ == "__main__":
    main()
