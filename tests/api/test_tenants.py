"""Two workspaces, every role, every route of the OpenAPI document: nobody sees another's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from api.rates import Rates
from api.roles import ALLOWED, OPEN, may
from api.shown import show_id
from core.ids import Prefix
from core.models import Alert, ApiKey, Brand, Mention, Source
from core.types import Role
from tests.api.conftest import Ask, Customer

_OPENERS = {"get", "post", "patch", "delete", "put"}


def operations(ask: Ask) -> list[tuple[str, str, str]]:
    document = ask("GET", "/openapi.json").json()
    return [
        (method, path, told["operationId"])
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if method in _OPENERS
    ]


def ids_of(customer: Customer, source: Source) -> dict[str, str]:
    return {
        "mention_id": show_id(Prefix.MENTION, customer.mention.id),
        "alert_id": show_id(Prefix.ALERT, customer.alert.id),
        "brand_id": show_id(Prefix.BRAND, customer.brand.id),
        "rule_id": show_id(Prefix.RULE, customer.rule.id),
        "receiver_id": show_id(Prefix.RECEIVER, customer.receiver.id),
        "key_id": show_id(Prefix.API_KEY, customer.key_rows[Role.ANALYST].id),
        "source_id": show_id(Prefix.SOURCE, source.id),
        "version": "1",
    }


BODIES: dict[str, dict[str, Any]] = {
    "correct_mention": {"severity": "low"},
    "assign_alert": {"to": "mallory"},
    "resolve_alert": {"root_cause": "mallory"},
    "change_brand": {"name": "Mallory"},
    "change_receiver": {"is_active": False},
    "change_rule": {"is_active": False},
    "change_source": {"interval_seconds": 600},
    "create_brand": {"slug": "x", "name": "X"},
    "create_source": {"slug": "x", "kind": "feed"},
    "create_receiver": {"slug": "x", "kind": "log"},
    "create_rule": {"slug": "x"},
    "create_key": {"name": "x", "role": "analyst"},
}


def call(
    ask: Ask, method: str, path: str, operation: str, ids: dict[str, str], key: str | None
) -> Any:
    more = {"json": BODIES[operation]} if operation in BODIES else {}
    return ask(method.upper(), path.format(**ids), key=key, **more)


def routes(app: FastAPI) -> list[APIRoute]:
    found: list[APIRoute] = []

    def walk(some: Any) -> None:
        for route in some:
            if isinstance(route, APIRoute):
                found.append(route)
            elif inner := getattr(route, "original_router", None) or getattr(route, "router", None):
                walk(inner.routes)

    walk(app.router.routes)
    return found


def test_every_route_is_classified_and_every_class_is_a_route(app: FastAPI) -> None:
    names = [route.endpoint.__name__ for route in routes(app)]
    assert len(names) > 40
    assert len(names) == len(set(names)), "two routes of one name would share their roles"
    assert set(names) == set(ALLOWED) | OPEN
    assert not set(ALLOWED) & OPEN


def test_the_table_of_roles_lets_admin_do_everything_and_nobody_do_the_unknown() -> None:
    assert all(Role.ADMIN in roles for roles in ALLOWED.values())
    assert not may(Role.ADMIN, "a_route_that_nobody_classified")


def test_nothing_but_health_and_the_reference_answers_without_a_key(
    app: FastAPI, ask: Ask, ours: Customer, source: Source
) -> None:
    patient = Rates(per_minute=1000, refusals_per_minute=1000)
    app.state.installation = replace(app.state.installation, rates=patient)
    ids = ids_of(ours, source)
    for method, path, operation in operations(ask):
        if operation in OPEN:
            continue
        for key in (None, "nonsense", "gn_aaaaaaaaaaaa_" + "A" * 43):
            answer = call(ask, method, path, operation, ids, key)
            assert answer.status_code == 401, (method, path, key)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "canary" not in answer.text


def test_foreign_ids_are_not_found_by_any_role_on_any_route(
    ask: Ask, ours: Customer, theirs: Customer, source: Source, session: Session
) -> None:
    before = _state_of(session, theirs)
    own, foreign = ids_of(ours, source), ids_of(theirs, source)
    checked = 0
    for method, path, operation in operations(ask):
        named = re.findall(r"{(\w+)}", path)
        if operation in OPEN or not named or named == ["source_id"]:
            continue
        for role in Role:
            answer = call(ask, method, path, operation, foreign, ours.keys[role])
            expected = 404 if may(role, operation) else 403
            assert answer.status_code == expected, (role, method, path, answer.text)
            assert "theirs" not in answer.text.replace(path.format(**foreign), "")
            checked += 1
    assert checked > 40
    assert own != foreign
    session.expire_all()
    assert _state_of(session, theirs) == before


def _state_of(session: Session, customer: Customer) -> list[Any]:
    here = customer.workspace.id
    rows = []
    for table in ("mention", "alert", "brand", "receiver", "alert_rule", "api_key"):
        found = session.execute(
            text(f"SELECT t::text FROM {table} t WHERE workspace_id = :id ORDER BY 1"), {"id": here}
        )
        rows.append(found.scalars().all())
    return rows


def test_no_list_shows_another_workspace_to_any_role(
    ask: Ask, ours: Customer, theirs: Customer, source: Source
) -> None:
    ids = ids_of(ours, source)
    shared = ("source_id", "version")
    hidden = [value for name, value in ids_of(theirs, source).items() if name not in shared]
    for method, path, operation in operations(ask):
        if method != "get" or operation in OPEN:
            continue
        for role in Role:
            answer = call(ask, method, path, operation, ids, ours.keys[role])
            assert answer.status_code == (200 if may(role, operation) else 403), (role, path)
            assert "theirs" not in answer.text
            assert not any(value in answer.text for value in hidden), (role, path)


def test_every_role_may_call_what_the_table_says_and_nothing_else(
    ask: Ask, ours: Customer, source: Source
) -> None:
    ids = ids_of(ours, source)
    for method, path, operation in operations(ask):
        for role in Role:
            if operation in OPEN or may(role, operation):
                continue
            answer = call(ask, method, path, operation, ids, ours.keys[role])
            assert answer.status_code == 403, (role, method, path)
            assert role.value in answer.json()["detail"]


def test_filters_tell_nothing_of_foreign_brands(ask: Ask, ours: Customer, theirs: Customer) -> None:
    key, foreign = ours.keys[Role.ANALYST], show_id(Prefix.BRAND, theirs.brand.id)
    for path in ("/v1/mentions", "/v1/alerts"):
        real = ask("GET", f"{path}?brand={foreign}", key=key)
        made_up = ask("GET", f"{path}?brand={show_id(Prefix.BRAND, 10**9)}", key=key)
        assert real.status_code == made_up.status_code == 422
        assert real.json()["type"] == made_up.json()["type"]


def test_a_rule_cannot_name_foreign_brands_or_receivers(
    ask: Ask, ours: Customer, theirs: Customer
) -> None:
    key = ours.keys[Role.OWNER]
    for body in (
        {"slug": "spy", "brand_id": show_id(Prefix.BRAND, theirs.brand.id)},
        {"slug": "spy", "receiver_ids": [show_id(Prefix.RECEIVER, theirs.receiver.id)]},
    ):
        assert ask("POST", "/v1/rules", key=key, json=body).status_code == 422


def test_the_database_itself_hides_what_a_route_would_forget(
    served: Engine, ours: Customer, theirs: Customer
) -> None:
    with Session(served) as bare:
        for table in (Mention, Alert, Brand, ApiKey):
            assert bare.scalars(select(table)).all() == []
