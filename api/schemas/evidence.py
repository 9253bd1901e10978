"""Raw answers as the API shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from api.shown import Shown


class EvidenceShown(Shown):
    """What a site answered when one version of a post was read."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": 1,
                "url": "https://board.example/post/17",
                "status": 200,
                "headers": {"content-type": "text/html; charset=utf-8"},
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "size_bytes": 48213,
                "fetched_at": "2026-03-02T11:59:01Z",
                "expires_at": None,
                "download": "/v1/mentions/men_Uk3bXq0aLw/evidence/1",
            }
        }
    )

    version: int = Field(description="The version of the post.")
    url: str = Field(description="After redirects, without secrets.")
    status: int
    headers: dict[str, str] = Field(description="Those that say what it is; no cookies.")
    sha256: str = Field(description="Of the body, in hex.")
    size_bytes: int
    fetched_at: datetime
    expires_at: datetime | None = Field(description="When it is deleted; null: kept for good.")
    download: str = Field(description="Path of the body.")


class EvidenceList(Shown):
    """Oldest version first."""

    items: list[EvidenceShown]
