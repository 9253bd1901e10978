"""What only Unix has, or the reason why there is no embedded database elsewhere."""

from __future__ import annotations

from core.errors import DatabaseError

try:
    import fcntl
    import pwd
except ImportError:
    raise DatabaseError(
        "The embedded database needs Linux or macOS. Set DATABASE_URL to a PostgreSQL server, "
        "version 15 or newer, or run Goodname under WSL."
    ) from None

__all__ = ["fcntl", "pwd"]
