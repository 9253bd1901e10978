"""API keys: 256 random bits, shown once, kept only as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.models import ApiKey
from core.types import Role

_SHAPE = re.compile(r"gn_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# The one look-up before a workspace is known; the function runs as the owner.
_FIND = text(
    "SELECT id, workspace_id, name, role, prefix, hash, expires_at, revoked_at "
    "FROM find_api_key(:prefix)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as their key says."""

    key_id: int
    workspace_id: int
    name: str
    role: Role
    prefix: str
    key_hash: bytes


def issue_key(
    session: Session,
    *,
    workspace_id: int,
    name: str,
    role: Role,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which nobody can read again."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    shown_once = f"gn_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        workspace_id=workspace_id,
        name=name,
        prefix=prefix,
        hash=hash_of(shown_once),
        role=role.value,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row, shown_once


def hash_of(shown: str) -> bytes:
    """SHA-256 of a whole key."""
    return hashlib.sha256(shown.encode()).digest()


def find_caller(session: Session, shown: str, *, now: datetime) -> Caller | None:
    """Read a key; None when it is unknown, wrong, expired or revoked."""
    shape = _SHAPE.fullmatch(shown)
    found = find_by_prefix(session, shape[1], now=now) if shape else None
    if found is None or not hmac.compare_digest(found.key_hash, hash_of(shown)):
        return None
    return found


def find_by_prefix(session: Session, prefix: str, *, now: datetime) -> Caller | None:
    """The living key of that prefix; the caller must still prove to hold it."""
    row = session.execute(_FIND, {"prefix": prefix}).one_or_none()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    return Caller(
        key_id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        role=Role(row.role),
        prefix=row.prefix,
        key_hash=bytes(row.hash),
    )
