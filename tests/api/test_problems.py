from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from core.types import Role
from tests.api.conftest import Ask, Customer


def test_every_refusal_is_a_problem_with_a_request_id(ask: Ask, ours: Customer) -> None:
    key = ours.keys[Role.ADMIN]
    for method, path, status, more in (
        ("GET", "/v1/nothing", 404, {}),
        ("GET", "/v1/mentions/men_doesnotexist", 404, {}),
        ("GET", "/v1/mentions/brd_86Rf07xd4z", 404, {}),
        ("GET", "/v1/mentions/" + "x" * 500, 404, {}),
        ("PUT", "/v1/mentions", 405, {}),
        ("POST", "/v1/brands", 422, {"content": b"{not json"}),
        ("POST", "/v1/brands", 422, {"json": {"slug": "UPPER", "name": ""}}),
        ("POST", "/v1/brands", 422, {"json": {"slug": "a", "name": "A", "colour": "red"}}),
        ("POST", "/v1/brands", 422, {"content": b'{"slug":"a","name":"A\\u0000"}'}),
        ("POST", "/v1/brands", 422, {"content": b'{"slug":"a","name":"A\\ud800"}'}),
    ):
        answer = ask(method, path, key=key, **more)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == status
        assert body["type"].startswith("urn:goodname:problem:")
        assert body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("mentions", "since", {"from", "to", "brand", "q", "limit", "cursor"}),
        ("coverage", "from", {"since", "until", "source", "resolution"}),
        ("brands", "colour", {"limit", "cursor"}),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_known_ones(
    ask: Ask, ours: Customer, path: str, wrong: str, right: set[str]
) -> None:
    given = {wrong: "2026-03-01T00:00:00Z", "limit": "1"}
    answer = ask("GET", f"/v1/{path}", key=ours.keys[Role.ADMIN], params=given)
    assert answer.status_code == 422, answer.text
    said = next(one for one in answer.json()["errors"] if one["where"] == f"query.{wrong}")
    begin, _, known = said["detail"].partition(": ")
    assert begin == "there is no such parameter; known here"
    assert right <= set(known.split(", "))
    assert wrong not in known.split(", ")


def test_a_request_id_that_was_given_is_kept_unless_it_is_nonsense(ask: Ask) -> None:
    given = ask("GET", "/v1/health", headers={"X-Request-ID": "trace-2026.a_b"})
    assert given.headers["x-request-id"] == "trace-2026.a_b"
    for nonsense in ("short", "a b c d e f g h", "x" * 200, "<script>alert(1)</script>"):
        answer = ask("GET", "/v1/health", headers={"X-Request-ID": nonsense})
        assert answer.headers["x-request-id"] != nonsense


def test_a_body_above_one_mebibyte_is_refused(ask: Ask, ours: Customer) -> None:
    body = json.dumps({"slug": "a", "name": "A", "aliases": ["x" * 1_100_000]}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    for content in (body, in_pieces()):
        answer = ask("POST", "/v1/brands", key=ours.keys[Role.ADMIN], content=content)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:goodname:problem:too-large"
    assert ask("GET", "/v1/brands/", key=ours.keys[Role.ADMIN]).status_code == 404


def test_a_bug_is_a_problem_without_its_insides(ask: Ask, app: FastAPI) -> None:
    @app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("secret of the house")

    answer = ask("GET", "/v1/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_database_that_goes_away_is_503_and_back_again_is_200(
    ask: Ask, ours: Customer, engine: Engine, superuser_url: str
) -> None:
    from sqlalchemy import create_engine, make_url

    admin = create_engine(
        make_url(superuser_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    key, name = ours.keys[Role.ANALYST], engine.url.database
    assert ask("GET", "/v1/mentions", key=key).status_code == 200
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        answer = ask("GET", "/v1/mentions", key=key)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        health = ask("GET", "/v1/health")
        assert (health.status_code, health.json()["database"]) == (503, "down")
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    admin.dispose()
    assert ask("GET", "/v1/mentions", key=key).status_code == 200


@pytest.mark.parametrize("path", ["/v1/health", "/v1/nothing", "/docs", "/login", "/openapi.json"])
def test_every_answer_carries_safe_headers(ask: Ask, path: str) -> None:
    answer = ask("GET", path)
    assert answer.status_code < 500
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


def test_a_made_up_id_is_refused_in_words_that_make_sense(ask: Ask, ours: Customer) -> None:
    detail = ask("GET", "/v1/mentions/men_?", key=ours.keys[Role.ADMIN]).json()["detail"]
    assert detail == "What that address names was not found here."
