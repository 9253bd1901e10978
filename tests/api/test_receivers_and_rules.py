from __future__ import annotations

import base64

from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import Receiver
from core.types import Role
from tests.api.conftest import Ask, Customer


def test_a_webhook_gets_a_secret_that_is_shown_once(
    ask: Ask, ours: Customer, session: Session
) -> None:
    key = ours.keys[Role.OWNER]
    body = {"slug": "hook", "kind": "webhook", "address": "https://hooks.example/x"}
    made = ask("POST", "/v1/receivers", key=key, json=body, headers={"Idempotency-Key": "k1"})
    secret = made.json()["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    again = ask("POST", "/v1/receivers", key=key, json=body, headers={"Idempotency-Key": "k1"})
    assert again.json() == made.json() | {"secret": None}
    listed = ask("GET", "/v1/receivers", key=key)
    assert secret not in listed.text
    assert len(listed.json()["items"]) == 2


def test_an_address_must_fit_its_kind(ask: Ask, ours: Customer) -> None:
    key = ours.keys[Role.OWNER]
    for kind, address in (
        ("webhook", ""),
        ("webhook", "ftp://x.example"),
        ("webhook", "https://"),
        ("email", "nobody"),
        ("email", "a@b.example, c@d.example"),
        ("log", "somewhere"),
        ("pigeon", "roof"),
    ):
        body = {"slug": "r", "kind": kind, "address": address}
        assert ask("POST", "/v1/receivers", key=key, json=body).status_code == 422, body
    good = {"slug": "r", "kind": "email", "address": "desk@firm.example"}
    made = ask("POST", "/v1/receivers", key=key, json=good).json()
    path = f"/v1/receivers/{made['id']}"
    assert ask("PATCH", path, key=key, json={"address": "no"}).status_code == 422
    assert ask("PATCH", path, key=key, json={"is_active": False}).json()["is_active"] is False
    assert ask("DELETE", path, key=key).status_code == 204


def test_a_rule_is_made_changed_and_forgotten(ask: Ask, ours: Customer, session: Session) -> None:
    key, receiver = ours.keys[Role.OWNER], show_id(Prefix.RECEIVER, ours.receiver.id)
    body = {
        "slug": "storm",
        "brand_id": show_id(Prefix.BRAND, ours.brand.id),
        "sentiments": ["negative", "neutral"],
        "at_once": "critical",
        "grouped": "low",
        "group_wait_seconds": 60,
        "receiver_ids": [receiver, receiver],
    }
    made = ask("POST", "/v1/rules", key=key, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["receiver_ids"] == [receiver]
    assert (made.json()["at_once"], made.json()["grouped"]) == ("critical", "low")
    path = f"/v1/rules/{made.json()['id']}"
    change = {"at_once": "high", "sentiments": ["negative"], "receiver_ids": []}
    changed = ask("PATCH", path, key=key, json=change).json()
    assert (changed["at_once"], changed["receiver_ids"]) == ("high", [])
    assert changed["sentiments"] == ["negative"]
    assert changed["grouped"] == "low"
    assert ask("PATCH", path, key=key, json={"at_once": None}).status_code == 422
    assert len(ask("GET", "/v1/rules", key=key).json()["items"]) == 2
    assert ask("DELETE", path, key=key).status_code == 204
    assert session.get(Receiver, ours.receiver.id) is not None
