"""The tables, as the nouns of the design; every change goes through a migration in ``alembic/``.

Tenant tables carry ``workspace_id`` and are guarded by row-level security (see the first
migration); posts, sources and runs belong to the installation and are crawled once for all.
"""

from core.models.alerting import (
    Alert,
    AlertDecision,
    AlertMention,
    AlertRule,
    AlertRuleReceiver,
    Delivery,
    Receiver,
)
from core.models.columns import Base
from core.models.crawled import (
    CrawlRun,
    DeadLetter,
    PostEngagement,
    PostRow,
    PostSearch,
    PostVersion,
    Process,
    Source,
    SourceKind,
)
from core.models.judging import MentionJudgement, RejudgeRun
from core.models.watched import OperationsAlert, PostEvidence, QuotaUse, RawAnswer, SourceHour
from core.models.workspace import ApiKey, Brand, IdempotentResponse, Mention, Story, Workspace

#: Tables guarded by row-level security, by ``workspace_id`` (``workspace`` itself by ``id``).
TENANT_TABLES = tuple(
    table.name for table in Base.metadata.sorted_tables if "workspace_id" in table.c
)

__all__ = [
    "TENANT_TABLES",
    "Alert",
    "AlertDecision",
    "AlertMention",
    "AlertRule",
    "AlertRuleReceiver",
    "ApiKey",
    "Base",
    "Brand",
    "CrawlRun",
    "DeadLetter",
    "Delivery",
    "IdempotentResponse",
    "Mention",
    "MentionJudgement",
    "OperationsAlert",
    "PostEngagement",
    "PostEvidence",
    "PostRow",
    "PostSearch",
    "PostVersion",
    "Process",
    "QuotaUse",
    "RawAnswer",
    "Receiver",
    "RejudgeRun",
    "Source",
    "SourceHour",
    "SourceKind",
    "Story",
    "Workspace",
]
