"""The API and the page as one app; everything it needs comes in here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine, event, make_url
from starlette.staticfiles import StaticFiles

from api import login, pages, problems, reference
from api.call import Installation
from api.edge import Edge
from api.health import HealthCheck
from api.page_call import LoginWanted
from api.rates import Rates
from api.routes import (
    alerts,
    brands,
    corrections,
    counts,
    coverage,
    evidence,
    health,
    keys,
    mentions,
    ops,
    receivers,
    rules,
    sources,
)
from core.database import Urls, app_engine, most_connections
from core.settings import Settings

MAX_BODY_BYTES = 1024 * 1024
#: A request that the database needs longer for is told so, instead of holding a connection.
STATEMENT_TIMEOUT_MS = 15_000


def create_app(
    settings: Settings,
    urls: Urls,
    *,
    clock: Callable[[], datetime],
    requests_per_minute: int = 1200,
) -> FastAPI:
    """Build the app; it connects at the first request and lets go at shutdown."""
    engine = app_engine(urls.app, pool_size=settings.database.pool_size)
    _limit_statements(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="Goodname",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_name,
        redirect_slashes=False,
    )
    app.state.installation = Installation(
        settings=settings,
        engine=engine,
        clock=clock,
        rates=Rates(per_minute=requests_per_minute),
        session_pepper=make_url(urls.app).password or "",
    )
    app.state.health = HealthCheck(engine)
    problems.install(app)
    for noun in (
        counts,  # before the single mention, whose path would take its word for an id
        mentions,
        evidence,
        corrections,
        alerts,
        brands,
        sources,
        coverage,
        rules,
        receivers,
        keys,
        ops,
        health,
    ):
        app.include_router(noun.router)
    app.include_router(reference.router)
    app.include_router(login.router)
    app.include_router(pages.router)
    app.add_exception_handler(LoginWanted, login.invite)  # type: ignore[arg-type]
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.openapi = lambda: reference.write_openapi(app)  # type: ignore[method-assign]
    places = most_connections(settings.database.pool_size)
    app.add_middleware(Edge, max_body_bytes=MAX_BODY_BYTES, places=places)
    return app


def _operation_name(route: APIRoute) -> str:
    # The table of roles knows routes by this name, so it is the operation id as well.
    return route.name


def _limit_statements(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def limit(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
        cursor.close()
        connection.commit()  # type: ignore[attr-defined]
