"""What belongs to settings.toml is changed there, not here."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.problems import Problem
from core.models import AlertRule, Brand, Receiver, Source

Managed = AlertRule | Brand | Receiver | Source


def refuse_if_declared(row: Managed, *, noun: str) -> None:
    """409 for a row that the file would only overwrite at the next start."""
    if row.managed_by == "file":
        raise Problem(
            409,
            "managed-by-file",
            f"This {noun} is declared in settings.toml; change it there and restart.",
        )


def save_new(session: Session, row: object, *, noun: str, slug: str) -> None:
    """Insert a row; 409 when its slug is taken. Uniqueness stays the constraint's word."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        if "_slug" not in str(error.orig):
            raise
        raise Problem(409, "slug-taken", f"There is a {noun} {slug!r} already.") from None
