"""Logins to the page: a signed cookie that lives no longer than the key it was made with."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from api.call import Installation
from api.keys import Caller, find_by_prefix

COOKIE = "goodname_session"


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, and the token that their forms must carry."""

    caller: Caller
    csrf: str


def start_login(
    response: Response, caller: Caller, *, shared: Installation, now: datetime, is_secure: bool
) -> None:
    """Set the cookie of a new login."""
    lasts = timedelta(hours=shared.settings.api.session_hours)
    payload = {"csrf": secrets.token_urlsafe(24), "until": (now + lasts).timestamp()}
    response.set_cookie(
        COOKIE,
        f"{caller.prefix}.{_signer(caller, shared).dumps(payload)}",
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )


def end_login(response: Response) -> None:
    """Forget the cookie."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def find_login(
    request: Request, session: Session, *, shared: Installation, now: datetime
) -> Login | None:
    """Who the cookie says; None when it is missing, forged, old, or its key was revoked."""
    prefix, _, signed = request.cookies.get(COOKIE, "").partition(".")
    caller = find_by_prefix(session, prefix, now=now) if prefix and signed else None
    if caller is None:
        return None
    try:
        payload = _signer(caller, shared).loads(signed)
    except BadSignature:
        return None
    if payload["until"] <= now.timestamp():
        return None
    return Login(caller, payload["csrf"])


def is_same(given: str, expected: str) -> bool:
    """Compare two tokens without telling by the time it takes where they differ."""
    # A form may say it is UTF-7, which lets lone surrogates through.
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _signer(caller: Caller, shared: Installation) -> URLSafeSerializer:
    # The key's own hash signs, so revoking the key ends its logins and nothing needs storing.
    secret = hashlib.sha256(shared.session_pepper.encode() + b"\x00" + caller.key_hash).digest()
    return URLSafeSerializer(secret, salt="goodname page login")
