"""Brands: who is watched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field, field_validator

from api.shown import Line, Lines, Page, Shown, Text, Wanted
from core.declared import Slug
from pipeline.errors import QueryError
from pipeline.query import check_query

_EXAMPLE: dict[str, Any] = {
    "slug": "voltano",
    "name": "Voltano",
    "aliases": ["Voltano Energy", "Voltana"],
    "query": None,
    "excluded": ["Voltano Street"],
    "domains": ["voltano.example"],
    "handles": ["@voltano"],
}


def _readable(query: str | None) -> str | None:
    if query is None or not query.strip():
        return None
    try:
        check_query(query)
    except QueryError as error:
        raise ValueError(str(error)) from None
    return query


class NewBrand(Wanted):
    """A brand to watch; posts kept before are looked through as well."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    slug: Slug
    name: Line
    aliases: Lines = Field(default_factory=list)
    query: Text | None = Field(
        None,
        max_length=4000,
        description="Boolean query that decides instead of name and aliases.",
        examples=['voltano AND (charger OR "wall box"~3) NOT "voltano street"'],
    )
    excluded: Lines = Field([], description="Words that make a text about something else.")
    domains: Lines = Field(default_factory=list)
    handles: Lines = Field(default_factory=list)
    is_active: bool = True

    _query = field_validator("query")(_readable)


class BrandChange(Wanted):
    """Say only what changes; the slug stays."""

    model_config = ConfigDict(json_schema_extra={"example": {"aliases": ["Voltano Energy"]}})

    name: Line | None = None
    aliases: Lines | None = None
    query: Text | None = Field(None, max_length=4000)
    excluded: Lines | None = None
    domains: Lines | None = None
    handles: Lines | None = None
    is_active: bool | None = None

    _query = field_validator("query")(_readable)


class BrandShown(Shown):
    """A watched brand."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _EXAMPLE
            | {
                "id": "brd_86Rf07xd4z",
                "is_active": True,
                "managed_by": "api",
                "created_at": "2026-03-01T08:00:00Z",
                "updated_at": "2026-03-01T08:00:00Z",
            }
        }
    )

    id: str
    slug: str
    name: str
    aliases: list[str]
    query: str | None
    excluded: list[str]
    domains: list[str]
    handles: list[str]
    is_active: bool
    managed_by: str = Field(description="`file`: declared in settings.toml, read-only here.")
    created_at: datetime
    updated_at: datetime


class BrandPage(Page):
    """Newest first."""

    items: list[BrandShown]
