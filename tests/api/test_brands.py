from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import Brand, Mention
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer
from tests.factories import add_brand

NEW = {"slug": "solaris", "name": "Solaris", "aliases": ["Solaris GmbH"], "query": None}


def test_a_brand_is_made_read_changed_and_forgotten(ask: Ask, ours: Customer, clock: Clock) -> None:
    key = ours.keys[Role.OWNER]
    made = ask("POST", "/v1/brands", key=key, json=NEW)
    assert made.status_code == 201
    path = made.headers["location"]
    assert ask("GET", path, key=key).json() == made.json()
    clock.pass_time(minutes=1)
    changed = ask("PATCH", path, key=key, json={"aliases": [], "is_active": False}).json()
    assert (changed["aliases"], changed["is_active"], changed["name"]) == ([], False, "Solaris")
    assert changed["updated_at"] > made.json()["updated_at"]
    assert ask("DELETE", path, key=key).status_code == 204
    assert ask("GET", path, key=key).status_code == 404


def test_a_brand_made_or_changed_is_looked_for_in_the_kept_posts(
    ask: Ask, ours: Customer, session: Session
) -> None:
    key, take = ours.keys[Role.OWNER], text("DELETE FROM procrastinate_jobs RETURNING args")
    path = ask("POST", "/v1/brands", key=key, json=NEW).headers["location"]
    made = session.scalars(take).all()
    session.commit()
    assert ask("PATCH", path, key=key, json={"aliases": ["Sol"]}).status_code == 200
    assert made == session.scalars(take).all()
    brand_id = session.scalar(select(Brand.id).where(Brand.slug == "solaris"))
    assert made == [{"brand_id": brand_id}]


def test_a_slug_is_taken_once_in_a_workspace_and_again_in_another(
    ask: Ask, ours: Customer, theirs: Customer
) -> None:
    key = ours.keys[Role.OWNER]
    assert ask("POST", "/v1/brands", key=key, json=NEW).status_code == 201
    again = ask("POST", "/v1/brands", key=key, json=NEW)
    assert (again.status_code, again.json()["type"]) == (409, "urn:goodname:problem:slug-taken")
    assert ask("POST", "/v1/brands", key=theirs.keys[Role.OWNER], json=NEW).status_code == 201


def test_what_the_file_declares_is_changed_in_the_file(
    ask: Ask, ours: Customer, session: Session
) -> None:
    brand = add_brand(session, ours.workspace, managed_by="file")
    session.commit()
    path, key = f"/v1/brands/{show_id(Prefix.BRAND, brand.id)}", ours.keys[Role.ADMIN]
    for answer in (ask("PATCH", path, key=key, json={"name": "X"}), ask("DELETE", path, key=key)):
        assert answer.status_code == 409
        assert "settings.toml" in answer.json()["detail"]
    assert ask("GET", path, key=key).json()["managed_by"] == "file"


def test_a_query_that_cannot_be_read_says_where(ask: Ask, ours: Customer) -> None:
    key = ours.keys[Role.OWNER]
    bad = ask("POST", "/v1/brands", key=key, json=NEW | {"query": 'solaris AND (panel OR "roof'})
    assert bad.status_code == 422
    assert "character" in bad.json()["detail"]
    good = ask("POST", "/v1/brands", key=key, json=NEW | {"query": "solaris AND (panel OR roof)"})
    assert good.status_code == 201
    path = good.headers["location"]
    assert ask("PATCH", path, key=key, json={"query": "((("}).status_code == 422
    assert ask("PATCH", path, key=key, json={"query": None}).json()["query"] is None
    assert ask("PATCH", path, key=key, json={"name": None}).status_code == 422


def test_forgetting_a_brand_forgets_its_mentions(
    ask: Ask, ours: Customer, session: Session
) -> None:
    path = f"/v1/brands/{show_id(Prefix.BRAND, ours.brand.id)}"
    assert ask("DELETE", path, key=ours.keys[Role.OWNER]).status_code == 204
    assert session.scalar(select(func.count()).select_from(Mention)) == 0
    assert session.scalar(select(func.count()).select_from(Brand)) == 0
