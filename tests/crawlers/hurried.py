"""A child process for which it is as late as a file says, so that it lives weeks in seconds.

``HURRIED_CLOCK=FILE python -m tests.crawlers.hurried`` is such a child; it knows the real spiders.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

CLOCK = "HURRIED_CLOCK"


def told() -> datetime:
    """The time that stands in the file."""
    return datetime.fromisoformat(Path(os.environ[CLOCK]).read_text("utf-8"))


if __name__ == "__main__":
    from crawlers.catalogue import spiders
    from crawlers.child import main

    main(spiders(), clock=told)
