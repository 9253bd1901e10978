"""Who comes in when: as many at once as there are connections, the others in turn."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.app import create_app
from api.edge import Edge
from api.problems import Problem
from core.database import Urls
from core.settings import DatabaseSection, Settings
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer

MANY = 60


@pytest.fixture
def app(database_url: str, clock: Clock) -> FastAPI:
    settings = Settings(database=DatabaseSection(pool_size=1))
    return create_app(settings, Urls(owner=database_url, app=database_url), clock=clock)


def test_many_more_calls_than_connections_are_all_answered(
    app: FastAPI, ours: Customer, theirs: Customer
) -> None:
    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://goodname.test") as one:
            await one.post("/login", data={"key": ours.keys[Role.OWNER]})
            with_key = {"Authorization": f"Bearer {theirs.keys[Role.OWNER]}"}
            calls = [one.get("/v1/mentions", headers=with_key) for _ in range(MANY)]
            calls += [one.get("/page/brands") for _ in range(MANY)]
            calls += [one.get("/v1/health") for _ in range(MANY)]
            async with asyncio.timeout(25):
                return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert set(asyncio.run(all_at_once())) == {200}
    app.state.installation.engine.dispose()


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("nothing ever comes")


def asked(*messages: Message, then: Receive = never) -> Receive:
    """What a client sends, and what it does afterwards."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0) if left else await then()

    return receive


WHOLE: Message = {"type": "http.request", "body": b"", "more_body": False}
HALF: Message = {"type": "http.request", "body": b"key=", "more_body": True}
GONE: Message = {"type": "http.disconnect"}


async def ignore(_: Message) -> None:
    pass


def scope(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": []}


class House:
    """An app behind a single place, whose guests stay until they are let go."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.may_go = asyncio.Event()
        self.edge = Edge(self._serve, max_body_bytes=100, places=1)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.came.append(scope["path"])
        if scope["path"] == "/stays":
            await self.may_go.wait()
        await PlainTextResponse("here")(scope, receive, send)

    async def visit(
        self, path: str, receive: Receive | None = None, send: Send = ignore
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self.edge(scope(path), receive or asked(WHOLE), send))
        await settle()
        return task


async def settle() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_comes_first_is_served_first() -> None:
    house = House()
    tasks = [await house.visit(path) for path in ("/stays", "/a", "/b", "/c")]
    assert house.came == ["/stays"]
    house.may_go.set()
    await asyncio.gather(*tasks)
    assert house.came == ["/stays", "/a", "/b", "/c"]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static/page.css"])
async def test_what_needs_no_database_does_not_wait(path: str) -> None:
    house = House()
    first = await house.visit("/stays")
    await (await house.visit(path))
    house.may_go.set()
    await first
    assert house.came == ["/stays", path]


async def test_who_went_away_in_line_is_passed_over() -> None:
    house = House()
    first = await house.visit("/stays")

    async def gone() -> Message:
        return GONE

    waiting = await house.visit("/gone", asked(WHOLE, then=gone))
    cancelled = await house.visit("/cancelled")
    last = await house.visit("/last")
    cancelled.cancel()
    house.may_go.set()
    await asyncio.gather(first, waiting, last)
    assert house.came == ["/stays", "/last"]


async def test_a_body_that_never_ends_takes_no_place() -> None:
    house = House()
    half = await house.visit("/login", asked(HALF))
    await (await house.visit("/next"))
    broken = await house.visit("/login", asked(HALF, GONE))
    await broken
    half.cancel()
    assert house.came == ["/next"]


async def test_a_client_that_reads_slowly_holds_no_place() -> None:
    house = House()
    has_read = asyncio.Event()

    async def slowly(_: Message) -> None:
        await has_read.wait()

    slow = await house.visit("/slow", send=slowly)
    await (await house.visit("/next"))
    has_read.set()
    await slow
    assert house.came == ["/slow", "/next"]


async def test_a_guest_that_breaks_leaves_the_place() -> None:
    async def breaks(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("broken")

    edge = Edge(breaks, max_body_bytes=100, places=1)
    statuses: list[int] = []

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for _ in range(3):
        async with asyncio.timeout(5):
            await edge(scope("/"), asked(WHOLE), note)
    assert statuses == [500] * 3


def test_a_refused_body_is_not_remembered(ask: Ask) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 50_000

    for _ in range(3):
        assert ask("POST", "/v1/brands", content=in_pieces()).status_code == 413
    gc.collect()
    problems = [one for one in gc.get_objects() if type(one) is Problem]
    kept = [one for one in problems if one.__traceback__]
    assert kept == []
