from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.keys import find_caller, hash_of, issue_key
from api.shown import show_id
from core.ids import Prefix
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer
from tests.factories import NOW


def test_a_key_is_shown_once_and_stored_only_as_a_hash(session: Session, ours: Customer) -> None:
    row, shown = issue_key(
        session, workspace_id=ours.workspace.id, name="x", role=Role.OPS, now=NOW
    )
    session.commit()
    start, prefix, secret = shown.split("_", 2)
    assert (start, prefix, len(secret)) == ("gn", row.prefix, 43)
    assert bytes(row.hash) == hash_of(shown)
    dump = session.scalar(text("SELECT string_agg(k::text, ' ') FROM api_key k"))
    assert secret not in dump
    caller = find_caller(session, shown, now=NOW)
    assert caller is not None
    assert (caller.role, caller.workspace_id) == (Role.OPS, ours.workspace.id)


def test_a_key_with_one_sign_changed_is_nobody(session: Session, ours: Customer) -> None:
    shown = ours.keys[Role.OWNER]
    for wrong in (shown[:-1] + ("A" if shown[-1] != "A" else "B"), shown + "A", shown[:-1], ""):
        assert find_caller(session, wrong, now=NOW) is None
    other = ours.keys[Role.ADMIN]
    mixed = "_".join([*shown.split("_")[:2], other.split("_", 2)[2]])
    assert find_caller(session, mixed, now=NOW) is None


def test_a_key_ends_when_it_expires_or_is_revoked(ask: Ask, ours: Customer, clock: Clock) -> None:
    admin = ours.keys[Role.ADMIN]
    body = {
        "name": "till noon",
        "role": "analyst",
        "expires_at": (NOW + timedelta(minutes=1)).isoformat(),
    }
    made = ask("POST", "/v1/keys", key=admin, json=body).json()
    assert ask("GET", "/v1/mentions", key=made["key"]).status_code == 200
    clock.pass_time(minutes=1)
    assert ask("GET", "/v1/mentions", key=made["key"]).status_code == 401
    assert ask("POST", "/v1/keys", key=admin, json=body).status_code == 422

    path = f"/v1/keys/{show_id(Prefix.API_KEY, ours.key_rows[Role.ANALYST].id)}"
    assert ask("GET", "/v1/mentions", key=ours.keys[Role.ANALYST]).status_code == 200
    assert ask("DELETE", path, key=admin).status_code == 204
    assert ask("GET", "/v1/mentions", key=ours.keys[Role.ANALYST]).status_code == 401
    assert ask("DELETE", path, key=admin).status_code == 204
    own = f"/v1/keys/{show_id(Prefix.API_KEY, ours.key_rows[Role.ADMIN].id)}"
    assert ask("DELETE", own, key=admin).status_code == 409


def test_no_list_and_no_repeat_shows_a_key_again(
    ask: Ask, ours: Customer, session: Session
) -> None:
    admin, headers = ours.keys[Role.ADMIN], {"Idempotency-Key": "first key"}
    body = {"name": "robot", "role": "ops"}
    made = ask("POST", "/v1/keys", key=admin, json=body, headers=headers).json()
    again = ask("POST", "/v1/keys", key=admin, json=body, headers=headers)
    assert again.json() == made | {"key": None}
    secret = made["key"].rpartition("_")[2]
    assert secret not in ask("GET", "/v1/keys", key=admin).text
    kept = session.scalar(text("SELECT string_agg(r::text, ' ') FROM idempotent_response r"))
    assert secret not in kept
