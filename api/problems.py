"""Every refusal is an RFC 9457 problem: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.render import render
from core.ids import BadIdError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:goodname:problem:managed-by-file",
                "title": "Conflict",
                "status": 409,
                "detail": "This brand is declared in settings.toml; change it there.",
                "request_id": "0f6c1f0e3b1c4b6f8a55a3d6a1d0c9ee",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None


class Problem(Exception):  # noqa: N818 - it is one, and is not always an error of ours
    """Raise it anywhere below a route; ``code`` is a word that programs may rely on."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = dict(headers or {}), more


def not_found(what: str = "What that address names") -> Problem:
    """The same answer whether it never existed or belongs to somebody else."""
    return Problem(404, "not-found", f"{what} was not found here.")


def problem_response(problem: Problem, *, request_id: str | None) -> Response:
    """Write a problem down."""
    body: dict[str, Any] = {
        "type": f"urn:goodname:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
        **problem.more,
    }
    return Response(
        orjson.dumps(body, default=str),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def install(app: FastAPI) -> None:
    """Answer every error of the app by a problem."""
    for kind, read in _READERS.items():
        app.add_exception_handler(kind, _handler(read))


def _handler(read: Any) -> Any:
    def handle(request: Request, error: Exception) -> Response:
        problem, request_id = read(error, request), request.scope.get("request_id")
        if _is_for_a_person(request):
            shown = {"problem": problem, "request_id": request_id}
            return render(
                request, "problem.html", status=problem.status, headers=problem.headers, **shown
            )
        return problem_response(problem, request_id=request_id)

    return handle


def _is_for_a_person(request: Request) -> bool:
    is_api = request.url.path.startswith("/v1/")
    return not is_api and "text/html" in request.headers.get("accept", "")


def _of_http(error: HTTPException, _: Request) -> Problem:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return Problem(error.status_code, code, str(error.detail), headers=error.headers)


def _of_validation(error: RequestValidationError, request: Request) -> Problem:
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "detail": _said(one, request)}
        for one in error.errors()[:20]
    ]
    first = errors[0] if errors else {"where": "request", "detail": "it cannot be read"}
    return Problem(422, "invalid", f"{first['where']}: {first['detail']}", errors=errors)


def _said(error: Mapping[str, Any], request: Request) -> str:
    """What is wrong; of a parameter that there is not, which ones there are."""
    said: str = error["msg"]
    if error["type"] != "extra_forbidden" or error["loc"][0] != "query":
        return said
    known = ", ".join(_parameters(request.scope["route"].dependant))
    return f"there is no such parameter; known here: {known}"


def _parameters(dependant: Any) -> Iterator[str]:
    """Names of the query of a route, also of those fields that stand in a model."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (one.alias or name for name, one in kind.model_fields.items())
        else:
            yield field.alias
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _of_database(error: DBAPIError | PoolTimeoutError, _: Request) -> Problem:
    log.error("database_unavailable", error=type(error).__name__, reason=_first_line(error))
    if "QueryCanceled" in type(getattr(error, "orig", None)).__name__:
        return Problem(503, "too-slow", "The query took too long; narrow its filters.")
    return Problem(
        503,
        "database-unavailable",
        "The database does not answer; try again shortly.",
        headers={"Retry-After": "5"},
    )


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0][:200] if text else ""


_READERS: dict[Any, Any] = {
    Problem: lambda error, _: error,
    HTTPException: _of_http,
    RequestValidationError: _of_validation,
    # An id of another noun, or a made-up one, is simply not here.
    BadIdError: lambda *_: not_found(),
    DataError: lambda *_: Problem(422, "unstorable", "A value cannot be stored or compared."),
    OperationalError: _of_database,
    PoolTimeoutError: _of_database,
}


def documented() -> dict[int | str, dict[str, Any]]:
    """The refusals of every route, for the OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    told = {
        401: "No key, or one that is unknown, expired or revoked",
        403: "The role of this key may not do this",
        404: "Not here, or not yours",
        422: "The request cannot be understood",
        429: "Too many requests; wait for Retry-After seconds",
    }
    return {
        status: {"description": words, "content": {MEDIA_TYPE: schema}}
        for status, words in told.items()
    }
