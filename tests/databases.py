"""Migrated databases for tests that commit: emptied and lent again, for a copy takes longer."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg
from sqlalchemy import make_url

_NUMBERS = itertools.count()
_LINGER_SECONDS: Final = 0.5  #: a connection that was closed is gone within

_OTHERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"

#: Catalogs of which any row that is made, changed or removed shows in the transactions of all.
_CATALOGS: Final = {
    "pg_attribute": "attrelid, attnum",
    "pg_attrdef": "oid",
    "pg_constraint": "oid",
    "pg_default_acl": "oid",
    "pg_index": "indexrelid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_rewrite": "oid",
    "pg_trigger": "oid",
    "pg_type": "oid",
}
_KEPT: Final = ",\n".join(
    f"(SELECT md5(string_agg(xmin::text, ',' ORDER BY {order})) FROM {name})"
    for name, order in _CATALOGS.items()
)
#: What a test may have changed of the tables; rows aside, it must be as the migrations left it.
#: Of ``pg_class`` and the schemas some is named: emptying a table writes the one, and a table of
#: one connection the other.
_SHAPE: Final = f"""
SELECT (SELECT version_num FROM alembic_version),
       (SELECT md5(string_agg(format('%s %s %s %s %s %s', oid, relname, relacl, relowner,
                                     relrowsecurity, reloptions), ',' ORDER BY oid))
        FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace),
       (SELECT array_agg(nspacl::text ORDER BY oid) FROM pg_namespace
        WHERE nspname IN ('public', 'queue')),
       {_KEPT},
       (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = this.oid),
       this.datallowconn, this.datconnlimit, this.datacl::text
FROM pg_database AS this WHERE this.datname = current_database()
"""

_EMPTY: Final = """
DO $$
DECLARE
    one text;
    is_full boolean;
    full_ones text[] := '{}';
BEGIN
    FOR one IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
               WHERE schemaname IN ('public', 'queue') AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || one || ')' INTO is_full;
        IF is_full THEN full_ones := full_ones || one; END IF;
    END LOOP;
    IF full_ones <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(full_ones, ', ') || ' CASCADE';
    END IF;
    FOR one IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
               WHERE last_value IS NOT NULL
    LOOP
        EXECUTE 'ALTER SEQUENCE ' || one || ' RESTART';
    END LOOP;
END $$
"""


class Databases:
    """Copies of a template, each of which many tests get, one after the other."""

    def __init__(self, superuser_url: str, template: str) -> None:
        self._superuser_url, self._template = superuser_url, template
        self._free: list[str] = []
        self._names: list[str] = []
        self._shapes: dict[str, object] = {}

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of an empty database for its owner.

        Afterwards it is emptied; one that is still in use, or is no longer as the migrations left
        it, is dropped.
        """
        name = self._free.pop() if self._free else self._copy()
        try:
            yield as_owner(self._superuser_url, name)
        finally:
            if self._is_left(name) and self._is_emptied(name):
                self._free.append(name)
            else:
                self._drop(name)

    def close(self) -> None:
        """Drop all that are left."""
        for name in list(self._names):
            self._drop(name)

    def _copy(self) -> str:
        name = f"goodname_test_{os.getpid()}_{next(_NUMBERS)}"
        administer(
            self._superuser_url, f"CREATE DATABASE {name} TEMPLATE {self._template} OWNER goodname"
        )
        self._names.append(name)
        with self._inside(name) as connection:
            self._shapes[name] = connection.execute(_SHAPE).fetchone()
        return name

    def _drop(self, name: str) -> None:
        administer(self._superuser_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._names.remove(name)

    def _is_left(self, name: str) -> bool:
        """Whether nobody is connected: whoever a test forgot must not meet the next test's rows."""
        until = time.monotonic() + _LINGER_SECONDS
        with psycopg.connect(_plain(self._superuser_url), autocommit=True) as connection:
            while connection.execute(_OTHERS, [name]).fetchone() != (0,):
                if time.monotonic() > until:
                    return False
                time.sleep(0.005)
        return True

    def _is_emptied(self, name: str) -> bool:
        try:
            with self._inside(name) as connection:
                if connection.execute(_SHAPE).fetchone() != self._shapes[name]:
                    return False
                connection.execute(_EMPTY)
        except psycopg.Error:  # not even the tables are there
            return False
        return True

    def _inside(self, name: str) -> psycopg.Connection:
        url = make_url(self._superuser_url).set(database=name)
        return psycopg.connect(_plain(url.render_as_string(hide_password=False)), autocommit=True)


def administer(superuser_url: str, statement: LiteralString) -> None:
    """Run one statement outside a transaction."""
    with psycopg.connect(_plain(superuser_url), autocommit=True) as connection:
        connection.execute(statement)


def as_owner(superuser_url: str, database: str) -> str:
    """The address of a database for the owner of its tables."""
    url = make_url(superuser_url).set(username="goodname", password=None, database=database)
    return url.render_as_string(hide_password=False)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
