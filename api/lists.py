"""Keyset pages of the quieter lists: one way to cut, to point onward and to start anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from pydantic import Field
from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import Session

from api.cursors import Place, next_link, read_cursor, write_cursor
from api.shown import Text, Wanted


class ListQuery(Wanted):
    """What every list understands."""

    limit: int = Field(50, ge=1, le=200)
    cursor: Text | None = Field(None, max_length=100)


@dataclass(frozen=True, slots=True)
class Cut:
    """One page of rows, and the path of the next one."""

    rows: Sequence[Any]
    next: str | None


def newest_first(
    session: Session,
    query: Select[Any],
    *,
    at: Any,
    key: Any,
    wanted: ListQuery,
    request: Request,
    response: Response,
) -> Cut:
    """Run ``query`` from its newest row, or from the cursor on; sets the Link header."""
    filters = wanted.model_dump(exclude={"cursor", "limit"}) | {"path": request.url.path}
    if wanted.cursor:
        place = read_cursor(wanted.cursor, filters=filters)
        query = query.where(tuple_(at, key) < tuple_(literal(place.at), literal(place.id)))
    query = query.add_columns(at.label("_at"), key.label("_key"))
    rows = session.execute(query.order_by(at.desc(), key.desc()).limit(wanted.limit + 1)).all()
    cursor = None
    if len(rows) > wanted.limit:
        last = rows[wanted.limit - 1]
        cursor = write_cursor(Place(last._at, last._key), filters=filters)
    path, headers = next_link(request.url, cursor)
    response.headers.update(headers)
    return Cut(rows[: wanted.limit], path)
