"""API keys: who may call."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from api.shown import Line, Moment, Page, Shown, Wanted
from core.types import Role


class NewKey(Wanted):
    """A key to hand out."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Ana", "role": "owner"}})

    name: Line = Field(description="Who or what will use it; stands in acknowledgements.")
    role: Role
    expires_at: Moment | None = None


class KeyShown(Shown):
    """A key without its secret."""

    id: str
    name: str
    prefix: str = Field(description="The readable part: `gn_<prefix>_…`.")
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyOnce(KeyShown):
    """A new key."""

    key: str | None = Field(
        description="Shown now and never again; null in the repeat of an idempotent request.",
        examples=["gn_mzxw6ytboi2k_3q2-…"],
    )


class KeyPage(Page):
    """Newest first."""

    items: list[KeyShown]
