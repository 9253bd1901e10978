"""PATCH: what was said changes, what was not said stays."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel

from api.problems import Problem


def named_changes(wanted: BaseModel, *, may_be_null: Collection[str] = ()) -> dict[str, object]:
    """The fields that the request named, as plain JSON values; null only where it is a value."""
    named = wanted.model_dump(mode="json", exclude_unset=True)
    for name, value in named.items():
        if value is None and name not in may_be_null:
            raise Problem(422, "invalid", f"body.{name}: null is not allowed; leave it out.")
    return named


def apply_changes(row: object, wanted: BaseModel, *, may_be_null: Collection[str] = ()) -> None:
    """Set the named fields on a row whose columns have the same names."""
    for name, value in named_changes(wanted, may_be_null=may_be_null).items():
        setattr(row, name, value)
