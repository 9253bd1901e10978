"""Who may call what: every route by the name of its function, and nothing by default."""

from __future__ import annotations

from core.types import Role

_OWNER, _ANALYST, _OPS, _ADMIN = Role.OWNER, Role.ANALYST, Role.OPS, Role.ADMIN

EVERYBODY = frozenset(Role)
READERS = frozenset({_OWNER, _ANALYST, _ADMIN})  #: of mentions and alerts
OWNERS = frozenset({_OWNER, _ADMIN})  #: answer alerts, decide who is watched and who is told
OPERATORS = frozenset({_OPS, _ADMIN})  #: decide what is crawled and how often
REPAIRERS = frozenset({_OWNER, _OPS, _ADMIN})  #: see what is broken
ADMINS = frozenset({_ADMIN})
#: Answer without a key: they show nothing of any workspace.
OPEN = frozenset(
    {"read_health", "show_login", "log_in", "log_out", "show_reference", "read_openapi"}
)

ALLOWED: dict[str, frozenset[Role]] = {
    "list_mentions": READERS,
    "read_mention": READERS,
    "count_mentions": READERS,
    "correct_mention": READERS,
    "list_evidence": READERS,
    "download_evidence": READERS,
    "read_agreement": READERS,
    "list_alerts": READERS,
    "read_alert": READERS,
    "acknowledge_alert": OWNERS,
    "assign_alert": OWNERS,
    "answer_alert": OWNERS,
    "resolve_alert": OWNERS,
    "list_brands": EVERYBODY,
    "read_brand": EVERYBODY,
    "create_brand": OWNERS,
    "change_brand": OWNERS,
    "delete_brand": OWNERS,
    "list_sources": EVERYBODY,
    "read_source": EVERYBODY,
    "create_source": OPERATORS,
    "change_source": OPERATORS,
    "delete_source": OPERATORS,
    "run_source": OPERATORS,
    "list_runs": REPAIRERS,
    "list_source_kinds": EVERYBODY,
    "read_coverage": EVERYBODY,
    "list_operations_alerts": EVERYBODY,
    "list_receivers": OWNERS,
    "create_receiver": OWNERS,
    "change_receiver": OWNERS,
    "delete_receiver": OWNERS,
    "list_rules": READERS,
    "create_rule": OWNERS,
    "change_rule": OWNERS,
    "delete_rule": OWNERS,
    "list_keys": ADMINS,
    "create_key": ADMINS,
    "revoke_key": ADMINS,
    "list_dead_letters": REPAIRERS,
    "list_deliveries": REPAIRERS,
    "show_dashboard": EVERYBODY,
    "show_alert": READERS,
    "show_mention": READERS,
    "save_evidence": READERS,
    "show_brands_panel": READERS,
    "show_alerts_panel": READERS,
    "show_mentions_panel": READERS,
    "show_sources_panel": EVERYBODY,
    "acknowledge_on_page": OWNERS,
    "resolve_on_page": OWNERS,
    "run_on_page": OPERATORS,
}


def may(role: Role, action: str) -> bool:
    """Whether a role may call the route of that name; an unknown name is refused."""
    return role in ALLOWED.get(action, frozenset())
