"""All kinds of sources: every file in ``crawlers/spiders`` is found, none is listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from inspect import isabstract
from types import MappingProxyType, ModuleType

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import SettingsError
from core.models import SourceKind
from crawlers import spiders as spiders_package
from crawlers.contract import Spider
from crawlers.opt_in import is_off


@cache
def spiders() -> Mapping[str, Spider]:
    """Every spider by its kind; two of one kind are a mistake that ends the program."""
    found: dict[str, Spider] = {}
    for info in pkgutil.iter_modules(spiders_package.__path__):
        for spider in _spiders_in(
            importlib.import_module(f"{spiders_package.__name__}.{info.name}")
        ):
            if spider.kind in found:
                raise ValueError(f"two spiders are of the kind {spider.kind!r}")
            found[spider.kind] = spider
    return MappingProxyType(found)


def _spiders_in(module: ModuleType) -> list[Spider]:
    return [
        thing()
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Spider)
        and not isabstract(thing)
        and thing.__module__ == module.__name__
    ]


def register_kinds(session: Session, now: datetime, *, opted_in: Collection[str] = ()) -> None:
    """Write what this installation can crawl where the API reads it; a kind never disappears.

    ``SettingsError`` for an opted-in kind that nobody knows.
    """
    if unknown := sorted({*opted_in} - {*spiders()}):
        raise SettingsError(
            f"[crawl] opted_in: unknown kind {unknown[0]!r}; known: {', '.join(spiders())}"
        )
    for spider in spiders().values():
        values = {
            "title": spider.title,
            "config_schema": spider.config.model_json_schema(),
            "minimum_interval_seconds": spider.minimum_interval_seconds,
            "is_verified": spider.is_verified,
            "family": spider.family.value,
            "needs_opt_in": spider.needs_opt_in,
            "is_opted_in": not is_off(spider, opted_in),
            "secrets": dict(spider.secrets),
            "updated_at": now,
        }
        statement = insert(SourceKind).values(kind=spider.kind, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["kind"], set_=values))
