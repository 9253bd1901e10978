"""The app on a real database of its own, called over ASGI; and two customers who must not meet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create_app
from api.keys import issue_key
from core.database import Urls
from core.models import (
    Alert,
    AlertRule,
    ApiKey,
    Brand,
    Delivery,
    Mention,
    Receiver,
    Source,
    Workspace,
)
from core.settings import Settings
from core.types import Role
from tests.api.rows import add_alert, add_answer, add_delivery, add_mention, add_post
from tests.factories import NOW, add_brand, add_receiver, add_rule, add_source, add_workspace


@dataclass
class Clock:
    """A clock that a test turns."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class Customer:
    """A workspace with one of everything, and a key of every role."""

    workspace: Workspace
    brand: Brand
    receiver: Receiver
    rule: AlertRule
    mention: Mention
    alert: Alert
    delivery: Delivery
    keys: dict[Role, str] = field(default_factory=dict)
    key_rows: dict[Role, ApiKey] = field(default_factory=dict)


Ask = Callable[..., httpx.Response]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database_url: str, clock: Clock) -> FastAPI:
    return create_app(Settings(), Urls(owner=database_url, app=database_url), clock=clock)


@pytest.fixture
def ask(app: FastAPI) -> Iterator[Ask]:
    """``ask("GET", "/v1/mentions", key=…)``: one request to the app."""
    with start_blocking_portal() as portal:
        transport = httpx.ASGITransport(app=app)
        client = portal.call(
            partial(httpx.AsyncClient, transport=transport, base_url="http://goodname.test")
        )

        def send(method: str, url: str, *, key: str | None = None, **more: Any) -> httpx.Response:
            headers = dict(more.pop("headers", {}))
            if key is not None:
                headers["Authorization"] = f"Bearer {key}"
            return portal.call(partial(client.request, method, url, headers=headers, **more))

        send.client = client  # type: ignore[attr-defined]
        yield send
        portal.call(client.aclose)
    app.state.installation.engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """The owner's session on the database that the app serves; what a test needs, it commits."""
    with Session(engine, expire_on_commit=False) as inside:
        yield inside


@pytest.fixture
def source(session: Session) -> Source:
    made = add_source(session)
    session.commit()
    return made


def make_customer(session: Session, source: Source, name: str) -> Customer:
    workspace = add_workspace(session, name=name)
    brand = add_brand(session, workspace, slug=f"{name}-brand")
    receiver = add_receiver(session, workspace)
    rule = add_rule(session, workspace, receiver)
    post = add_post(session, source, text=f"canary-{name} parcel lost by Voltano")
    mention = add_mention(session, brand, post)
    add_answer(session, post, f"<p>canary-{name}</p>".encode())
    alert = add_alert(session, rule, mention)
    made = Customer(
        workspace=workspace,
        brand=brand,
        receiver=receiver,
        rule=rule,
        mention=mention,
        alert=alert,
        delivery=add_delivery(session, alert, receiver),
    )
    for role in Role:
        row, shown = issue_key(
            session, workspace_id=workspace.id, name=f"{name} {role}", role=role, now=NOW
        )
        made.keys[role], made.key_rows[role] = shown, row
    session.commit()
    return made


@pytest.fixture
def ours(session: Session, source: Source) -> Customer:
    return make_customer(session, source, "ours")


@pytest.fixture
def theirs(session: Session, source: Source) -> Customer:
    return make_customer(session, source, "theirs")


@dataclass
class Visitor:
    """A person without scripts: follows redirects, sends forms with their hidden token."""

    ask: Ask

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers={"Accept": "text/html", **headers})

    def post(self, path: str, **form: str) -> httpx.Response:
        return self.ask("POST", path, data=form, headers={"Accept": "text/html"})

    def log_in(self, key: str) -> httpx.Response:
        return self.post("/login", key=key)

    @property
    def csrf(self) -> str:
        return re.findall(r'name="csrf" value="([^"]+)"', self.get("/").text)[0]


@pytest.fixture
def visitor(ask: Ask) -> Visitor:
    return Visitor(ask)
