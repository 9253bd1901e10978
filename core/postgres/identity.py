"""Under which system user the server runs: Postgres refuses to run as root."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from core.errors import DatabaseError
from core.postgres.unix import pwd

#: What a child may see of our environment. Secrets stay here: `nobody` could read them in /proc,
#: and PGDATA, PGPORT and their like would quietly change what the server does.
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUser:
    """Who owns the data and runs the server."""

    uid: int
    gid: int
    name: str
    is_other: bool  #: we are root and have to become this user

    def run(
        self, command: Sequence[str | Path], *, keep_open: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user; both streams come back as one text."""
        process = self.spawn(command, stdout=subprocess.PIPE, keep_open=keep_open)
        try:
            output, _ = process.communicate()
        except BaseException:
            _kill_group(process)
            raise
        return subprocess.CompletedProcess(list(command), process.returncode, output, "")

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        stdout: int | IO[str],
        keep_open: Sequence[int] = (),
    ) -> subprocess.Popen[str]:
        """Start a command as this user, out of reach of a Ctrl-C in our terminal."""
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=_environment(),
            start_new_session=True,
            pass_fds=keep_open,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def as_ourselves(self) -> ServerUser:
        """The same without the change of user."""
        return replace(self, is_other=False)

    def own(self, path: Path) -> None:
        """Hand a file or directory of ours to this user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Whether this user may walk to the folder; a home with mode 0700 is in the way."""
        return not self.is_other or self.run(["test", "-x", folder]).returncode == 0


def server_user(data: Path) -> ServerUser:
    """Whoever we are; for root the owner of existing data, else `nobody`."""
    if os.geteuid() != 0:
        return ServerUser(
            uid=os.geteuid(), gid=os.getegid(), name=_name(os.geteuid()), is_other=False
        )
    owner = data.stat().st_uid if data.is_dir() else 0
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseError(
            f"Postgres does not run as root, and the user that should run it "
            f"({f'number {owner}, owner of {data}' if owner else 'nobody'}) is not in /etc/passwd. "
            "Add it, start Goodname as a normal user, or set DATABASE_URL."
        ) from None
    return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name, is_other=True)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _kill_group(process: subprocess.Popen[str]) -> None:
    # initdb has a postgres of its own, which would go on writing.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
