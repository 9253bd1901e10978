"""One `up` a data folder: two would crawl and alert side by side."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import GoodnameError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel drops it when the process ends, however it ends."""
    path = folder.parent / f"{folder.name}.up.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise GoodnameError(
            f"cannot write to {path.parent} ({error.strerror}); "
            "set [database] data_dir or GOODNAME_DATABASE__DATA_DIR to a folder of yours"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GoodnameError(
                f"`goodname up` runs already on {folder}; stop it, or set another data_dir"
            ) from None
        yield
