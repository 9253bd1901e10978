"""Column types and constraints that the tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

Key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Big = Annotated[int, mapped_column(BigInteger)]
Small = Annotated[int, mapped_column(SmallInteger)]
Word = Annotated[str, mapped_column(Text)]
Words = Annotated[list[str], mapped_column(ARRAY(Text), server_default="{}")]
Time = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Json = Annotated[dict[str, Any], mapped_column(JSONB, server_default="{}")]
Hash = Annotated[bytes, mapped_column(LargeBinary)]


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can drop what it made."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def tenant(*, cascade: bool = True) -> Any:
    return mapped_column(
        BigInteger, ForeignKey("workspace.id", ondelete="CASCADE" if cascade else None)
    )


def child_of(table: str, column: str, *, cascade: bool = True) -> ForeignKeyConstraint:
    """A foreign key that also pins the workspace, so that rows never mix customers."""
    return ForeignKeyConstraint(
        [column, "workspace_id"],
        [f"{table}.id", f"{table}.workspace_id"],
        ondelete="CASCADE" if cascade else "RESTRICT",
        name=f"fk_{column}_same_workspace",
    )
