"""Named points at which a test may end the process as a power cut would."""

from __future__ import annotations

import os

VARIABLE = "GOODNAME_CRASH_AT"
#: Every point, so that a test can visit all; a name that is not here is a mistake.
POINTS = (
    "judge_before_commit",
    "judge_after_commit",
    "deliver_after_claim",
    "deliver_after_send",
    "deliver_after_settle",
    "rejudge_before_commit",
    "rejudge_after_commit",
)


def crash_point(name: str) -> None:
    """End here at once, without any clean-up, when ``GOODNAME_CRASH_AT`` names this point."""
    if name not in POINTS:
        raise ValueError(f"unknown crash point {name!r}")
    if os.environ.get(VARIABLE) == name:
        os._exit(137)
