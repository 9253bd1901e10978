"""The OpenAPI document, and a small reference page of our own made from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.problems import ProblemBody
from api.render import render
from api.shown import Shown, Wanted

router = APIRouter(include_in_schema=False)

TAGS = [
    {"name": "mentions", "description": "Posts about your brands, judged."},
    {"name": "corrections", "description": "What people say against what judges say."},
    {"name": "alerts", "description": "Cases that a person must see, and what was done."},
    {"name": "brands", "description": "Who is watched."},
    {"name": "sources", "description": "What is crawled, how often, and how it went."},
    {"name": "rules", "description": "When to speak up, and to whom."},
    {"name": "receivers", "description": "Who is told, and how."},
    {"name": "keys", "description": "Who may call."},
    {"name": "operations", "description": "What is broken, and what was sent."},
    {"name": "health", "description": "Whether this installation works."},
]
_ABOUT = (
    "Hear the angry customer first. Every list walks by `next` (also an RFC 8288 Link header), "
    "every refusal is an RFC 9457 problem, every POST takes an Idempotency-Key, "
    "and 429 says how long to wait."
)


def write_openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the model of problems that the routes refer to."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="Goodname",
            version=app.version,
            summary="Online reputation: mentions, severity, alerts.",
            description=_ABOUT,
            routes=app.routes,
            tags=TAGS,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ProblemBody"] = ProblemBody.model_json_schema()
        _restore_examples(schemas)
        app.openapi_schema = document
    return app.openapi_schema


def _restore_examples(schemas: dict[str, Any]) -> None:
    # FastAPI leaves every null out of the document, so also out of the examples.
    for model in [*every_kind_of(Shown), *every_kind_of(Wanted)]:
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in schemas and isinstance(extra, dict) and "example" in extra:
            schemas[model.__name__]["example"] = extra["example"]


def every_kind_of(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models made from one, at any depth."""
    for model in base.__subclasses__():
        yield model
        yield from every_kind_of(model)


@router.get("/openapi.json")
def read_openapi(request: Request) -> dict[str, Any]:
    """The same for everybody; it tells of no data."""
    return write_openapi(request.app)


@router.get("/docs")
def show_reference(request: Request) -> Response:
    """The routes for people, without a script from elsewhere."""
    document = write_openapi(request.app)
    groups = [
        (tag, [one for one in _operations(document) if tag["name"] in one["tags"]]) for tag in TAGS
    ]
    return render(request, "reference.html", document=document, groups=groups)


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    nothing: dict[str, Any] = {"parameters": [], "body": None, "description": ""}
    return [
        nothing | {"path": path, "method": method.upper(), "body": _body(operation)} | operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _body(operation: dict[str, Any]) -> str | None:
    content = operation.get("requestBody", {}).get("content", {})
    schemas = [kind["schema"].get("$ref", "") for kind in content.values()]
    return schemas[0].rpartition("/")[2] if schemas else None
