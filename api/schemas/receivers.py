"""Receivers and rules: who is told, and when."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, model_validator

from api.shown import Page, SeverityWord, Shown, Text, Wanted
from core.declared import Slug
from core.types import ReceiverKind, Sentiment

Address = Annotated[Text, Field(max_length=2000)]
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}")


class NewReceiver(Wanted):
    """Somebody to tell."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "slug": "desk",
                "kind": "webhook",
                "address": "https://hooks.example/goodname",
            }
        }
    )

    slug: Slug
    kind: ReceiverKind
    address: Address = Field("", description="URL of a webhook, or an e-mail address.")
    is_active: bool = True
    is_operations: bool = Field(
        False, description="Told of sources that are not heard; rules name it for mentions."
    )

    @model_validator(mode="after")
    def _reachable(self) -> NewReceiver:
        check_address(self.kind, self.address)
        return self


def check_address(kind: ReceiverKind, address: str) -> None:
    """``ValueError`` when an address cannot be one of that kind."""
    if kind is ReceiverKind.WEBHOOK:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a webhook needs an http(s) URL as its address")
    if kind is ReceiverKind.EMAIL and not _EMAIL.fullmatch(address):
        raise ValueError("an e-mail receiver needs one e-mail address")
    if kind is ReceiverKind.LOG and address:
        raise ValueError("the log has no address")


class ReceiverChange(Wanted):
    """Say only what changes."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_active": False}})

    address: Address | None = None
    is_active: bool | None = None
    is_operations: bool | None = None


class ReceiverShown(Shown):
    """Somebody who is told."""

    id: str
    slug: str
    kind: ReceiverKind
    address: str
    is_active: bool
    is_operations: bool
    managed_by: str
    created_at: datetime


class ReceiverOnce(ReceiverShown):
    """A new receiver."""

    secret: str | None = Field(
        description="Signing secret of a webhook (Standard Webhooks), shown now and never again."
    )


class ReceiverPage(Page):
    """Newest first."""

    items: list[ReceiverShown]


_Ids = Annotated[list[Annotated[Text, Field(max_length=40)]], Field(max_length=50)]


class NewRule(Wanted):
    """When to speak up, and to whom."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "slug": "negative",
                "brand_id": None,
                "sentiments": ["negative"],
                "at_once": "high",
                "grouped": "medium",
                "group_wait_seconds": 900,
                "receiver_ids": ["rcv_Uk3bXq0aLw"],
            }
        }
    )

    slug: Slug
    brand_id: Text | None = Field(None, max_length=40, description="null: every brand.")
    sentiments: list[Sentiment] = Field([Sentiment.NEGATIVE], min_length=1, max_length=3)
    at_once: SeverityWord = "high"
    grouped: SeverityWord = "medium"
    group_wait_seconds: int = Field(900, ge=0, le=86_400)
    receiver_ids: _Ids = Field(default_factory=list)
    is_active: bool = True


class RuleChange(Wanted):
    """Say only what changes."""

    model_config = ConfigDict(json_schema_extra={"example": {"at_once": "critical"}})

    sentiments: list[Sentiment] | None = Field(None, min_length=1, max_length=3)
    at_once: SeverityWord | None = None
    grouped: SeverityWord | None = None
    group_wait_seconds: int | None = Field(None, ge=0, le=86_400)
    receiver_ids: _Ids | None = None
    is_active: bool | None = None


class RuleShown(Shown):
    """When to speak up, and to whom."""

    id: str
    slug: str
    brand_id: str | None
    sentiments: list[Sentiment]
    at_once: SeverityWord
    grouped: SeverityWord
    group_wait_seconds: int
    receiver_ids: list[str]
    is_active: bool
    managed_by: str
    created_at: datetime


class RulePage(Page):
    """Newest first."""

    items: list[RuleShown]
