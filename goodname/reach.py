"""Reach the database: the configured server, or the embedded one, started when nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.database import Urls, check_connection, owner_engine
from core.settings import Settings
from goodname.place import data_dir


@contextmanager
def reached(settings: Settings, *, demo: bool = False) -> Iterator[Urls]:
    """Hold the database while the block runs; ``DatabaseError`` says why it cannot be had."""
    if settings.database.url.get_secret_value():
        urls = Urls.of(settings)
        engine = owner_engine(urls.owner, pool_size=1)
        try:
            check_connection(engine)
        finally:
            engine.dispose()
        yield urls
        return
    from core.postgres.cluster import running

    with running(data_dir(settings, demo=demo)) as server:
        yield Urls.of(settings, embedded=server.url)
