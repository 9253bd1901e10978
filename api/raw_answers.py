"""What a site answered when a mention was read: listed, and handed out as it came."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import Response
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from api.problems import not_found
from api.shown import show_id
from core.ids import Prefix
from core.models import Mention, PostEvidence, RawAnswer
from pipeline.evidence import unpacked

_TEXTS = ("text/", "application/json", "application/xml", "application/atom", "application/rss")
#: Columns without the body, which may be long.
_TOLD = (
    RawAnswer.url,
    RawAnswer.status,
    RawAnswer.headers,
    RawAnswer.size_bytes,
    RawAnswer.fetched_at,
    RawAnswer.expires_at,
)


def kept_answers(session: Session, mention: int) -> list[dict[str, Any]]:
    """The answers that are kept for the versions of a mention's post; 404 outside the workspace."""
    if session.scalar(select(Mention.id).where(Mention.id == mention)) is None:
        raise not_found("This mention")
    digest = func.encode(RawAnswer.sha256, "hex").label("sha256")
    rows = session.execute(_of(mention, PostEvidence.version, digest, *_TOLD))
    shown = show_id(Prefix.MENTION, mention)
    return [
        dict(row) | {"download": f"/v1/mentions/{shown}/evidence/{row['version']}"}
        for row in rows.mappings()
    ]


def download(session: Session, mention: int, version: int) -> Response:
    """The body as a file to keep: under a type that no browser runs, with its hash."""
    row = session.execute(
        _of(mention, RawAnswer).where(PostEvidence.version == version)
    ).scalar_one_or_none()
    if row is None:
        raise not_found("This evidence")
    body = unpacked(row.body, size_bytes=row.size_bytes)
    said = str(row.headers.get("content-type", "")).strip().lower()
    ending = "txt" if said.startswith(_TEXTS) else "bin"
    name = f"{show_id(Prefix.MENTION, mention)}-version-{version}.{ending}"
    return Response(
        body,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Digest": f"sha-256=:{base64.b64encode(row.sha256).decode()}:",
        },
    )


def _of(mention: int, *columns: Any) -> Select[Any]:
    """Through the mention, which row-level security guards: answers belong to no workspace."""
    return (
        select(*columns)
        .select_from(Mention)
        .join(PostEvidence, PostEvidence.post_id == Mention.post_id)
        .join(RawAnswer, RawAnswer.id == PostEvidence.raw_answer_id)
        .where(Mention.id == mention)
        .order_by(PostEvidence.version)
    )
