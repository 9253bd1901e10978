"""All kinds of sources: every file in ``crawlers/spiders`` and ``crawlers/sites`` is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from inspect import isabstract
from pathlib import Path
from types import MappingProxyType, ModuleType

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import SettingsError
from core.models import SourceKind
from crawlers import sites as sites_package
from crawlers import spiders as spiders_package
from crawlers.contract import Spider
from crawlers.declared.load import Loaded, load_folder
from crawlers.opt_in import is_off

log = structlog.get_logger()


@cache
def spiders() -> Mapping[str, Spider]:
    """Every spider that ships, by its kind; two of one kind are a mistake that ends the program."""
    found: dict[str, Spider] = {}
    for info in pkgutil.iter_modules(spiders_package.__path__):
        for spider in _spiders_in(
            importlib.import_module(f"{spiders_package.__name__}.{info.name}")
        ):
            if spider.kind in found:
                raise ValueError(f"two spiders are of the kind {spider.kind!r}")
            found[spider.kind] = spider
    declared = load_folder(Path(sites_package.__path__[0]), taken=found)
    if declared.broken:
        raise ValueError(declared.broken[0].reason)
    return MappingProxyType({**found, **declared.spiders})


def own_sites(folder: str) -> Loaded:
    """What the operator's own files declare, ``[crawl] sites``; a broken one is said, no more."""
    if not folder:
        return Loaded(spiders={})
    loaded = load_folder(Path(folder).expanduser(), taken=spiders())
    for broken in loaded.broken:
        log.warning("site_broken", file=str(broken.path), reason=broken.reason)
    return loaded


def with_own_sites(known: Mapping[str, Spider], folder: str) -> Mapping[str, Spider]:
    """These spiders, and those of the operator's own files."""
    return MappingProxyType({**own_sites(folder).spiders, **known})


def _spiders_in(module: ModuleType) -> list[Spider]:
    return [
        thing()
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Spider)
        and not isabstract(thing)
        and thing.__module__ == module.__name__
    ]


def register_kinds(
    session: Session, now: datetime, *, opted_in: Collection[str] = (), sites: str = ""
) -> None:
    """Write what this installation can crawl where the API reads it; a kind never disappears.

    ``SettingsError`` for an opted-in kind that nobody knows.
    """
    own = own_sites(sites)
    known = {**own.spiders, **spiders()}
    # Who knows which kinds a broken file would have had; it must not stop the others.
    if (unknown := sorted({*opted_in} - {*known})) and not own.broken:
        raise SettingsError(
            f"[crawl] opted_in: unknown kind {unknown[0]!r}; known: {', '.join(known)}"
        )
    for spider in known.values():
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
