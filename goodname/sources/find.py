"""The source of a name: declared in the settings, or made over the API and kept in the database."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.declared import SourceEntry
from core.errors import DatabaseError, GoodnameError
from core.models import Source
from core.postgres.layout import Layout, State, inspect
from core.settings import Settings
from goodname.place import data_dir
from goodname.reach import reached


def find_source(settings: Settings, name: str) -> SourceEntry:
    """The source as it is declared, else as the database has it.

    ``GoodnameError`` says where was looked, and what is there.
    """
    for entry in settings.sources:
        if entry.slug == name:
            return entry
    declared = [entry.slug for entry in settings.sources]
    looked = f"not declared in the settings (there: {_list(declared)})"
    try:
        with opened(settings) as session:
            row = session.scalar(select(Source).where(Source.slug == name))
            if row is not None:
                return _entry(row)
            kept = session.scalars(select(Source.slug).order_by(Source.slug)).all()
    except (DatabaseError, SQLAlchemyError) as error:
        raise GoodnameError(
            f"no source {name!r}: {looked}, and the database could not be asked: {why_not(error)}"
        ) from None
    close = difflib.get_close_matches(name, {*declared, *kept}, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise GoodnameError(
        f"no source {name!r}: {looked}, nor in the database (there: {_list(kept)}){hint}"
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """The database, where there is one: none is made to look for a source in it."""
    if not has_database(settings):
        raise DatabaseError(
            "none is configured ([database] url), and `goodname up` has made none at"
            f" {data_dir(settings)}"
        )
    with reached(settings) as urls:
        engine = owner_engine(urls.owner, pool_size=1)
        try:
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()


def has_database(settings: Settings) -> bool:
    """Whether one is configured, or was made here; it may be away."""
    is_named = bool(settings.database.url.get_secret_value())
    return is_named or inspect(Layout.of(data_dir(settings)).data) is State.READY


def _entry(row: Source) -> SourceEntry:
    return SourceEntry(
        slug=row.slug,
        kind=row.kind,
        params=row.params,
        interval_seconds=row.interval_seconds,
        time_zone=row.time_zone,
        is_enabled=row.is_enabled,
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def why_not(error: Exception) -> str:
    """Why the database could not be asked, in words."""
    if isinstance(error, SQLAlchemyError):
        return "its tables are not those of this version; run `goodname migrate`"
    return str(error)
