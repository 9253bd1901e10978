"""Rows and values with good defaults; a test states only what it is about."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import AlertRule, AlertRuleReceiver, Brand, Receiver, Source, SourceKind, Workspace
from core.types import Post

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_NUMBERS = itertools.count(1)


def make_post(**given: Any) -> Post:
    """A post that says little."""
    number = next(_NUMBERS)
    defaults: dict[str, Any] = {
        "external_id": f"post-{number}",
        "text": "The parcel never came.",
        "url": f"https://board.example/post/{number}",
        "published_at": NOW,
    }
    return Post(**(defaults | given))


def add_workspace(session: Session, **given: Any) -> Workspace:
    """A customer."""
    row = Workspace(**({"name": f"workspace-{next(_NUMBERS)}"} | given))
    session.add(row)
    session.flush()
    return row


def add_brand(session: Session, workspace: Workspace, **given: Any) -> Brand:
    """A watched brand, Voltano by default."""
    defaults: dict[str, Any] = {
        "slug": f"brand-{next(_NUMBERS)}",
        "name": "Voltano",
        "aliases": [],
        "excluded": [],
        "domains": [],
        "handles": [],
    }
    row = Brand(workspace_id=workspace.id, **(defaults | given))
    session.add(row)
    session.flush()
    return row


def add_source(session: Session, **given: Any) -> Source:
    """A feed that is due every quarter of an hour."""
    defaults: dict[str, Any] = {
        "slug": f"source-{next(_NUMBERS)}",
        "kind": "feed",
        "params": {"url": "https://board.example/feed.xml"},
        "interval_seconds": 900,
    }
    values = defaults | given
    if session.scalar(select(SourceKind).where(SourceKind.kind == values["kind"])) is None:
        session.add(
            SourceKind(
                kind=values["kind"],
                title=values["kind"],
                config_schema={},
                minimum_interval_seconds=60,
                is_verified=True,
                family="feed",
                needs_opt_in=False,
                is_opted_in=True,
            )
        )
        session.flush()
    row = Source(**values)
    session.add(row)
    session.flush()
    return row


def add_receiver(session: Session, workspace: Workspace, **given: Any) -> Receiver:
    """The log, by default."""
    defaults: dict[str, Any] = {"slug": f"receiver-{next(_NUMBERS)}", "kind": "log", "address": ""}
    row = Receiver(workspace_id=workspace.id, **(defaults | given))
    session.add(row)
    session.flush()
    return row


def add_rule(
    session: Session, workspace: Workspace, *receivers: Receiver, **given: Any
) -> AlertRule:
    """The default rule: negative and high at once, medium grouped."""
    defaults: dict[str, Any] = {
        "slug": f"rule-{next(_NUMBERS)}",
        "sentiments": ["negative"],
        "at_once_severity": 3,
        "group_severity": 2,
        "group_wait_seconds": 900,
    }
    row = AlertRule(workspace_id=workspace.id, **(defaults | given))
    session.add(row)
    session.flush()
    for receiver in receivers:
        session.add(
            AlertRuleReceiver(rule_id=row.id, receiver_id=receiver.id, workspace_id=workspace.id)
        )
    session.flush()
    return row
