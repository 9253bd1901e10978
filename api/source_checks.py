"""Whether a source can be crawled as asked: its kind, its params, its frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from sqlalchemy.orm import Session

from api.problems import Problem
from core.clean import clean_json
from core.models import SourceKind


def known_kind(session: Session, kind: str) -> SourceKind:
    """The kind of that name; 422 naming /v1/source-kinds otherwise."""
    found = session.get(SourceKind, kind)
    if found is None:
        raise Problem(
            422, "unknown-kind", f"There is no source kind {kind!r}; see /v1/source-kinds."
        )
    return found


def check_params(kind: SourceKind, params: Mapping[str, Any]) -> None:
    """422 naming the first fault of each path, when the kind's schema refuses the params."""
    if clean_json(dict(params)) != params:
        raise Problem(422, "bad-params", "params: too deep, or signs that cannot be stored.")
    errors = sorted(Draft202012Validator(kind.config_schema).iter_errors(params), key=str)
    if not errors:
        return
    told = [
        {"where": ".".join(["params", *map(str, one.absolute_path)]), "detail": one.message[:300]}
        for one in errors[:20]
    ]
    first = told[0]
    raise Problem(422, "bad-params", f"{first['where']}: {first['detail']}", errors=told)


def check_interval(kind: SourceKind, seconds: int) -> None:
    """422 below the least pause that the site is owed; no role may be ruder than that."""
    least = kind.minimum_interval_seconds
    if seconds < least:
        raise Problem(
            422,
            "interval-too-short",
            f"A {kind.kind} source may be crawled every {least} seconds at most.",
            minimum_interval_seconds=least,
        )


def check_opted_in(kind: SourceKind) -> None:
    """409 for a kind that the operator has not turned on; a source of it may wait disabled."""
    if kind.needs_opt_in and not kind.is_opted_in:
        raise Problem(
            409,
            "not-opted-in",
            f"Sources of the kind {kind.kind} are off here; an operator turns them on by"
            f' [crawl] opted_in = ["{kind.kind}"] and a restart, or create it disabled.',
        )
