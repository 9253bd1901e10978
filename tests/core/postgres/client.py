"""A process of its own that uses the embedded database until its input ends.

Run as a script: prints one JSON line when the server answers, then one for every line it reads.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

import psycopg
import structlog

from core.errors import DatabaseError
from core.postgres.cluster import running


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--folder", type=Path, action="append")
    parser.add_argument("--uid", type=int, help="become this user first; needs root")
    parser.add_argument("--ignore-interrupt", action="store_true")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if asked.ignore_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if asked.uid is not None:
        os.setgroups([])
        os.setgid(asked.uid)
        os.setuid(asked.uid)
    try:
        with running(asked.data_dir, options={"fsync": "off"}, folders=asked.folder) as server:
            _tell(server.superuser_url)
            for statement in sys.stdin:
                _execute(server.superuser_url, statement)
                _tell(server.superuser_url)
    except DatabaseError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201
        return 1
    return 0


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _tell(url: str) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pg_postmaster_start_time()::text, split_part(pg_read_file('postmaster.pid'),"
            " E'\\n', 1)::int"
        ).fetchone()
    assert found
    print(json.dumps({"started_at": found[0], "pid": found[1], "url": url}), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
