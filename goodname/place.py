"""Where things lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from core.settings import Settings


def data_dir(settings: Settings, *, demo: bool = False) -> Path:
    """The folder of the embedded database; a demo keeps its own beside it."""
    given = settings.database.data_dir
    # The server cannot run as root and runs as another user, who must be able to get there.
    home = Path("/var/lib/goodname") if _is_root() else user_data_path("goodname")
    base = Path(given).expanduser().absolute() if given else home
    return base / ("demo" if demo else "database")


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
