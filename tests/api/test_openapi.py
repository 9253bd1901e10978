from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.api.conftest import Ask


def document(ask: Ask) -> dict[str, Any]:
    answer = ask("GET", "/openapi.json")
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


def test_every_reference_leads_somewhere(ask: Ask) -> None:
    told = document(ask)
    schemas = told["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/([A-Za-z_]+)", str(told)):
        assert name in schemas, name


def test_every_operation_is_described_tagged_and_tells_its_refusals(ask: Ask) -> None:
    told = document(ask)
    tags = {tag["name"] for tag in told["tags"]}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert set(operation["tags"]) <= tags
            if path == "/v1/health":
                continue
            for status in ("401", "403", "404", "422", "429"):
                assert "application/problem+json" in operation["responses"][status]["content"]
            if method == "post":
                names = [one["name"] for one in operation["parameters"]]
                assert "idempotency-key" in names, path


def test_what_goes_in_has_an_example_that_fits_its_schema(ask: Ask) -> None:
    from jsonschema import Draft202012Validator

    told = document(ask)
    schemas = told["components"]["schemas"]
    checked = 0
    for name, schema in schemas.items():
        if "example" not in schema:
            continue
        whole = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        Draft202012Validator(whole).validate(schema["example"])
        checked += 1
    assert checked >= 12
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for methods in told["paths"].values()
        for operation in methods.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }
    missing = {name for name in bodies if "example" not in schemas[name]}
    assert not missing


def test_the_reference_page_names_every_route(ask: Ask) -> None:
    page = ask("GET", "/docs").text
    for path in document(ask)["paths"]:
        assert path in page


def test_the_manual_names_every_route_and_no_other(ask: Ask) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    named = set(re.findall(r"`(?:GET|POST|PATCH|DELETE) (/v1/[^` ]*)`", manual))
    assert named == set(document(ask)["paths"])
