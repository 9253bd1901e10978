"""Where a cluster keeps its files, and what a data directory turns out to be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

#: Written into a data directory as the last step of its creation: ours, and complete.
MARK = "goodname.cluster"

#: What initdb leaves at the top of a data directory, in every release since 15.
INITDB_NAMES = frozenset(
    [
        "base",
        "global",
        "pg_commit_ts",
        "pg_dynshmem",
        "pg_hba.conf",
        "pg_ident.conf",
        "pg_logical",
        "pg_multixact",
        "pg_notify",
        "pg_replslot",
        "pg_serial",
        "pg_snapshots",
        "pg_stat",
        "pg_stat_tmp",
        "pg_subtrans",
        "pg_tblspc",
        "pg_twophase",
        "PG_VERSION",
        "pg_wal",
        "pg_xact",
        "postgresql.auto.conf",
        "postgresql.conf",
    ]
)


class State(StrEnum):
    """What stands at the place of the data directory."""

    ABSENT = "absent"  #: nothing, or an empty directory
    READY = "ready"  #: a complete cluster that we made
    HALF_WRITTEN = "half_written"  #: initdb began here and never came to a control file
    DAMAGED = "damaged"  #: we completed it once, and now essential files are gone
    FOREIGN = "foreign"  #: somebody else's files


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one cluster; everything but the data lies in a sibling ``<name>.run``.

    The sibling is on the same file system, so that a finished cluster can be renamed into place.
    """

    data: Path

    @classmethod
    def of(cls, data_dir: Path) -> Layout:
        """The layout for a directory as the settings name it; links are followed."""
        return cls(data_dir.expanduser().resolve())

    @property
    def run(self) -> Path:
        return self.data.with_name(self.data.name + ".run")

    @property
    def unfinished(self) -> Path:
        """Where initdb works; whatever is found here was interrupted."""
        return self.run / "unfinished"

    @property
    def start_lock(self) -> Path:
        """Held exclusively by whoever starts or stops the server."""
        return self.run / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by everyone who uses the server."""
        return self.run / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server itself: every process of it inherits the open file."""
        return self.run / "server.lock"

    @property
    def log(self) -> Path:
        return self.run / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def short_name(self) -> str:
        """A name of this cluster that fits into a socket path, however deep the data lies."""
        return "goodname-" + hashlib.sha256(bytes(self.data)).hexdigest()[:12]


def inspect(data: Path) -> State:
    """Tell what a data directory is; only ``FOREIGN`` and ``DAMAGED`` must be left alone."""
    names = {entry.name for entry in data.iterdir()} if data.is_dir() else set()
    if data.exists() and not data.is_dir():
        return State.FOREIGN
    if not names:
        return State.ABSENT
    has_control = _size(data / "global" / "pg_control") > 0
    if MARK in names:
        return State.READY if has_control and _size(data / "PG_VERSION") > 0 else State.DAMAGED
    if names <= INITDB_NAMES and not has_control:
        return State.HALF_WRITTEN
    return State.FOREIGN


def major_version(data: Path) -> int:
    """The release that wrote the data, e.g. 18."""
    return int((data / "PG_VERSION").read_text().strip().partition(".")[0])


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
